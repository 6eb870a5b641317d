package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/store"
	"docaxis/internal/bus"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// unprovenLimit is how often the log may fail to prove that it extends what was
// seen. An honest one can always prove it, so more is taken for a split view.
const unprovenLimit = 3

// judgesAtOnce is how many items are judged side by side.
const judgesAtOnce = 4

// pullState is the pull loop's own.
type pullState struct {
	// fresh: this store never stated anything. If the endpoint is a re-issued
	// one, the journal knows statements that it must not contradict, so nothing
	// is stated before all was pulled once.
	fresh bool
	// unproven counts pages in a row whose checkpoint was not proven.
	unproven int
	// contradicted counts comparisons in a row of a receipt's checkpoint that
	// were not proven.
	contradicted int
	// doubted are rows whose document had no known seal when they came first.
	doubted sync.Map
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
		held, err := a.pullAll(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errParked), fatal(err):
			return err
		case err != nil:
			a.log.Warn("pulling failed", slog.Any("error", err))
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
	was, err := a.progress()
	if err != nil {
		return false, false, err
	}
	var page axispb.Page
	err = a.step("pull", func() error { return a.link.Load().Call(ctx, bus.Pull, pullRequest(was), &page) })
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
	if err := a.compareReceipts(ctx, cp); err != nil {
		return false, false, err
	}
	held, err = a.take(ctx, &page, cp)
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
	case errors.Is(err, evidence.ErrNotProven):
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
	return a.commit(ctx, "t1", func(tx *bbolt.Tx) error {
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
		return store.PutProgress(tx, p)
	})
}

// take verifies a page and commits it. Registry records come first and by
// themselves where there are others: what they admit must be known before the rest
// can be judged.
func (a *Agent) take(ctx context.Context, page *axispb.Page, cp evidence.Checkpoint) (held bool, err error) {
	n := 0
	for n < len(page.Items) && page.Items[n].Lane == axispb.Lane_LANE_REGISTRY {
		n++
	}
	parts := [][]*axispb.Item{page.Items[:n], page.Items[n:]}
	if n == 0 || n == len(page.Items) {
		parts = [][]*axispb.Item{page.Items}
	}
	for i, items := range parts {
		last := i == len(parts)-1
		part := &part{agent: a, page: page, cp: cp, items: items, complete: last && !page.More}
		if err := part.take(ctx); err != nil {
			return false, err
		}
		held = held || len(part.heldLanes) > 0
	}
	if !page.More && !held {
		a.watch.changed(caughtUpKey)
		a.pulling.doubted.Clear()
	}
	return held, nil
}

// row is where an item stands.
type row struct {
	lane     axispb.Lane
	position uint64
	ordinal  uint32
}

func rowOf(i *axispb.Item) row { return row{i.Lane, i.Position, i.Ordinal} }

// after reports whether a row comes after a cursor.
func (r row) after(c *axispb.Cursor) bool {
	if r.position+1 != c.Position {
		return r.position+1 > c.Position
	}
	return r.ordinal+1 > c.Ordinal
}

// part is a page, or what of it can be committed together.
type part struct {
	agent *Agent
	page  *axispb.Page
	cp    evidence.Checkpoint
	items []*axispb.Item
	// complete: nothing that is older than the newest row is missing any more.
	complete bool

	outcomes  []outcome
	ends      []*axispb.Cursor
	heldLanes map[axispb.Lane]bool
}

// outcome is what an item leads to, to be applied in the transaction T1.
type outcome struct {
	apply func(tx *bbolt.Tx) error
	// document whose state changes.
	document string
}

// errHold says that an item has to wait for something of this endpoint's own; its
// lane stands until then.
var errHold = errors.New("this row has to wait")

// take is T1: everything that the items lead to, the cursors after them and the
// checkpoint that proves them, in one transaction.
func (p *part) take(ctx context.Context) error {
	a := p.agent
	if err := p.verify(ctx); err != nil {
		return err
	}
	err := a.commit(ctx, "t1", func(tx *bbolt.Tx) error {
		if err := p.advance(tx); err != nil {
			return err
		}
		for _, o := range p.outcomes {
			if o.apply == nil {
				continue
			}
			if err := o.apply(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range p.outcomes {
		a.watch.changed(o.document)
	}
	w := a.wake
	ring(w.fetch, w.bulkFetch, w.evidence)
	return nil
}

// advance moves the cursors and the checkpoint.
func (p *part) advance(tx *bbolt.Tx) error {
	progress, err := store.Progress(tx)
	if err != nil {
		return err
	}
	progress.Epoch, progress.Checkpoint, progress.Seen = p.cp.Epoch, p.cp.Note, p.cp.Ref()
	for _, c := range p.ends {
		setCursor(progress, proto.Clone(c).(*axispb.Cursor))
	}
	return store.PutProgress(tx, progress)
}

// verify judges every item that is new. One that is bad is put aside with its
// reason and blocks nothing; an item that came before is passed over.
func (p *part) verify(ctx context.Context) error {
	progress, err := p.agent.progress()
	if err != nil {
		return err
	}
	verdicts, err := p.judgeAll(ctx, progress)
	if err != nil {
		return err
	}
	p.heldLanes = make(map[axispb.Lane]bool)
	for i, item := range p.items {
		if p.heldLanes[item.Lane] || !rowOf(item).after(cursor(progress, item.Lane)) {
			continue
		}
		o, err := verdicts[i].outcome, verdicts[i].err
		if errors.Is(err, errHold) {
			p.heldLanes[item.Lane] = true
			continue
		}
		if err != nil {
			o = p.quarantine(item, err)
		}
		p.outcomes = append(p.outcomes, o)
		end := &axispb.Cursor{Lane: item.Lane, Position: item.Position + 1, Ordinal: item.Ordinal + 1}
		setCursor(progress, end)
		p.ends = append(p.ends, end)
	}
	if p.complete && len(p.heldLanes) == 0 {
		p.outcomes = append(p.outcomes, outcome{apply: releaseOrphans})
	}
	return nil
}

// verdict is what judging an item gave.
type verdict struct {
	outcome outcome
	err     error
}

// judgeAll judges the items side by side: signatures take processors, and the
// envelopes that are kept take the disk.
func (p *part) judgeAll(ctx context.Context, progress *axispb.Progress) ([]verdict, error) {
	verdicts := make([]verdict, len(p.items))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(judgesAtOnce)
	for i, item := range p.items {
		if !rowOf(item).after(cursor(progress, item.Lane)) {
			continue
		}
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			o, err := p.judge(item)
			if fatalOrLocal(err) {
				return err
			}
			verdicts[i] = verdict{o, err}
			return nil
		})
	}
	return verdicts, g.Wait()
}

// localError is a failure of this machine, which says nothing about an item.
type localError struct{ error }

func (e localError) Unwrap() error { return e.error }

func fatalOrLocal(err error) bool {
	var local localError
	return fatal(err) || errors.As(err, &local)
}
