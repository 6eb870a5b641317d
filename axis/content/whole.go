package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"

	"docaxis/proto/axispb"
)

// putWhole takes a chunk that comes in one range, of which nothing is held: nearly every
// file of an office does. The bytes are hashed while they are in memory, and the chunk
// gets its row when it is in its place, in one commit. Until then its part has none;
// a part that is left behind is found by its file, and swept by its age.
//
// done is false where the upload must go the long way: something of it is there
// already, or the endpoint's quota may be used up, which is asked before a byte is
// written.
func (s *Store) putWhole(ctx context.Context, up upload) (held *axispb.Held, done bool, err error) {
	if up.offset != 0 || int64(len(up.data)) != up.size || !s.rows.mayHold(up.endpoint, up.size, s.cfg.QuotaBytes) {
		return nil, false, nil
	}
	if sha256.Sum256(up.data) != up.id {
		return nil, true, mismatch(up.id.String())
	}
	part := s.partPath(up.endpoint, up.id)
	f, err := createPart(part)
	if errors.Is(err, os.ErrExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, true, err
	}
	if err := s.writeWhole(f, part, up.data); err != nil {
		return nil, true, err
	}
	err = s.place(up, func() error {
		return s.rows.whole(ctx, up.endpoint, up.id, s.pinnedRow(up.size), s.cfg.QuotaBytes)
	})
	if err != nil {
		return nil, true, err
	}
	return complete(up.size), true, nil
}

// pinnedRow is the row of an upload of so many bytes that begins now.
func (s *Store) pinnedRow(size int64) row {
	return row{size: size, pinned: s.cfg.Now().Add(s.cfg.PinFor), start: s.rows.start}
}

// createPart makes a part that is not there yet, and its folder.
func createPart(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// writeWhole fills a new part, makes it durable and closes it. One that could not be
// written or synced is removed.
func (s *Store) writeWhole(f *os.File, part string, data []byte) error {
	err := s.step("put", func() error {
		if _, err := f.Write(data); err != nil {
			return errors.Join(err, removeIfThere(part))
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if err := s.step("sync", f.Sync); err != nil {
		return errors.Join(err, f.Close(), removeIfThere(part))
	}
	return f.Close()
}
