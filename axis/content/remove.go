package content

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"time"

	"docaxis/internal/chunk"
	"docaxis/internal/durable"
)

// Need knows which documents have a chunk.
type Need interface {
	// Needed reports whether an accepted document has a chunk and was not released,
	// or not before a time. Whatever is in the journal must be known to it.
	Needed(ctx context.Context, digest []byte, before time.Time) (bool, error)
}

// defaultGrace is longer than the pin, so that whatever an upload was promised before
// a release has lapsed, or shows, when the chunk is looked at again.
const defaultGrace = 8 * 24 * time.Hour

// Removed says what Remove freed.
type Removed struct {
	Chunks int
	Bytes  int64
}

// Remove deletes the chunks that nobody needs: every document that had one was
// released more than Config.Grace before at, or none ever had it; no upload of it is
// pinned at that time; and its file is as old. What others may have been told of such
// a chunk is forgotten before the file goes, so that who wants to use it again uploads
// it again. What was removed before an error stays removed.
//
// at must not be later than any clock by which uploads are pinned, nor than journal
// time: a clock that runs ahead would let pins lapse that were just made.
//
// Fault points: forget and unlink, each .before and .after.
func (s *Store) Remove(ctx context.Context, at time.Time, need Need) (done Removed, err error) {
	if err := s.forgetLost(ctx, at.Add(-s.cfg.Grace), need); err != nil {
		return done, unavailable(err)
	}
	err = s.eachChunk(func(path string, id chunk.ID, ok bool) error {
		if err := ctx.Err(); err != nil || !ok {
			return err
		}
		n, err := s.removeUnneeded(ctx, path, id, at, need)
		if n > 0 {
			done.Chunks, done.Bytes = done.Chunks+1, done.Bytes+n
		}
		return err
	})
	return done, unavailable(err)
}

// removeUnneeded removes one chunk where it may, and gives its size then. The look
// without a lock spares the lock for nearly all of them.
func (s *Store) removeUnneeded(ctx context.Context, path string, id chunk.ID, at time.Time, need Need) (int64, error) {
	before := at.Add(-s.cfg.Grace)
	if n, err := oldFile(path, before); err != nil || n == 0 {
		return 0, err
	}
	if needed, err := need.Needed(ctx, id[:], before); err != nil || needed {
		return 0, err
	}
	defer s.busy.lock(path)()
	n, err := oldFile(path, before)
	if err != nil || n == 0 {
		return 0, err
	}
	err = s.remove(ctx, path, id, at, func() (bool, error) { return need.Needed(ctx, id[:], before) })
	if errors.Is(err, errNeeded) {
		return 0, nil
	}
	return n, err
}

var errNeeded = errors.New("needed after all")

// remove forgets who uploaded a chunk, durably, and only then deletes the file: should
// it end in between, the file is a chunk that nobody uploaded, and the next look
// removes it. errNeeded where somebody needs it. The caller holds the chunk's lock, so
// no upload of it ends meanwhile; one that began has a pinned row, which is seen here.
func (s *Store) remove(ctx context.Context, path string, id chunk.ID, at time.Time, needed func() (bool, error)) error {
	defer s.going.add(id)()
	err := s.step("forget", func() error { return s.rows.forgetChunk(ctx, id, at, needed) })
	if err != nil {
		return err
	}
	s.good.remove(id)
	s.came.remove(id)
	return s.step("unlink", func() error {
		return cmp.Or(removeIfThere(path), durable.SyncDir(s.chunkFolder(id)))
	})
}

// oldFile is the size of a file that was written before a time; 0 for a younger one,
// and for none.
func oldFile(path string, before time.Time) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil || !info.ModTime().Before(before) {
		return 0, err
	}
	return info.Size(), nil
}

// forgetChunk removes every row of a chunk and gives back what they were charged.
// errNeeded, and nothing is changed, where one is pinned or a document needs it.
func (p *possession) forgetChunk(ctx context.Context, id chunk.ID, at time.Time, needed func() (bool, error)) error {
	tx, err := p.firm.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	var pinned int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM possession WHERE digest = ? AND pinned_until >= ?`, id[:], at.UnixMilli()).Scan(&pinned); err != nil {
		return err
	}
	if pinned > 0 {
		return errNeeded
	}
	// The second look, with every change of the rows barred: whoever submits the chunk
	// now has pinned it before, and was just seen.
	if still, err := needed(); err != nil || still {
		return cmp.Or(err, errNeeded)
	}
	if err := deleteRows(ctx, tx, id); err != nil {
		return err
	}
	return tx.Commit()
}

func deleteRows(ctx context.Context, tx *sql.Tx, id chunk.ID) error {
	_, err := tx.ExecContext(ctx, `UPDATE usage SET bytes = bytes -
		(SELECT coalesce(sum(charged), 0) FROM possession p WHERE p.digest = ?1 AND p.endpoint = usage.endpoint)
		WHERE endpoint IN (SELECT endpoint FROM possession WHERE digest = ?1 AND charged > 0)`, id[:])
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM possession WHERE digest = ?`, id[:])
	return err
}

// idSet is the chunks that are being removed.
type idSet struct {
	mu  sync.Mutex
	ids map[chunk.ID]struct{}
}

// add puts a chunk in; what it returns takes it out.
func (s *idSet) add(id chunk.ID) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[chunk.ID]struct{}{}
	}
	s.ids[id] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.ids, id)
	}
}

func (s *idSet) has(id chunk.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.ids[id]
	return ok
}
