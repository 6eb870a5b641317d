package axis

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/axis/intake"
	"docaxis/axis/mailbox"
	"docaxis/proto/axispb"
)

// startTime is when an epoch is opened by a start: now or, where the clock is in
// doubt, the time of the last record. Journal time stands still until an operator
// confirms the clock.
func (h *Hub) startTime() time.Time {
	last := h.chain.Time()
	if state, found, err := h.remembered(); err == nil && found && state.TimeMS > last.UnixMilli() {
		last = time.UnixMilli(state.TimeMS).UTC()
	}
	if now := h.now(); intake.DoubtAtStart(now, last) == intake.DoubtNone {
		return now
	}
	return last
}

// confirmedBehind reports whether the clock is behind the last record and an
// operator has already confirmed that it is: the confirmation is journaled at the
// very time at which journal time stands still. A clock that went back further since
// was not confirmed.
func (h *Hub) confirmedBehind(ctx context.Context) (bool, error) {
	last := h.chain.Time()
	if intake.DoubtAtStart(h.now(), last) != intake.DoubtBehind {
		return false, nil
	}
	acts, err := h.ledger.At(ctx, axispb.Kind_KIND_ACT, last.UnixMilli())
	if err != nil {
		return false, err
	}
	for _, l := range acts {
		record, err := h.records().Record(ctx, mailbox.Location(l))
		if err != nil {
			return false, fmt.Errorf("read record %d: %w", l.Position, err)
		}
		var act axispb.Act
		if err := proto.Unmarshal(record.GetBody(), &act); err != nil {
			return false, fmt.Errorf("read record %d: %w", l.Position, err)
		}
		if c := act.GetClockConfirmed(); c != nil && intake.DoubtAtStart(h.now(), time.UnixMilli(c.AfterMs)) != intake.DoubtBehind {
			return true, nil
		}
	}
	return false, nil
}

// clockState is what an operator is shown; nil while the clock is followed.
func (h *Hub) clockState() *operator.Clock {
	s := h.intake.Clock()
	if s.Doubt == intake.DoubtNone {
		return nil
	}
	return &operator.Clock{Doubt: string(s.Doubt), ExpectedMS: s.Expected.UnixMilli(), ShownMS: s.Shown.UnixMilli()}
}

func (h *Hub) warnOfClock() {
	if c := h.clockState(); c != nil {
		h.log.Warn("the clock is in doubt and nothing is decided: put it right, or run axis clock confirm",
			"doubt", c.Doubt, "expected", time.UnixMilli(c.ExpectedMS).UTC(), "shown", time.UnixMilli(c.ShownMS).UTC())
	}
}
