package content

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"docaxis/internal/chunk"
	"docaxis/internal/durable"
)

// What a disk harmed. A damaged chunk is set aside, as damaged/HEX, which may be empty
// where the file was gone: so it is never served, and known over a start. Whoever holds
// the bytes puts them again, and the chunk is whole.

// lostSet is the chunks that were set aside.
type lostSet struct {
	mu  sync.Mutex
	ids map[chunk.ID]struct{}
}

func (l *lostSet) has(id chunk.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.ids[id]
	return ok
}

func (l *lostSet) put(id chunk.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = map[chunk.ID]struct{}{}
	}
	l.ids[id] = struct{}{}
}

func (l *lostSet) remove(id chunk.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ids, id)
}

// some gives at most n of them, others each time.
func (l *lostSet) some(n int) []chunk.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []chunk.ID
	for id := range l.ids {
		if len(all) == n {
			break
		}
		all = append(all, id)
	}
	return all
}

// Lost gives at most n chunks that were set aside and not put again, others each time.
func (s *Store) Lost(n int) []chunk.ID { return s.lost.some(n) }

// LostCount counts them.
func (s *Store) LostCount() int {
	s.lost.mu.Lock()
	defer s.lost.mu.Unlock()
	return len(s.lost.ids)
}

func (s *Store) asidePath(id chunk.ID) string { return filepath.Join(s.dir, asideFolder, id.String()) }

const asideFolder = "damaged"

// loadLost finds what earlier starts set aside. A start may have ended after the chunk
// was put again.
func (s *Store) loadLost() error {
	return eachEntry(filepath.Join(s.dir, asideFolder), func(e os.DirEntry) error {
		id, ok := parseName(e.Name())
		if !ok {
			return nil
		}
		good, err := s.verify(id)
		switch {
		case err == nil && good:
			return removeIfThere(s.asidePath(id))
		case err == nil || errors.Is(err, os.ErrNotExist):
			s.lost.put(id)
			return nil
		}
		return err
	})
}

// setAside takes a chunk away that is not as it was written, or is gone. One that was put
// again meanwhile stays.
func (s *Store) setAside(ctx context.Context, id chunk.ID) error {
	defer s.busy.lock(s.chunkPath(id))()
	good, err := s.verify(id)
	if err == nil && good || err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.good.remove(id)
	s.came.remove(id)
	if err != nil && !s.lost.has(id) {
		err = durable.WriteFile(s.asidePath(id), nil, 0o600)
	} else if err == nil {
		err = os.Rename(s.chunkPath(id), s.asidePath(id))
	} else {
		return nil
	}
	if err == nil {
		err = errors.Join(durable.SyncDir(filepath.Join(s.dir, asideFolder)), durable.SyncDir(s.chunkFolder(id)))
	}
	if err != nil {
		return fmt.Errorf("set chunk %s aside: %w", id, err)
	}
	s.lost.put(id)
	s.cfg.Log.Error("content: a chunk is damaged or gone and was set aside; whoever has it is asked for it", "chunk", id.String())
	return s.rows.disown(ctx, id)
}

// healed forgets what was set aside, once the chunk is in its place again.
func (s *Store) healed(id chunk.ID) error {
	if !s.lost.has(id) {
		return nil
	}
	if err := removeIfThere(s.asidePath(id)); err != nil {
		return err
	}
	s.lost.remove(id)
	s.cfg.Log.Info("content: a damaged chunk was put again", "chunk", id.String())
	return nil
}

// forgetLost forgets chunks set aside that no document needs any more.
func (s *Store) forgetLost(ctx context.Context, before time.Time, need Need) error {
	for _, id := range s.lost.some(int(^uint(0) >> 1)) {
		needed, err := need.Needed(ctx, id[:], before)
		if err != nil {
			return err
		}
		if needed {
			continue
		}
		if err := removeIfThere(s.asidePath(id)); err != nil {
			return err
		}
		s.lost.remove(id)
	}
	return nil
}

// Examine verifies one chunk and sets it aside where it is damaged, or not there.
func (s *Store) Examine(ctx context.Context, id chunk.ID) (good bool, err error) {
	good, err = s.verify(id)
	if err == nil && good {
		return true, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	return false, s.setAside(ctx, id)
}

// ExamineFolder examines the chunks whose digests begin so, in two digits. between is
// called after each, and its error ends it.
func (s *Store) ExamineFolder(ctx context.Context, prefix string, between func() error) error {
	return eachEntry(filepath.Join(s.dir, "chunks", prefix), func(e os.DirEntry) error {
		id, ok := parseName(e.Name())
		if !ok {
			return between()
		}
		good, err := s.verify(id)
		switch {
		case errors.Is(err, os.ErrNotExist): // removed, or set aside, meanwhile
		case err != nil:
			return err
		case !good:
			if err := s.setAside(ctx, id); err != nil {
				return err
			}
		}
		return between()
	})
}
