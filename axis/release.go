package axis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docaxis/axis/content"
	"docaxis/axis/intake"
	"docaxis/axis/ledger"
)

const (
	releaseEvery = time.Hour
	// removeEvery is how often all chunks are looked at.
	removeEvery = 24 * time.Hour
	// recovering is for how long after an epoch was opened no chunk is removed: what
	// the journal lost may be named by nothing here, and its content is what endpoints
	// need when they give the records back. They keep those for 90 days, and may be
	// away for as long.
	recovering = 180 * 24 * time.Hour
)

// Released says what ReleaseNow did.
type Released struct {
	Documents int // marked in the journal
	content.Removed
}

// release marks what need not be kept, and removes what was marked, until ctx ends. What
// was recalled is marked at once: at the start, and whenever the last recipient gave it
// back.
func (h *Hub) release(ctx context.Context) error {
	tick := time.NewTicker(h.cfg.ReleaseEvery)
	defer tick.Stop()
	var removed time.Time
	done, err := h.markRecalled(ctx)
	h.tellReleased(ctx, done, err)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.recalled:
			done, err = h.markRecalled(ctx)
		case <-tick.C:
			done, err = h.markReleased(ctx)
			if now := h.now(); err == nil && now.Sub(removed).Abs() >= removeEvery {
				removed = now
				done.Removed, err = h.removeChunks(ctx)
			}
		}
		h.tellReleased(ctx, done, err)
	}
}

// markRecalled journals that the content of documents is released which were recalled
// from everybody.
func (h *Hub) markRecalled(ctx context.Context) (done Released, err error) {
	for {
		due, err := h.ledger.Recalled(ctx, intake.MaxReleased)
		if err != nil || len(due) == 0 {
			return done, err
		}
		n, err := h.intake.Release(ctx, intake.ReleaseRecall, due)
		done.Documents += n
		if err != nil || n == 0 {
			return done, err
		}
	}
}

func (h *Hub) tellReleased(ctx context.Context, done Released, err error) {
	if err != nil && ctx.Err() == nil {
		h.log.Warn("content could not be released; it will be tried again", "error", err)
	}
	if done.Documents+done.Chunks > 0 {
		h.log.Info("content released", "documents", done.Documents, "chunks removed", done.Chunks, "bytes", done.Bytes)
	}
}

// ReleaseNow marks every document whose content need not be kept any more, and
// removes the chunks whose grace is over, without waiting for the time at which the
// axis does so by itself.
func (h *Hub) ReleaseNow(ctx context.Context) (Released, error) {
	done, err := h.markReleased(ctx)
	if err != nil {
		return done, err
	}
	done.Removed, err = h.removeChunks(ctx)
	return done, err
}

// markReleased journals what may be released: what was recalled, then, sender by sender,
// since each has a retention of its own, what was kept long enough.
func (h *Hub) markReleased(ctx context.Context) (done Released, err error) {
	if done, err = h.markRecalled(ctx); err != nil {
		return done, err
	}
	sender := ""
	for {
		if sender, err = h.ledger.NextSettled(ctx, sender); err != nil || sender == "" {
			return done, err
		}
		n, err := h.markReleasedOf(ctx, sender)
		done.Documents += n
		if err != nil {
			return done, err
		}
	}
}

func (h *Hub) markReleasedOf(ctx context.Context, sender string) (done int, err error) {
	for {
		before := h.now().Add(-h.intake.Retention(sender)).UnixMilli()
		due, err := h.ledger.Settled(ctx, sender, before, intake.MaxReleased)
		if err != nil || len(due) == 0 {
			return done, err
		}
		n, err := h.intake.Release(ctx, intake.ReleaseRetention, due)
		done += n
		// Where the appender took fewer, its clock is behind: the rest is for later.
		if err != nil || n < intake.MaxReleased {
			return done, err
		}
	}
}

// removeChunks removes what nobody needs. Its time is journal time, or the clock's
// where that is earlier: a clock that jumped ahead is not believed before an operator
// has confirmed it.
func (h *Hub) removeChunks(ctx context.Context) (content.Removed, error) {
	position, err := h.ledger.Position(ctx)
	if err != nil {
		return content.Removed{}, err
	}
	at := time.UnixMilli(position.TimeMS)
	if now := h.now(); now.Before(at) {
		at = now
	}
	newest, ok := h.trust.Newest()
	if !ok {
		return content.Removed{}, errors.New("the log has no epoch")
	}
	if opened := time.UnixMilli(newest.GetOpenedMs()); newest.GetNumber() > 1 && at.Sub(opened) < recovering {
		return content.Removed{}, nil
	}
	done, err := h.content.Remove(ctx, at, need{h.ledger})
	if err != nil {
		return done, fmt.Errorf("remove chunks: %w", err)
	}
	return done, nil
}

// need is the ledger as the content store asks it.
type need struct{ *ledger.Ledger }

func (n need) Needed(ctx context.Context, digest []byte, before time.Time) (bool, error) {
	return n.Ledger.Needed(ctx, digest, before.UnixMilli())
}
