package outbox

import (
	"fmt"
	"time"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Each calls f for every submission, by id, until it returns an error.
func (o Outbox) Each(f func(*axispb.OutboxEntry) error) error {
	return boltpb.Each[axispb.OutboxEntry](o.entries, nil, func(_ []byte, e *axispb.OutboxEntry) (bool, error) {
		err := f(e)
		return err == nil, err
	})
}

// Finished says whether nobody needs the files of a submission any more, and since
// when: the axis refused it, or every recipient has an end (has consigned it, was
// refused, or will not get it), or its deadline passed. A zero deadline never does.
func (o Outbox) Finished(e *axispb.OutboxEntry, deadline, now time.Time) (since time.Time, ok bool, err error) {
	switch e.State {
	case axispb.State_STATE_REJECTED:
		return refusedAt(e), true, nil
	case axispb.State_STATE_ACCEPTED:
	default:
		return since, false, nil
	}
	since, ok, err = o.reached(e)
	if err == nil && !ok && !deadline.IsZero() && deadline.Before(now) {
		return deadline, true, nil
	}
	return since, ok, err
}

// reached says whether every recipient has an end, and when the last one had.
func (o Outbox) reached(e *axispb.OutboxEntry) (since time.Time, ok bool, err error) {
	all, err := o.Recipients(e.Id)
	if err != nil {
		return since, false, err
	}
	since, ended := time.UnixMilli(e.CreatedMs), 0
	for _, r := range all {
		switch {
		case r.State == axispb.State_STATE_REJECTED:
		case rank[r.State] < rank[axispb.State_STATE_CONSIGNED]:
			return since, false, nil
		default:
			ended++
		}
		if at := time.UnixMilli(r.SinceMs); at.After(since) {
			since = at
		}
	}
	// Those of a group are known here only once they have stated something.
	return since, len(all) > 0 && (!e.Grouped || ended >= rows(e)), nil
}

// rows is in how many mailboxes the axis put the document, as its receipt says; more
// than there can be where that cannot be read.
func rows(e *axispb.OutboxEntry) int {
	const unknown = 1 << 30
	receipt, err := boltpb.Decode[axispb.Receipt](e.Receipt)
	if err != nil {
		return unknown
	}
	decision, err := boltpb.Decode[axispb.Decision](receipt.Decision)
	if err != nil || decision.Document == nil {
		return unknown
	}
	return int(decision.Document.Rows)
}

// refusedAt is when the axis said no.
func refusedAt(e *axispb.OutboxEntry) time.Time {
	at := e.CreatedMs
	if ev, err := boltpb.Decode[axispb.Evidence](e.Rejection); err == nil {
		if st, err := boltpb.Decode[axispb.Statement](ev.Statement); err == nil {
			at = max(at, st.TimeMs)
		}
	}
	return time.UnixMilli(at)
}

// Release records that a submission's files are not needed here any more, before they
// are removed. The error is ErrState where somebody may still need them. Releasing
// again changes nothing.
func (o Outbox) Release(id string, deadline, now time.Time) error {
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		_, finished, err := o.Finished(e, deadline, now)
		if err == nil && !finished {
			err = fmt.Errorf("%w: release in %s", ErrState, e.State)
		}
		if err == nil && e.ReleasedMs == 0 {
			e.ReleasedMs = now.UnixMilli()
		}
		return err
	})
	return err
}
