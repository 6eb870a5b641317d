package content

import (
	"context"
	"io"

	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

const (
	// pageBytes divides chunk.Size; pages is how many of them a Reader keeps: 1 MiB.
	// What looks at a file goes to and fro between its ends.
	pageBytes = 64 << 10
	pages     = 16
)

// Reader reads one file at any offset, out of its chunks. It keeps little in memory and
// nothing open, so that chunks may be removed or set aside meanwhile; every chunk is
// verified as ReadRange does. It is for one goroutine at a time.
type Reader struct {
	ctx   context.Context //nolint:containedctx // io.ReaderAt has none
	store *Store
	ids   []chunk.ID
	size  int64

	kept map[int64][]byte // pages by their number
	turn []int64          // numbers of kept pages, the one that came first first
	read int64
}

// Reader opens a file. Whoever asks was judged before, as for ReadRange. Errors of its
// reads are those of ReadRange, temporary where a chunk was set aside; io.EOF at the end.
// REASON_DIGEST_MISMATCH where the chunks cannot be those of a file of this size.
func (s *Store) Reader(ctx context.Context, fc *axispb.FileContent) (*Reader, error) {
	ids, err := idsOf(fc)
	if err != nil {
		return nil, err
	}
	return &Reader{ctx: ctx, store: s, ids: ids, size: int64(fc.GetSize()), kept: map[int64][]byte{}}, nil
}

// Size of the file in bytes.
func (r *Reader) Size() int64 { return r.size }

// Cost is how many bytes were read from the disk, without those of verifying.
func (r *Reader) Cost() int64 { return r.read }

// ReadAt implements io.ReaderAt, but for one goroutine at a time.
func (r *Reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, malformed("an offset before the file's beginning: %d", off)
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		page, err := r.page(at / pageBytes)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], page[at%pageBytes:])
	}
	return n, nil
}

func (r *Reader) page(number int64) ([]byte, error) {
	if page, ok := r.kept[number]; ok {
		return page, nil
	}
	at := number * pageBytes
	length := min(pageBytes, r.size-at)
	page, err := r.store.ReadRange(r.ctx, r.ids[at/chunk.Size], uint32(at%chunk.Size), uint32(length))
	if err != nil {
		return nil, err
	}
	r.read += length
	if len(r.turn) == pages {
		delete(r.kept, r.turn[0])
		r.turn = r.turn[1:]
	}
	r.turn, r.kept[number] = append(r.turn, number), page
	return page, nil
}
