// Package ledger owns the projection of the journal in SQLite: mailboxes, ids,
// states, the tree's hashes. It can be deleted at any time and is rebuilt.
package ledger

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
	_ "modernc.org/sqlite" // the driver

	"docaxis/internal/sqlite"
)

// SchemaVersion of the tables; a ledger of another version is rebuilt.
const SchemaVersion = 7

// ErrOtherSchema says that the file is a ledger of another version: delete it, it
// is rebuilt from the journal.
var ErrOtherSchema = errors.New("the ledger has another schema version")

// readers is how many snapshots there are at once, listers how many lists, lookers how
// many look-ups; who asks for more waits. So a snapshot is all that its holder may read
// by, but for look-ups.
const (
	readers = 8
	listers = 4
	lookers = 4
)

//go:embed schema.sql
var schema string

// Position is where the ledger stands in the journal.
type Position struct {
	Epoch      uint64
	Blocks     uint64 // applied
	Digest     []byte // SHA-256 of the last block; empty for none
	Stream     uint64 // where the last block lies
	Seq        uint64
	Size       uint64 // leaves
	Root       tlog.Hash
	TimeMS     int64  // journal time of the last record
	Checkpoint []byte // signed note; empty for none
}

// Ledger is the projection. Apply is called by one goroutine; everything else may
// be called by any.
//
// Snapshots have their connections, lists and single look-ups theirs: whoever
// holds a snapshot may look something up, and pulls, however many, never keep the
// appender waiting.
type Ledger struct {
	writer *sql.DB
	write  *sqlite.Session // the only one of writer
	read   *sql.DB         // snapshots and lists
	snaps  *sqlite.Pool    // of read, for snapshots
	look   *prepared       // single look-ups: held for one row only
	// hashes of the tree, as every reader of this file sees them.
	hashes hashes
	recent recent
	known  known
	many   map[string]string // statements for many rows, by those for one
}

// Open opens or makes the ledger in a file. It need not be synced: what a power
// cut takes away is applied again.
func Open(ctx context.Context, path string) (*Ledger, error) {
	writer, err := open(path, "")
	if err != nil {
		return nil, err
	}
	read, err := open(path, "&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	read.SetMaxOpenConns(readers + listers)
	look, err := open(path, "&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writer.Close(), read.Close())
	}
	look.SetMaxOpenConns(lookers)
	look.SetMaxIdleConns(lookers) // a new one reads the schema and parses every query again
	l := &Ledger{writer: writer, read: read, snaps: sqlite.NewPool(read, readers, frequentReads()...), look: &prepared{DB: look}, known: newKnown(), many: manyRows()}
	if err := l.start(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Ledger) start(ctx context.Context) (err error) {
	if l.write, err = sqlite.NewSession(ctx, l.writer, slices.AppendSeq(frequentWrites(), maps.Values(l.many))...); err != nil {
		return err
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	return l.look.learn(ctx, frequentLooks())
}

func open(path, more string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Opaque: filepath.ToSlash(path)}
	dsn := u.String() + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
		"&_pragma=busy_timeout(10000)&_pragma=cache_size(-16384)&_pragma=journal_size_limit(67108864)" + more
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return db, nil
}

func (l *Ledger) prepare(ctx context.Context) error {
	var tables int
	err := l.write.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'position'`).Scan(&tables)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	if tables == 0 {
		return l.create(ctx)
	}
	var version int
	if err := l.write.QueryRowContext(ctx, `SELECT version FROM position`).Scan(&version); err != nil {
		return fmt.Errorf("read the ledger's position: %w", err)
	}
	if version != SchemaVersion {
		return fmt.Errorf("%w: %d, not %d", ErrOtherSchema, version, SchemaVersion)
	}
	return nil
}

func (l *Ledger) create(ctx context.Context) error {
	empty, err := tlog.TreeHash(0, nil)
	if err != nil {
		return fmt.Errorf("root of the empty tree: %w", err)
	}
	return l.write.In(ctx, func() error {
		if _, err := l.write.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("create the ledger's tables: %w", err)
		}
		_, err = l.write.ExecContext(ctx, `INSERT INTO position VALUES (1, ?, 0, 0, x'', 0, 0, 0, ?, 0, x'')`,
			SchemaVersion, empty[:])
		if err != nil {
			return fmt.Errorf("write the first position: %w", err)
		}
		return nil
	})
}

// Close closes the files.
func (l *Ledger) Close() error {
	err := l.snaps.Close()
	if l.write != nil {
		err = errors.Join(err, l.write.Close())
	}
	return errors.Join(err, l.look.Close(), l.read.Close(), l.writer.Close())
}

// Position says where the ledger stands. For a moment after a block was applied it may
// be behind what a Snapshot shows; Stored is not.
func (l *Ledger) Position(ctx context.Context) (Position, error) {
	if at := l.recent.position(); at != nil {
		return *at, nil
	}
	return position(ctx, l.look)
}

// Stored is Position as the database has it.
func (l *Ledger) Stored(ctx context.Context) (Position, error) { return position(ctx, l.look) }

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const selectPosition = `SELECT epoch, blocks, digest, stream, seq, size, root, time_ms, checkpoint FROM position`

func position(ctx context.Context, q querier) (Position, error) {
	var (
		p    Position
		root []byte
	)
	err := q.QueryRowContext(ctx, selectPosition).
		Scan(&p.Epoch, &p.Blocks, &p.Digest, &p.Stream, &p.Seq, &p.Size, &root, &p.TimeMS, &p.Checkpoint)
	if err != nil {
		return Position{}, fmt.Errorf("read the ledger's position: %w", err)
	}
	if len(root) != tlog.HashSize {
		return Position{}, fmt.Errorf("the ledger's root has %d bytes", len(root))
	}
	p.Root = tlog.Hash(root)
	return p, nil
}

// ReadHashes gives stored hashes of the tree; it makes the ledger a
// tlog.HashReader.
func (l *Ledger) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return l.hashes.read(context.Background(), l.look, indexes)
}
