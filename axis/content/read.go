package content

import (
	"context"
	"errors"
	"fmt"
	"os"

	"docaxis/internal/chunk"
)

// ReadRange gives a range of a chunk. Whoever asks was judged before: the store
// does not know who may read.
//
// A chunk's whole content is verified before the first range of it after a start
// is served, and again after a minute. A damaged one is never
// served, but set aside: REASON_UNAVAILABLE, temporary, until it is uploaded again.
// REASON_NOT_FOUND where it is not held; REASON_MALFORMED where the range is not
// within the chunk.
func (s *Store) ReadRange(ctx context.Context, id chunk.ID, offset, length uint32) ([]byte, error) {
	if length == 0 || length > chunk.MaxRange {
		return nil, malformed("a range has 1 to %d bytes, not %d", chunk.MaxRange, length)
	}
	f, err := os.Open(s.chunkPath(id))
	if errors.Is(err, os.ErrNotExist) && s.lost.has(id) {
		return nil, unavailable(fmt.Errorf("chunk %s was set aside", id))
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	defer f.Close()
	if err := s.trust(ctx, f, id); err != nil {
		return nil, unavailable(err)
	}
	data, err := readAt(f, int64(offset), int64(length))
	return data, unavailable(err)
}

// trust verifies an open chunk unless that was done lately.
func (s *Store) trust(ctx context.Context, f *os.File, id chunk.ID) error {
	if s.good.has(id, s.cfg.Now()) {
		return nil
	}
	good, err := verifyOpen(f, id)
	if err != nil {
		return err
	}
	if !good {
		if err := f.Close(); err != nil { // what is open cannot be set aside everywhere
			return err
		}
		return s.damaged(ctx, id, fmt.Errorf("chunk %s is damaged", id))
	}
	s.good.add(id, s.cfg.Now())
	return nil
}

func readAt(f *os.File, offset, length int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if offset+length > info.Size() {
		return nil, malformed("the range ends after the chunk's %d bytes", info.Size())
	}
	data := make([]byte, length)
	_, err = f.ReadAt(data, offset)
	return data, err
}
