package hubtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"

	"google.golang.org/protobuf/proto"
)

// jumping is a wall clock that a test sets, beside a monotonic one that nobody can.
type jumping struct {
	start time.Time
	off   atomic.Int64
}

func newJumping() *jumping { return &jumping{start: time.Now()} }

// now has no monotonic reading, as after a clock was set.
func (j *jumping) now() time.Time {
	return time.Now().Round(0).Add(time.Duration(j.off.Load()))
}
func (j *jumping) monotonic() time.Duration { return time.Since(j.start) }
func (j *jumping) set(off time.Duration)    { j.off.Store(int64(off)) }

// steady has endpoints keep the right time while the axis's clock jumps.
func steady(string) func() time.Time { return time.Now }

// doubted waits for the clock that the operator is shown.
func doubted(t *testing.T, w *hubtest.World, want string) {
	t.Helper()
	s, err := w.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	if s.Clock != nil {
		got = s.Clock.Doubt
	}
	if got != want {
		t.Fatalf("the operator is told %q of the clock, not %q", got, want)
	}
}

// refusedFor waits until a document is being tried again, for this reason.
func refusedFor(t *testing.T, m *hubtest.Member, id string, want axispb.ReasonCode) {
	t.Helper()
	eventually(t, "the endpoint is told why", func() error {
		s, err := m.Agent().Show(id)
		if err != nil {
			return err
		}
		if got := s.Sent.GetTrouble().GetReason().GetCode(); got != want || s.Sent.State == axispb.State_STATE_PARKED {
			return fmt.Errorf("%s for %s", s.Sent.State, got)
		}
		return nil
	})
}

// lastAct is the newest act in the journal, with the time of its record.
func lastAct(t *testing.T, w *hubtest.World) (act *axispb.Act, at time.Time) {
	t.Helper()
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		for _, r := range blockOf(raw).Records {
			if headerOf(r).Kind == axispb.Kind_KIND_ACT {
				act = new(axispb.Act)
				at = time.UnixMilli(headerOf(r).TimeMs)
				if err := proto.Unmarshal(r.Body, act); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil || act == nil {
		t.Fatalf("no act in the journal (%v)", err)
	}
	return act, at
}

// A clock that jumps by more than ten minutes, forward or back, while the axis runs:
// nothing is journaled until an operator confirms it, everybody is told why and
// waits, and nothing is lost.
func TestAClockThatJumpsIsRefusedUntilConfirmed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		jumps time.Duration
		doubt string
	}{
		{"forward", 2 * time.Hour, "ahead"},
		{"back", -2 * time.Hour, "back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := newJumping()
			w := world(t, hubtest.Config{
				Now: clock.now, Monotonic: clock.monotonic, EndpointNow: steady, Retry: quick, PullEvery: time.Second,
			}, "G22", "H41")
			clock.set(c.jumps / 15) // eight minutes
			first := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("1"))
			wait(t, w.Member("G22"), first, consigned)
			newExchange(t, w, 1).settle()
			doubted(t, w, "")

			clock.set(c.jumps)
			before := status(t, w)
			id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("2"))
			refusedFor(t, w.Member("G22"), id, axispb.ReasonCode_REASON_CLOCK)
			doubted(t, w, c.doubt)
			_, err := w.Hub().Invite(t.Context(), operator.Invite{Why: because("x"), Codes: []string{"G02"}})
			if !reason.Is(err, axispb.ReasonCode_REASON_CLOCK) {
				t.Errorf("an operator is told %v", err)
			}
			if _, err := w.Hub().RollKey(t.Context(), rollOf(operator.KeyLog)); !reason.Is(err, axispb.ReasonCode_REASON_CLOCK) {
				t.Errorf("a key is replaced under a clock in doubt: %v", err)
			}
			if after := status(t, w); after.Size != before.Size {
				t.Errorf("%d records were journaled", after.Size-before.Size)
			}

			// Put right again, it is followed again; and back to the wrong time.
			clock.set(c.jumps / 15)
			wait(t, w.Member("G22"), id, consigned)
			newExchange(t, w, 2).settle()
			clock.set(c.jumps)
			id = send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("3"))
			refusedFor(t, w.Member("G22"), id, axispb.ReasonCode_REASON_CLOCK)

			if _, err := w.Hub().ConfirmClock(t.Context(), because("NTP hỏng")); err != nil {
				t.Fatal(err)
			}
			wait(t, w.Member("G22"), id, consigned)
			doubted(t, w, "")
			act, at := lastAct(t, w)
			jumped := time.Duration(act.GetClockConfirmed().GetAfterMs()-act.GetClockConfirmed().GetBeforeMs()) * time.Millisecond
			if act.Actor != "lan" || act.Reason != "NTP hỏng" || (jumped-c.jumps).Abs() > 10*time.Minute {
				t.Errorf("journaled: %v", act)
			}
			if ahead := at.After(time.Now().Add(time.Hour)); ahead != (c.jumps > 0) {
				t.Errorf("the confirmation is journaled at %v", at)
			}
			newExchange(t, w, 3).settle()
			check(t, w)
		})
	}
}

