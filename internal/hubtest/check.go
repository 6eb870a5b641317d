package hubtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// Check looks at a settled world and proves promises 1 to 3 of the design over it.
func Check(ctx context.Context, w *World) error {
	s, err := Look(ctx, w)
	if err != nil {
		return err
	}
	return s.Check()
}

// Check proves, from the journal's bytes and the axis's CA alone, that what
// endpoints and ledger show is true and whole:
//
//  1. every document for which a sender holds a receipt is in the journal where the
//     receipt says, with its content at the axis, under every checkpoint that
//     anybody saw;
//  2. no submission is journaled twice, no recipient is missing or extra, and no
//     endpoint has a document twice;
//  3. every state that sender, receiver or ledger shows is the one that the
//     journal's evidence proves, and its evidence holds from scratch.
//
// It lists everything that does not hold.
func (s *Seen) Check() error {
	c := &checker{
		seen: s, book: newBook(s.CA),
		inboxes: map[place]int{}, chunks: map[[sha256.Size]byte]error{},
	}
	c.book.anchors = s.Anchors
	c.found = append(c.found, s.Problems...)
	c.book.learn(s.Blocks)
	for i, raw := range s.Blocks {
		if err := c.book.block(raw); err != nil {
			c.complain("journal, block %d: %w", i, err)
			break // what follows cannot be judged
		}
	}
	c.found = append(c.found, c.book.found...)
	c.log()
	for _, e := range s.Endpoints {
		c.endpoint(e)
	}
	c.documents()
	for _, h := range s.Held {
		c.receipt(h.Who, h.Receipt, h.Body)
	}
	if s.Ledger != s.Rebuilt {
		c.complain("the ledger is not what the journal gives: %s", firstDifference(s.Ledger, s.Rebuilt))
	}
	return errors.Join(c.found...)
}

// checker compares what is shown with the book of the journal.
type checker struct {
	seen *Seen
	book *book
	// inboxes counts the entries of a document and code at an endpoint.
	inboxes map[place]int
	chunks  map[[sha256.Size]byte]error
	found   []error
}

// place is a document and code at an endpoint.
type place struct {
	endpoint, sender, id, code string
}

func (c *checker) complain(format string, args ...any) {
	c.found = append(c.found, fmt.Errorf(format, args...))
}

// log holds the axis to the tree that the journal gives.
func (c *checker) log() {
	if n := c.book.size(); c.seen.Size != n {
		c.complain("the axis tells of %d records, the journal has %d", c.seen.Size, n)
	}
	c.sameRoot("the axis", evidence.Checkpoint{Epoch: c.book.epoch, Size: c.seen.Size, Root: c.seen.Root})
}

// sameRoot holds a checkpoint that somebody saw to the journal's own tree: so all
// that were ever seen are of one history.
func (c *checker) sameRoot(who string, cp evidence.Checkpoint) {
	if c.book.forgotten(cp) {
		return
	}
	root, err := c.book.root(cp)
	switch {
	case err != nil:
		c.complain("%s saw a checkpoint of %d records: %w", who, cp.Size, err)
	case root != cp.Root:
		c.complain("%s saw another root at size %d than the journal's", who, cp.Size)
	}
}

// refRoot is sameRoot for a checkpoint that is only named.
func (c *checker) refRoot(who string, ref *axispb.CheckpointRef) {
	if ref == nil {
		return
	}
	cp, err := evidence.RefCheckpoint(ref)
	if err != nil {
		c.complain("%s: %w", who, err)
		return
	}
	c.sameRoot(who, cp)
}

// receipt proves from scratch that a receipt is of a record that the journal has,
// and gives that record; nil where it is not. A body that is not nil must be the
// record's.
func (c *checker) receipt(who string, receipt, body []byte) *entry {
	p, err := c.book.trust.Receipt(receipt, body)
	if err != nil {
		c.complain("%s: %w", who, err)
		return nil
	}
	c.sameRoot(who, p.Checkpoint)
	r := c.book.known(p.LeafIndex, p.Commitment)
	if r != nil {
		return r
	}
	if c.book.at(p.LeafIndex) == nil {
		c.complain("%s: the journal has no record %d: it was lost", who, p.LeafIndex)
		return nil
	}
	c.complain("%s: the journal has another record at %d", who, p.LeafIndex)
	return nil
}

// documents asks of every journaled document whether each recipient has it, once,
// and whether its content is there.
func (c *checker) documents() {
	for _, d := range c.book.documents {
		for code, r := range d.rows {
			n := c.inboxes[place{r.holder(), d.sender, d.id, code}]
			if n != 1 && c.knows(r.holder()) {
				c.complain("%s has %d copies of %s for %s", r.holder(), n, d.id, code)
			}
			delete(c.inboxes, place{r.holder(), d.sender, d.id, code})
		}
		c.content(d)
		c.story(d)
	}
	for p := range c.inboxes {
		c.complain("%s has %s for %s, which nobody sent there", p.endpoint, p.id, p.code)
	}
}

func (c *checker) knows(name string) bool {
	for _, e := range c.seen.Endpoints {
		if e.Name == name {
			return true
		}
	}
	return false
}

func firstDifference(a, b string) string {
	x, y := bytes.Split([]byte(a), []byte("\n")), bytes.Split([]byte(b), []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return fmt.Sprintf("%.200s, not %.200s", x[i], y[i])
		}
	}
	return fmt.Sprintf("%d rows, not %d", len(x), len(y))
}

// tree is the log's tree, made anew.
type tree []tlog.Hash

func (t *tree) add(leaf tlog.Hash, index uint64) error {
	hashes, err := tlog.StoredHashesForRecordHash(int64(index), leaf, t)
	*t = append(*t, hashes...)
	return err
}

// ReadHashes makes it a tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if n < 0 || n >= int64(len(*t)) {
			return nil, fmt.Errorf("no hash %d in a tree of %d", n, len(*t))
		}
		out[i] = (*t)[n]
	}
	return out, nil
}
