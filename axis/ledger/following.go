package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Accepted is an accepted document, as whoever follows them needs it.
type Accepted struct {
	Position   uint64 // leaf index of the record that has it now
	Commitment []byte // in the epoch that accepted it
	Bytes      uint64 // of its files
}

const (
	acceptedColumns    = `SELECT position, commitment, bytes FROM document `
	selectNextAccepted = acceptedColumns + `WHERE position > ? ORDER BY position LIMIT 1`
	selectLastAccepted = acceptedColumns + `WHERE position < ? ORDER BY position DESC LIMIT 1`
	selectAcceptedAs   = acceptedColumns + `WHERE commitment = ?`
)

// NextAccepted finds the first document with a leaf index above a bound.
func (l *Ledger) NextAccepted(ctx context.Context, after int64) (Accepted, bool, error) {
	return scanAccepted(l.look.QueryRowContext(ctx, selectNextAccepted, after))
}

// LastAccepted finds the last document with a leaf index below a bound.
func (l *Ledger) LastAccepted(ctx context.Context, before int64) (Accepted, bool, error) {
	return scanAccepted(l.look.QueryRowContext(ctx, selectLastAccepted, before))
}

// AcceptedAs finds a document by the commitment under which it was accepted.
func (l *Ledger) AcceptedAs(ctx context.Context, commitment []byte) (Accepted, bool, error) {
	return scanAccepted(l.look.QueryRowContext(ctx, selectAcceptedAs, commitment))
}

func scanAccepted(row *sql.Row) (Accepted, bool, error) {
	var a Accepted
	err := row.Scan(&a.Position, &a.Commitment, &a.Bytes)
	found, err := one(err, "look up a document")
	return a, found, err
}

// CountAccepted counts the documents with a leaf index above one bound or below another.
func (l *Ledger) CountAccepted(ctx context.Context, after, before int64) (n uint64, err error) {
	err = l.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM document WHERE position > ?) + (SELECT count(*) FROM document WHERE position < ?)`,
		after, before).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count documents: %w", err)
	}
	return n, nil
}
