package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// Check lists every invariant that does not hold:
//   - an accepted submission has its receipt, a refused one its refusal, and no
//     other has either;
//   - only an accepted submission has recipients, and what they are beyond
//     accepted or rejected is proved by an evidence;
//   - what is to be worked on, and nothing else, is in the index of what is due,
//     once;
//   - what waits is in the index of what waits;
//   - every name and every change, and nothing else, is in their indexes;
//   - what has a draft has no envelope, and is parked;
//   - what the axis has not answered has not been released.
func Check(tx *bbolt.Tx) error {
	o := In(tx)
	var found []error
	due, waiting, named, docs, changes := 0, 0, 0, 0, 0
	err := boltpb.Each[axispb.OutboxEntry](o.entries, nil, func(k []byte, e *axispb.OutboxEntry) (bool, error) {
		found = append(found, o.checkEntry(k, e)...)
		if dueKey(e) != nil {
			due++
		}
		waiting += len(e.After)
		named += len(names(e))
		if e.DocId != "" {
			docs++
		}
		if e.TargetId != "" {
			changes++
		}
		return true, nil
	})
	found = append(found, err, o.checkRecipients())
	if n := o.due.Stats().KeyN; n != due {
		found = append(found, fmt.Errorf("outbox: %d keys are due, not %d", n, due))
	}
	if n := o.after.Stats().KeyN; n != waiting {
		found = append(found, fmt.Errorf("outbox: %d waits are kept, not %d", n, waiting))
	}
	if n := o.names.Stats().KeyN; n != named {
		found = append(found, fmt.Errorf("outbox: %d names are kept, not %d", n, named))
	}
	if n := o.changes.Stats().KeyN; n != changes {
		found = append(found, fmt.Errorf("outbox: %d changes are kept, not %d", n, changes))
	}
	if n := o.docs.Stats().KeyN; n != docs {
		found = append(found, fmt.Errorf("outbox: %d names of a DMS are kept, not %d", n, docs))
	}
	return errors.Join(found...)
}

func (o Outbox) checkEntry(key []byte, e *axispb.OutboxEntry) (found []error) {
	complain := func(format string, args ...any) {
		found = append(found, fmt.Errorf("outbox %s: "+format, append([]any{e.Id}, args...)...))
	}
	if string(key) != e.Id {
		complain("stands under the key %q", key)
	}
	if (e.State == axispb.State_STATE_ACCEPTED) != (len(e.Receipt) > 0) {
		complain("state %s with a receipt of %d bytes", e.State, len(e.Receipt))
	}
	if (e.State == axispb.State_STATE_REJECTED) != (len(e.Rejection) > 0) {
		complain("state %s with a rejection of %d bytes", e.State, len(e.Rejection))
	}
	if e.ReleasedMs != 0 && open(e) {
		complain("released in state %s", e.State)
	}
	if !open(e) && len(e.Receipt) == 0 && len(e.Rejection) == 0 {
		complain("impossible state %s", e.State)
	}
	if len(e.DraftDigest) > 0 && (!Unsealed(e) || e.State != axispb.State_STATE_PARKED) {
		complain("in %s with an envelope of %d and a draft of %d bytes", e.State, len(e.EnvelopeDigest), len(e.DraftDigest))
	}
	for _, name := range names(e) {
		if !has(o.names, append(namePrefix(e.Sender, name), e.Id...)) {
			complain("its name %q is not kept", name)
		}
	}
	if k := dueKey(e); k != nil && !has(o.due, k) {
		complain("is not in the index of what is due")
	}
	for _, target := range e.After {
		if !has(o.after, pairKey(target, e.Id)) {
			complain("its wait for %s is not kept", target)
		}
	}
	return found
}

func (o Outbox) checkRecipients() error {
	var found []error
	err := boltpb.Each[axispb.RecipientEntry](o.recipients, nil, func(k []byte, r *axispb.RecipientEntry) (bool, error) {
		id, code, _ := bytes.Cut(k, []byte{0})
		if string(code) != r.Code {
			found = append(found, fmt.Errorf("recipient %q stands under %q", r.Code, k))
		}
		e, err := o.Get(string(id))
		if err != nil || e.State != axispb.State_STATE_ACCEPTED {
			found = append(found, fmt.Errorf("recipient %q of a submission that was not accepted", k))
		}
		found = append(found, checkProof(k, r))
		return true, nil
	})
	return errors.Join(append(found, err)...)
}

// checkProof asks for an evidence that counts and says what the state says.
func checkProof(key []byte, r *axispb.RecipientEntry) error {
	if rank[r.State] == 0 {
		return fmt.Errorf("recipient %q: impossible state %s", key, r.State)
	}
	if rank[r.State] == 1 {
		return nil
	}
	proved := slices.ContainsFunc(r.Proofs, func(p *axispb.Proof) bool {
		ev, err := boltpb.Decode[axispb.Evidence](p.Evidence)
		if err != nil {
			return false
		}
		s, err := boltpb.Decode[axispb.Statement](ev.Statement)
		return err == nil && evidence.StateAfter(s.Event) == r.State && evidence.Counts(p.Standing)
	})
	if !proved {
		return fmt.Errorf("recipient %q: nothing proves %s", key, r.State)
	}
	return nil
}

func has(b *boltpb.Lazy, key []byte) bool {
	k, _ := b.Cursor().Seek(key)
	return bytes.Equal(k, key)
}
