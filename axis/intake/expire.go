package intake

import (
	"context"
	"time"

	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// expiry is a deadline that passed before a recipient's endpoint consigned a
// document.
type expiry struct {
	document uint64
	code     string
}

// Expire states, as the axis, that a document was not consigned in time. It
// states nothing where that is not so, or not any more. A passed deadline is not
// the end: what the endpoint states later supersedes it.
func (in *Intake) Expire(ctx context.Context, document uint64, code string) error {
	_, err := in.wait(ctx, expiry{document, code})
	return err
}

// decide looks again, in journal order: the consignment may just have come.
func (e expiry) decide(ctx context.Context, b *block) (outcome, error) {
	nothing := outcome{index: -1, leaf: &e.document}
	k, found, err := b.in.ledger.ByPosition(ctx, e.document)
	if err != nil || !found || k.DeadlineMS == 0 || k.DeadlineMS > b.at.UnixMilli() {
		return nothing, err
	}
	who := recipient(e)
	held, err := b.held(ctx, who)
	if err != nil || held.State != axispb.State_STATE_ACCEPTED {
		return nothing, err
	}
	raw, err := b.in.sign(&axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE, Issuer: evidence.AxisIssuer,
		TimeMs: b.at.UnixMilli(), Document: &axispb.RecordRef{Epoch: k.Epoch, LeafIndex: k.Leaf},
		Commitment: k.Commitment, Sender: k.Sender, EnvelopeId: k.ID, ManifestDigest: k.Manifest, Code: e.code,
		Reason: &axispb.Reason{
			Code: axispb.ReasonCode_REASON_DEADLINE, Args: []string{reason.Time(time.UnixMilli(k.DeadlineMS))},
		},
	})
	if err != nil {
		return outcome{}, err
	}
	index, err := b.add(axispb.Kind_KIND_EVIDENCE, raw, &axispb.Decision{
		Evidence: &axispb.EvidenceDecision{Standing: axispb.Standing_STANDING_FIRST},
	})
	if err != nil {
		return outcome{}, err
	}
	b.said[event{who, axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE, evidence.AxisIssuer}] = index
	held.State = axispb.State_STATE_CONSIGNMENT_FAILED
	b.copies[who] = held
	return outcome{index: index}, nil
}
