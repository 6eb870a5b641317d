package intake

import (
	"sync"
	"time"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// clock makes journal time: max(previous, now), and refuses to follow a clock
// that jumped until an operator confirms it. Journal time is the legal time, so a
// wrong clock must stop the journal, not date it.
type clock struct {
	now func() time.Time
	// since is what the monotonic clock says has passed between two readings.
	since func(from, to time.Time) time.Duration

	mu      sync.Mutex
	started time.Time // with the monotonic reading, where there is one
	last    time.Time // journal time of the last record
	behind  bool      // an operator confirmed a clock that is behind last
}

func newClock(now func() time.Time, last time.Time) *clock {
	monotonic := func(from, to time.Time) time.Duration { return to.Sub(from) }
	return &clock{now: now, since: monotonic, started: now(), last: last}
}

// journalTime is the time for the next block.
func (c *clock) journalTime() (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.jumped(now) {
		return time.Time{}, reason.Temporary(axispb.ReasonCode_REASON_CLOCK)
	}
	wall := now.Round(0).UTC().Truncate(time.Millisecond)
	if wall.After(c.last) {
		c.last, c.behind = wall, false
	}
	return c.last, nil
}

// jumped compares the wall clock with the monotonic clock since the last
// confirmation, and with the last record: going back by more than the tolerance
// is a jump even where the process has just started.
func (c *clock) jumped(now time.Time) bool {
	wall := now.Round(0).Sub(c.started.Round(0))
	if (wall - c.since(c.started, now)).Abs() > clockTolerance {
		return true
	}
	return !c.behind && c.last.Sub(now.Round(0)) > clockTolerance
}

// confirm accepts the clock as it is now. Where it is behind the last record,
// journal time stands still until the clock has caught up.
func (c *clock) confirm() (before, after time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	before = c.started.Round(0).Add(c.since(c.started, now))
	c.started, c.behind = now, true
	return before, now.Round(0)
}
