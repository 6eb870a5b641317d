package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// between is something that is done between two blocks, by itself.
type between struct {
	do func(ctx context.Context, at time.Time) error
}

// decide is never asked: the appender sees what it has before it.
func (between) decide(context.Context, *block) (outcome, error) {
	return outcome{}, errors.New("not a record")
}

// Between has the appender do something that changes how the journal goes on, as a
// new epoch does: after the block before it and before any decision that follows.
// do gets the journal time, and uses Log as it likes. Its error ends the appender:
// what was written is not known any more. The clock's doubt (REASON_CLOCK) comes
// before it is begun, and ends nothing.
func (in *Intake) Between(ctx context.Context, do func(ctx context.Context, at time.Time) error) error {
	_, err := in.wait(ctx, between{do})
	return err
}

// stepBetween does what stands first, if it is of this kind.
func (in *Intake) stepBetween(ctx context.Context, c *candidate) (done bool, err error) {
	b, ok := c.decider.(between)
	if !ok {
		return false, nil
	}
	at, err := in.clock.journalTime()
	if err != nil {
		c.done <- answer{err: err}
		return true, nil
	}
	if err := b.do(ctx, at); err != nil {
		c.done <- answer{err: reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the axis stops: see its log").Because(err)}
		return true, fmt.Errorf("between two blocks: %w", err)
	}
	c.done <- answer{}
	return true, nil
}

// Act journals something that an administrator did.
func (in *Intake) Act(ctx context.Context, a *axispb.Act) error {
	raw, err := proto.Marshal(a)
	if err != nil {
		return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "act").Because(err)
	}
	_, err = in.wait(ctx, act{raw: raw})
	return err
}
