package intake

import (
	"context"

	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// sealed is a checkpoint of this log with seal and time-stamp.
type sealed struct {
	epoch, size uint64
	raw         []byte
	taken       bool // written by the appender before it answers, and read after
}

// Sealed journals a marshalled SealedCheckpoint of a checkpoint of an epoch, as the
// axis. It reports false, and journals nothing, where the log goes on under another
// epoch by now: what was sealed is not this log's own any more, and there is a newer
// checkpoint to seal.
func (in *Intake) Sealed(ctx context.Context, epoch uint64, raw []byte) (bool, error) {
	s, err := evidence.OpenSealed(raw)
	if err != nil {
		return false, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "sealed checkpoint").Because(err)
	}
	d := &sealed{epoch: epoch, size: s.Size, raw: raw}
	if _, err := in.wait(ctx, d); err != nil {
		return false, err
	}
	return d.taken, nil
}

func (s *sealed) decide(_ context.Context, b *block) (outcome, error) {
	if s.taken = s.epoch == b.epoch && s.size <= b.first; !s.taken {
		return outcome{index: -1, leaf: new(uint64)}, nil
	}
	index, err := b.add(axispb.Kind_KIND_SEALED_CHECKPOINT, s.raw, &axispb.Decision{})
	return outcome{index: index}, err
}
