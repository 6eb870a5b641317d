package outbox

import (
	"bytes"
	"fmt"

	"docaxis/internal/boltpb"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// rank orders the states of a recipient: a document only goes forward. Failure and
// success of one step have the same rank.
var rank = map[axispb.State]int{
	axispb.State_STATE_ACCEPTED:           1,
	axispb.State_STATE_REJECTED:           1,
	axispb.State_STATE_CONSIGNED:          2,
	axispb.State_STATE_CONSIGNMENT_FAILED: 2,
	axispb.State_STATE_HANDED_OVER:        3,
	axispb.State_STATE_HANDOVER_FAILED:    3,
	axispb.State_STATE_WITHDRAWN:          4,
}

// Next is the one transition function of a recipient's state. An event counts
// where the axis gave it the standing FIRST or SUPERSEDES; it never leads back,
// and from a failed step to its success only as superseding it.
func Next(from axispb.State, event axispb.Event, standing axispb.Standing) axispb.State {
	to := evidence.StateAfter(event)
	if to == axispb.State_STATE_UNSPECIFIED || !evidence.Counts(standing) {
		return from
	}
	if rank[to] > rank[from] {
		return to
	}
	if standing == axispb.Standing_STANDING_SUPERSEDES && rank[to] == rank[from] {
		return to
	}
	return from
}

// Recipient gives the state of a document at one code; nil where nothing is known
// of it.
func (o Outbox) Recipient(id, code string) (*axispb.RecipientEntry, error) {
	return boltpb.Get[axispb.RecipientEntry](o.recipients, pairKey(id, code))
}

// Recipients lists the states of a document, by code.
func (o Outbox) Recipients(id string) ([]*axispb.RecipientEntry, error) {
	var all []*axispb.RecipientEntry
	err := boltpb.Each[axispb.RecipientEntry](o.recipients, pairKey(id, ""),
		func(_ []byte, r *axispb.RecipientEntry) (bool, error) {
			all = append(all, r)
			return true, nil
		})
	return all, err
}

// Report is a verified evidence about one recipient.
type Report struct {
	ID    string
	Proof *axispb.Proof
	// Statement of the evidence.
	Statement *axispb.Statement
	// ServingCode, where the code was routed.
	ServingCode string
	// TimeMs is the journal time of the evidence.
	TimeMs int64
}

// Report stores an evidence with its recipient, and the state that it proves. It
// reports whether anything changed: an evidence that is here already changes
// nothing.
func (o Outbox) Report(r Report) (changed bool, err error) {
	e, err := o.Get(r.ID)
	if err != nil {
		return false, err
	}
	if e.State != axispb.State_STATE_ACCEPTED {
		return false, fmt.Errorf("%w: evidence in %s", ErrState, e.State)
	}
	code := r.Statement.Code
	entry, err := o.Recipient(r.ID, code)
	if err != nil {
		return false, err
	}
	if entry == nil {
		if !e.Grouped {
			return false, fmt.Errorf("%w: %s is no recipient of %s", ErrNotFound, code, r.ID)
		}
		entry = &axispb.RecipientEntry{Version: 1, Code: code, ServingCode: r.ServingCode, State: axispb.State_STATE_ACCEPTED}
	}
	for _, p := range entry.Proofs {
		if bytes.Equal(p.Evidence, r.Proof.Evidence) {
			return false, nil
		}
	}
	entry.Proofs = append(entry.Proofs, r.Proof)
	r.advance(entry)
	return true, boltpb.Put(o.recipients, pairKey(r.ID, code), entry)
}

func (r Report) advance(entry *axispb.RecipientEntry) {
	next := Next(entry.State, r.Statement.Event, r.Proof.Standing)
	if next != entry.State {
		entry.State, entry.SinceMs = next, r.TimeMs
	}
	if r.Statement.BusinessState != "" && evidence.Counts(r.Proof.Standing) {
		entry.BusinessState = r.Statement.BusinessState
	}
}
