// Package outbox owns what this endpoint sends: submissions until the axis answered,
// and after that the state of each recipient with the evidence that proves it.
//
// Buckets: outbox (OutboxEntry by id), recipient (RecipientEntry by id 0x00 code),
// outbox_due (class, lane, next attempt, id: what the loop takes next), outbox_after
// (id of a submission, id of the one that waits for it), outbox_name (sender, what it
// calls the document, id), outbox_doc (what a DMS calls it: id) and outbox_change
// (target, id). All but the first
// two follow from the first and are kept in the same transaction. Every method works
// inside its caller's transaction, so that a state and its proof are one commit.
package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

const (
	entryBucket     = "outbox"
	recipientBucket = "recipient"
	dueBucket       = "outbox_due"
	afterBucket     = "outbox_after"
	nameBucket      = "outbox_name"
	docBucket       = "outbox_doc"
)

// BulkBytes is the content from which a submission counts as large: it is uploaded
// beside the small ones and holds up none of them.
const BulkBytes = 1 << 20

var (
	// ErrNotFound says that nothing of that id was sent from here.
	ErrNotFound = errors.New("no such submission in the outbox")
	// ErrExists says that the id is taken; the entry is as it was.
	ErrExists = errors.New("a submission with this id is in the outbox already")
	// ErrState says that the entry is in a state which does not allow the step,
	// most often because the step was made already.
	ErrState = errors.New("the submission's state does not allow this")
)

// Init makes the buckets, and what follows from others in a store that was written
// before it existed. Where nothing is missing, it does not write.
func Init(tx *bbolt.Tx) error {
	if err := boltpb.Create(tx, entryBucket, recipientBucket, dueBucket, afterBucket, changeBucket, nameBucket, docBucket); err != nil {
		return err
	}
	return indexNames(tx)
}

// Outbox is the outbox as one transaction sees it.
type Outbox struct{ entries, recipients, due, after, changes, names, docs *boltpb.Lazy }

// In gives the outbox in a transaction.
func In(tx *bbolt.Tx) Outbox {
	b := boltpb.Open(tx, entryBucket, recipientBucket, dueBucket, afterBucket, changeBucket, nameBucket, docBucket)
	return Outbox{entries: &b[0], recipients: &b[1], due: &b[2], after: &b[3], changes: &b[4], names: &b[5], docs: &b[6]}
}

// Add takes a new submission, QUEUED. Its envelope and files must be durable. It
// waits for those submissions named in After that the axis has not answered.
//
// One that comes with an attempt counted is SUBMITTED: that attempt is about to be
// made, and to offer it. It stays due, so that a crash before that delays nothing.
func (o Outbox) Add(e *axispb.OutboxEntry) error {
	if e.Attempts > 0 {
		return o.add(e, axispb.State_STATE_SUBMITTED, nil)
	}
	return o.add(e, axispb.State_STATE_QUEUED, nil)
}

func (o Outbox) add(e *axispb.OutboxEntry, state axispb.State, why *axispb.Trouble) error {
	if e.Id == "" || bytes.ContainsRune([]byte(e.Id), 0) {
		return fmt.Errorf("unusable id %q", e.Id)
	}
	if o.entries.Get([]byte(e.Id)) != nil {
		return ErrExists
	}
	e.Version, e.State, e.Trouble = 1, state, why
	pending, err := o.pending(e.After)
	if err != nil {
		return err
	}
	e.After = pending
	for _, target := range e.After {
		if err := o.after.Put(pairKey(target, e.Id), nil); err != nil {
			return err
		}
	}
	if err := errors.Join(o.enterNames(e), o.enterChange(e)); err != nil {
		return err
	}
	return o.put(nil, e)
}

// pending keeps those of the ids that are here and not yet accepted.
func (o Outbox) pending(ids []string) ([]string, error) {
	var kept []string
	for _, id := range ids {
		target, err := boltpb.Get[axispb.OutboxEntry](o.entries, []byte(id))
		if err != nil {
			return nil, err
		}
		if target != nil && open(target) && !slices.Contains(kept, id) {
			kept = append(kept, id)
		}
	}
	return kept, nil
}

// Get gives a submission, or ErrNotFound.
func (o Outbox) Get(id string) (*axispb.OutboxEntry, error) {
	e, err := boltpb.Get[axispb.OutboxEntry](o.entries, []byte(id))
	if e == nil && err == nil {
		err = fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return e, err
}

// Attempt records that the submission is about to be tried, and when it is due
// again should nothing more be heard of this attempt. offered says that the
// attempt will offer the envelope to the axis, so that from now on the axis may
// have taken it.
func (o Outbox) Attempt(id string, next time.Time, offered bool) (*axispb.OutboxEntry, error) {
	return o.change(id, func(e *axispb.OutboxEntry) error {
		if !Live(e) {
			return fmt.Errorf("%w: attempt in %s", ErrState, e.State)
		}
		e.Attempts++
		e.NextAttemptMs = next.UnixMilli()
		if offered {
			e.State = axispb.State_STATE_SUBMITTED
		}
		return nil
	})
}

// Offer records that an attempt which began with an upload now offers the envelope.
func (o Outbox) Offer(id string) error {
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		if !Live(e) {
			return fmt.Errorf("%w: offer in %s", ErrState, e.State)
		}
		e.State = axispb.State_STATE_SUBMITTED
		return nil
	})
	return err
}

