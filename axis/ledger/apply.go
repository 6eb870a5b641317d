package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/internal/chunk"
	"docaxis/internal/sqlite"
	"docaxis/proto/axispb"
)

// Block is what the ledger needs to know of a block of the journal. The parent
// makes it, in the same way when a block was just committed and when it is read
// again.
type Block struct {
	Number  uint64
	Records []Record
	// Stored hashes that the block's leaves add, in order.
	Hashes []tlog.Hash
	// Where the ledger stands once the block is applied.
	After Position
}

// Record is one record's part in the projection.
type Record struct {
	Position uint64 // leaf index
	Kind     axispb.Kind
	TimeMS   int64
	Public   bool // served to everybody in lane 0
	// At most one of these.
	Document *Document
	Evidence *Evidence
	Epoch    *Epoch
	// Sealed is the size of a sealed checkpoint.
	Sealed *uint64
	// Recovered is set, beside one of those or none, for a record that an earlier
	// epoch had.
	Recovered *Recovered
	// Codes that a registry change moved.
	Moves []Move
	// Documents whose content was released, by leaf index.
	Released []uint64
}

// Document is an accepted document.
type Document struct {
	// Epoch, Leaf and Commitment are those under which it was accepted, and which
	// evidence names: other than its record's where it was recovered.
	Epoch      uint64
	Leaf       uint64
	Sender, ID string
	Manifest   [32]byte
	Commitment [32]byte
	Endpoint   string // that submitted it
	Kind       string
	Lane       axispb.Lane
	Priority   int
	Subject    string
	// DeadlineMS is by when it must be consigned, HandoverMS by when handed over; 0 for
	// never.
	DeadlineMS, HandoverMS int64
	Bytes                  uint64
	Files                  int
	Target                 *uint64 // leaf index
	Rows                   []Row
	Refused                []*axispb.RefusedCode
	Chunks                 []chunk.ID
	// Asks is what it asks of its recipients, as package business names it; empty for
	// nothing.
	Asks string
	// Tells is what it tells about its target; nil for nothing.
	Tells *Tells
}

// Row is a recipient that a document has: code as named, code that serves it,
// endpoint.
type Row struct {
	Code, Serving, Endpoint string
}

// Evidence is a journaled statement.
type Evidence struct {
	Document *uint64 // leaf index; nil for a refused submission
	Code     string
	Event    axispb.Event
	Issuer   string
	Counter  uint64
	Digest   [32]byte
	Standing axispb.Standing
	// State that it brings the recipient to; unspecified for none.
	State axispb.State
	// Endpoint that is told: the sender's. Empty for none.
	Tell string
	// Set where Document is nil.
	Refusal *Refusal
	// Tells is the business state that it states, about its document; nil for none.
	Tells *Tells
}

// Recovered says what a record carries of an earlier epoch.
type Recovered struct {
	Commitment  [32]byte
	Epoch, Leaf uint64
	Kind        axispb.Kind
}

// Refusal is a submission that was refused as a whole.
type Refusal struct {
	Sender, ID string // as far as the envelope could be read
	Endpoint   string // that submitted it
	Reason     axispb.ReasonCode
}

// Epoch is an opened epoch.
type Epoch struct {
	Number uint64
	Base   uint64
	Signed []byte
	// Lost: the journal does not go on from it; endpoints gave it back.
	Lost bool
}

// Move is a code whose documents another endpoint serves from a record on, as the
// agency Serving: itself, or the one that took over from it.
type Move struct {
	Code, Serving, To string
}

// Applied says who has something new: everybody, or the named endpoints.
type Applied struct {
	Everybody bool
	Endpoints map[string]struct{}
	// Recalled: all recipients of a document have given it back.
	Recalled bool
}

// ErrGap says that a block does not follow the last one applied.
var ErrGap = errors.New("the block does not follow the ledger's last one")

