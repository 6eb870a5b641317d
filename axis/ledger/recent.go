package ledger

import (
	"context"
	"sort"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// recentBlocks is how many blocks are remembered by where they lie: most receipts are
// of records that were applied just now.
const recentBlocks = 1024

// recentDocuments are remembered by commitment: what is stated of a document is stated
// soon, several times, and looked up twice each time.
const recentDocuments = 4096

// recent is what the goroutine that applies blocks leaves for those who read: where
// the ledger stands, and where its newest records lie. It says nothing until the first
// block is applied.
type recent struct {
	mu     sync.Mutex
	at     *Position
	blocks []placedBlock // a ring, in journal order from next on
	next   int
	// known are the documents of the last blocks; oldest is where the oldest is in order.
	known  map[[32]byte]Known
	order  [][32]byte
	oldest int
}

// placedBlock is a block's records and where it lies.
type placedBlock struct {
	first, after uint64 // positions of its first record, and of that behind its last
	stream, seq  uint64
}

// applied notes a block that was committed.
func (r *recent) applied(b *Block) {
	r.mu.Lock()
	defer r.mu.Unlock()
	after := b.After
	r.at = &after
	if len(b.Records) == 0 {
		return
	}
	for i := range b.Records {
		if rec := &b.Records[i]; rec.Document != nil {
			r.document(rec.Position, rec.Document)
		}
	}
	p := placedBlock{after.Size - uint64(len(b.Records)), after.Size, after.Stream, after.Seq}
	if len(r.blocks) < recentBlocks {
		r.blocks = append(r.blocks, p)
		return
	}
	r.blocks[r.next] = p
	r.next = (r.next + 1) % recentBlocks
}

// document notes a document. No row of the table document is ever changed, and no two
// have one commitment.
func (r *recent) document(position uint64, d *Document) {
	if r.known == nil {
		r.known = make(map[[32]byte]Known)
	}
	manifest, commitment := d.Manifest, d.Commitment
	r.known[commitment] = Known{
		Position: position, Epoch: d.Epoch, Leaf: d.Leaf, Sender: d.Sender, ID: d.ID, Manifest: manifest[:], Commitment: commitment[:],
		Endpoint: d.Endpoint, Lane: d.Lane, DeadlineMS: d.DeadlineMS,
	}
	if len(r.order) < recentDocuments {
		r.order = append(r.order, commitment)
		return
	}
	delete(r.known, r.order[r.oldest])
	r.order[r.oldest] = commitment
	r.oldest = (r.oldest + 1) % recentDocuments
}

// byCommitment finds a document that was applied lately.
func (r *recent) byCommitment(commitment []byte) (Known, bool) {
	if len(commitment) != 32 {
		return Known{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k, found := r.known[[32]byte(commitment)]
	return k, found
}

// signed notes that what stands is signed anew.
func (r *recent) signed(epoch uint64, checkpoint []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		return
	}
	at := *r.at
	at.Epoch, at.Checkpoint = epoch, checkpoint
	r.at = &at
}

// position is where the ledger stands; nil where it is not known here.
func (r *recent) position() *Position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// locate finds a record of a block that was applied lately.
func (r *recent) locate(position uint64) (Location, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.blocks)
	i := sort.Search(n, func(i int) bool { return r.blocks[(r.next+i)%n].after > position })
	if i == n {
		return Location{}, false
	}
	b := r.blocks[(r.next+i)%n]
	if position < b.first {
		return Location{}, false
	}
	return Location{Position: position, Stream: b.stream, Seq: b.seq, Nth: int(position - b.first)}, true
}

// Locate finds a record's place in the journal; false where there is none.
func (l *Ledger) Locate(ctx context.Context, position uint64) (Location, bool, error) {
	if at, ok := l.recent.locate(position); ok {
		return at, true, nil
	}
	return locate(ctx, l.look, position)
}

// remember takes note of a block that was committed, for those who read.
func (l *Ledger) remember(b *Block, found *known) {
	first := tlog.StoredHashCount(int64(b.After.Size) - int64(len(b.Records)))
	for i, h := range b.Hashes {
		l.hashes.put(first+int64(i), h)
	}
	l.known.add(found)
	l.recent.applied(b)
}
