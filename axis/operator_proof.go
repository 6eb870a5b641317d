package axis

import (
	"cmp"
	"context"
	"slices"

	operator "docaxis/axis/admin"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Proofs gives envelope, evidence and receipts of an id, and what they are checked
// with.
func (h *Hub) Proofs(ctx context.Context, id string) (operator.ProofSet, error) {
	stories, err := h.ledger.Stories(ctx, id)
	if err != nil {
		return operator.ProofSet{}, err
	}
	refusals, err := h.ledger.Refusals(ctx, id)
	if err != nil {
		return operator.ProofSet{}, err
	}
	if id == "" || len(stories)+len(refusals) == 0 {
		return operator.ProofSet{}, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, id)
	}
	out := operator.ProofSet{CA: h.ca.Load().Certificate().Raw}
	if out.Epochs, err = h.signedEpochs(ctx); err != nil {
		return out, err
	}
	for _, s := range stories {
		out.Records = append(out.Records, operator.ProofRecord{LeafIndex: s.Position, Sender: s.Sender})
		for _, e := range s.Evidence {
			out.Records = append(out.Records, operator.ProofRecord{LeafIndex: e.Position, Event: evidence.EventName(e.Event), Sender: s.Sender, Code: e.Code})
		}
	}
	for _, r := range refusals {
		event := evidence.EventName(axispb.Event_EVENT_SUBMISSION_REJECTION)
		out.Records = append(out.Records, operator.ProofRecord{LeafIndex: r.Position, Event: event, Sender: r.Sender})
	}
	slices.SortFunc(out.Records, func(a, b operator.ProofRecord) int { return cmp.Compare(a.LeafIndex, b.LeafIndex) })
	return out, h.prove(ctx, out.Records)
}

// prove fills in the bytes of records.
func (h *Hub) prove(ctx context.Context, records []operator.ProofRecord) error {
	p := proofs{h.ledger, h.records(), h.trust}
	for i := range records {
		var err error
		if records[i].Body, err = p.Body(ctx, records[i].LeafIndex); err != nil {
			return err
		}
		if records[i].Receipt, err = p.Receipt(ctx, records[i].LeafIndex); err != nil {
			return err
		}
		if records[i].Time, err = p.Time(ctx, records[i].LeafIndex); err != nil {
			return err
		}
	}
	return nil
}
