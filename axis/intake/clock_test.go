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
	c := newClock(s.now, nil, start.Add(5*time.Minute))
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
	c := newClock(s.now, nil, last)
	if _, err := c.journalTime(); !reason.Is(err, axispb.ReasonCode_REASON_CLOCK) || !reason.IsTemporary(err) {
		t.Fatalf("error %v, not a temporary REASON_CLOCK", err)
	}
	if s := c.state(c.read()); s.Doubt != DoubtBehind || !s.Expected.Equal(last) || !s.Shown.Equal(start) {
		t.Errorf("in doubt: %+v", s)
	}
	c.confirm(c.read())
	at, err := c.journalTime()
	if err != nil || !at.Equal(last) {
		t.Errorf("after the confirmation: %v, %v; journal time must stand still at %v", at, err, last)
	}
}

func TestAJumpAgainstTheMonotonicClockIsRefusedUntilConfirmed(t *testing.T) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s := &simulated{start}
	passed := time.Duration(0)
	c := newClock(s.now, func() time.Duration { return passed }, time.Time{})

	s.wall, passed = start.Add(9*time.Minute), 0
	if _, err := c.journalTime(); err != nil {
		t.Fatalf("nine minutes off: %v", err)
	}
	s.wall, passed = start.Add(time.Hour), time.Minute
	if _, err := c.journalTime(); !reason.Is(err, axispb.ReasonCode_REASON_CLOCK) {
		t.Fatalf("error %v, not REASON_CLOCK", err)
	}
	state := c.state(c.read())
	if state.Doubt != DoubtAhead || !state.Expected.Equal(start.Add(time.Minute)) || !state.Shown.Equal(start.Add(time.Hour)) {
		t.Errorf("in doubt: %+v", state)
	}
	c.confirm(c.read())
	if _, err := c.journalTime(); err != nil {
		t.Errorf("after the confirmation: %v", err)
	}
}

// A start cannot tell a long stop from a clock that was put forward: up to a week it
// takes the clock's word, beyond that an operator's.
func TestAStartLongAfterTheLastRecordIsRefusedUntilConfirmed(t *testing.T) {
	last := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after time.Duration
		doubt Doubt
	}{
		{-10 * time.Minute, DoubtNone},
		{-10*time.Minute - time.Second, DoubtBehind},
		{7 * 24 * time.Hour, DoubtNone},
		{7*24*time.Hour + time.Second, DoubtStopped},
	} {
		s := &simulated{last.Add(c.after)}
		clock := newClock(s.now, nil, last)
		if got := clock.state(clock.read()).Doubt; got != c.doubt {
			t.Errorf("%v after the last record: doubt %q, not %q", c.after, got, c.doubt)
		}
		if _, err := clock.journalTime(); (err != nil) != (c.doubt != DoubtNone) {
			t.Errorf("%v after the last record: %v", c.after, err)
		}
		clock.confirm(clock.read())
		if _, err := clock.journalTime(); err != nil {
			t.Errorf("%v after the last record, confirmed: %v", c.after, err)
		}
	}
	for _, none := range []time.Time{{}, time.UnixMilli(0)} {
		if d := DoubtAtStart(last, none); d != DoubtNone {
			t.Errorf("without a record: doubt %q", d)
		}
	}
}