// Apply writes a block's rows, hashes and position in one transaction.
func (l *Ledger) Apply(ctx context.Context, b *Block) (Applied, error) {
	a := &applier{ctx: ctx, tx: l.write, many: l.many, known: &l.known, found: newKnown(), applied: Applied{Endpoints: map[string]struct{}{}}}
	at, err := l.Position(ctx)
	if err != nil {
		return Applied{}, err
	}
	if at.Blocks != b.Number {
		return Applied{}, fmt.Errorf("apply block %d: %w: %d applied", b.Number, ErrGap, at.Blocks)
	}
	if err := l.write.In(ctx, func() error { return a.block(at.Size, b) }); err != nil {
		return Applied{}, fmt.Errorf("apply block %d: %w", b.Number, err)
	}
	l.remember(b, &a.found)
	return a.applied, nil
}

// What is written for every record.
const (
	insertHash      = `INSERT INTO hash VALUES (?, ?)`
	insertRecord    = `INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)`
	insertDocument  = `INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertChunk     = `INSERT OR IGNORE INTO chunk VALUES (?, ?)`
	insertRecipient = `INSERT INTO recipient VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)`
	insertMailbox   = `INSERT INTO mailbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	insertEvidence  = `INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertTold      = `INSERT INTO mailbox SELECT ?, d.lane, ?, 0, NULL, c.id, NULL, 0 FROM document d JOIN code c ON c.name = d.sender WHERE d.position = ?`
	updateRecipient = `UPDATE recipient SET state = ?, since_ms = ?, evidence = ? WHERE document = ? AND code = ` + numberOf
	updatePosition  = `UPDATE position SET epoch = ?, blocks = ?, digest = ?, stream = ?, seq = ?, size = ?, root = ?, time_ms = ?,
		checkpoint = coalesce(?, x'')`
)

// applier writes one block inside one transaction.
type applier struct {
	ctx     context.Context
	tx      *sqlite.Session
	many    map[string]string
	known   *known // by earlier blocks
	found   known  // by this one
	applied Applied
}

func (a *applier) exec(query string, args ...any) error {
	_, err := a.tx.ExecContext(a.ctx, query, args...)
	return err
}

// block writes one that follows a tree of a size.
func (a *applier) block(size uint64, b *Block) error {
	if err := a.hashes(size, b.Hashes); err != nil {
		return err
	}
	for i := range b.Records {
		if err := a.record(&b.Records[i], i, b.After); err != nil {
			return fmt.Errorf("record %d: %w", b.Records[i].Position, err)
		}
	}
	p := b.After
	return a.exec(updatePosition, p.Epoch, p.Blocks, p.Digest, p.Stream, p.Seq, p.Size, p.Root[:], p.TimeMS, p.Checkpoint)
}

func (a *applier) hashes(size uint64, hashes []tlog.Hash) error {
	if len(hashes) == 0 {
		return nil
	}
	first := tlog.StoredHashCount(int64(size))
	err := a.execMany(insertHash, len(hashes), func(i int, values []any) []any {
		return append(values, first+int64(i), hashes[i][:])
	})
	if err != nil {
		return fmt.Errorf("hashes of the tree: %w", err)
	}
	return nil
}

func (a *applier) record(r *Record, nth int, p Position) error {
	err := a.exec(insertRecord, r.Position, r.Kind, r.TimeMS, p.Stream, p.Seq, nth, r.Public)
	if err != nil {
		return err
	}
	if r.Public {
		a.applied.Everybody = true
	}
	if c := r.Recovered; c != nil {
		if err := a.exec(`INSERT INTO recovered VALUES (?, ?, ?, ?, ?)`, c.Commitment[:], r.Position, c.Epoch, c.Leaf, c.Kind); err != nil {
			return err
		}
	}
	switch {
	case r.Document != nil:
		return a.document(r, r.Document)
	case r.Evidence != nil:
		return a.evidence(r, r.Evidence)
	case r.Released != nil:
		return a.released(r)
	case r.Sealed != nil:
		return a.exec(`INSERT INTO sealed VALUES (?, ?)`, r.Position, *r.Sealed)
	case r.Epoch != nil:
		return a.exec(`INSERT INTO epoch VALUES (?, ?, ?, ?, ?)`, r.Epoch.Number, r.Position, r.Epoch.Base, r.Epoch.Signed, r.Epoch.Lost)
	}
	return a.moves(r)
}

func (a *applier) document(r *Record, d *Document) error {
	endpoint, err := a.endpoint(d.Endpoint)
	if err != nil {
		return err
	}
	err = a.exec(insertDocument, r.Position, d.Epoch, d.Sender, d.ID, d.Manifest[:], d.Commitment[:], endpoint, d.Kind, d.Lane, d.Priority,
		d.Subject, r.TimeMS, d.DeadlineMS, d.HandoverMS, d.Bytes, d.Files, d.Target, d.Leaf, d.Asks)
	if err != nil {
		return err
	}
	err = a.execMany(insertChunk, len(d.Chunks), func(i int, values []any) []any { return append(values, d.Chunks[i][:], r.Position) })
	if err != nil {
		return err
	}
	if _, err := a.code(d.Sender); err != nil { // what is said of it will be in a mailbox under this code
		return err
	}
	if err := a.exec(insertHolding, r.Position, d.Sender, len(d.Rows), r.TimeMS); err != nil {
		return err
	}
	for _, c := range d.Refused {
		if err := a.exec(`INSERT INTO refused VALUES (?, ?, ?)`, r.Position, c.GetCode(), c.GetReason().GetCode()); err != nil {
			return err
		}
	}
	if err := a.rows(r, d); err != nil || d.Tells == nil || d.Target == nil {
		return err
	}
	return a.tells(r, *d.Target, d.Tells)
}

func (a *applier) evidence(r *Record, e *Evidence) error {
	err := a.exec(insertEvidence, r.Position, e.Document, e.Code, e.Event, e.Issuer, e.Counter, e.Digest[:], e.Standing, r.TimeMS)
	if err != nil {
		return err
	}
	if e.Document == nil {
		return a.refusal(r.Position, e.Refusal)
	}
	if r.Recovered != nil {
		if err := a.holds(e); err != nil {
			return err
		}
	}
	if e.Tells != nil {
		if err := a.tells(r, *e.Document, e.Tells); err != nil {
			return err
		}
	}
	if e.State != axispb.State_STATE_UNSPECIFIED {
		if err := a.withdrawn(e); err != nil {
			return err
		}
		if err := a.exec(updateHolding, *e.Document, e.Code, r.TimeMS); err != nil {
			return err
		}
		if err := a.exec(updateRecipient, e.State, r.TimeMS, r.Position, *e.Document, e.Code); err != nil {
			return err
		}
	}
	return a.tell(r, e)
}

func (a *applier) refusal(position uint64, r *Refusal) error {
	if r == nil {
		return nil
	}
	endpoint, err := a.endpoint(r.Endpoint)
	if err != nil {
		return err
	}
	return a.exec(`INSERT INTO refusal VALUES (?, ?, ?, ?, ?)`, position, r.Sender, r.ID, endpoint, r.Reason)
}

// tell makes the row that brings an evidence to the sender, in its document's
// lane, so that an urgent document's evidence is urgent too.
func (a *applier) tell(r *Record, e *Evidence) error {
	if e.Tell == "" {
		return nil
	}
	endpoint, err := a.endpoint(e.Tell)
	if err != nil {
		return err
	}
	a.applied.Endpoints[e.Tell] = struct{}{}
	return a.exec(insertTold, endpoint, r.Position, *e.Document)
}

// SetCheckpoint replaces the signed checkpoint of where the ledger stands: the
// same tree, signed after it was replayed.
func (l *Ledger) SetCheckpoint(ctx context.Context, epoch uint64, checkpoint []byte) error {
	if _, err := l.write.ExecContext(ctx, `UPDATE position SET epoch = ?, checkpoint = ?`, epoch, checkpoint); err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	l.recent.signed(epoch, checkpoint)
	return nil
}
