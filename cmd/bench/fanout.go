package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"docaxis/endpoint/link"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// everybody is the agency below which the benchmark registers those that it needs many
// of.
const everybody = "H90"

// fanout sends one document to every agency of a province that has very many, several
// times, and asks some of their mailboxes until the document is in them.
func (p plan) fanout(ctx context.Context, w *world) (*Fanout, error) {
	f := p.Fanout
	out := &Fanout{Recipients: f.Recipients, Documents: f.Documents}
	sender, err := w.enrol(ctx, "G22")
	if err != nil {
		return nil, err
	}
	kept, err := w.register(ctx, f.Recipients, f.Asked-1)
	if err != nil {
		return nil, fmt.Errorf("register the recipients: %w", err)
	}
	before, err := bytesIn(w.axisDir())
	if err != nil {
		return nil, err
	}
	if err := w.startAxis(ctx); err != nil {
		return nil, err
	}
	if err := f.documents(ctx, sender, kept, out); err != nil {
		return nil, err
	}
	if err := w.axis.stop(); err != nil {
		return nil, err
	}
	after, err := bytesIn(w.axisDir())
	if err != nil {
		return nil, err
	}
	stored := float64(after-before)/float64(f.Documents) - float64(out.DocumentBytes)
	out.BytesPerRecipient = stored / float64(f.Recipients)
	out.SinglesMS, err = singles(ctx, filepath.Join(w.dir, "bare"), f.Recipients)
	return out, err
}

// register stops the axis and writes endpoints into its journal; it is started again by
// whoever goes on, once now, so that what they cost at rest is on the disk.
func (w *world) register(ctx context.Context, n, keep int) (kept []identity, err error) {
	if err := w.axis.stop(); err != nil {
		return nil, err
	}
	s, err := openStock(ctx, w.axisDir())
	if err != nil {
		return nil, err
	}
	kept, err = s.register(ctx, everybody, n, keep)
	if closed := s.close(ctx); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	if err := w.startAxis(ctx); err != nil {
		return nil, err
	}
	return kept, w.axis.stop()
}

// bytesIn adds up the files in a folder.
func bytesIn(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}

// singles is how long it takes to store so many messages, each synced before the next:
// what one message a recipient would cost.
func singles(ctx context.Context, dir string, n int) (float64, error) {
	bare, err := hubtest.OpenBareStream(ctx, dir)
	if err != nil {
		return 0, err
	}
	message, begun := newContent().bytes(64), time.Now()
	for range n {
		if err := bare.Publish(ctx, message); err != nil {
			return 0, err
		}
	}
	took := time.Since(begun)
	return took.Seconds() * 1000, bare.Close(ctx)
}

// documents sends one document after the other to everybody.
func (f fanoutPlan) documents(ctx context.Context, sender *member, kept []identity, out *Fanout) error {
	from, err := sender.call(ctx)
	if err != nil {
		return err
	}
	defer from.close()
	boxes, err := boxes(ctx, sender, kept)
	if err != nil {
		return err
	}
	defer closeAll(boxes)
	out.Asked = len(boxes)
	var accepted, readable []float64
	for range f.Documents {
		raw, err := from.compose(envelope.Document{Groups: []envelope.Group{{Under: everybody, Level: "commune"}}})
		if err != nil {
			return err
		}
		begun := time.Now()
		if err := from.submit(ctx, raw); err != nil {
			return err
		}
		accepted = append(accepted, time.Since(begun).Seconds()*1000)
		if err := allHave(ctx, boxes); err != nil {
			return err
		}
		readable = append(readable, time.Since(begun).Seconds()*1000)
		out.DocumentBytes = len(raw)
	}
	out.AcceptedMS, out.ReadableMS = spread(accepted), spread(readable)
	return nil
}

// box is a mailbox that is read on, document by document.
type box struct {
	*caller
	after *axispb.Cursor
}

func boxes(ctx context.Context, sender *member, kept []identity) ([]*box, error) {
	as, err := link.LoadIdentity(sender.dir)
	if err != nil {
		return nil, err
	}
	var all []*box
	for _, id := range kept {
		conn, err := connect(ctx, as.Address, id, as.CA)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, &box{&caller{identity: id, conn: conn}, &axispb.Cursor{Lane: axispb.Lane_LANE_NORMAL}})
	}
	return all, nil
}

func closeAll(boxes []*box) {
	for _, b := range boxes {
		b.close()
	}
}

// allHave asks all mailboxes, at once, until each has one more document.
func allHave(ctx context.Context, boxes []*box) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, b := range boxes {
		g.Go(func() error { return b.next(ctx) })
	}
	return g.Wait()
}

func (b *box) next(ctx context.Context) error {
	for {
		page, err := b.pull(ctx, b.after)
		if err != nil {
			return err
		}
		if items := page.GetItems(); len(items) > 0 {
			last := items[len(items)-1]
			b.after = &axispb.Cursor{Lane: last.GetLane(), Position: last.GetPosition(), Ordinal: last.GetOrdinal()}
			return nil
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}
