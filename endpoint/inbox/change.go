package inbox

import (
	"cmp"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/internal/business"
	"docaxis/proto/axispb"
)

// indexChanges orders changes by what they are about in a store that was written
// before there was such an order.
func indexChanges(tx *bbolt.Tx) error {
	b := In(tx)
	return b.Each(func(e *axispb.InboxEntry) error {
		if e.TargetId == "" {
			return nil
		}
		return b.changes.Put(append(documentPrefix(e.TargetSender, e.TargetId), KeyOf(e).bytes()...), nil)
	})
}

// Changes lists what was received about a document, whatever its kind and whoever sent
// it, as it was journaled.
func (b Inbox) Changes(sender, id string) ([]*axispb.InboxEntry, error) {
	var all []*axispb.InboxEntry
	prefix := documentPrefix(sender, id)
	for _, k := range boltpb.Keys(b.changes, prefix) {
		e, err := boltpb.Get[axispb.InboxEntry](b.entries, k[len(prefix):])
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(x, y *axispb.InboxEntry) int {
		return cmp.Or(cmp.Compare(x.Record.GetEpoch(), y.Record.GetEpoch()), cmp.Compare(x.Record.GetLeafIndex(), y.Record.GetLeafIndex()))
	})
	return all, nil
}

// Request is what a received change asks of its recipient, as package business names
// it; empty for everything that asks nothing.
func Request(e *axispb.InboxEntry) string {
	what := cmp.Or(e.Status, e.Kind)
	if e.TargetId == "" || !business.IsRequest(what) {
		return ""
	}
	return what
}

// Untaken reports whether nobody at the agency was given the content of a copy: it may
// be withdrawn without asking.
func Untaken(e *axispb.InboxEntry) bool {
	return !e.Fetched && !e.Handing.GetLeased() && Allowed(e.State, axispb.State_STATE_WITHDRAWN)
}

// Answer records how a change was answered, at the change or at the document that it
// is about (15 or 16); empty opens it again. It proves nothing and changes no state:
// the proof is the statement or the status document that says so.
func (b Inbox) Answer(key Key, state string) error {
	if state != "" && !business.IsAnswer(state) {
		return fmt.Errorf("%w: %s answers nothing", ErrState, state)
	}
	_, err := b.change(key, func(e *axispb.InboxEntry) error {
		e.Answered = state
		return nil
	})
	return err
}
