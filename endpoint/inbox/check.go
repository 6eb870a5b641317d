package inbox

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// Check lists every invariant that does not hold, given the last counter that was
// used:
//   - every state but FETCHING and WAITING is proved by a statement that is here;
//   - an entry stands in its indexes, and nothing else does;
//   - no statement has a counter that was not yet used, and each names its counter;
//   - what the axis has not answered, and nothing else, is queued for it;
//   - what the agency may still want has not been released;
//   - the quarantine is counted right.
func Check(tx *bbolt.Tx, counter uint64) error {
	b := In(tx)
	var found []error
	indexed := make(map[*boltpb.Lazy]int)
	err := boltpb.Each[axispb.InboxEntry](b.entries, nil, func(k []byte, e *axispb.InboxEntry) (bool, error) {
		found = append(found, b.checkEntry(k, e)...)
		for _, p := range b.places(e) {
			indexed[p.bucket]++
			if !hasKey(p.bucket, p.key) {
				found = append(found, fmt.Errorf("inbox %s: missing in an index", KeyOf(e)))
			}
		}
		return true, nil
	})
	for _, index := range []*boltpb.Lazy{b.due, b.codes, b.ids, b.times, b.waiting, b.changes, b.offers, b.deliveries, b.names, b.handovers} {
		if n := index.Stats().KeyN; n != indexed[index] {
			found = append(found, fmt.Errorf("inbox: an index has %d keys, not %d", n, indexed[index]))
		}
	}
	return errors.Join(append(found, err, b.checkEvidence(counter), b.checkQuarantine())...)
}

func (b Inbox) checkEntry(key []byte, e *axispb.InboxEntry) (found []error) {
	if string(key) != string(KeyOf(e).bytes()) {
		found = append(found, fmt.Errorf("inbox %s: stands under another key", KeyOf(e)))
	}
	if _, finished := Finished(e); e.ReleasedMs != 0 && !finished {
		found = append(found, fmt.Errorf("inbox %s: released in %s", KeyOf(e), e.State))
	}
	if pending(e.State) {
		return found
	}
	if !b.proved(e) {
		found = append(found, fmt.Errorf("inbox %s: nothing proves %s", KeyOf(e), e.State))
	}
	return found
}

// proved looks for a statement that led to the entry's state.
func (b Inbox) proved(e *axispb.InboxEntry) bool {
	raws := e.Journaled
	for _, counter := range e.Evidence {
		if own, err := b.Evidence(counter); err == nil && own != nil {
			raws = append(raws, own.Evidence)
		}
	}
	for _, raw := range raws {
		s, err := statementOf(raw)
		if err == nil && evidence.StateAfter(s.Event) == e.State && s.EnvelopeId == e.Id && s.Code == e.Code {
			return true
		}
	}
	return false
}

func (b Inbox) checkEvidence(counter uint64) error {
	var found []error
	unsent := 0
	err := boltpb.Each[axispb.EvidenceEntry](b.evidence, nil, func(k []byte, e *axispb.EvidenceEntry) (bool, error) {
		n := binary.BigEndian.Uint64(k)
		s, err := statementOf(e.Evidence)
		if err != nil || s.Counter != n || n == 0 || n > counter {
			found = append(found, fmt.Errorf("statement %d of %d: wrong counter %d (%v)", n, counter, s.GetCounter(), err))
		}
		if hasKey(b.unsent, k) {
			unsent++
			if len(e.Receipt) > 0 || e.Refused != nil {
				found = append(found, fmt.Errorf("statement %d: answered and still queued", n))
			}
		}
		return true, nil
	})
	if n := b.unsent.Stats().KeyN; n != unsent {
		found = append(found, fmt.Errorf("%d statements are queued, %d of them are here", n, unsent))
	}
	return errors.Join(append(found, err)...)
}

func statementOf(raw []byte) (*axispb.Statement, error) {
	ev, err := boltpb.Decode[axispb.Evidence](raw)
	if err != nil {
		return nil, err
	}
	return boltpb.Decode[axispb.Statement](ev.Statement)
}
