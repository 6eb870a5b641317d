package intake

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// longStop is how far past the last record the clock of a start may be. A clock
// that was put forward while the axis stood still cannot be told from a long stop;
// an axis that stood still for longer than this has an operator beside it.
const longStop = 7 * 24 * time.Hour

// Doubt says why a clock is not followed.
type Doubt string

// Why a clock is not followed.
const (
	// DoubtNone: it is followed.
	DoubtNone Doubt = ""
	// DoubtAhead and DoubtBack: it jumped while the axis ran.
	DoubtAhead Doubt = "ahead"
	DoubtBack  Doubt = "back"
	// DoubtBehind: it is behind the last record, when the axis started or since.
	DoubtBehind Doubt = "behind"
	// DoubtStopped: the axis started more than a week after the last record.
	DoubtStopped Doubt = "stopped"
)

// DoubtAtStart judges the clock of a start by the journal time of the last record;
// the zero time and the Unix epoch stand for none.
func DoubtAtStart(now, last time.Time) Doubt {
	past := now.Round(0).Sub(last)
	switch {
	case last.UnixMilli() <= 0:
		return DoubtNone
	case past < -clockTolerance:
		return DoubtBehind
	case past > longStop:
		return DoubtStopped
	}
	return DoubtNone
}

// reading is what the clocks showed at one moment.
type reading struct {
	wall  time.Time     // with Now's monotonic reading, where there is one
	ticks time.Duration // of Config.Monotonic
}

// clock makes journal time: max(previous, now), and refuses to follow a clock
// that jumped until an operator confirms it. Journal time is the legal time, so a
// wrong clock must stop the journal, not date it.
type clock struct {
	now       func() time.Time
	monotonic func() time.Duration // nil: the reading in now's times is taken

	mu      sync.Mutex
	started reading
	last    time.Time // journal time of the last record
	behind  bool      // an operator confirmed a clock that is behind last
	stopped bool      // the start came long after last, and nobody confirmed it
}

func newClock(now func() time.Time, monotonic func() time.Duration, last time.Time) *clock {
	c := &clock{now: now, monotonic: monotonic, last: last}
	c.started = c.read()
	c.stopped = DoubtAtStart(c.started.wall, last) == DoubtStopped
	return c
}

func (c *clock) read() reading {
	r := reading{wall: c.now()}
	if c.monotonic != nil {
		r.ticks = c.monotonic()
	}
	return r
}

// expected is what the wall clock should show at a reading: the one that was
// started from, and what has passed since.
func (c *clock) expected(at reading) time.Time {
	passed := at.wall.Sub(c.started.wall)
	if c.monotonic != nil {
		passed = at.ticks - c.started.ticks
	}
	return c.started.wall.Round(0).Add(passed)
}

// journalTime is the time for the next block.
func (c *clock) journalTime() (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.read()
	if c.doubt(at) != DoubtNone {
		return time.Time{}, reason.Temporary(axispb.ReasonCode_REASON_CLOCK)
	}
	wall := at.wall.Round(0).UTC().Truncate(time.Millisecond)
	if wall.After(c.last) {
		c.last, c.behind = wall, false
	}
	return c.last, nil
}

// doubt compares the wall clock with the monotonic clock since the start or the
// last confirmation, and with the last record: going back by more than the
// tolerance is a jump even where the process has just started. It needs the lock.
func (c *clock) doubt(at reading) Doubt {
	wall := at.wall.Round(0)
	switch ahead := wall.Sub(c.expected(at)); {
	case ahead > clockTolerance:
		return DoubtAhead
	case ahead < -clockTolerance:
		return DoubtBack
	case c.stopped:
		return DoubtStopped
	case !c.behind && c.last.Sub(wall) > clockTolerance:
		return DoubtBehind
	}
	return DoubtNone
}

// confirm accepts the clock as a reading has it. Where it is behind the last record,
// journal time stands still until the clock has caught up.
func (c *clock) confirm(at reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started, c.behind, c.stopped = at, true, false
}

// ClockState is how the axis's clock stands.
type ClockState struct {
	Doubt Doubt
	// Expected is what it should show, as far as the axis can tell; Shown is what it
	// shows.
	Expected, Shown time.Time
}

// Clock tells whether the clock is followed. While it is not, every request is
// answered REASON_CLOCK and nothing is journaled.
func (in *Intake) Clock() ClockState {
	c := in.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state(c.read())
}

// state needs the lock.
func (c *clock) state(at reading) ClockState {
	s := ClockState{Doubt: c.doubt(at), Expected: c.expected(at), Shown: at.wall.Round(0)}
	if s.Doubt == DoubtStopped || s.Doubt == DoubtBehind {
		s.Expected = c.last
	}
	return s
}

// ConfirmClock lets journal time follow a clock that jumped, and journals who said
// so and why. What the clock shows now is what is confirmed: should it jump again
// before that is journaled, it is in doubt again.
func (in *Intake) ConfirmClock(ctx context.Context, actor, why string) error {
	in.clock.mu.Lock()
	at := in.clock.read()
	state := in.clock.state(at)
	in.clock.mu.Unlock()
	raw, err := proto.Marshal(&axispb.Act{
		Version: 1, Actor: actor, Reason: why,
		Act: &axispb.Act_ClockConfirmed{ClockConfirmed: &axispb.ClockConfirmed{
			BeforeMs: state.Expected.UnixMilli(), AfterMs: state.Shown.UnixMilli(),
		}},
	})
	if err != nil {
		return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "act").Because(err)
	}
	_, err = in.wait(ctx, act{raw: raw, confirms: &at})
	return err
}

// confirmClock follows the clock as far as somebody who waits has confirmed it: the
// record that says so is of the block that is made next.
func (in *Intake) confirmClock(pending []*candidate) {
	for _, c := range pending {
		if a, ok := c.decider.(act); ok && a.confirms != nil {
			in.clock.confirm(*a.confirms)
		}
	}
}
