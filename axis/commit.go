package axis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"docaxis/axis/intake"
	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/fault"
	"docaxis/proto/axispb"
)

// chain is the commit path: journal, tree, checkpoint, guard, ledger, in that
// order. A start replays blocks through the same function that follows every
// append, so recovery is what runs every second.
//
// Points of failure for tests: sign, guard, apply (each .before and .after).
type chain struct {
	journal *journal.Journal
	ledger  *ledger.Ledger
	project *projector
	signer  *axistlog.Signer
	guard   *axistlog.Guard
	faults  fault.Hook
	// told hears, after a block was applied, who has something new.
	told func(ledger.Applied)

	// Owned by the appender's goroutine once the axis runs.
	at    ledger.Position
	tree  axistlog.Tree
	epoch uint64
}

// Epoch is the epoch of the next record.
func (c *chain) Epoch() uint64 { return c.epoch }

// Size is the leaf index of the next record.
func (c *chain) Size() uint64 { return c.tree.Size() }

// Time is the journal time of the last record.
func (c *chain) Time() time.Time { return time.UnixMilli(c.at.TimeMS).UTC() }

// commitPatience is how long a block may take. JetStream that could not write a block
// answers nobody, and whoever waited longer would wait for ever.
const commitPatience = time.Minute

// Commit makes records durable as one block and applies it.
func (c *chain) Commit(ctx context.Context, records []*axispb.Record) (intake.Committed, error) {
	ctx, cancel := context.WithTimeout(ctx, commitPatience)
	defer cancel()
	first := c.tree.Size()
	for {
		block := c.next(records)
		entry, err := c.journal.Append(ctx, block)
		if errors.Is(err, journal.ErrUnclear) {
			entry, err = c.journal.Settle(ctx)
		}
		switch {
		case errors.Is(err, journal.ErrFull):
			if err := c.rotate(ctx); err != nil {
				return intake.Committed{}, err
			}
			continue
		case errors.Is(err, journal.ErrFenced):
			return intake.Committed{}, c.follow(ctx)
		case err != nil:
			return intake.Committed{}, err
		}
		if err := c.apply(ctx, openBlock(entry)); err != nil {
			return intake.Committed{}, err
		}
		// What was settled may be a block that an earlier call left unclear: then the
		// state has changed, and this one was not even sent.
		if entry.Block != block {
			return intake.Committed{}, intake.ErrDecideAgain
		}
		return intake.Committed{FirstLeaf: first, Size: c.tree.Size()}, nil
	}
}

// next is the block that the journal's tail is to be followed by.
func (c *chain) next(records []*axispb.Record) *axispb.Block {
	root, tail := c.tree.Root(), c.journal.Tail()
	return &axispb.Block{
		Version: 1, Epoch: c.epoch, Number: tail.Blocks, FirstLeaf: tail.NextLeaf,
		RootBefore: root[:], PreviousDigest: tail.Digest, Records: records,
	}
}

// rotate ends the stream with a closing block, which is applied as any other.
func (c *chain) rotate(ctx context.Context) error {
	root := c.tree.Root()
	entry, err := c.journal.Rotate(ctx, c.epoch, root[:])
	switch {
	case errors.Is(err, journal.ErrFenced):
		return c.follow(ctx)
	case err != nil:
		return fmt.Errorf("rotate the journal: %w", err)
	}
	return c.apply(ctx, openBlock(entry))
}

// follow applies what another writer appended.
func (c *chain) follow(ctx context.Context) error {
	if err := c.journal.Refresh(ctx); err != nil {
		return fmt.Errorf("find the journal's new tail: %w", err)
	}
	if err := c.catchUp(ctx, c.journal.Tail().Blocks); err != nil {
		return err
	}
	return intake.ErrDecideAgain
}

