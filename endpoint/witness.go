package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"docaxis/internal/bus"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// compareReceipts asks whether the log under the last receipt is the one that the
// pulls show: a log that kept one history for receipts and another for mailboxes
// would else go unseen. Its error means that it does. The page may have brought the proof.
func (a *Agent) compareReceipts(ctx context.Context, receipted *evidence.Checkpoint, pulled evidence.Checkpoint, proof [][]byte) error {
	if receipted == nil {
		return nil
	}
	err := a.compare(ctx, *receipted, pulled, proof)
	var lost *evidence.LostRecordsError
	switch {
	case err == nil, errors.As(err, &lost):
		a.pulling.contradicted = 0
		a.receipted.CompareAndSwap(receipted, nil)
		return nil
	case errors.Is(err, evidence.ErrSplitView):
		return a.park(ctx, splitView(err))
	case errors.Is(err, evidence.ErrOlder), reason.Of(err) != nil && reason.IsTemporary(err):
		// The pulls have still to come so far, or the axis could not be asked.
		return nil
	}
	a.log.Error("the log does not prove that it has what a receipt says", slog.Any("error", err))
	if a.pulling.contradicted++; a.pulling.contradicted < unprovenLimit {
		return nil
	}
	return a.park(ctx, splitView(err))
}

// compare checks that one checkpoint extends another, asking for a proof where one
// is needed and not here.
func (a *Agent) compare(ctx context.Context, older, newer evidence.Checkpoint, proof [][]byte) error {
	err := a.trust.Extends(older, newer, proof)
	if !errors.Is(err, evidence.ErrNotProven) {
		return err
	}
	var answer axispb.ProofAnswer
	err = a.link.Load().Call(ctx, bus.Proof, &axispb.ProofRequest{
		Epoch: newer.Epoch, FromSize: older.Size, ToSize: newer.Size,
	}, &answer)
	if err != nil {
		return fmt.Errorf("ask for a proof: %w", err)
	}
	return a.trust.Extends(older, newer, answer.Consistency)
}
