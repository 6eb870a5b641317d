package axis

import (
	"context"

	operator "docaxis/axis/admin"
	"docaxis/axis/ledger"
	"docaxis/axis/mailbox"
	"docaxis/axis/sealing"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/evidence"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Time proves when the record at a leaf was there at the latest; nil while no sealed
// checkpoint covers it.
func (p proofs) Time(ctx context.Context, leaf uint64) ([]byte, error) {
	s, err := p.ledger.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // a snapshot only reads
	sealed, inclusion, err := p.covering(ctx, s, leaf)
	if err != nil || sealed == nil {
		return nil, err
	}
	record, err := p.recordIn(ctx, s, leaf)
	if err != nil {
		return nil, err
	}
	raw, err := evidence.NewTimeProof(sealed, record, leaf, inclusion)
	if len(raw) > evidence.MaxTimeProof {
		raw = nil // of the largest documents that were lost and came back: nobody would read it
	}
	return raw, err
}

// recordIn reads the record at a leaf by the snapshot alone: whoever held it and asked
// the ledger for more would wait for those who do the same.
func (p proofs) recordIn(ctx context.Context, s *ledger.Snapshot, leaf uint64) (*axispb.Record, error) {
	at, found, err := s.Locate(ctx, leaf)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the record is not applied yet")
	}
	return p.records.Record(ctx, mailbox.Location(at))
}

// covering gives the first sealed checkpoint over a leaf, exact bytes, and the proof
// that the leaf is under it.
func (p proofs) covering(ctx context.Context, s *ledger.Snapshot, leaf uint64) (sealed []byte, inclusion [][]byte, err error) {
	at, found, err := s.Covering(ctx, leaf)
	if err != nil || !found {
		return nil, nil, err
	}
	record, err := p.recordIn(ctx, s, at.Position)
	if err != nil {
		return nil, nil, err
	}
	inclusion, err = axistlog.Inclusion(at.Size, leaf, s)
	return record.GetBody(), inclusion, err
}

// timed adds to an answer the sealed checkpoint over a leaf, as an epoch numbered it. A
// leaf that this log lost since is another one now, so that nothing is said about it.
func (h *Hub) timed(ctx context.Context, s *ledger.Snapshot, epoch, leaf uint64, out *axispb.ProofAnswer) (err error) {
	if leaf >= h.trust.Common(epoch, s.Position.Epoch) {
		return nil
	}
	out.Sealed, out.SealedInclusion, err = proofs{h.ledger, h.records(), h.trust}.covering(ctx, s, leaf)
	return err
}

// timestamps is what an operator is shown about the log's time.
func (h *Hub) timestamps(ctx context.Context) (operator.Timestamps, error) {
	out := operator.Timestamps{Authorities: len(h.cfg.Timestamps.Authorities)}
	s, err := h.ledger.Snapshot(ctx)
	if err != nil {
		return out, err
	}
	defer s.Close() //nolint:errcheck // a snapshot only reads
	last, found, err := s.LastSealed(ctx)
	if err != nil {
		return out, err
	}
	if out.Uncovered, err = s.Grown(ctx, last.Size); err != nil {
		return out, err
	}
	if found {
		if err := h.lastSealed(ctx, s, last, &out); err != nil {
			return out, err
		}
	}
	if h.sealer == nil {
		return out, nil
	}
	if state := h.sealer.State(); !state.Since.IsZero() {
		out.FailingMS = state.Since.UnixMilli()
		out.Problem, out.ProblemVI = lang.Say(state.Problem, lang.English), lang.Say(state.Problem, lang.Vietnamese)
	}
	return out, nil
}

func (h *Hub) lastSealed(ctx context.Context, s *ledger.Snapshot, last ledger.Sealed, out *operator.Timestamps) error {
	record, err := proofs{h.ledger, h.records(), h.trust}.recordIn(ctx, s, last.Position)
	if err != nil {
		return err
	}
	at, err := sealing.TimeOf(record.GetBody())
	if err != nil {
		return err
	}
	out.LastMS, out.Covers, out.LeafIndex = at.UnixMilli(), last.Size, last.Position
	return nil
}
