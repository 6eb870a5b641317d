package journal

import (
	"bytes"
	"crypto/sha256"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// version of the block format.
const version = 1

// chain is what the next block must continue. The zero value is the beginning of the
// journal.
type chain struct {
	Tail
	// closed: the last block is a closing block, so the next is the first of the
	// next stream.
	closed bool
	// middle: reading begins here, and the first block is taken as it is.
	middle bool
}

// next verifies a stored message against the chain and moves over it. A message that
// repeats the last block byte for byte changes nothing: an append that was sent twice
// may have been stored twice.
func (c *chain) next(m message, name func(uint64) string) (e Entry, repeated bool, err error) {
	digest := sha256.Sum256(m.data)
	if c.Digest != nil && bytes.Equal(digest[:], c.Digest) {
		return Entry{}, true, nil
	}
	e, err = entryOf(m)
	if err != nil {
		return Entry{}, false, err
	}
	if err := c.check(e.Block, m.at, name); err != nil {
		return Entry{}, false, err
	}
	*c = after(e)
	return e, false, nil
}

// after is the chain that follows a block.
func after(e Entry) chain {
	return chain{
		Tail: Tail{
			Blocks:   e.Block.Number + 1,
			NextLeaf: e.Block.FirstLeaf + uint64(len(e.Block.Records)),
			Digest:   e.Digest[:],
			Location: e.Location,
		},
		closed: e.Block.Closing != nil,
	}
}

func entryOf(m message) (Entry, error) {
	block := new(axispb.Block)
	if err := proto.Unmarshal(m.data, block); err != nil {
		return Entry{}, corrupt(m.at, "not a block: %v", err)
	}
	return Entry{Block: block, Raw: m.data, Digest: sha256.Sum256(m.data), Location: m.at}, nil
}

func (c *chain) check(b *axispb.Block, at Location, name func(uint64) string) error {
	if err := checkShape(b, at, name); err != nil {
		return err
	}
	if c.middle {
		return nil
	}
	if b.Number != c.Blocks {
		return corrupt(at, "number %d, expected %d", b.Number, c.Blocks)
	}
	if !bytes.Equal(b.PreviousDigest, c.Digest) {
		return corrupt(at, "does not name the digest of block %d", int64(c.Blocks)-1)
	}
	if b.FirstLeaf != c.NextLeaf {
		return corrupt(at, "first leaf %d, expected %d", b.FirstLeaf, c.NextLeaf)
	}
	return c.checkStream(at)
}

// checkStream holds a block to the stream that the last one leads to.
func (c *chain) checkStream(at Location) error {
	switch {
	case c.Location == Location{}:
		return nil
	case c.closed && at.Stream != c.Location.Stream+1:
		return corrupt(at, "follows the closing block of stream %d", c.Location.Stream)
	case !c.closed && at.Stream != c.Location.Stream:
		return corrupt(at, "stream %d has no closing block", c.Location.Stream)
	}
	return nil
}

// checkShape is what a block must be whatever comes before it.
func checkShape(b *axispb.Block, at Location, name func(uint64) string) error {
	switch {
	case b.Version != version:
		return corrupt(at, "version %d", b.Version)
	case len(b.RootBefore) != sha256.Size:
		return corrupt(at, "root of %d bytes", len(b.RootBefore))
	case b.Closing == nil && len(b.Records) == 0:
		return corrupt(at, "no records")
	case b.Closing != nil && len(b.Records) != 0:
		return corrupt(at, "records in a closing block")
	case b.Closing != nil && b.Closing.NextStream != name(at.Stream+1):
		return corrupt(at, "closing block names stream %q", b.Closing.NextStream)
	}
	return nil
}
