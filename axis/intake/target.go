package intake

import (
	"context"

	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// target resolves what a change is about, and the lane it must not be slower than.
// A document in which the change's sender has no part is told from one that does
// not exist by nothing: else an id would be enough to learn when and where
// another's document was accepted.
func (b *block) target(ctx context.Context, s *submission) (*axispb.RecordRef, axispb.Lane, error) {
	d := s.envelope.Document
	ref, isChange := d.Target()
	if !isChange {
		return nil, axispb.Lane_LANE_NORMAL, nil
	}
	unknown := reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_TARGET, ref.Sender, ref.ID)
	if p, ok := b.documents[identity{ref.Sender, ref.ID}]; ok {
		// Nobody but its sender can have it yet.
		if d.Sender != ref.Sender && p.endpoint != s.endpoint {
			return nil, 0, unknown
		}
		if p.past {
			return nil, 0, errFull // the next block knows its record
		}
		return &axispb.RecordRef{Epoch: b.epoch, LeafIndex: b.first + uint64(p.index)}, p.lane, nil
	}
	k, found, err := b.in.ledger.ByIdentity(ctx, ref.Sender, ref.ID)
	switch {
	case err != nil:
		return nil, 0, err
	case !found:
		return nil, 0, unknown
	case b.sentBy(s, k):
		return &axispb.RecordRef{Epoch: k.Epoch, LeafIndex: k.Leaf}, k.Lane, nil
	}
	received, err := b.received(ctx, s, k)
	switch {
	case err != nil:
		return nil, 0, err
	case !received:
		return nil, 0, unknown
	case d.Kind != envelope.KindStatus && d.Kind != envelope.KindReply:
		return nil, 0, reason.Permanent(axispb.ReasonCode_REASON_FORBIDDEN, string(d.Kind))
	}
	return &axispb.RecordRef{Epoch: k.Epoch, LeafIndex: k.Leaf}, k.Lane, nil
}

// received reports whether a change comes from a recipient of its target: the
// endpoint, the agency, or one that the agency took over from.
func (b *block) received(ctx context.Context, s *submission, k Known) (bool, error) {
	sender := s.envelope.Document.Sender
	for _, agency := range append([]string{sender}, b.in.registry.Predecessors(sender)...) {
		received, err := b.in.ledger.Received(ctx, k.Position, s.endpoint, agency)
		if received || err != nil {
			return received, err
		}
	}
	return false, nil
}

// sentBy reports whether a change comes from whoever sent its target: the agency
// itself, the endpoint that submitted it, or the one that acts for the agency now,
// under its successor's code, too.
func (b *block) sentBy(s *submission, k Known) bool {
	if k.Sender == s.envelope.Document.Sender || k.Endpoint == s.endpoint {
		return true
	}
	route, err := b.in.registry.Route(k.Sender, b.at)
	return err == nil && route.Endpoint == s.endpoint
}
