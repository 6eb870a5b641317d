package endpoint

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/store"
	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

// unprovenLimit is how often the log may fail to prove that it extends what was
// seen. An honest one can always prove it, so more is taken for a split view.
const unprovenLimit = 3

// pageRoom is what a page may take on the disk: its envelopes, its entries, and the
// pages of the store that are written anew.
const pageRoom = 4 << 20

// judgesAtOnce is how many items are judged side by side.
const judgesAtOnce = 4

// pullState is the pull loop's own.
type pullState struct {
	// fresh: this store never stated anything. If the endpoint is a re-issued
	// one, the journal knows statements that it must not contradict, so nothing
	// is stated before all was pulled once.
	fresh bool
	// failed: the last page could not be committed, so the next one comes without
	// contents, which nothing but its rows can fail for.
	failed bool
	// unproven counts pages in a row whose checkpoint was not proven.
	unproven int
	// contradicted counts comparisons in a row of a receipt's checkpoint that
	// were not proven.
	contradicted int
	// doubted are rows whose document had no known seal when they came first.
	doubted sync.Map
	// receipts counts those that were stored; held: a lane stands, perhaps at an
	// evidence that overtook its receipt.
	receipts atomic.Uint64
	held     atomic.Bool
	// journalMs is the newest journal time of a registry record.
	journalMs atomic.Int64
}

// caughtUp holds a loop back until a fresh store has pulled everything once.
func (a *Agent) caughtUp(loop func(context.Context) error) func(context.Context) error {
	if !a.pulling.fresh {
		return loop
	}
	ready := a.watch.subscribe(caughtUpKey)
	return func(ctx context.Context) error {
		select {
		case <-ready:
			return loop(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// caughtUpKey is no document's id.
const caughtUpKey = "\x00caught up"

// pull empties this endpoint's mailbox whenever the axis rings, the connection is
// made, and every minute or so.
func (a *Agent) pull(ctx context.Context) error {
	for attempts := uint32(0); ; {
		wait := a.cfg.PullEvery/2 + rand.N(a.cfg.PullEvery)
		receipts := a.pulling.receipts.Load()
		held, err := a.pullAll(ctx)
		a.pulling.held.Store(held)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errParked), fatal(err):
			return err
		case err != nil:
			a.log.Warn("pulling failed", slog.Any("error", err))
		case held && a.pulling.receipts.Load() != receipts:
			continue // what it stood at may be just this receipt
		}
		if err != nil || held {
			attempts++
			wait = min(wait, a.cfg.Retry.wait(attempts))
		} else {
			attempts = 0
		}
		if !nap(ctx, wait, a.wake.pull) {
			return nil
		}
	}
}

// pullAll takes page after page until nothing is left. held reports that a lane
// was left standing at a row which has to wait for something of this endpoint's
// own.
func (a *Agent) pullAll(ctx context.Context) (held bool, err error) {
	for a.isConnected() && ctx.Err() == nil {
		more, held, err := a.pullPage(ctx)
		if err != nil || held || !more {
			return held, err
		}
	}
	return false, nil
}

func (a *Agent) pullPage(ctx context.Context) (more, held bool, err error) {
	if err := a.disk.records.Allow(pageRoom); err != nil {
		return false, false, err
	}
	was, err := a.progress()
	if err != nil {
		return false, false, err
	}
	var page axispb.Page
	req := pullRequest(was)
	a.wantContents(req)
	receipted := a.receipted.Load()
	if receipted != nil && receipted.Epoch == req.Epoch {
		req.ReceiptSize = receipted.Size
	}
	err = a.step("pull", func() error { return a.link.Load().Call(ctx, bus.Pull, req, &page) })
	if err != nil {
		return false, false, err
	}
	if err := a.learnEpochs(ctx, page.Epochs); err != nil {
		return false, false, err
	}
	cp, err := a.newest(ctx, was, &page)
	if err != nil {
		return false, false, err
	}
	if cp.Epoch != was.Epoch {
		// The rows were found with cursors of another epoch: ask again.
		return true, false, a.changeEpoch(ctx, was, cp)
	}
	if err := a.compareReceipts(ctx, receipted, cp, page.ReceiptConsistency); err != nil {
		return false, false, err
	}
	a.heedWanted(page.Wanted)
	a.learnAnnounced(page.Items)
	held, err = a.take(ctx, &page, cp, broughtBy(&page, req))
	a.pulling.failed = err != nil
	// A page that promises more and brings nothing would be asked for for ever.
	return page.More && len(page.Items) > 0 && !held, held, err
}

// progress is where the endpoint is; a new one begins in the newest epoch that it
// was told at enrolment.
func (a *Agent) progress() (p *axispb.Progress, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		p, err = store.Progress(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if newest, ok := a.trust.Newest(); ok && p.Epoch == 0 {
		p.Epoch = newest.Number
	}
	return p, nil
}

func pullRequest(p *axispb.Progress) *axispb.PullRequest {
	req := &axispb.PullRequest{Epoch: p.Epoch, SeenSize: p.GetSeen().GetSize()}
	for _, lane := range []axispb.Lane{axispb.Lane_LANE_REGISTRY, axispb.Lane_LANE_URGENT, axispb.Lane_LANE_NORMAL} {
		req.Cursors = append(req.Cursors, cursor(p, lane))
	}
	return req
}

// cursor is where a lane is.
func cursor(p *axispb.Progress, lane axispb.Lane) *axispb.Cursor {
	for _, c := range p.Cursors {
		if c.Lane == lane {
			return c
		}
	}
	return &axispb.Cursor{Lane: lane}
}

// setCursor moves a lane.
func setCursor(p *axispb.Progress, to *axispb.Cursor) {
	for i, c := range p.Cursors {
		if c.Lane == to.Lane {
			p.Cursors[i] = to
			return
		}
	}
	p.Cursors = append(p.Cursors, to)
}
