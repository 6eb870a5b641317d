// Package mailbox owns what an endpoint pulls: pages of the rows that wait for it,
// each with its record and the proofs that the journal has it.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const (
	defaultBytes = 512 << 10
	maxBytes     = 1 << 20
	// rowsAtOnce is how many rows one look at a lane reads; a page is bounded by
	// bytes, and small items are a few hundred bytes.
	rowsAtOnce = 500
)

// Location says where a record lies in the journal.
type Location struct {
	Position    uint64
	Stream, Seq uint64
	Nth         int
}

// Row is a mailbox row.
type Row struct {
	Lane          axispb.Lane
	Position      uint64
	Ordinal       uint32
	Record        Location
	Kind          axispb.Kind
	Code, Serving string
	Target        axispb.Target
}

// Snapshot is the ledger at one moment: its checkpoint covers all its rows.
type Snapshot interface {
	Epoch() uint64
	Size() uint64
	Checkpoint() []byte
	Rows(ctx context.Context, endpoint string, after *axispb.Cursor, limit int) ([]Row, error)
	// Journaled lists the evidence about a document and code, oldest first.
	Journaled(ctx context.Context, document uint64, code string) ([]Location, error)
	EpochsAfter(ctx context.Context, number uint64) ([][]byte, error)
	// Common is the size up to which an epoch's tree is part of this one; false
	// where no epoch came after it.
	Common(ctx context.Context, number uint64) (uint64, bool, error)
	Inclusion(leaf uint64) ([][]byte, error)
	Consistency(from uint64) ([][]byte, error)
	Close() error
}

// Ledger gives snapshots.
type Ledger interface {
	Snapshot(ctx context.Context) (Snapshot, error)
}

// Journal gives records.
type Journal interface {
	Record(ctx context.Context, at Location) (*axispb.Record, error)
}

// Mailbox serves pulls. It may be used by any goroutine.
type Mailbox struct {
	ledger   Ledger
	journal  Journal
	contents Contents
}

// New makes a Mailbox.
func New(l Ledger, j Journal, c Contents) *Mailbox {
	return &Mailbox{ledger: l, journal: j, contents: c}
}

// Pull answers an endpoint's request for its next rows, with the contents of small
// documents where it wants them.
func (m *Mailbox) Pull(ctx context.Context, endpoint string, req *axispb.PullRequest) (*axispb.Page, error) {
	if len(req.GetCursors()) > len(axispb.Lane_name) {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "more cursors than lanes")
	}
	page, documents, err := m.page(ctx, endpoint, req)
	if err != nil {
		return nil, err
	}
	m.carry(ctx, endpoint, req.GetMaxContents(), page, documents)
	return page, nil
}

// page gives the next rows, and those of them whose content the endpoint will want.
func (m *Mailbox) page(ctx context.Context, endpoint string, req *axispb.PullRequest) (*axispb.Page, []*axispb.Item, error) {
	s, err := m.ledger.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close() //nolint:errcheck // a snapshot only reads
	b := &builder{ctx: ctx, m: m, s: s, endpoint: endpoint, room: room(req.GetMaxBytes())}
	if err := b.build(req); err != nil {
		return nil, nil, err
	}
	return b.page, b.documents, nil
}

func room(asked uint32) int {
	switch {
	case asked == 0:
		return defaultBytes
	case asked > maxBytes:
		return maxBytes
	}
	return int(asked)
}

// builder makes one page.
type builder struct {
	ctx      context.Context
	m        *Mailbox
	s        Snapshot
	endpoint string
	room     int
	page     *axispb.Page
	// documents are items about which nothing is stated yet, so that their content is
	// about to be fetched. Recovered ones are rare, and fetched as ever.
	documents []*axispb.Item
}

func (b *builder) build(req *axispb.PullRequest) error {
	b.page = &axispb.Page{Epoch: b.s.Epoch(), Checkpoint: b.s.Checkpoint()}
	bound, err := b.epochs(req.GetEpoch())
	if err != nil {
		return err
	}
	if b.page.Consistency, err = b.consistency(req.GetSeenSize(), bound); err != nil {
		return err
	}
	if b.page.ReceiptConsistency, err = b.consistency(req.GetReceiptSize(), bound); err != nil {
		return err
	}
	for lane := range axispb.Lane(len(axispb.Lane_name)) {
		for _, c := range req.GetCursors() {
			if c.GetLane() != lane || b.page.More {
				continue
			}
			if err := b.lane(within(c, bound)); err != nil {
				return err
			}
		}
	}
	return nil
}

// consistency proves that the page's checkpoint extends one that the endpoint has; nil
// where it has none that can be proved.
func (b *builder) consistency(from, bound uint64) ([][]byte, error) {
	if from == 0 || from > min(bound, b.s.Size()) {
		return nil, nil
	}
	return b.s.Consistency(from)
}

