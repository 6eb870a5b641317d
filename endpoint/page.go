package endpoint

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/files"
	"docaxis/endpoint/store"
	"docaxis/internal/chunk"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// take verifies a page and commits it. Registry records come first and by
// themselves where there are others: what they admit must be known before the rest
// can be judged.
func (a *Agent) take(ctx context.Context, page *axispb.Page, cp evidence.Checkpoint, brought map[chunk.ID][]byte) (held bool, err error) {
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
		part := &part{agent: a, page: page, cp: cp, brought: brought, items: items, complete: last && !page.More}
		if err := part.take(ctx); err != nil {
			return false, err
		}
		held = held || len(part.heldLanes) > 0
	}
	if !page.More && !held {
		a.pulling.fresh = false
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
	// brought has the contents that came with the page; nil where none were wanted.
	brought map[chunk.ID][]byte
	items   []*axispb.Item
	// complete: nothing that is older than the newest row is missing any more.
	complete bool

	// hold keeps the envelopes until the entries that name them are committed.
	hold *files.Hold
	// contents does so with files of documents.
	contents  *files.Hold
	outcomes  []outcome
	ends      []*axispb.Cursor
	heldLanes map[axispb.Lane]bool
}

// outcome is what an item leads to, to be applied in the transaction T1.
type outcome struct {
	apply func(tx *bbolt.Tx) error
	// told, where it is not nil, is called once that is committed.
	told func()
	// arrived is a document that it brings; nil where it brings none.
	arrived *arrival
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
	p.hold = a.files.Hold()
	defer p.hold.Release()
	p.contents = a.files.Hold()
	defer p.contents.Release()
	if err := p.verify(ctx); err != nil {
		return err
	}
	settle := p.beginFetches()
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
	settle(err == nil)
	if err != nil {
		return err
	}
	for _, o := range p.outcomes {
		if o.told != nil {
			o.told()
		}
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
	if err := p.hold.Settle(); err != nil {
		return localError{fmt.Errorf("keep envelopes: %w", err)}
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
	p.settleContents()
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
