package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"

	"docaxis/internal/chunk"
	"docaxis/internal/durable"
	"docaxis/proto/axispb"
)

// upload is a range that an endpoint offers, with what is known of its chunk.
type upload struct {
	endpoint string
	id       chunk.ID
	size     int64
	offset   int64
	data     []byte
	start    int64     // of the store, when its part was begun
	sum      hash.Hash // of the part's bytes; nil where they must be read
}

// Put takes a range of a chunk and says what is held after it. An offset other
// than what is held writes nothing: go on from what the answer says. A chunk of
// which every byte is held but which is not complete (something failed at the
// end) is completed by any further Put of it, one without data too.
//
// Complete means: the bytes are durable, and their digest is right. Wrong ones
// are dropped: REASON_DIGEST_MISMATCH, permanent, unless the part is from before
// the last start of the axis, whose end may have harmed it: then temporary.
func (s *Store) Put(ctx context.Context, endpoint string, req *axispb.PutRequest) (*axispb.Held, error) {
	up, err := readUpload(endpoint, req)
	if err != nil {
		return nil, err
	}
	defer s.busy.lock(s.partPath(endpoint, up.id))()
	held, err := s.put(ctx, up)
	if err != nil {
		return nil, unavailable(err)
	}
	return held, nil
}

func readUpload(endpoint string, req *axispb.PutRequest) (upload, error) {
	id, err := chunk.ParseID(req.GetDigest())
	if err != nil {
		return upload{}, malformed("%v", err)
	}
	up := upload{endpoint: endpoint, id: id, size: int64(req.GetSize()), offset: int64(req.GetOffset()), data: req.GetData()}
	switch {
	case up.size == 0 || up.size > chunk.Size:
		return upload{}, malformed("a chunk has 1 to %d bytes, not %d", chunk.Size, up.size)
	case len(up.data) > chunk.MaxRange:
		return upload{}, malformed("a range has at most %d bytes, not %d", chunk.MaxRange, len(up.data))
	case up.offset+int64(len(up.data)) > up.size:
		return upload{}, malformed("the range ends after the chunk's %d bytes", up.size)
	}
	return up, nil
}

func (s *Store) put(ctx context.Context, up upload) (*axispb.Held, error) {
	part := s.partPath(up.endpoint, up.id)
	if p := s.up.take(part); p.counts(up, s.cfg.Now()) {
		if !p.next(up) {
			s.up.put(part, p)
			return partial(p.held), nil
		}
		up.start, up.sum = p.start, p.sum
		return s.goOn(ctx, up, p.until)
	}
	r, known, err := s.claim(ctx, up.endpoint, up.id)
	if err != nil {
		return nil, err
	}
	if known && s.present(up.id, r) {
		return complete(r.size), nil
	}
	if !known {
		if held, done, err := s.putWhole(ctx, up); done {
			return held, err
		}
	}
	held, err := s.heldPart(ctx, up, r, known)
	if err != nil {
		return nil, err
	}
	if held < up.size && (up.offset != held || len(up.data) == 0) {
		return partial(held), nil
	}
	if up.start, err = s.begin(ctx, up, r, known, held); err != nil {
		return nil, err
	}
	if held == up.size {
		return s.finish(ctx, up)
	}
	if held == 0 {
		up.sum = sha256.New()
	}
	return s.goOn(ctx, up, s.cfg.Now().Add(s.cfg.PinFor/2))
}

// goOn adds the next range, and finishes the chunk where it was the last. What is held
// after it is remembered if all of it was seen; its row is there until then.
func (s *Store) goOn(ctx context.Context, up upload, until time.Time) (*axispb.Held, error) {
	held, err := s.append(up)
	if err != nil {
		return nil, err
	}
	if up.sum != nil {
		up.sum.Write(up.data) //nolint:errcheck // a hash takes everything
	}
	if held == up.size {
		return s.finish(ctx, up)
	}
	if up.sum != nil {
		s.up.put(s.partPath(up.endpoint, up.id), &progress{size: up.size, held: held, start: up.start, sum: up.sum, until: until})
	}
	return partial(held), nil
}

// present reports whether a chunk that an endpoint uploaded is in its place.
func (s *Store) present(id chunk.ID, r row) bool {
	if !r.complete {
		return false
	}
	n, err := fileSize(s.chunkPath(id))
	return err == nil && n == r.size
}

// heldPart is how far an upload has come. One that began with another size begins
// again, since a digest has but one size.
func (s *Store) heldPart(ctx context.Context, up upload, r row, known bool) (int64, error) {
	held, err := fileSize(s.partPath(up.endpoint, up.id))
	if err != nil {
		return 0, err
	}
	if held > up.size || known && r.size != up.size {
		return 0, s.drop(ctx, up)
	}
	return held, nil
}

// drop forgets an upload and its bytes.
func (s *Store) drop(ctx context.Context, up upload) error {
	if err := removeIfThere(s.partPath(up.endpoint, up.id)); err != nil {
		return err
	}
	return s.rows.forget(ctx, up.endpoint, up.id, time.Time{})
}