// Across a restart there is no monotonic clock, only the last record: a clock behind
// it, or more than a week past it, is in doubt; less cannot be told from a stop.
func TestAStartWithAnotherClock(t *testing.T) {
	t.Parallel()
	clock := newJumping()
	w := world(t, hubtest.Config{
		Now: clock.now, Monotonic: clock.monotonic, Retry: quick, PullEvery: time.Second,
	}, "G22", "H41")
	restart := func(off time.Duration) {
		t.Helper()
		stopped(t, w, func(string) error { clock.set(off); return nil })
	}
	crosses := func() {
		t.Helper()
		id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("x"))
		wait(t, w.Member("G22"), id, consigned)
		newExchange(t, w, 1).settle()
	}
	held := func(doubt string) {
		t.Helper()
		id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("x"))
		refusedFor(t, w.Member("G22"), id, axispb.ReasonCode_REASON_CLOCK)
		doubted(t, w, doubt)
		restart(time.Duration(clock.off.Load())) // asking twice does not help
		doubted(t, w, doubt)
		if _, err := w.Hub().ConfirmClock(t.Context(), because("đã xem")); err != nil {
			t.Fatal(err)
		}
		wait(t, w.Member("G22"), id, consigned)
		doubted(t, w, "")
	}
	const day = 24 * time.Hour
	restart(6 * day) // a stop, as far as anybody can tell
	crosses()
	restart(6*day - 9*time.Minute)
	crosses()
	restart(14 * day)
	held("stopped")
	// The clock was wrong: it is put right, and the journal is ahead of it.
	restart(time.Hour)
	held("behind")
	_, stands := lastAct(t, w)
	restart(2 * time.Hour) // what was confirmed holds
	crosses()
	if _, at := lastAct(t, w); !at.Equal(stands) {
		t.Errorf("journal time went from %v to %v while the clock was behind it", stands, at)
	}
	restart(-time.Hour) // further back than what was confirmed
	held("behind")
	crosses()

	// An epoch that must be opened under a clock in doubt has the last record's time.
	stopped(t, w, func(dir string) error {
		clock.set(100 * day)
		return os.Remove(filepath.Join(dir, "keys", "guard"))
	})
	doubted(t, w, "stopped")
	e := epochOf(t, w, announced(t, w)[1])
	if opened := time.UnixMilli(e.OpenedMs); !opened.Equal(stands) {
		t.Errorf("the epoch was opened at %v, the last record at %v", opened, stands)
	}
	held("stopped")
	newExchange(t, w, 1).settle()
	check(t, w)
}

// Clocks that are a day off, either way: the endpoint joins, connects, sends and
// receives; what it claims is flagged, and the times that are shown are the journal's.
func TestEndpointsADayOff(t *testing.T) {
	t.Parallel()
	const almostADay = 24*time.Hour - 10*time.Minute
	off := map[string]time.Duration{"H41": almostADay, "G02": -almostADay}
	w := world(t, hubtest.Config{Retry: quick, PullEvery: time.Second, EndpointNow: func(code string) func() time.Time {
		return func() time.Time { return time.Now().Add(off[code]) }
	}}, "G22", "H41", "G02")
	for code := range off {
		for _, way := range [][2]string{{"G22", code}, {code, "G22"}} {
			id := send(t, w.Member(way[0]), clerk.Draft{To: []string{way[1]}}, []byte(way[0]+way[1]))
			wait(t, w.Member(way[0]), id, consigned)
			shown, err := w.Member(way[0]).Agent().Show(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range shown.Recipients {
				for _, s := range l.Steps {
					if early := time.Since(s.Time); early.Abs() > time.Hour {
						t.Errorf("%s to %s: %s is shown %v off", way[0], way[1], s.Event, early)
					}
					if flagged := s.ClockOff; len(s.Evidence) > 0 && flagged != (way[1] == code) {
						t.Errorf("%s to %s: %s is flagged %v", way[0], way[1], s.Event, flagged)
					}
				}
			}
		}
	}
	newExchange(t, w, 1).settle()
	check(t, w)
}
