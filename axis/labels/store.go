package labels

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/protobuf/proto"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"docaxis/proto/axispb"
)

// FileName is the store's, inside the axis's folder.
const FileName = "labels.db"

const schemaVersion = 1

//go:embed schema.sql
var schema string

var errOtherSchema = errors.New("another schema version")

// Store is labels.db. Its methods may be called by any goroutine; one of them writes.
type Store struct {
	path    string
	db      *sql.DB
	get     *sql.Stmt   // asked for every document
	spoiled atomic.Bool // damaged: Close removes it
}

// Open opens or makes the store. What cannot be used is removed and begun anew: it can
// be made again. The error is about the folder.
func Open(ctx context.Context, path string, log *slog.Logger) (*Store, error) {
	s, err := open(ctx, path)
	if !damaged(err) && !errors.Is(err, errOtherSchema) {
		return s, err
	}
	log.Warn("the labels of files cannot be used and are made again", "error", err)
	if err := remove(path); err != nil {
		return nil, err
	}
	return open(ctx, path)
}

func open(ctx context.Context, path string) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// A path of Windows begins with its drive; a URI's path with a slash.
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(abs), "/")}
	u.RawQuery = "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(16777216)" +
		"&_pragma=synchronous(NORMAL)"
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", FileName, err)
	}
	db.SetMaxOpenConns(2) // who writes, and who asks
	db.SetMaxIdleConns(2)
	s := &Store{path: path, db: db}
	err = s.prepare(ctx)
	if err == nil {
		s.get, err = s.db.PrepareContext(ctx, `SELECT labels FROM label WHERE commitment = ?`)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", FileName, err), db.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	var tables, version int
	err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'place'`).Scan(&tables)
	if err != nil {
		return err
	}
	if tables > 0 {
		err := s.db.QueryRowContext(ctx, `SELECT version FROM place`).Scan(&version)
		if err == nil && version != schemaVersion || errors.Is(err, sql.ErrNoRows) {
			err = fmt.Errorf("%w: %d, not %d", errOtherSchema, version, schemaVersion)
		}
		return err
	}
	return s.in(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO place VALUES (1, ?, '', 0, 0, 0, 0, x'')`, schemaVersion)
		return err
	})
}

// Close closes the file, and removes it where it turned out to be damaged.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.spoiled.Load() {
		err = errors.Join(err, remove(s.path))
	}
	return err
}

func remove(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", FileName, err)
		}
	}
	return nil
}

// damaged reports whether SQLite met a file that it did not write so.
func damaged(err error) bool {
	var e *sqlite.Error
	codes := []int{sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT}
	return errors.As(err, &e) && slices.Contains(codes, e.Code()&0xff) // the rest says where
}

// heed takes note of damage, which the next start mends.
func (s *Store) heed(err error) error {
	if damaged(err) {
		s.spoiled.Store(true)
	}
	return err
}

func (s *Store) in(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return s.heed(err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	if err := do(tx); err != nil {
		return s.heed(err)
	}
	return s.heed(tx.Commit())
}

// place is how far the documents were followed; see schema.sql.
type place struct {
	basis         string
	begun         bool
	after, before int64
	position      uint64
	commitment    []byte
}

func (s *Store) place(ctx context.Context) (p place, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT basis, begun, after, before, position, commitment FROM place`).
		Scan(&p.basis, &p.begun, &p.after, &p.before, &p.position, &p.commitment)
	return p, s.heed(err)
}

func putPlace(ctx context.Context, tx *sql.Tx, p place) error {
	_, err := tx.ExecContext(ctx, `UPDATE place SET basis = ?, begun = ?, after = ?, before = ?, position = ?, commitment = ?`,
		p.basis, p.begun, p.after, p.before, int64(p.position), append([]byte{}, p.commitment...))
	return err
}

// move says how far the documents were followed.
func (s *Store) move(ctx context.Context, p place) error {
	return s.in(ctx, func(tx *sql.Tx) error { return putPlace(ctx, tx, p) })
}

// rebase has every label made again by another basis.
func (s *Store) rebase(ctx context.Context, p place, nowMS int64) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE label SET again_ms = ? WHERE again_ms = 0 OR again_ms > ?`, nowMS, nowMS)
		return errors.Join(err, putPlace(ctx, tx, p))
	})
}

// put keeps what is known of a document, with how far the documents were followed.
func (s *Store) put(ctx context.Context, commitment []byte, l *axispb.DocumentLabels, p *place) error {
	raw, err := proto.Marshal(l)
	if err != nil {
		return err
	}
	return s.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO label VALUES (?, ?, ?, ?)`, commitment, l.GetAgainMs(), l.GetLooks(), raw)
		if err == nil && p != nil {
			err = putPlace(ctx, tx, *p)
		}
		return err
	})
}

// drop forgets a document that the journal does not have.
func (s *Store) drop(ctx context.Context, commitment []byte) error {
	return s.in(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM label WHERE commitment = ?`, commitment)
		return err
	})
}

// Get gives what is known of a document's files; nil where nothing is yet.
func (s *Store) Get(ctx context.Context, commitment []byte) (*axispb.DocumentLabels, error) {
	var raw []byte
	err := s.get.QueryRowContext(ctx, commitment).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.heed(fmt.Errorf("read the labels of a document: %w", err))
	}
	l := new(axispb.DocumentLabels)
	if err := proto.Unmarshal(raw, l); err != nil {
		s.spoiled.Store(true)
		return nil, fmt.Errorf("read the labels of a document: %w", err)
	}
	return l, nil
}

// due finds the document that has been due for longest, of those with so many looks at
// least; nil for none.
func (s *Store) due(ctx context.Context, nowMS int64, looks uint32) (commitment []byte, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT commitment FROM label WHERE again_ms BETWEEN 1 AND ? AND looks >= ? ORDER BY again_ms LIMIT 1`, nowMS, looks).
		Scan(&commitment)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return commitment, s.heed(err)
}

// counts says how many documents were put off without a look, and how many others will
// be looked at again.
func (s *Store) counts(ctx context.Context) (off, again uint64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE looks = 0), count(*) FILTER (WHERE looks > 0)
		FROM label WHERE again_ms > 0`).Scan(&off, &again)
	return off, again, s.heed(err)
}
