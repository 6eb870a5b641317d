package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrUnfinished says that a ledger has changes beside its file, as a process that
// ended without closing it leaves them, or one that runs: it cannot be looked at
// without changing it. The next start takes them in.
var ErrUnfinished = errors.New("the ledger was not closed")

// Resting is a ledger that nobody has open, looked at without changing a byte of its
// folder.
type Resting struct {
	db *sql.DB
	Position
}

// Look opens the ledger of an axis that does not run, for reading alone; the caller
// closes it. os.ErrNotExist where there is none, ErrUnfinished, ErrOtherSchema: see
// there. Where Damaged says so of another error, the next start builds it anew.
func Look(ctx context.Context, path string) (*Resting, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("look at the ledger: %w", err)
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil, ErrUnfinished
	}
	u := url.URL{Scheme: "file", Opaque: filepath.ToSlash(path)}
	// Immutable: else SQLite makes files beside one that is kept with a WAL.
	db, err := sql.Open("sqlite", u.String()+"?mode=ro&immutable=1")
	if err != nil {
		return nil, fmt.Errorf("look at the ledger: %w", err)
	}
	r := &Resting{db: db}
	if err := r.look(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *Resting) look(ctx context.Context) error {
	var version int
	if err := r.db.QueryRowContext(ctx, `SELECT version FROM position`).Scan(&version); err != nil {
		return fmt.Errorf("read the ledger's position: %w", err)
	}
	if version != SchemaVersion {
		return fmt.Errorf("%w: %d, not %d", ErrOtherSchema, version, SchemaVersion)
	}
	var err error
	r.Position, err = position(ctx, r.db)
	return err
}

// ReadHashes gives stored hashes of the tree; it makes a resting ledger a
// tlog.HashReader.
func (r *Resting) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return new(hashes).read(context.Background(), r.db, indexes)
}

// Check has SQLite read every page; its error says what is wrong.
func (r *Resting) Check(ctx context.Context) error {
	var said string
	if err := r.db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&said); err != nil {
		return fmt.Errorf("check the ledger: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("check the ledger: %s", said)
	}
	return nil
}

// Close lets go of the file.
func (r *Resting) Close() error { return r.db.Close() }
