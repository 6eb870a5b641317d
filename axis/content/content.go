// Package content owns the chunks of files on one machine and the knowledge of
// which endpoint uploaded which.
//
// Layout under its folder:
//
//	chunks/ab/<hex>          whole chunks, named by SHA-256; never changed, only replaced by the same bytes
//	parts/<endpoint>/<hex>.part  uploads in progress, one file per endpoint and chunk
//	damaged/<hex>            chunks that are not what their name says, set aside until somebody uploads them again
//	content.db               possession: who uploaded what, until when it is pinned, what counts for a quota
//
// The chunks are the truth. content.db is not synced at every step and may be
// deleted while the axis is stopped: endpoints then upload again what no
// accepted document holds yet, and no content is lost.
//
// What one endpoint uploaded changes nothing that another can observe: the same
// bytes are taken, the same syncs and renames are done, the same answers given.
//
// The rows of this package cannot prove that no accepted document needs a chunk,
// because they may be lost: Remove asks whoever knows the journal. By itself the
// store removes only parts of uploads that nobody finished and possession that was
// never used, both after Config.PinFor.
//
// Fault points: put, sync, rename, folder, row, aboard, forget and unlink, each .before
// and .after.
package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"docaxis/internal/durable"
	"docaxis/internal/fault"
)

const (
	defaultQuota      = 64 << 30
	defaultPin        = 7 * 24 * time.Hour
	defaultSweepEvery = time.Hour
)

// Config of a Store; a zero field means its default.
type Config struct {
	// Now tells the time; time.Now by default.
	Now func() time.Time
	// Faults makes steps fail in tests.
	Faults fault.Hook
	// QuotaBytes is what one endpoint may have uploaded without an accepted
	// document that holds it; 64 GiB by default. A chunk counts whole from its
	// first range on.
	QuotaBytes int64
	// PinFor is how long an upload is kept waiting for a document; 7 days by
	// default. Asking for it again renews it.
	PinFor time.Duration
	// Grace is how long a chunk stays after the last document that has it was released;
	// 8 days by default. It must be longer than PinFor.
	Grace time.Duration
	// SweepEvery is the pause between two sweeps of Run; an hour by default.
	SweepEvery time.Duration
	// Log gets what an operator must know; nothing is logged by default.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.QuotaBytes = cmp.Or(c.QuotaBytes, defaultQuota)
	c.PinFor = cmp.Or(c.PinFor, defaultPin)
	c.Grace = max(cmp.Or(c.Grace, defaultGrace), c.PinFor+time.Hour)
	c.SweepEvery = cmp.Or(c.SweepEvery, defaultSweepEvery)
	return c
}

// Store keeps chunks in plain files. Its methods may be called concurrently.
// Errors that they return are *reason.Error, except those of a cancelled context.
type Store struct {
	dir  string
	cfg  Config
	rows *possession
	busy keyLocks    // by path: parts being put, chunks being finished or removed; a part's is taken first
	good verifiedSet // read, and seen to be right
	came verifiedSet // seen to be right when they were put
	up   progresses
	// going are the chunks whose rows are forgotten and whose files are about to go.
	going idSet
	lost  lostSet
}

// ErrDatabase says that content.db is not, or no more, what this program wrote: it may
// be moved away, no content is lost (docs/decisions/0010).
var ErrDatabase = errors.New("content.db is damaged")

// Open opens the store in dir, which it makes where it is not there. One process
// at a time may have it open.
func Open(dir string, cfg Config) (*Store, error) {
	if err := makeFolders(dir); err != nil {
		return nil, fmt.Errorf("open content store: %w", err)
	}
	rows, err := openPossession(filepath.Join(dir, "content.db"))
	if err != nil {
		if damaged(err) {
			err = fmt.Errorf("%w: %w", ErrDatabase, err)
		}
		return nil, fmt.Errorf("open content store: %w (content.db may be moved away: no content is lost)", err)
	}
	s := &Store{dir: dir, cfg: cfg.withDefaults(), rows: rows}
	if err := s.loadLost(); err != nil {
		return nil, errors.Join(fmt.Errorf("open content store: %w", err), rows.close())
	}
	return s, nil
}

// Close closes content.db; the chunks need no closing.
func (s *Store) Close() error { return s.rows.close() }

// Run sweeps now and then until ctx is done.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.SweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("content: sweep", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// makeFolders makes every folder that a chunk can go to, so that the first chunk
// in a folder costs no more than any other.
func makeFolders(dir string) error {
	for _, name := range []string{"parts", asideFolder} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
	}
	chunks := filepath.Join(dir, "chunks")
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(chunks, fmt.Sprintf("%02x", i)), 0o700); err != nil {
			return err
		}
	}
	return errors.Join(durable.SyncDir(chunks), durable.SyncDir(dir), durable.SyncDir(filepath.Dir(dir)))
}
