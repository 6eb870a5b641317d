package hubtest

import (
	"errors"
	"fmt"
	"time"

	"docaxis/internal/evidence"
	"docaxis/signing"
)

// clocksApart is how far the clocks of axis and authorities may be from each other.
const clocksApart = 10 * time.Minute

// sealed holds a sealed checkpoint to the journal: it is of this very tree, as far as
// it had come, and of the epoch of its record; axis and authority made seal and
// time-stamp; and the time-stamp is not older than what it covers.
func (b *book) sealed(e *entry) error {
	s, err := evidence.OpenSealed(e.record.Body)
	if err != nil {
		return err
	}
	cp, err := b.trust.Checkpoint(s.Note)
	if err != nil {
		return err
	}
	if cp.Epoch != e.header.Epoch || cp.Size > e.leaf {
		return fmt.Errorf("it seals a checkpoint of epoch %d and size %d", cp.Epoch, cp.Size)
	}
	if root, err := b.root(cp); err != nil || root != cp.Root {
		return fmt.Errorf("it seals another root at size %d than the journal's (%w)", cp.Size, err)
	}
	b.covered = max(b.covered, cp.Size)
	at, err := b.stamped(s, e.time())
	if err != nil || cp.Size == 0 {
		return err
	}
	if last := b.entries[cp.Size-1].time(); at.Add(clocksApart).Before(last) {
		return fmt.Errorf("its time-stamp says %v, before record %d of %v", at, cp.Size-1, last)
	}
	return nil
}

// stamped judges seal and time-stamp, and gives the time.
func (b *book) stamped(s evidence.Sealed, at time.Time) (time.Time, error) {
	trust := signing.NewTrust(append(b.trust.CAs(), b.anchors...), nil)
	verdicts, err := signing.Verify(s.Seal, s.Note, signing.Options{At: at.Add(clocksApart), Trust: trust, Pinned: b.anchors, Timestamping: trust})
	if err != nil {
		return time.Time{}, err
	}
	v := verdicts[0]
	switch {
	case len(verdicts) != 1 || !v.Passed():
		return time.Time{}, fmt.Errorf("its seal is %s %s: %s", v.Indication, v.SubIndication, v.Detail)
	case len(v.Timestamps) != 1:
		return time.Time{}, errors.New("it has no time-stamp")
	case !v.Timestamps[0].Passed():
		return time.Time{}, fmt.Errorf("its time-stamp is %s: %s", v.Timestamps[0].SubIndication, v.Timestamps[0].Detail)
	}
	return v.Timestamps[0].Token.Time, nil
}
