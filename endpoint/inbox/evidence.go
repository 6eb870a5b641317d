package inbox

import (
	"encoding/binary"
	"errors"
	"fmt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// ErrCounter says that a counter was used before: the store was restored from an
// older copy, or copied. Stop.
var ErrCounter = errors.New("this counter was already used for a statement")

// AddEvidence keeps a statement of this endpoint and queues it for the axis.
func (b Inbox) AddEvidence(counter uint64, raw []byte, createdMs int64) error {
	key := boltpb.Uint64(counter)
	if b.evidence.Get(key) != nil {
		return fmt.Errorf("%w: %d", ErrCounter, counter)
	}
	if err := b.unsent.Put(key, nil); err != nil {
		return err
	}
	return boltpb.Put(b.evidence, key, &axispb.EvidenceEntry{Version: 1, Evidence: raw, CreatedMs: createdMs})
}

// RestoreEvidence keeps a statement that this endpoint made before it lost its
// store, as the journal had it. It is not queued.
func (b Inbox) RestoreEvidence(counter uint64, raw []byte, createdMs int64) error {
	key := boltpb.Uint64(counter)
	if b.evidence.Get(key) != nil {
		return nil
	}
	return boltpb.Put(b.evidence, key, &axispb.EvidenceEntry{Version: 1, Evidence: raw, CreatedMs: createdMs})
}

// Evidence gives a statement of this endpoint; nil where there is none.
func (b Inbox) Evidence(counter uint64) (*axispb.EvidenceEntry, error) {
	return boltpb.Get[axispb.EvidenceEntry](b.evidence, boltpb.Uint64(counter))
}

// Statement is an evidence with its counter.
type Statement struct {
	Counter uint64
	Entry   *axispb.EvidenceEntry
}

// Unsent lists the statements that the axis has not answered, in the order of
// their counters: at most limit, and, but for the first, at most maxBytes.
func (b Inbox) Unsent(limit, maxBytes int) ([]Statement, error) {
	var all []Statement
	c := b.unsent.Cursor()
	for k, _ := c.First(); k != nil && len(all) < limit; k, _ = c.Next() {
		e, err := boltpb.Get[axispb.EvidenceEntry](b.evidence, k)
		if err != nil {
			return nil, err
		}
		if maxBytes -= len(e.GetEvidence()); maxBytes < 0 && len(all) > 0 {
			break
		}
		all = append(all, Statement{binary.BigEndian.Uint64(k), e})
	}
	return all, nil
}

// Settle stores the axis's answer to a statement: its receipt, or why it will
// never be taken.
func (b Inbox) Settle(counter uint64, receipt []byte, refused *axispb.Reason) error {
	e, err := b.Evidence(counter)
	if err != nil {
		return err
	}
	if e == nil {
		return fmt.Errorf("%w: statement %d", ErrNotFound, counter)
	}
	e.Receipt, e.Refused = receipt, refused
	key := boltpb.Uint64(counter)
	if err := b.unsent.Delete(key); err != nil {
		return err
	}
	return boltpb.Put(b.evidence, key, e)
}
