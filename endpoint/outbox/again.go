package outbox

import (
	"time"

	"docaxis/proto/axispb"
)

// Again takes the same document as sealed anew in place of one that was refused,
// and makes it due at once; only now is the seal another, or its files are here
// again. The envelope and its files must be durable. ErrState: it was not refused.
func (o Outbox) Again(e *axispb.OutboxEntry, now time.Time) error {
	_, err := o.change(e.Id, func(was *axispb.OutboxEntry) error {
		if was.State != axispb.State_STATE_REJECTED {
			return ErrState
		}
		unrefuse(was)
		was.EnvelopeDigest, was.ReleasedMs = e.EnvelopeDigest, 0
		was.Attempts, was.NextAttemptMs = 0, now.UnixMilli()
		return nil
	})
	return err
}

// unrefuse makes a refused submission queued. What was refused stays proved.
func unrefuse(e *axispb.OutboxEntry) {
	e.Refused = append(e.Refused, &axispb.Proof{Evidence: e.Rejection, Receipt: e.RejectionReceipt})
	e.State, e.Rejection, e.RejectionReceipt = axispb.State_STATE_QUEUED, nil, nil
}