// catchUp applies every block before a number that the ledger has not applied.
func (c *chain) catchUp(ctx context.Context, before uint64) error {
	if c.at.Blocks >= before {
		return nil
	}
	enough := errors.New("enough")
	first, from := c.at.Blocks, journal.Location{Stream: c.at.Stream, Seq: c.at.Seq}
	err := applyAhead(ctx, func(ctx context.Context, give func(journal.Entry) error) error {
		return c.journal.Blocks(ctx, from, func(e journal.Entry) error {
			switch n := e.Block.GetNumber(); {
			case n < first:
				return nil
			case n >= before:
				return enough
			}
			return give(e)
		})
	}, c.apply)
	if err != nil && !errors.Is(err, enough) {
		return err
	}
	if c.at.Blocks < before {
		return fmt.Errorf("the journal ends at block %d, before block %d", c.at.Blocks, before)
	}
	return nil
}

// apply brings tree, checkpoint, guard and ledger past one block. Only after it
// may anybody be told.
func (c *chain) apply(ctx context.Context, e opened) error {
	root := c.tree.Root()
	if !bytes.Equal(e.Block.GetRootBefore(), root[:]) {
		return fmt.Errorf("block %d was made on another tree: the journal or the ledger is damaged", e.Block.GetNumber())
	}
	next, stored, err := c.tree.Extend(e.leaves)
	if err != nil {
		return fmt.Errorf("extend the tree: %w", err)
	}
	b, err := c.project.block(ctx, e)
	if err != nil {
		return fmt.Errorf("project block %d: %w", e.Block.GetNumber(), err)
	}
	b.Hashes = stored
	b.After.Size, b.After.Root = next.Size(), next.Root()
	if err := c.sign(e.Entry, b, next); err != nil {
		return err
	}
	if err := c.faults.At("apply.before"); err != nil {
		return err
	}
	applied, err := c.ledger.Apply(ctx, b)
	if err != nil {
		return err
	}
	if err := c.faults.At("apply.after"); err != nil {
		return err
	}
	c.at, c.tree = b.After, next
	if c.told != nil {
		c.told(applied)
	}
	return nil
}

// sign signs the checkpoint after a block and lets the guard remember it before
// anybody sees it. Replaying a block of an earlier epoch signs with the newest
// key: the tree is the same, and its statement as true.
func (c *chain) sign(e journal.Entry, b *ledger.Block, next axistlog.Tree) error {
	if c.signer == nil || c.epoch == 0 {
		b.After.Epoch = e.Block.GetEpoch()
		return nil
	}
	if err := c.faults.At("sign.before"); err != nil {
		return err
	}
	note, err := c.signer.Checkpoint(next.Size(), next.Root())
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	b.After.Epoch, b.After.Checkpoint = c.epoch, note
	if err := c.faults.At("guard.before"); err != nil {
		return err
	}
	err = c.guard.Write(axistlog.GuardState{
		Epoch: c.epoch, Size: next.Size(), Root: next.Root(),
		Block: e.Block.GetNumber(), BlockDigest: e.Digest, TimeMS: b.After.TimeMS,
	})
	if err != nil {
		return fmt.Errorf("write the guard: %w", err)
	}
	return c.faults.At("guard.after")
}

// publish signs the tree as it stands, so that what was replayed has a checkpoint.
func (c *chain) publish(ctx context.Context) error {
	note, err := c.signer.Checkpoint(c.tree.Size(), c.tree.Root())
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	state := axistlog.GuardState{
		Epoch: c.epoch, Size: c.tree.Size(), Root: c.tree.Root(),
		Block: c.at.Blocks - 1, BlockDigest: [32]byte(c.at.Digest), TimeMS: c.at.TimeMS,
	}
	if err := c.guard.Write(state); err != nil {
		return fmt.Errorf("write the guard: %w", err)
	}
	c.at.Epoch, c.at.Checkpoint = c.epoch, note
	return c.ledger.SetCheckpoint(ctx, c.epoch, note)
}

// after is the journal time of a record that is written now.
func (c *chain) after(now time.Time) time.Time {
	if last := c.Time(); last.After(now) {
		return last
	}
	return now
}
