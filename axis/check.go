package axis

import (
	"context"
	"errors"
	"fmt"
	"io"

	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	axistlog "docaxis/axis/tlog"
)

// What follows shows what the axis has, so that others can judge whether it holds
// together. Everything is exact while nothing is being committed.

// Blocks gives the exact bytes of every block of the journal (marshalled Block), in
// order and verified as a chain. It ends with fn's error as it is, or with what the
// journal found wrong.
func (h *Hub) Blocks(ctx context.Context, fn func(raw []byte) error) error {
	return h.journal.Blocks(ctx, journal.Location{}, func(e journal.Entry) error { return fn(e.Raw) })
}

// DumpLedger writes every row of the ledger as text. Two ledgers of one journal
// give the same text.
func (h *Hub) DumpLedger(ctx context.Context, w io.Writer) error { return h.ledger.Dump(ctx, w) }

// DumpRebuilt projects the journal from its first block into a new ledger, in a
// file that must not be there yet, and writes every row of that. Where the text
// differs from DumpLedger's the ledger is wrong: it is to be deleted, and the next
// start builds it anew.
func (h *Hub) DumpRebuilt(ctx context.Context, path string, w io.Writer) (err error) {
	l, err := ledger.Open(ctx, path)
	if err != nil {
		return fmt.Errorf("begin a ledger: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := h.rebuild(ctx, l); err != nil {
		return err
	}
	return l.Dump(ctx, w)
}

// rebuild projects the journal with a registry of its own, and signs nothing: the
// checkpoint is the one thing that the journal does not have, so it is taken from
// the ledger, if it is of the tree that came out.
func (h *Hub) rebuild(ctx context.Context, l *ledger.Ledger) error {
	empty, err := axistlog.Load(0, l)
	if err != nil {
		return err
	}
	c := &chain{
		journal: h.journal, ledger: l, tree: empty,
		project: &projector{registry: registry.NewState(), ledger: l},
	}
	if err := c.catchUp(ctx, h.journal.Tail().Blocks); err != nil {
		return fmt.Errorf("project the journal: %w", err)
	}
	at, err := h.ledger.Position(ctx)
	if err != nil {
		return err
	}
	signed, err := h.trust.Checkpoint(at.Checkpoint)
	if err != nil {
		return fmt.Errorf("the ledger's checkpoint: %w", err)
	}
	if signed.Size != c.tree.Size() || signed.Root != c.tree.Root() {
		return fmt.Errorf("the ledger's checkpoint is of %d records and another tree than the journal's %d", signed.Size, c.tree.Size())
	}
	return l.SetCheckpoint(ctx, at.Epoch, at.Checkpoint)
}

// CheckContent lists what does not hold in the content store, reading every
// chunk.
func (h *Hub) CheckContent(ctx context.Context) error {
	return errors.Join(h.content.Check(), h.content.Verify(ctx))
}