// begin makes sure that an upload has a row, and says in which start of the store
// its part was begun. A range in the middle writes no row.
func (s *Store) begin(ctx context.Context, up upload, r row, known bool, held int64) (int64, error) {
	if known && held > 0 && r.size == up.size {
		return r.start, nil
	}
	fresh := row{size: up.size, pinned: s.cfg.Now().Add(s.cfg.PinFor)}
	if held == 0 {
		fresh.start = s.rows.start
	}
	return fresh.start, s.rows.begin(ctx, up.endpoint, up.id, fresh, s.cfg.QuotaBytes)
}

// append writes the range at the end of the part and gives the part's new size.
// A part that could not be written is cut back to what it was.
func (s *Store) append(up upload) (int64, error) {
	path := s.partPath(up.endpoint, up.id)
	if err := s.cfg.Faults.At("put.before"); err != nil {
		return 0, err
	}
	f, err := openPart(path)
	if err != nil {
		return 0, err
	}
	if info, err := f.Stat(); err != nil || info.Size() != up.offset {
		return 0, errors.Join(fmt.Errorf("a part has not the %d bytes that it had", up.offset), err, f.Close())
	}
	_, err = f.WriteAt(up.data, up.offset)
	if err != nil {
		err = errors.Join(err, f.Truncate(up.offset))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return up.offset + int64(len(up.data)), s.cfg.Faults.At("put.after")
}

// openPart opens a part, which it makes where it is not there, with its folder.
func openPart(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	return createPart(path)
}

// finish makes a part that has all its bytes the chunk. It does the same whether
// or not the chunk is there already; where it is, the new file takes its place,
// which also mends one that was damaged.
func (s *Store) finish(ctx context.Context, up upload) (*axispb.Held, error) {
	sum, err := s.syncAndHash(s.partPath(up.endpoint, up.id), up.sum)
	if err != nil {
		return nil, err
	}
	if sum != up.id {
		return nil, s.refuse(ctx, up)
	}
	err = s.place(up, func() error {
		return s.rows.complete(ctx, up.endpoint, up.id, s.cfg.Now().Add(s.cfg.PinFor))
	})
	if err != nil {
		return nil, err
	}
	return complete(up.size), nil
}

// place puts a part that is durable and right in the chunk's place, durably, and then
// writes its row. While the chunk is removed, nobody may do that: the new file would go
// with the old one. Uploads of others hold up nothing.
func (s *Store) place(up upload, row func() error) error {
	defer s.busy.share(s.chunkPath(up.id))()
	part := s.partPath(up.endpoint, up.id)
	if err := s.step("rename", func() error { return os.Rename(part, s.chunkPath(up.id)) }); err != nil {
		return err
	}
	if err := s.step("folder", func() error { return durable.SyncDir(s.chunkFolder(up.id)) }); err != nil {
		return err
	}
	if err := s.step("row", row); err != nil {
		return err
	}
	if up.size < chunk.Size { // else it is hardly a file by itself
		s.came.add(up.id, s.cfg.Now())
	}
	return s.healed(up.id)
}

// syncAndHash makes a part durable and gives its digest, reading it where that is not
// known. After a sync that failed
// the kernel may count bytes as written that are not, and a second sync would
// pass: such a part is removed.
func (s *Store) syncAndHash(part string, known hash.Hash) (chunk.ID, error) {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return chunk.ID{}, err
	}
	if err := s.step("sync", f.Sync); err != nil {
		return chunk.ID{}, errors.Join(err, f.Close(), removeIfThere(part))
	}
	if known != nil {
		return chunk.ID(known.Sum(nil)), f.Close()
	}
	sum, err := hashOf(f)
	return sum, errors.Join(err, f.Close())
}

// refuse drops bytes that are not the chunk they were said to be.
func (s *Store) refuse(ctx context.Context, up upload) error {
	if err := s.drop(ctx, up); err != nil {
		return err
	}
	if up.start != s.rows.start {
		return unavailable(errors.New("a part from before the last start is not what was sent"))
	}
	return mismatch(up.id.String())
}

// step does something between its two fault points.
func (s *Store) step(name string, do func() error) error {
	if err := s.cfg.Faults.At(name + ".before"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return s.cfg.Faults.At(name + ".after")
}

// hashOf reads to the end, holding little.
func hashOf(r io.Reader) (chunk.ID, error) {
	sum := sha256.New()
	if _, err := io.CopyBuffer(onlyWriter{sum}, onlyReader{r}, make([]byte, 32<<10)); err != nil {
		return chunk.ID{}, err
	}
	return chunk.ID(sum.Sum(nil)), nil
}

// onlyWriter and onlyReader keep io.CopyBuffer to the buffer it is given.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)

func complete(n int64) *axispb.Held { return &axispb.Held{Bytes: uint32(n), Complete: true} }

func partial(n int64) *axispb.Held { return &axispb.Held{Bytes: uint32(n)} }
