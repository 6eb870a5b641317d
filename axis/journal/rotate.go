package journal

import (
	"context"

	"docaxis/proto/axispb"
)

// NeedsRotation reports whether a block of size marshalled bytes does not fit into the
// stream any more. An empty stream takes any block.
func (j *Journal) NeedsRotation(size int) bool {
	e := j.now()
	return e.bytes > 0 && saturate(e.bytes, stored(size)) > j.cfg.MaxStreamBytes
}

// Rotate ends the stream with a closing block and goes over to the next one. The root is
// that of the tree as it is, before the block and after it. The closing block is returned
// as Append returns a block, with the same errors; after ErrUnclear, Settle or Rotate
// settles it. After any other error call Rotate again, before anything else: it finishes
// what it began, and returns the closing block if that was already stored.
func (j *Journal) Rotate(ctx context.Context, epoch uint64, root []byte) (Entry, error) {
	done, err := j.take(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer done()
	entry, err := j.closing(ctx, epoch, root)
	if err != nil {
		return Entry{}, err
	}
	return entry, j.enter(ctx)
}

// closing gives the closing block of the stream: the one that stands, the one that is
// pending, or a new one.
func (j *Journal) closing(ctx context.Context, epoch uint64, root []byte) (Entry, error) {
	if p := j.pending; p != nil {
		if p.entry.Block.Closing == nil {
			return Entry{}, ErrUnclear
		}
		return j.commit(ctx, p)
	}
	e := j.now()
	if e.ended() {
		return j.load(ctx, e.Location)
	}
	var entry Entry
	err := j.step("rotate.closing", func() error {
		var err error
		entry, err = j.appendClosing(ctx, e, epoch, root)
		return err
	})
	return entry, err
}

func (j *Journal) appendClosing(ctx context.Context, e end, epoch uint64, root []byte) (Entry, error) {
	p, err := j.propose(&axispb.Block{
		Version: version, Epoch: epoch, Number: e.Blocks, FirstLeaf: e.NextLeaf,
		RootBefore: root, PreviousDigest: e.Digest,
		Closing: &axispb.Closing{NextStream: j.streamName(e.stream + 1)},
	})
	if err != nil {
		return Entry{}, err
	}
	return j.commit(ctx, p)
}

// enter goes over to the next stream when the last block is a closing block. It is the one
// way to a new stream: for who wrote the closing block, for who reads it, and for Open
// after a crash between any two steps. The closing block is durable by then, so whoever
// creates the stream creates the same one.
func (j *Journal) enter(ctx context.Context) error {
	e := j.now()
	if !e.ended() {
		return nil
	}
	old := e.stream
	err := j.step("rotate.create", func() error {
		_, err := j.ensureStream(ctx, old+1)
		return err
	})
	if err != nil {
		return err
	}
	if err := j.step("rotate.seal", func() error { j.sealStream(ctx, old); return nil }); err != nil {
		return err
	}
	e.stream, e.fence, e.bytes = old+1, 0, 0
	j.set(e)
	j.cfg.Log.Info("journal: goes on in the next stream", "stream", j.streamName(e.stream), "blocks", e.Blocks)
	return nil
}

// step does something between its two fault points.
func (j *Journal) step(point string, do func() error) error {
	if err := j.cfg.Faults.At(point + ".before"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return j.cfg.Faults.At(point + ".after")
}
