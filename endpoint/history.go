package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/store"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// learnEpochs trusts the epochs that a page brings, and keeps them.
func (a *Agent) learnEpochs(ctx context.Context, epochs [][]byte) error {
	for _, signed := range epochs {
		e, err := a.trust.AddEpoch(signed)
		if errors.Is(err, evidence.ErrSplitView) {
			return a.park(ctx, splitView(err))
		}
		if err != nil {
			return fmt.Errorf("epoch in a page: %w", err)
		}
		a.log.Warn("the axis opened a new epoch", slog.Uint64("epoch", e.Number), slog.String("why", e.Reason))
		err = a.db.Update(ctx, func(tx *bbolt.Tx) error { return store.AddEpoch(tx, e.Number, signed) })
		if err != nil {
			return err
		}
	}
	return nil
}

// newest is the page's checkpoint, proven to extend the last one seen. A log that
// contradicts itself parks the endpoint: this is what thousands of witnesses are
// for.
func (a *Agent) newest(ctx context.Context, was *axispb.Progress, page *axispb.Page) (evidence.Checkpoint, error) {
	cp, err := a.trust.Checkpoint(page.Checkpoint)
	if err == nil && cp.Epoch != page.Epoch {
		err = fmt.Errorf("page of epoch %d with a checkpoint of epoch %d", page.Epoch, cp.Epoch)
	}
	if err == nil {
		err = a.extends(was, cp, page)
	}
	switch {
	case err == nil:
		a.pulling.unproven = 0
		return cp, nil
	case errors.Is(err, evidence.ErrOlder):
		a.showSeen(ctx, was, a.link.Load())
		return cp, err
	case errors.Is(err, evidence.ErrNotProven):
		a.showSeen(ctx, was, a.link.Load())
		a.pulling.unproven++
		if a.pulling.unproven < unprovenLimit {
			return cp, err
		}
		fallthrough
	case errors.Is(err, evidence.ErrSplitView):
		a.log.Error("split view: keep this checkpoint and the one seen before as proof",
			slog.String("seen", string(was.Checkpoint)), slog.String("shown", string(page.Checkpoint)))
		return cp, a.park(ctx, splitView(err))
	}
	return cp, err
}

func (a *Agent) extends(was *axispb.Progress, cp evidence.Checkpoint, page *axispb.Page) error {
	var older evidence.Checkpoint
	if was.Seen != nil {
		var err error
		if older, err = evidence.RefCheckpoint(was.Seen); err != nil {
			return fmt.Errorf("checkpoint seen before: %w", err)
		}
	}
	err := a.trust.Extends(older, cp, page.Consistency)
	var lost *evidence.LostRecordsError
	if errors.As(err, &lost) {
		a.log.Error("the axis lost records and said so; what this endpoint keeps can be offered again",
			slog.Uint64("from", lost.From), slog.Uint64("to", lost.To))
		return nil
	}
	return err
}

func splitView(cause error) error {
	return reason.Permanent(axispb.ReasonCode_REASON_SPLIT_VIEW).Because(cause)
}

// changeEpoch goes on in a new epoch. Where it begins before what a cursor had
// reached, the cursor goes back to its base: positions from there on are given
// anew.
func (a *Agent) changeEpoch(ctx context.Context, was *axispb.Progress, cp evidence.Checkpoint) error {
	base := uint64(evidence.MaxTreeSize)
	for _, e := range a.trust.Epochs() {
		if e.Number > was.Epoch && e.Number <= cp.Epoch {
			base = min(base, e.BaseSize)
		}
	}
	err := a.commit(ctx, "t1", func(tx *bbolt.Tx) error {
		p, err := store.Progress(tx)
		if err != nil {
			return err
		}
		p.Epoch, p.Checkpoint, p.Seen = cp.Epoch, cp.Note, cp.Ref()
		for _, c := range p.Cursors {
			// A cursor's position is a leaf index plus one. Nothing of the leaf
			// at the base was taken yet.
			if c.Position > base {
				c.Position, c.Ordinal = base+1, 0
			}
		}
		return errors.Join(store.PutProgress(tx, p), a.beginRecovery(tx, was, cp.Epoch))
	})
	// Whether or not the step is known to be done: the loop looks for itself.
	ring(a.wake.recover)
	return err
}
