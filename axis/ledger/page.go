package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/internal/sqlite"
	"docaxis/proto/axispb"
)

// Snapshot is the ledger as it stood at one moment: everything read from it fits
// together, and its checkpoint covers every row.
type Snapshot struct {
	Position Position
	tx       *sqlite.Session
	from     *sqlite.Pool
	hashes   *hashes
}

// Snapshot begins one; the caller must Close it.
func (l *Ledger) Snapshot(ctx context.Context) (*Snapshot, error) {
	tx, err := l.snaps.Take(ctx)
	if err != nil {
		return nil, err
	}
	if err := tx.BeginRead(ctx); err != nil {
		l.snaps.Give(tx)
		return nil, err
	}
	s := &Snapshot{tx: tx, from: l.snaps, hashes: &l.hashes}
	if s.Position, err = position(ctx, tx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the snapshot.
func (s *Snapshot) Close() error {
	if s.tx == nil {
		return sql.ErrTxDone
	}
	err := s.tx.Rollback()
	s.from.Give(s.tx)
	s.tx = nil
	return err
}

// ReadHashes makes the snapshot a tlog.HashReader.
func (s *Snapshot) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return s.hashes.read(context.Background(), s.tx, indexes)
}

// Locate finds a record's place in the journal; false where there is none.
func (s *Snapshot) Locate(ctx context.Context, position uint64) (Location, bool, error) {
	return locate(ctx, s.tx, position)
}

// Waiting is a mailbox row.
type Waiting struct {
	Lane     axispb.Lane
	Position uint64
	Ordinal  uint32
	// What is served, and where it lies.
	Record  Location
	Kind    axispb.Kind
	Code    string
	Serving string
	Target  axispb.Target
}

// A limit and a lane that are parameters by themselves are looked at when the query is
// planned: it would be parsed again each time they are bound.
const selectRows = `SELECT m.position, m.ordinal, r.position, c.name, coalesce(s.name, c.name), m.target, r.kind, r.stream, r.seq, r.nth
	FROM mailbox m JOIN record r ON r.position = coalesce(m.record, m.position)
	JOIN code c ON c.id = m.code LEFT JOIN code s ON s.id = m.serving
	WHERE m.endpoint = (SELECT id FROM endpoint WHERE name = ?) AND m.lane = 0 + ? AND (m.position, m.ordinal) >= (?, ?)
	ORDER BY m.position, m.ordinal LIMIT 0 + ?`

// Rows lists the next rows of a mailbox lane after a cursor, at most limit.
func (s *Snapshot) Rows(ctx context.Context, endpoint string, c *axispb.Cursor, limit int) ([]Waiting, error) {
	if c.GetLane() == axispb.Lane_LANE_REGISTRY {
		return s.public(ctx, c, limit)
	}
	rows, err := s.tx.QueryContext(ctx, selectRows, append([]any{endpoint, c.GetLane()}, append(after(c), limit)...)...)
	if err != nil {
		return nil, fmt.Errorf("read a mailbox: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, w *Waiting) error {
		w.Lane = c.GetLane()
		err := rows.Scan(&w.Position, &w.Ordinal, &w.Record.Position, &w.Code, &w.Serving, &w.Target,
			&w.Kind, &w.Record.Stream, &w.Record.Seq, &w.Record.Nth)
		return err
	})
}

// after gives the first (position, ordinal) that a cursor has not reached.
func after(c *axispb.Cursor) []any {
	if c.GetPosition() == 0 {
		return []any{0, 0}
	}
	return []any{signed(c.GetPosition() - 1), c.GetOrdinal()}
}

const selectPublic = `SELECT position, kind, stream, seq, nth FROM record
	WHERE public = 1 AND position >= ? ORDER BY position LIMIT 0 + ?`

func (s *Snapshot) public(ctx context.Context, c *axispb.Cursor, limit int) ([]Waiting, error) {
	rows, err := s.tx.QueryContext(ctx, selectPublic, signed(c.GetPosition()), limit)
	if err != nil {
		return nil, fmt.Errorf("read the registry lane: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, w *Waiting) error {
		w.Lane = axispb.Lane_LANE_REGISTRY
		err := rows.Scan(&w.Position, &w.Kind, &w.Record.Stream, &w.Record.Seq, &w.Record.Nth)
		w.Record.Position = w.Position
		return err
	})
}

const selectJournaled = `SELECT r.position, r.stream, r.seq, r.nth
	FROM evidence e JOIN record r ON r.position = e.position
	WHERE e.document = ? AND e.code = ? ORDER BY e.position`

// Journaled lists where the evidence about a document and code lies, oldest first.
func (s *Snapshot) Journaled(ctx context.Context, document uint64, code string) ([]Location, error) {
	rows, err := s.tx.QueryContext(ctx, selectJournaled, signed(document), code)
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, at *Location) error {
		return rows.Scan(&at.Position, &at.Stream, &at.Seq, &at.Nth)
	})
}

// EpochsAfter lists the epochs that whoever knows one lacks, oldest first.
func (s *Snapshot) EpochsAfter(ctx context.Context, number uint64) ([][]byte, error) {
	rows, err := s.tx.QueryContext(ctx, `SELECT signed FROM epoch WHERE number > ? ORDER BY number`, signed(number))
	if err != nil {
		return nil, fmt.Errorf("list epochs: %w", err)
	}
	return collect(rows, func(rows *sql.Rows, b *[]byte) error { return rows.Scan(b) })
}

// Common is the size up to which an epoch's tree is part of this one: the smallest
// base of the epochs after it; false where there is no such epoch.
func (s *Snapshot) Common(ctx context.Context, number uint64) (uint64, bool, error) {
	var base sql.Null[uint64]
	err := s.tx.QueryRowContext(ctx, `SELECT min(base) FROM epoch WHERE number > ?`, signed(number)).Scan(&base)
	if err != nil {
		return 0, false, fmt.Errorf("look up an epoch: %w", err)
	}
	return base.V, base.Valid, nil
}