// epochs adds the epochs that the endpoint lacks, and gives the size up to which
// what it saw is still in this log.
func (b *builder) epochs(known uint64) (uint64, error) {
	if known >= b.s.Epoch() {
		return math.MaxUint64, nil
	}
	var err error
	if b.page.Epochs, err = b.s.EpochsAfter(b.ctx, known); err != nil {
		return 0, err
	}
	bound, ok, err := b.s.Common(b.ctx, known)
	if !ok {
		bound = math.MaxUint64
	}
	return bound, err
}

// within takes a cursor of an earlier epoch back to where the log went on: beyond
// it, positions mean other records now.
func within(c *axispb.Cursor, bound uint64) *axispb.Cursor {
	if c.GetPosition() <= bound {
		return c
	}
	return &axispb.Cursor{Lane: c.GetLane(), Position: bound, Ordinal: math.MaxUint32}
}

// lane adds rows until the lane is empty or the page full.
func (b *builder) lane(c *axispb.Cursor) error {
	for {
		rows, err := b.s.Rows(b.ctx, b.endpoint, c, rowsAtOnce)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if b.room <= 0 {
				b.page.More = true
				return nil
			}
			if err := b.add(row); err != nil {
				return fmt.Errorf("row %d/%d: %w", row.Position, row.Ordinal, err)
			}
			c = &axispb.Cursor{Lane: row.Lane, Position: row.Position + 1, Ordinal: row.Ordinal + 1}
		}
		if len(rows) < rowsAtOnce {
			return nil
		}
	}
}

func (b *builder) add(row Row) error {
	item, err := b.item(row)
	if err != nil {
		return err
	}
	size := proto.Size(item)
	if len(b.page.Items) > 0 && size > b.room {
		b.page.More, b.room = true, 0
		return nil
	}
	b.page.Items = append(b.page.Items, item)
	if row.Kind == axispb.Kind_KIND_DOCUMENT && len(item.Journaled) == 0 {
		b.documents = append(b.documents, item)
	}
	b.room -= size
	return nil
}

func (b *builder) item(row Row) (*axispb.Item, error) {
	record, err := b.m.journal.Record(b.ctx, row.Record)
	if err != nil {
		return nil, err
	}
	inclusion, err := b.s.Inclusion(row.Record.Position)
	if err != nil {
		return nil, err
	}
	item := &axispb.Item{
		Lane: row.Lane, Position: row.Position, Ordinal: row.Ordinal, LeafIndex: row.Record.Position,
		Record: record, Inclusion: inclusion, Code: row.Code, ServingCode: row.Serving, Target: row.Target,
	}
	kind, body := row.Kind, record.GetBody()
	if kind == axispb.Kind_KIND_RECOVERED {
		past, err := evidence.OpenRecovered(body)
		if err != nil {
			return nil, err
		}
		kind, body = past.Header.GetKind(), past.Record.GetBody()
	}
	switch kind {
	case axispb.Kind_KIND_DOCUMENT:
		item.Journaled, err = b.journaled(row)
	case axispb.Kind_KIND_EVIDENCE:
		item.Consistency, err = b.extends(body)
	}
	return item, err
}

// journaled reads the evidence that the journal already has about a row.
func (b *builder) journaled(row Row) ([][]byte, error) {
	at, err := b.s.Journaled(b.ctx, row.Record.Position, row.Code)
	if err != nil {
		return nil, err
	}
	all := make([][]byte, 0, len(at))
	for _, l := range at {
		record, err := b.m.journal.Record(b.ctx, l)
		if err != nil {
			return nil, err
		}
		body := record.GetBody()
		if past, err := evidence.OpenRecovered(body); err == nil {
			body = past.Record.GetBody()
		}
		all = append(all, body)
	}
	return all, nil
}

// extends proves that the page's checkpoint extends the one that an evidence
// names, so that its reader can check it against its own.
func (b *builder) extends(body []byte) ([][]byte, error) {
	var (
		e  axispb.Evidence
		st axispb.Statement
	)
	if err := errors.Join(proto.Unmarshal(body, &e), proto.Unmarshal(e.GetStatement(), &st)); err != nil {
		return nil, fmt.Errorf("read a journaled evidence: %w", err)
	}
	named := st.GetCheckpoint()
	bound, ok, err := b.bound(named.GetEpoch())
	if err != nil || !ok || named.GetSize() == 0 || named.GetSize() > min(bound, b.s.Size()) {
		return nil, err
	}
	return b.s.Consistency(named.GetSize())
}

// bound is the size up to which an epoch's tree is part of this one.
func (b *builder) bound(epoch uint64) (uint64, bool, error) {
	if epoch == b.s.Epoch() {
		return b.s.Size(), true, nil
	}
	return b.s.Common(b.ctx, epoch)
}
