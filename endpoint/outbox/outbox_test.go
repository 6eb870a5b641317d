package outbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"docaxis/proto/axispb"
)

const (
	queued    = axispb.State_STATE_QUEUED
	submitted = axispb.State_STATE_SUBMITTED
	accepted  = axispb.State_STATE_ACCEPTED
	rejected  = axispb.State_STATE_REJECTED
	parked    = axispb.State_STATE_PARKED
	consigned = axispb.State_STATE_CONSIGNED
	handed    = axispb.State_STATE_HANDED_OVER
)

var start = time.UnixMilli(1_800_000_000_000)

func openBolt(path string) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	return db, db.Update(Init)
}

type box struct {
	t  *testing.T
	db *bbolt.DB
}

func newBox(t *testing.T) box {
	t.Helper()
	db, err := openBolt(filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	b := box{t, db}
	t.Cleanup(func() {
		if err := db.View(Check); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return b
}

// do makes a change that must succeed.
func (b box) do(f func(o Outbox) error) {
	b.t.Helper()
	if err := b.try(f); err != nil {
		b.t.Fatal(err)
	}
}

func (b box) try(f func(o Outbox) error) error {
	return b.db.Update(func(tx *bbolt.Tx) error { return f(In(tx)) })
}

func (b box) add(id string, edit ...func(*axispb.OutboxEntry)) {
	b.t.Helper()
	e := &axispb.OutboxEntry{Id: id, Lane: axispb.Lane_LANE_NORMAL, NextAttemptMs: start.UnixMilli()}
	for _, f := range edit {
		f(e)
	}
	b.do(func(o Outbox) error { return o.Add(e) })
}

func (b box) state(id string) (s axispb.State) {
	b.t.Helper()
	b.do(func(o Outbox) error {
		e, err := o.Get(id)
		s = e.GetState()
		return err
	})
	return s
}

func (b box) due(c Class, now time.Time) (ids []string, wake time.Time) {
	b.do(func(o Outbox) error {
		jobs, w := o.Due(c, now, 100)
		for _, j := range jobs {
			ids = append(ids, j.ID)
		}
		wake = w
		return nil
	})
	return ids, wake
}

func (b box) wantDue(want ...string) {
	b.t.Helper()
	if got, _ := b.due(Small, start); !slices.Equal(got, want) {
		b.t.Errorf("due: %q, want %q", got, want)
	}
}

func lane(l axispb.Lane) func(*axispb.OutboxEntry) {
	return func(e *axispb.OutboxEntry) { e.Lane = l }
}

func after(ids ...string) func(*axispb.OutboxEntry) {
	return func(e *axispb.OutboxEntry) { e.After = ids }
}

func statement(event axispb.Event, code string) (*axispb.Statement, []byte) {
	s := &axispb.Statement{Version: 1, Event: event, Code: code}
	raw, _ := proto.Marshal(s)
	ev, _ := proto.Marshal(&axispb.Evidence{Statement: raw})
	return s, ev
}

func report(id string, event axispb.Event, code string, standing axispb.Standing) Report {
	s, raw := statement(event, code)
	return Report{ID: id, Statement: s, Proof: &axispb.Proof{Evidence: raw, Standing: standing}, TimeMs: 7}
}

func TestUrgentFirstThenLongestDue(t *testing.T) {
	b := newBox(t)
	b.add("n1")
	b.add("n2", func(e *axispb.OutboxEntry) { e.NextAttemptMs -= 10 })
	b.add("u1", lane(axispb.Lane_LANE_URGENT))
	b.add("later", func(e *axispb.OutboxEntry) { e.NextAttemptMs += 5000 })
	b.add("big", func(e *axispb.OutboxEntry) { e.Bytes = BulkBytes + 1 })
	b.wantDue("u1", "n2", "n1")
	if _, wake := b.due(Small, start); !wake.Equal(start.Add(5 * time.Second)) {
		t.Errorf("wakes at %v", wake)
	}
	if ids, _ := b.due(Bulk, start); !slices.Equal(ids, []string{"big"}) {
		t.Errorf("bulk: %q", ids)
	}
}

func TestAttemptIsCountedBeforeItIsMade(t *testing.T) {
	b := newBox(t)
	b.add("a")
	b.do(func(o Outbox) error {
		e, err := o.Attempt("a", start.Add(time.Minute), true)
		if err == nil && (e.Attempts != 1 || e.State != submitted) {
			t.Errorf("got %v", e)
		}
		return err
	})
	b.wantDue()
}

func TestOneIdOnce(t *testing.T) {
	b := newBox(t)
	b.add("a")
	if err := b.try(func(o Outbox) error { return o.Add(&axispb.OutboxEntry{Id: "a"}) }); !errors.Is(err, ErrExists) {
		t.Fatalf("got %v", err)
	}
}

func TestAcceptanceBringsRecipientsAndIsFinal(t *testing.T) {
	b := newBox(t)
	b.add("a")
	list := []*axispb.RecipientEntry{{Code: "H41", State: accepted}, {Code: "H42", State: rejected}}
	for range 2 {
		b.do(func(o Outbox) error { return o.Accept("a", []byte("receipt"), list) })
	}
	b.do(func(o Outbox) error {
		got, err := o.Recipients("a")
		if len(got) != 2 || got[1].State != rejected {
			t.Errorf("recipients %v", got)
		}
		return err
	})
	for name, step := range map[string]func(o Outbox) error{
		"attempt": func(o Outbox) error { _, err := o.Attempt("a", start, true); return err },
		"fail":    func(o Outbox) error { return o.Fail("a", nil, start, false) },
		"park":    func(o Outbox) error { return o.Park("a", nil) },
		"reject":  func(o Outbox) error { _, err := o.Reject("a", []byte("no"), nil, nil); return err },
		"retry":   func(o Outbox) error { return o.Retry("a", start) },
		"offer":   func(o Outbox) error { return o.Offer("a") },
	} {
		if err := b.try(step); !errors.Is(err, ErrState) {
			t.Errorf("%s of an accepted submission: %v", name, err)
		}
	}
	b.wantDue()
}

func TestParkedWaitsForAPerson(t *testing.T) {
	b := newBox(t)
	b.add("a")
	b.do(func(o Outbox) error { return o.Park("a", &axispb.Trouble{Detail: "why"}) })
	b.wantDue()
	if b.state("a") != parked {
		t.Fatal(b.state("a"))
	}
	b.do(func(o Outbox) error { return o.Retry("a", start) })
	b.wantDue("a")
}

func TestFollowUpWaitsForItsTarget(t *testing.T) {
	b := newBox(t)
	b.add("target")
	b.add("other")
	b.add("change", after("target", "other", "in the inbox"))
	b.wantDue("other", "target")
	b.do(func(o Outbox) error { return o.Accept("target", []byte("r"), nil) })
	b.wantDue("other")
	b.do(func(o Outbox) error { return o.Accept("other", []byte("r"), nil) })
	b.wantDue("change")
	b.add("second", after("target"))
	b.wantDue("change", "second")
}

func TestFollowUpOfARefusedTargetIsParked(t *testing.T) {
	b := newBox(t)
	b.add("target")
	b.add("change", after("target"))
	b.do(func(o Outbox) error {
		parked, err := o.Reject("target", []byte("no"), nil, &axispb.Trouble{Detail: "target"})
		if !slices.Equal(parked, []string{"change"}) {
			t.Errorf("parked %q", parked)
		}
		return err
	})
	if b.state("change") != parked {
		t.Fatal(b.state("change"))
	}
	b.do(func(o Outbox) error { return o.Retry("change", start) })
	b.wantDue("change")
}

func TestReportsMoveTheStateForwardOnly(t *testing.T) {
	const (
		first      = axispb.Standing_STANDING_FIRST
		supersedes = axispb.Standing_STANDING_SUPERSEDES
		contrary   = axispb.Standing_STANDING_CONTRARY
		consign    = axispb.Event_EVENT_CONTENT_CONSIGNMENT
		fail       = axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE
		hand       = axispb.Event_EVENT_CONTENT_HANDOVER
		business   = axispb.Event_EVENT_BUSINESS_STATE
	)
	for _, c := range []struct {
		from     axispb.State
		event    axispb.Event
		standing axispb.Standing
		want     axispb.State
	}{
		{accepted, consign, first, consigned},
		{accepted, hand, first, handed},
		{accepted, consign, contrary, accepted},
		{handed, consign, first, handed},
		{consigned, fail, contrary, consigned},
		{consigned, fail, first, consigned},
		{axispb.State_STATE_CONSIGNMENT_FAILED, consign, supersedes, consigned},
		{axispb.State_STATE_CONSIGNMENT_FAILED, consign, first, axispb.State_STATE_CONSIGNMENT_FAILED},
		{consigned, business, first, consigned},
	} {
		if got := Next(c.from, c.event, c.standing); got != c.want {
			t.Errorf("%s and %s (%s): %s, want %s", c.from, c.event, c.standing, got, c.want)
		}
	}
}

func TestReport(t *testing.T) {
	b := newBox(t)
	b.add("a")
	b.add("g", func(e *axispb.OutboxEntry) { e.Grouped = true })
	first := report("a", axispb.Event_EVENT_CONTENT_CONSIGNMENT, "H41", axispb.Standing_STANDING_FIRST)
	if err := b.try(func(o Outbox) error { _, err := o.Report(first); return err }); !errors.Is(err, ErrState) {
		t.Errorf("evidence before acceptance: %v", err)
	}
	b.do(func(o Outbox) error {
		return o.Accept("a", []byte("r"), []*axispb.RecipientEntry{{Code: "H41", State: accepted}})
	})
	b.do(func(o Outbox) error { return o.Accept("g", []byte("r"), nil) })
	for i, want := range []bool{true, false} {
		b.do(func(o Outbox) error {
			changed, err := o.Report(first)
			if changed != want {
				t.Errorf("report %d changed: %v", i, changed)
			}
			return err
		})
	}
	stranger := report("a", axispb.Event_EVENT_CONTENT_CONSIGNMENT, "H99", axispb.Standing_STANDING_FIRST)
	if err := b.try(func(o Outbox) error { _, err := o.Report(stranger); return err }); !errors.Is(err, ErrNotFound) {
		t.Errorf("evidence of a stranger: %v", err)
	}
	member := report("g", axispb.Event_EVENT_CONTENT_HANDOVER, "H99", axispb.Standing_STANDING_FIRST)
	b.do(func(o Outbox) error { _, err := o.Report(member); return err })
	b.do(func(o Outbox) error {
		r, err := o.Recipient("g", "H99")
		if r.GetState() != handed || r.GetSinceMs() != 7 {
			t.Errorf("got %v", r)
		}
		return err
	})
}

func TestListNewestFirstByPages(t *testing.T) {
	b := newBox(t)
	for i := range 10 {
		b.add(fmt.Sprint("id", i), func(e *axispb.OutboxEntry) { e.Sender = fmt.Sprint("H", i%2) })
	}
	var got []string
	b.do(func(o Outbox) error {
		for before := ""; ; {
			page, err := o.List(Filter{Sender: "H1", Before: before, Limit: 2})
			if err != nil || len(page) == 0 {
				return err
			}
			for _, e := range page {
				got, before = append(got, e.Id), e.Id
			}
		}
	})
	if want := []string{"id9", "id7", "id5", "id3", "id1"}; !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}

// Each violation by hand must be seen: a Check that finds nothing proves nothing.
func TestCheckSeesViolations(t *testing.T) {
	for name, spoil := range map[string]func(o Outbox) error{
		"accepted without receipt": func(o Outbox) error {
			return o.put(nil, &axispb.OutboxEntry{Id: "x", State: accepted})
		},
		"rejected without proof": func(o Outbox) error {
			return o.put(nil, &axispb.OutboxEntry{Id: "x", State: rejected})
		},
		"due but not indexed": func(o Outbox) error { return o.due.Delete(o.firstDue()) },
		"stray index":         func(o Outbox) error { return o.due.Put([]byte("stray"), nil) },
		"stray wait":          func(o Outbox) error { return o.after.Put([]byte("stray"), nil) },
		"state without evidence": func(o Outbox) error {
			err := o.Accept("a", []byte("r"), []*axispb.RecipientEntry{{Code: "H41", State: consigned}})
			return err
		},
		"recipient of nothing": func(o Outbox) error {
			return o.recipients.Put(pairKey("none", "H41"), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := openBolt(filepath.Join(t.TempDir(), "db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			b := box{t, db}
			b.add("a")
			if err := db.View(Check); err != nil {
				t.Fatal(err)
			}
			b.do(spoil)
			if db.View(Check) == nil {
				t.Fatal("not seen")
			}
		})
	}
}

func (o Outbox) firstDue() []byte { k, _ := o.due.Cursor().First(); return k }

// Whatever the order of steps, no step leaves an invariant broken.
func TestRandomSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db, err := openBolt(filepath.Join(rapidDir(t), "db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		id := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		step := func(f func(o Outbox) error) {
			err := db.Update(func(tx *bbolt.Tx) error { return f(In(tx)) })
			if err != nil && !errors.Is(err, ErrState) && !errors.Is(err, ErrExists) && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
		}
		at := func() time.Time { return start.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "at")) * time.Second) }
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				e := &axispb.OutboxEntry{
					Id: id.Draw(t, "id"), After: rapid.SliceOfN(id, 0, 2).Draw(t, "after"),
					Grouped: true, Bytes: rapid.Uint64Range(0, 2*BulkBytes).Draw(t, "bytes"),
				}
				if slices.Contains(e.After, e.Id) {
					return
				}
				step(func(o Outbox) error { return o.Add(e) })
			},
			"attempt": func(t *rapid.T) {
				step(func(o Outbox) error {
					_, err := o.Attempt(id.Draw(t, "id"), at(), rapid.Bool().Draw(t, "offered"))
					return err
				})
			},
			"fail": func(t *rapid.T) {
				step(func(o Outbox) error {
					return o.Fail(id.Draw(t, "id"), nil, at(), rapid.Bool().Draw(t, "progressed"))
				})
			},
			"park": func(t *rapid.T) { step(func(o Outbox) error { return o.Park(id.Draw(t, "id"), nil) }) },
			"again": func(t *rapid.T) {
				step(func(o Outbox) error {
					return o.Again(&axispb.OutboxEntry{Id: id.Draw(t, "id"), EnvelopeDigest: []byte("other")}, at())
				})
			},
			"retry": func(t *rapid.T) { step(func(o Outbox) error { return o.Retry(id.Draw(t, "id"), at()) }) },
			"accept": func(t *rapid.T) {
				step(func(o Outbox) error { return o.Accept(id.Draw(t, "id"), []byte("r"), nil) })
			},
			"reject": func(t *rapid.T) {
				step(func(o Outbox) error { _, err := o.Reject(id.Draw(t, "id"), []byte("n"), nil, nil); return err })
			},
			"report": func(t *rapid.T) {
				event := axispb.Event(rapid.IntRange(3, 8).Draw(t, "event"))
				standing := axispb.Standing(rapid.IntRange(1, 3).Draw(t, "standing"))
				step(func(o Outbox) error {
					_, err := o.Report(report(id.Draw(t, "id"), event, "H41", standing))
					return err
				})
			},
			"": func(t *rapid.T) {
				if err := db.View(Check); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}
