package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// chain holds blocks to what each must be after the one before: number, digest,
// first leaf, root of the tree. It is the journal's own check and the log's
// together, in memory that does not grow.
type chain struct {
	previous []byte
	blocks   uint64
	epoch    uint64
	tree     frontier
}

// block takes the next block. Each of its records bears out its header.
func (c *chain) block(raw []byte) (*axispb.Block, []*axispb.RecordHeader, error) {
	b := new(axispb.Block)
	if err := proto.Unmarshal(raw, b); err != nil {
		return nil, nil, fmt.Errorf("block %d is none: %w", c.blocks, err)
	}
	if err := c.continues(b); err != nil {
		return nil, nil, fmt.Errorf("block %d: %w", c.blocks, err)
	}
	headers := make([]*axispb.RecordHeader, len(b.GetRecords()))
	for i, r := range b.GetRecords() {
		h, _, err := evidence.OpenRecord(r)
		if err != nil {
			return nil, nil, fmt.Errorf("record %d: %w", c.tree.size, err)
		}
		headers[i] = h
		c.tree.add(evidence.LeafHash(r.GetHeader()))
	}
	digest := sha256.Sum256(raw)
	c.previous, c.blocks, c.epoch = digest[:], c.blocks+1, b.GetEpoch()
	return b, headers, nil
}

func (c *chain) continues(b *axispb.Block) error {
	root := c.tree.root()
	switch {
	case b.GetVersion() != 1:
		return fmt.Errorf("version %d", b.GetVersion())
	case b.GetNumber() != c.blocks:
		return fmt.Errorf("it has number %d", b.GetNumber())
	case !bytes.Equal(b.GetPreviousDigest(), c.previous):
		return errors.New("it names another block before it")
	case b.GetFirstLeaf() != c.tree.size:
		return fmt.Errorf("it begins at record %d, not %d", b.GetFirstLeaf(), c.tree.size)
	case !bytes.Equal(b.GetRootBefore(), root[:]):
		return errors.New("it was made on another tree")
	case b.GetEpoch() < c.epoch:
		return fmt.Errorf("epoch %d after epoch %d", b.GetEpoch(), c.epoch)
	}
	return nil
}

// frontier is an RFC 6962 tree of which only the right edge is kept: the roots of
// its complete subtrees, largest first.
type frontier struct {
	size  uint64
	peaks []tlog.Hash
}

func (f *frontier) add(leaf tlog.Hash) {
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(f.peaks) - 1
		leaf = tlog.NodeHash(f.peaks[last], leaf)
		f.peaks = f.peaks[:last]
	}
	f.peaks = append(f.peaks, leaf)
	f.size++
}

func (f *frontier) root() tlog.Hash {
	if f.size == 0 {
		return evidence.EmptyRoot()
	}
	last := len(f.peaks) - 1
	root := f.peaks[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(f.peaks[i], root)
	}
	return root
}

// Measure reads a journal to see where it stands.
func Measure(ctx context.Context, blocks func(ctx context.Context, fn func(raw []byte) error) error) (Head, error) {
	var c chain
	err := blocks(ctx, func(raw []byte) error {
		_, _, err := c.block(raw)
		return err
	})
	return Head{Epoch: c.epoch, Blocks: c.blocks, Size: c.tree.size, Root: c.tree.root()}, err
}
