package endpoint

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/store"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// countOn lets the statements of a re-issued endpoint begin beyond every one that the
// axis may have of it: a lost store took its counter along. What made the old
// instance stop, a counter used twice, is over then.
func (a *Agent) countOn(tx *bbolt.Tx) error {
	p, err := store.Progress(tx)
	from := a.identity.Load().Counter
	if err != nil || p.GetCounter() >= from {
		return err
	}
	p.Counter = from
	if err := store.PutProgress(tx, p); err != nil {
		return err
	}
	reused, err := inbox.In(tx).Reused()
	if err != nil {
		return err
	}
	for _, counter := range reused {
		if err := a.restate(tx, counter); err != nil {
			return err
		}
	}
	why, err := store.Parked(tx)
	if err != nil || why.GetReason().GetCode() != axispb.ReasonCode_REASON_COUNTER_REUSED {
		return err
	}
	return store.Unpark(tx)
}

// restate says again, under a counter of the re-issued endpoint, what the axis refused
// because another copy of this store had used the counter: the document was taken
// here, and its sender must learn of it.
func (a *Agent) restate(tx *bbolt.Tx, old uint64) error {
	e, err := inbox.In(tx).Evidence(old)
	if err != nil {
		return err
	}
	var was axispb.Evidence
	var st axispb.Statement
	if err := errors.Join(proto.Unmarshal(e.GetEvidence(), &was), proto.Unmarshal(was.GetStatement(), &st)); err != nil {
		return fmt.Errorf("statement %d: %w", old, err)
	}
	p, err := store.Progress(tx)
	if err != nil {
		return err
	}
	p.Counter++
	now := a.cfg.Now().UnixMilli()
	st.Counter, st.TimeMs = p.Counter, now // its time must be the new certificate's
	raw, err := a.signer.Load().Sign(&st)
	if err != nil {
		return fmt.Errorf("state %s again: %w", evidence.EventName(st.Event), err)
	}
	return errors.Join(inbox.In(tx).Restate(old, p.Counter, raw, now), store.PutProgress(tx, p))
}

// reissuedSince reports whether a counter is of before the endpoint was re-issued:
// that the axis knows it from another copy is settled by then.
func (a *Agent) reissuedSince(counter uint64) bool { return counter <= a.identity.Load().Counter }
