package endpoint

import (
	"go.etcd.io/bbolt"

	"docaxis/endpoint/store"
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
	why, err := store.Parked(tx)
	if err != nil || why.GetReason().GetCode() != axispb.ReasonCode_REASON_COUNTER_REUSED {
		return err
	}
	return store.Unpark(tx)
}
