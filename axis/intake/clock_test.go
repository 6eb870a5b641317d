package intake

import (
	"testing"
	"time"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// simulated is a clock without a monotonic reading, as an operator would set it.
type simulated struct{ wall time.Time }

func (s *simulated) now() time.Time { return s.wall }

func TestJournalTimeNeverGoesBack(t *testing.T) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s := &simulated{start}
	c := newClock(s.now, start.Add(5*time.Minute))
	at, err := c.journalTime()
	if err != nil || !at.Equal(start.Add(5*time.Minute)) {
		t.Errorf("behind the last record: %v, %v", at, err)
	}
	s.wall = start.Add(6 * time.Minute)
	if at, err = c.journalTime(); err != nil || !at.Equal(s.wall) {
		t.Errorf("past the last record: %v, %v", at, err)
	}
}

func TestAClockThatWentBackIsRefusedUntilConfirmed(t *testing.T) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s := &simulated{start}
	last := start.Add(11 * time.Minute)
	c := newClock(s.now, last)
	if _, err := c.journalTime(); !reason.Is(err, axispb.ReasonCode_REASON_CLOCK) || !reason.IsTemporary(err) {
		t.Fatalf("error %v, not a temporary REASON_CLOCK", err)
	}
	if _, after := c.confirm(); !after.Equal(start) {
		t.Errorf("confirmed %v", after)
	}
	at, err := c.journalTime()
	if err != nil || !at.Equal(last) {
		t.Errorf("after the confirmation: %v, %v; journal time must stand still at %v", at, err, last)
	}
}

func TestAJumpAgainstTheMonotonicClockIsRefusedUntilConfirmed(t *testing.T) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s := &simulated{start}
	c := newClock(s.now, time.Time{})
	passed := time.Duration(0)
	c.since = func(time.Time, time.Time) time.Duration { return passed }

	s.wall, passed = start.Add(9*time.Minute), 0
	if _, err := c.journalTime(); err != nil {
		t.Fatalf("nine minutes off: %v", err)
	}
	s.wall, passed = start.Add(time.Hour), time.Minute
	if _, err := c.journalTime(); !reason.Is(err, axispb.ReasonCode_REASON_CLOCK) {
		t.Fatalf("error %v, not REASON_CLOCK", err)
	}
	before, after := c.confirm()
	if !before.Equal(start.Add(time.Minute)) || !after.Equal(start.Add(time.Hour)) {
		t.Errorf("confirmed %v instead of %v", after, before)
	}
	passed = 0
	if _, err := c.journalTime(); err != nil {
		t.Errorf("after the confirmation: %v", err)
	}
}
