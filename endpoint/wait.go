package endpoint

import (
	"context"
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/proto/axispb"
)

// ErrStuck says that a document is in a state from which it does not come to the
// one waited for without a person: refused, failed or parked. Show says why.
var ErrStuck = errors.New("the document does not get there by itself")

// subscribe gives a channel that is closed at the next change of a document.
func (w *watchers) subscribe(id string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = make(map[string][]chan struct{})
	}
	c := make(chan struct{})
	w.by[id] = append(w.by[id], c)
	return c
}

// drop forgets a subscription that was not used up.
func (w *watchers) drop(id string, c <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.by[id] = slices.DeleteFunc(w.by[id], func(o chan struct{}) bool { return o == c })
	if len(w.by[id]) == 0 {
		delete(w.by, id)
	}
}

// changed tells everybody who waits for the documents, after the commit.
func (w *watchers) changed(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		for _, c := range w.by[id] {
			close(c)
		}
		delete(w.by, id)
	}
}

// Wait returns when a document is in a state or beyond it. For one that was sent
// from here, what comes after STATE_ACCEPTED is asked of each of its recipients;
// for a received one the states of its entries count. The error is ErrStuck, or
// ctx's.
func (a *Agent) Wait(ctx context.Context, id string, state axispb.State) error {
	for {
		change := a.watch.subscribe(id)
		reached, err := a.reached(id, state)
		if reached || err != nil {
			a.watch.drop(id, change)
			return err
		}
		select {
		case <-change:
		case <-ctx.Done():
			a.watch.drop(id, change)
			return ctx.Err()
		}
	}
}

// stage orders all states; a failure stands where it ends.
var stage = map[axispb.State]int{
	axispb.State_STATE_QUEUED:             1,
	axispb.State_STATE_WAITING:            1,
	axispb.State_STATE_SUBMITTED:          2,
	axispb.State_STATE_FETCHING:           2,
	axispb.State_STATE_ACCEPTED:           3,
	axispb.State_STATE_CONSIGNED:          4,
	axispb.State_STATE_HANDED_OVER:        5,
	axispb.State_STATE_REJECTED:           -1,
	axispb.State_STATE_PARKED:             -1,
	axispb.State_STATE_CONSIGNMENT_FAILED: -1,
	axispb.State_STATE_HANDOVER_FAILED:    -1,
	axispb.State_STATE_WITHDRAWN:          -1,
}

func (a *Agent) reached(id string, want axispb.State) (bool, error) {
	states, err := a.states(id, want)
	if err != nil || len(states) == 0 {
		return false, err
	}
	if !slices.ContainsFunc(states, func(s axispb.State) bool { return !past(s, want) }) {
		return true, nil
	}
	if slices.ContainsFunc(states, func(s axispb.State) bool { return !past(s, want) && stage[s] < 0 }) {
		return false, ErrStuck
	}
	return false, nil
}

func past(s, want axispb.State) bool {
	return s == want || stage[want] > 0 && stage[s] >= stage[want]
}

// states lists where a document is, as far as a wanted state asks for; empty while
// nothing is known of it.
func (a *Agent) states(id string, want axispb.State) (all []axispb.State, err error) {
	err = a.db.View(func(tx *bbolt.Tx) error {
		sent, err := outbox.In(tx).Get(id)
		if err == nil {
			all, err = sentStates(tx, sent, want)
			return err
		}
		if !errors.Is(err, outbox.ErrNotFound) {
			return err
		}
		entries, err := inbox.In(tx).ByID(id)
		for _, e := range entries {
			all = append(all, asFarAs(e.State, want, e.Journaled, ownStatements(tx, e)))
		}
		return err
	})
	return all, err
}

func sentStates(tx *bbolt.Tx, e *axispb.OutboxEntry, want axispb.State) ([]axispb.State, error) {
	ofAll := stage[want] > 0 && stage[want] <= stage[axispb.State_STATE_ACCEPTED]
	if ofAll || e.State != axispb.State_STATE_ACCEPTED {
		return []axispb.State{e.State}, nil
	}
	recipients, err := outbox.In(tx).Recipients(e.Id)
	all := make([]axispb.State, 0, len(recipients))
	for _, r := range recipients {
		all = append(all, asFarAs(r.State, want, evidenceOf(r.Proofs)))
	}
	if len(all) == 0 {
		// Only groups, of which nobody has reported yet.
		all = append(all, axispb.State_STATE_ACCEPTED)
	}
	return all, err
}

// asFarAs is CONSIGNED for a copy that was consigned before it was withdrawn, where no
// more is asked for: who waits for its arrival has it.
func asFarAs(s, want axispb.State, evidence ...[][]byte) axispb.State {
	const consigned = axispb.State_STATE_CONSIGNED
	if s != axispb.State_STATE_WITHDRAWN || stage[want] <= 0 || stage[want] > stage[consigned] {
		return s
	}
	for _, raw := range slices.Concat(evidence...) {
		st, _, err := judged(raw, nil)
		if err == nil && st.Event == axispb.Event_EVENT_CONTENT_CONSIGNMENT {
			return consigned
		}
	}
	return s
}

func evidenceOf(proofs []*axispb.Proof) (all [][]byte) {
	for _, p := range proofs {
		all = append(all, p.Evidence)
	}
	return all
}

func ownStatements(tx *bbolt.Tx, e *axispb.InboxEntry) (all [][]byte) {
	for _, counter := range e.Evidence {
		if own, err := inbox.In(tx).Evidence(counter); err == nil {
			all = append(all, own.GetEvidence())
		}
	}
	return all
}
