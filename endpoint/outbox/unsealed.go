package outbox

import (
	"crypto/sha256"
	"fmt"
	"time"

	"docaxis/proto/axispb"
)

// AddUnsealed takes a document that no seal can sign yet, PARKED. Its draft, which
// draft_digest names, and its files must be durable.
func (o Outbox) AddUnsealed(e *axispb.OutboxEntry, why *axispb.Trouble) error {
	if !Unsealed(e) {
		return fmt.Errorf("%w: it has no draft, or an envelope already", ErrState)
	}
	return o.add(e, axispb.State_STATE_PARKED, why)
}

// Unsealed reports whether an entry waits for a seal: it has a draft, no envelope.
func Unsealed(e *axispb.OutboxEntry) bool {
	return len(e.DraftDigest) == sha256.Size && len(e.EnvelopeDigest) == 0
}

// Unsealable notes anew why an entry that has no envelope could not be sealed. ErrState:
// it has one.
func (o Outbox) Unsealable(id string, why *axispb.Trouble) error {
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		if !Unsealed(e) {
			return fmt.Errorf("%w: it is sealed already", ErrState)
		}
		e.Trouble = why
		return nil
	})
	return err
}

// Sealed gives an unsealed entry the envelope that was made of its draft, and makes it
// queued, due at once. The envelope must be durable. ErrState: it has one already.
func (o Outbox) Sealed(id string, envelope, manifest []byte, now time.Time) error {
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		if !Unsealed(e) {
			return fmt.Errorf("%w: it is sealed already", ErrState)
		}
		e.EnvelopeDigest, e.ManifestDigest, e.DraftDigest = envelope, manifest, nil
		e.State, e.Trouble = axispb.State_STATE_QUEUED, nil
		e.Attempts, e.NextAttemptMs = 0, now.UnixMilli()
		return nil
	})
	return err
}
