package endpoint

import (
	"log/slog"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// A code may move to another endpoint while documents wait for it. What this
// endpoint has not consigned by then is the other's to receive. Where both took a
// copy all the same, because one of them did not know yet, the first consignment in
// the journal counts: the other copy is withdrawn while its DMS has not taken it,
// and else flagged as a second one (docs/design.md, D9).

// giveUpMoved forgets the copies that were still on their way when a change of the
// registry gave their code to another endpoint. Should it come back, so do they.
func (a *Agent) giveUpMoved(tx *bbolt.Tx, r *axispb.RegistryChange) error {
	for _, code := range movedAway(r, a.Name()) {
		e, err := directory.In(tx).Lookup(code)
		if err != nil {
			return err
		}
		if e.GetEndpoint() == a.Name() {
			continue // and back again in the same change
		}
		n, err := inbox.In(tx).GiveUp(code)
		if err != nil {
			return err
		}
		if n > 0 {
			a.log.Info("a code moved to another endpoint, and what it still waited for goes there",
				slog.String("code", code), slog.String("endpoint", e.GetEndpoint()), slog.Int("documents", n))
		}
	}
	return nil
}

// movedAway lists the codes that a change gives to others.
func movedAway(r *axispb.RegistryChange, own string) []string {
	var codes []string
	for _, c := range r.GetChanges() {
		switch c := c.GetChange().(type) {
		case *axispb.Change_ServeCode:
			if c.ServeCode.GetEndpoint() != own && c.ServeCode.GetEndpoint() != "" {
				codes = append(codes, c.ServeCode.GetCode())
			}
		case *axispb.Change_PutEndpoint:
			if c.PutEndpoint.GetName() != own {
				codes = append(codes, c.PutEndpoint.GetCodes()...)
			}
		}
	}
	return codes
}

// withdrawSecond takes back a copy that its DMS has not taken.
func (a *Agent) withdrawSecond(tx *bbolt.Tx, key inbox.Key) error {
	if err := a.enter(tx, key, claim{event: axispb.Event_EVENT_CONTENT_WITHDRAWAL}); err != nil {
		return err
	}
	return inbox.In(tx).MarkSecond(key)
}

// heedStanding acts on what the axis decided about a statement of this endpoint:
// where another's consignment counts, this copy is a second one.
func (a *Agent) heedStanding(tx *bbolt.Tx, raw, receipt []byte) error {
	st, standing, err := judged(raw, receipt)
	if err != nil || standing != axispb.Standing_STANDING_SECOND_COPY || st.Event != axispb.Event_EVENT_CONTENT_CONSIGNMENT {
		return err
	}
	key := inbox.Key{Sender: st.Sender, ID: st.EnvelopeId, Manifest: [32]byte(st.ManifestDigest), Code: st.Code}
	e, err := inbox.In(tx).Get(key)
	if err != nil {
		return err
	}
	if inbox.Allowed(e.State, axispb.State_STATE_WITHDRAWN) && !e.Fetched {
		return a.withdrawSecond(tx, key)
	}
	if e.State == axispb.State_STATE_WITHDRAWN {
		return inbox.In(tx).MarkSecond(key) // withdrawn by its sender meanwhile
	}
	a.log.Error("another endpoint's copy counts, and the DMS here has this one already: it is a second copy",
		slog.String("id", key.ID), slog.String("code", key.Code), slog.String("state", e.State.String()))
	return inbox.In(tx).MarkSecond(key)
}

// judged reads a statement and the standing in its receipt, which was verified.
func judged(raw, receipt []byte) (*axispb.Statement, axispb.Standing, error) {
	var (
		ev axispb.Evidence
		st axispb.Statement
		r  axispb.Receipt
		d  axispb.Decision
	)
	for _, m := range []struct {
		raw  func() []byte
		into proto.Message
	}{
		{func() []byte { return raw }, &ev},
		{ev.GetStatement, &st},
		{func() []byte { return receipt }, &r},
		{r.GetDecision, &d},
	} {
		if err := proto.Unmarshal(m.raw(), m.into); err != nil {
			return nil, 0, err
		}
	}
	return &st, d.GetEvidence().GetStanding(), nil
}

// consigner is whose consignment counts among what the journal has about a row, and
// what state its later statements lead to.
func consigner(journaled []*axispb.Statement) (name string, state axispb.State, since int64) {
	for _, st := range journaled {
		if name == "" && st.Event == axispb.Event_EVENT_CONTENT_CONSIGNMENT {
			name = st.Issuer
		}
		if name == "" || st.Issuer != name {
			continue
		}
		if isLate(st) {
			continue // its DMS has still to be offered it
		}
		switch to := evidence.StateAfter(st.Event); to {
		case axispb.State_STATE_HANDED_OVER, axispb.State_STATE_HANDOVER_FAILED, axispb.State_STATE_WITHDRAWN:
			state, since = to, st.TimeMs
		}
	}
	return name, state, since
}
