package inbox

import (
	"fmt"
	"slices"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Reused lists the counters of statements that the axis refused because it knows
// others under them, lowest first.
func (b Inbox) Reused() (all []uint64, err error) {
	err = b.EachEvidence(func(e *axispb.EvidenceEntry) error {
		if e.GetRefused().GetCode() != axispb.ReasonCode_REASON_COUNTER_REUSED {
			return nil
		}
		s, err := statementOf(e.Evidence)
		all = append(all, s.GetCounter())
		return err
	})
	return all, err
}

// Restate replaces a statement by one that says the same under another counter, and
// queues that for the axis.
func (b Inbox) Restate(old, counter uint64, raw []byte, createdMs int64) error {
	s, err := statementOf(raw)
	if err != nil {
		return err
	}
	key := Key{Sender: s.Sender, ID: s.EnvelopeId, Code: s.Code}
	copy(key.Manifest[:], s.ManifestDigest)
	e, err := b.Get(key)
	if err != nil {
		return err
	}
	at := slices.Index(e.Evidence, old)
	if at < 0 {
		return fmt.Errorf("%w: statement %d of %s", ErrNotFound, old, key)
	}
	e.Evidence[at] = counter
	if err := b.AddEvidence(counter, raw, createdMs); err != nil {
		return err
	}
	if err := b.evidence.Delete(boltpb.Uint64(old)); err != nil {
		return err
	}
	return boltpb.Put(b.entries, key.bytes(), e)
}