// Fail records why an attempt failed and when the next is due; the zero time
// leaves it as the attempt recorded it. progressed says
// that it moved something: the count of attempts, and with it the waiting time,
// begins anew.
func (o Outbox) Fail(id string, why *axispb.Trouble, next time.Time, progressed bool) error {
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		if !Live(e) {
			return fmt.Errorf("%w: failure in %s", ErrState, e.State)
		}
		e.Trouble = why
		if !next.IsZero() {
			e.NextAttemptMs = next.UnixMilli()
		}
		if progressed {
			e.Attempts = 0
		}
		return nil
	})
	return err
}

// Park keeps a submission until a person calls Retry.
func (o Outbox) Park(id string, why *axispb.Trouble) error {
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		if !Live(e) {
			return fmt.Errorf("%w: parking in %s", ErrState, e.State)
		}
		e.State, e.Trouble = axispb.State_STATE_PARKED, why
		return nil
	})
	return err
}

// Retry makes a parked or refused submission queued again, due at once: what was
// refused may be sent under its id. One that is waiting for its next attempt
// becomes due at once as well. A refused one without its files cannot go.
func (o Outbox) Retry(id string, now time.Time) error {
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		switch {
		case Unsealed(e):
			return fmt.Errorf("%w: it has to be sealed first", ErrState)
		case e.State == axispb.State_STATE_PARKED:
			e.State = axispb.State_STATE_QUEUED
		case e.State == axispb.State_STATE_REJECTED && e.ReleasedMs == 0:
			unrefuse(e)
		case !Live(e):
			return fmt.Errorf("%w: retry in %s", ErrState, e.State)
		}
		e.Attempts, e.NextAttemptMs = 0, now.UnixMilli()
		return nil
	})
	return err
}

// Accept stores the axis's receipt and what it says of each recipient, and makes
// due what waited for this submission. Both states and their proof are one
// commit. Accepting again changes nothing.
func (o Outbox) Accept(id string, receipt []byte, recipients []*axispb.RecipientEntry) error {
	done := false
	_, err := o.change(id, func(e *axispb.OutboxEntry) error {
		if done = e.State == axispb.State_STATE_ACCEPTED; done {
			return nil
		}
		if !open(e) {
			return fmt.Errorf("%w: acceptance in %s", ErrState, e.State)
		}
		e.State, e.Receipt, e.Trouble = axispb.State_STATE_ACCEPTED, receipt, nil
		return nil
	})
	if err != nil || done {
		return err
	}
	for _, r := range recipients {
		r.Version = 1
		if err := boltpb.Put(o.recipients, pairKey(id, r.Code), r); err != nil {
			return err
		}
	}
	return o.release(id)
}

// Reject stores the axis's signed refusal and, where there is one, the receipt of
// its record. What waited for this submission cannot
// be sent as it is and is parked with the given trouble; the ids are given.
func (o Outbox) Reject(id string, rejection, receipt []byte, waiting *axispb.Trouble) (parked []string, err error) {
	_, err = o.change(id, func(e *axispb.OutboxEntry) error {
		if !open(e) {
			return fmt.Errorf("%w: refusal in %s", ErrState, e.State)
		}
		e.State, e.Rejection, e.RejectionReceipt, e.Trouble = axispb.State_STATE_REJECTED, rejection, receipt, nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	waiters := o.waiters(id)
	// Nothing will ever come of the wait: after a Retry the axis decides.
	if err := o.release(id); err != nil {
		return nil, err
	}
	for _, waiter := range waiters {
		err := o.Park(waiter, waiting)
		switch {
		case err == nil:
			parked = append(parked, waiter)
		case !errors.Is(err, ErrState):
			return nil, err
		}
	}
	return parked, nil
}

// waiters lists who waits for a submission.
func (o Outbox) waiters(id string) []string {
	var all []string
	for _, key := range boltpb.Keys(o.after, pairKey(id, "")) {
		all = append(all, string(key[len(id)+1:]))
	}
	return all
}

// release lets go on what waited for an accepted submission.
func (o Outbox) release(id string) error {
	for _, waiter := range o.waiters(id) {
		_, err := o.change(waiter, func(e *axispb.OutboxEntry) error {
			e.After = slices.DeleteFunc(e.After, func(target string) bool { return target == id })
			return nil
		})
		if err != nil {
			return err
		}
		if err := o.after.Delete(pairKey(id, waiter)); err != nil {
			return err
		}
	}
	return nil
}

// change reads an entry, lets f change it, and stores it with its index.
func (o Outbox) change(id string, f func(*axispb.OutboxEntry) error) (*axispb.OutboxEntry, error) {
	e, err := o.Get(id)
	if err != nil {
		return nil, err
	}
	before := dueKey(e)
	if err := f(e); err != nil {
		return nil, err
	}
	return e, o.put(before, e)
}

// put stores an entry and moves its place in the index of what is due.
func (o Outbox) put(before []byte, e *axispb.OutboxEntry) error {
	if before != nil {
		if err := o.due.Delete(before); err != nil {
			return err
		}
	}
	if key := dueKey(e); key != nil {
		if err := o.due.Put(key, nil); err != nil {
			return err
		}
	}
	return boltpb.Put(o.entries, []byte(e.Id), e)
}

// Live reports whether the loop is to work on an entry.
func Live(e *axispb.OutboxEntry) bool {
	return e.State == axispb.State_STATE_QUEUED || e.State == axispb.State_STATE_SUBMITTED
}

// open reports whether the axis's answer is still outstanding. A parked entry may
// get one as well: it was parked because an earlier answer was not understood.
func open(e *axispb.OutboxEntry) bool { return Live(e) || e.State == axispb.State_STATE_PARKED }

func pairKey(id, other string) []byte {
	return slices.Concat([]byte(id), []byte{0}, []byte(other))
}
