package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// Location says where a record lies in the journal.
type Location struct {
	Position uint64 // leaf index
	Stream   uint64
	Seq      uint64
	Nth      int // within its block
}

const selectLocation = `SELECT stream, seq, nth FROM record WHERE position = ?`

func locate(ctx context.Context, q querier, position uint64) (Location, bool, error) {
	at := Location{Position: position}
	err := q.QueryRowContext(ctx, selectLocation, signed(position)).
		Scan(&at.Stream, &at.Seq, &at.Nth)
	found, err := one(err, "locate a record")
	return at, found, err
}

// one turns the error of a one-row query into found or not.
func one(err error, what string) (bool, error) {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s: %w", what, err)
	}
	return true, nil
}

// Known is what the ledger knows of an accepted document.
type Known struct {
	Position   uint64 // leaf index of the record that has it now
	Epoch      uint64 // under which it was accepted
	Leaf       uint64 // in that epoch
	Sender, ID string
	Manifest   []byte
	Commitment []byte
	Endpoint   string // that submitted it
	Lane       axispb.Lane
	DeadlineMS int64
}

const knownColumns = `SELECT d.position, d.epoch, d.leaf, d.sender, d.id, d.manifest, d.commitment, e.name, d.lane, d.deadline_ms
	FROM document d JOIN endpoint e ON e.id = d.endpoint `

const (
	selectByIdentity = knownColumns + `WHERE d.sender = ? AND d.id = ?`
	selectByPosition = knownColumns + `WHERE d.position = ?`
	selectByRecord   = knownColumns + `WHERE d.commitment = ?`
	selectCopy       = `SELECT r.state, e.name, coalesce((SELECT v.issuer FROM evidence v
		WHERE v.document = r.document AND v.code = c.name AND v.event = 3 AND v.standing IN (1, 2) ORDER BY v.position LIMIT 1), '')
		FROM recipient r JOIN code c ON c.id = r.code JOIN endpoint e ON e.id = r.endpoint WHERE r.document = ? AND c.name = ?`
)

func scanKnown(row *sql.Row) (Known, bool, error) {
	var k Known
	err := row.Scan(&k.Position, &k.Epoch, &k.Leaf, &k.Sender, &k.ID, &k.Manifest, &k.Commitment, &k.Endpoint, &k.Lane, &k.DeadlineMS)
	found, err := one(err, "look up a document")
	return k, found, err
}

// ByIdentity finds an accepted document by sending agency and id.
func (l *Ledger) ByIdentity(ctx context.Context, sender, id string) (Known, bool, error) {
	return scanKnown(l.look.QueryRowContext(ctx, selectByIdentity, sender, id))
}

// ByPosition finds an accepted document by its leaf index.
func (l *Ledger) ByPosition(ctx context.Context, position uint64) (Known, bool, error) {
	return scanKnown(l.look.QueryRowContext(ctx, selectByPosition, signed(position)))
}

// Copy is what is true of a document at a code, who has its row, and whose
// consignment counts; false where it has no such recipient.
func (l *Ledger) Copy(ctx context.Context, document uint64, code string) (evidence.Copy, bool, error) {
	var c evidence.Copy
	err := l.look.QueryRowContext(ctx, selectCopy, signed(document), code).Scan(&c.State, &c.Endpoint, &c.Consigner)
	found, err := one(err, "look up a recipient")
	return c, found, err
}

const selectHadRow = `SELECT
	(SELECT count(*) FROM recipient r JOIN endpoint e ON e.id = r.endpoint
		WHERE r.document = ?1 AND r.code = (SELECT id FROM code WHERE name = ?2) AND e.name = ?3) +
	(SELECT count(*) FROM moved m JOIN endpoint e ON e.id = m.endpoint WHERE m.document = ?1 AND m.code = ?2 AND e.name = ?3)`

// HadRow reports whether an endpoint has, or had, a mailbox row of this document
// and code: only then may it state anything about them.
func (l *Ledger) HadRow(ctx context.Context, endpoint string, document uint64, code string) (bool, error) {
	var n int
	err := l.look.QueryRowContext(ctx, selectHadRow, signed(document), code, endpoint).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up a mailbox row: %w", err)
	}
	return n > 0, nil
}

// Received reports whether an endpoint has, or had, a mailbox row of a document.
func (l *Ledger) Received(ctx context.Context, document uint64, endpoint string) (bool, error) {
	var n int
	err := l.look.QueryRowContext(ctx, `SELECT
		EXISTS (SELECT 1 FROM recipient r JOIN endpoint e ON e.id = r.endpoint WHERE r.document = ?1 AND e.name = ?2) OR
		EXISTS (SELECT 1 FROM moved m JOIN endpoint e ON e.id = m.endpoint WHERE m.document = ?1 AND e.name = ?2)`,
		signed(document), endpoint).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up a recipient: %w", err)
	}
	return n > 0, nil
}

