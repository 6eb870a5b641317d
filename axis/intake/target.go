package intake

import (
	"context"
	"slices"

	"docaxis/internal/business"
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
	names := b.in.registry.Names(d.Sender)
	own := slices.Contains(names, ref.Sender)
	if p, ok := b.documents[identity{ref.Sender, ref.ID}]; ok {
		// Nobody but its sender can have it yet.
		switch {
		case !own && p.endpoint != s.endpoint:
			return nil, 0, unknown
		case p.past:
			return nil, 0, errFull // the next block knows its record
		case bySender(d) && !own:
			return nil, 0, reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_SENDER, ref.Sender, ref.ID)
		case d.Kind == envelope.KindStatus && !bySender(d):
			return nil, 0, reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT, d.Sender, ref.Sender, ref.ID)
		}
		return &axispb.RecordRef{Epoch: b.epoch, LeafIndex: b.first + uint64(p.index)}, p.lane, b.replaces(d, names)
	}
	k, found, err := b.in.ledger.ByIdentity(ctx, ref.Sender, ref.ID)
	switch {
	case err != nil:
		return nil, 0, err
	case !found:
		return nil, 0, unknown
	}
	if err := b.mayChange(ctx, s, k, names, unknown); err != nil {
		return nil, 0, err
	}
	return &axispb.RecordRef{Epoch: k.Epoch, LeafIndex: k.Leaf}, k.Lane, nil
}

// bySender reports whether a change is for the sender of its target to make: it takes
// back what was sent, or asks to. A status tells what a recipient does with it, or
// answers; a reply may come from either.
func bySender(d *envelope.Document) bool {
	if d.Kind == envelope.KindStatus {
		return business.BySender(d.Status)
	}
	return business.BySender(string(d.Kind))
}

// mayChange asks whether an agency may say that about a document: as its sender, or as
// a recipient. An endpoint acts for many: what one of its agencies sent is not
// another's to recall. But what the endpoint knows of need not be hidden from it.
func (b *block) mayChange(ctx context.Context, s *submission, k Known, names []string, unknown error) error {
	d := s.envelope.Document
	knows, err := b.knows(ctx, s, k, names)
	switch {
	case err != nil:
		return err
	case !knows:
		return unknown
	case d.Kind == envelope.KindReply:
		return nil
	case !bySender(d):
		codes, err := b.in.ledger.Recipients(ctx, k.Position, names)
		if err != nil || len(codes) > 0 {
			return err
		}
		return reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT, d.Sender, k.Sender, k.ID)
	case !slices.Contains(names, k.Sender):
		return reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_SENDER, k.Sender, k.ID)
	}
	return b.replaces(d, names)
}

// replaces holds what a replacement replaces beside its target to be its sender's, too.
// Whether it exists is not asked: it is not routed by it.
func (*block) replaces(d *envelope.Document, names []string) error {
	for _, r := range d.References {
		if r.Relation == envelope.RelationReplaces && !slices.Contains(names, r.Sender) {
			return reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_SENDER, r.Sender, r.ID)
		}
	}
	return nil
}

// knows reports whether a change comes from a party of its target: from the agency or
// the endpoint that sent or received it, or from whoever acts for that agency now,
// under its successor's code, too.
func (b *block) knows(ctx context.Context, s *submission, k Known, names []string) (bool, error) {
	if slices.Contains(names, k.Sender) || k.Endpoint == s.endpoint {
		return true, nil
	}
	if route, err := b.in.registry.Route(k.Sender, b.at); err == nil && route.Endpoint == s.endpoint {
		return true, nil
	}
	codes, err := b.in.ledger.Recipients(ctx, k.Position, names)
	if err != nil || len(codes) > 0 {
		return len(codes) > 0, err
	}
	return b.in.ledger.Received(ctx, k.Position, s.endpoint)
}