// Recipients lists those of some codes that are recipients of a document, as it names
// them.
func (l *Ledger) Recipients(ctx context.Context, document uint64, codes []string) ([]string, error) {
	var all []string
	for _, code := range codes {
		var n int
		err := l.look.QueryRowContext(ctx, selectIsRecipient, signed(document), code).Scan(&n)
		if err != nil {
			return nil, fmt.Errorf("look up a recipient: %w", err)
		}
		if n > 0 {
			all = append(all, code)
		}
	}
	return all, nil
}

const selectIsRecipient = `SELECT EXISTS (SELECT 1 FROM recipient WHERE document = ? AND code = ` + numberOf + `)`

// signed is a number as SQLite can hold it. Endpoints send any; no row has one of
// the largest.
func signed(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// Said is a journaled evidence.
type Said struct {
	Position uint64
	Digest   []byte
	Standing axispb.Standing
	Event    axispb.Event
	Issuer   string
}

// First finds the first evidence of an event about a document and code by an
// issuer.
func (l *Ledger) First(ctx context.Context, document uint64, code string, event axispb.Event, issuer string) (Said, bool, error) {
	return scanSaid(l.look.QueryRowContext(ctx, selectFirst, signed(document), code, event, issuer))
}

// ByCounter finds what an issuer said under a counter.
func (l *Ledger) ByCounter(ctx context.Context, issuer string, counter uint64) (Said, bool, error) {
	return scanSaid(l.look.QueryRowContext(ctx, selectByCounter, issuer, signed(counter)))
}

// Counter is the highest counter of an issuer that the journal has; 0 for none.
func (l *Ledger) Counter(ctx context.Context, issuer string) (uint64, error) {
	var n uint64
	err := l.read.QueryRowContext(ctx, `SELECT coalesce(max(counter), 0) FROM evidence WHERE issuer = ? AND counter > 0`, issuer).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("look up a counter: %w", err)
	}
	return n, nil
}

const (
	saidColumns     = `SELECT position, digest, standing, event, issuer FROM evidence `
	selectFirst     = saidColumns + `WHERE document = ? AND code = ? AND event = ? AND issuer = ? ORDER BY position LIMIT 1`
	selectByCounter = saidColumns + `WHERE issuer = ? AND counter = ? AND counter > 0`
)

func scanSaid(row *sql.Row) (Said, bool, error) {
	var s Said
	err := row.Scan(&s.Position, &s.Digest, &s.Standing, &s.Event, &s.Issuer)
	found, err := one(err, "look up evidence")
	return s, found, err
}

// A document may be named by its record, or by the one that an earlier epoch had.
const selectMayRead = `SELECT count(*) FROM chunk c JOIN document n ON n.position = c.document
	WHERE c.digest = ?1 AND (n.position = ?2 OR n.leaf = ?2) AND (
	EXISTS (SELECT 1 FROM recipient r JOIN endpoint e ON e.id = r.endpoint WHERE r.document = n.position AND e.name = ?3) OR
	EXISTS (SELECT 1 FROM endpoint e WHERE e.id = n.endpoint AND e.name = ?3))`

// MayRead reports whether an endpoint is a party of a document that contains a
// chunk.
func (l *Ledger) MayRead(ctx context.Context, endpoint string, document uint64, digest []byte) (bool, error) {
	var n int
	err := l.look.QueryRowContext(ctx, selectMayRead, digest, signed(document), endpoint).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up a party: %w", err)
	}
	return n > 0, nil
}

// Registry lists where the registry's changes and the epochs lie, in journal order.
func (l *Ledger) Registry(ctx context.Context) ([]Location, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT position, stream, seq, nth FROM record WHERE kind = ?1
		OR position IN (SELECT position FROM recovered WHERE kind = ?1)
		OR kind IN (?2, ?3) ORDER BY position`, axispb.Kind_KIND_REGISTRY, axispb.Kind_KIND_EPOCH, axispb.Kind_KIND_ACT)
	if err != nil {
		return nil, fmt.Errorf("list registry records: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, at *Location) error {
		return rows.Scan(&at.Position, &at.Stream, &at.Seq, &at.Nth)
	})
}

// At lists the records of a kind at a journal time, in journal order. It reads the
// whole table.
func (l *Ledger) At(ctx context.Context, kind axispb.Kind, timeMS int64) ([]Location, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT position, stream, seq, nth FROM record WHERE kind = ? AND time_ms = ? ORDER BY position`,
		kind, timeMS)
	if err != nil {
		return nil, fmt.Errorf("list records of a time: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, at *Location) error {
		return rows.Scan(&at.Position, &at.Stream, &at.Seq, &at.Nth)
	})
}

// Epochs lists every epoch, oldest first.
func (l *Ledger) Epochs(ctx context.Context) ([]Epoch, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT number, base, signed, lost FROM epoch ORDER BY number`)
	if err != nil {
		return nil, fmt.Errorf("list epochs: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, e *Epoch) error {
		return rows.Scan(&e.Number, &e.Base, &e.Signed, &e.Lost)
	})
}

func collect[T any](rows *sql.Rows, scan func(*sql.Rows, *T) error) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		var one T
		if err := scan(rows, &one); err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
