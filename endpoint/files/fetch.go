package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"docaxis/internal/chunk"
	"docaxis/internal/durable"
)

var (
	// ErrChunk says that bytes fetched for a chunk are not that chunk's. They
	// were dropped; fetching again may bring the right ones.
	ErrChunk = errors.New("the bytes received are not the chunk that was asked for")
	// ErrDigest says that the chunks named do not make up the file: nobody will
	// ever be able to fetch it.
	ErrDigest = errors.New("the chunks do not make up the file")
)

// Getter brings at most limit bytes of a chunk, from an offset. It says itself how
// many: at least one, or an error.
type Getter func(ctx context.Context, id chunk.ID, offset, limit uint32) ([]byte, error)

// Fetch makes a file be here, getting what is missing range by range. When it
// returns nil the file is whole, verified and survives a power cut. Whatever was
// got stays for the next call, after an error and after a crash. Two calls for
// one file do not disturb each other: the second waits.
func (s *Store) Fetch(ctx context.Context, want chunk.File, get Getter) error {
	return s.FetchWide(ctx, want, get, func() bool { return false })
}

// FetchWide is Fetch that asks for a range while another is under way, as long as
// wide says so. get must then bring as much as a range may have.
func (s *Store) FetchWide(ctx context.Context, want chunk.File, get Getter, wide func() bool) error {
	if uint64(len(want.Chunks)) != chunk.Count(want.Size) {
		return fmt.Errorf("%w: %d chunks for %d bytes", ErrDigest, len(want.Chunks), want.Size)
	}
	release, err := s.reserve(ctx, want.Digest)
	if err != nil {
		return err
	}
	defer release()
	// What another document brought may have rotted since; nothing is consigned
	// that was not verified.
	if s.Has(want.Digest, want.Size) && s.Whole(want.Digest) {
		return durable.SyncDir(s.folder(want.Digest))
	}
	p, err := s.resume(want)
	if err != nil {
		return err
	}
	if err := p.fill(ctx, get, wide); err != nil {
		return errors.Join(err, p.f.Close())
	}
	return s.finish(p)
}

// reserve waits until nobody else fetches the file.
func (s *Store) reserve(ctx context.Context, digest [sha256.Size]byte) (release func(), err error) {
	for {
		s.mu.Lock()
		other, taken := s.busy[digest]
		if !taken {
			mine := make(chan struct{})
			s.busy[digest] = mine
			s.touch(digest)
			s.mu.Unlock()
			return func() { s.release(digest, mine) }, nil
		}
		s.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Store) release(digest [sha256.Size]byte, mine chan struct{}) {
	s.mu.Lock()
	delete(s.busy, digest)
	s.mu.Unlock()
	close(mine)
}

// partial is a file being fetched. Everything before at was hashed.
type partial struct {
	f    *os.File
	want chunk.File
	at   uint64
	// piece hashes the chunk at which at stands, whole the file up to at.
	piece, whole hash.Hash
}

// resume opens what is there and hashes it again: a power cut may have left zeros
// where bytes were not yet on the disk.
func (s *Store) resume(want chunk.File) (*partial, error) {
	f, err := os.OpenFile(s.partial(want.Digest), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open partial file: %w", err)
	}
	p := &partial{f: f, want: want, piece: sha256.New(), whole: sha256.New()}
	if err := p.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("resume partial file: %w", err), f.Close())
	}
	return p, nil
}

func (p *partial) recover() error {
	info, err := p.f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	buf := make([]byte, min(info.Size(), chunk.MaxRange))
	for p.at < p.want.Size {
		n, err := p.f.ReadAt(buf[:min(uint64(len(buf)), uint64(p.rest()))], int64(p.at))
		if n > 0 {
			if taken := p.take(buf[:n]); errors.Is(taken, ErrChunk) {
				return p.again()
			}
		}
		if errors.Is(err, io.EOF) && p.at < p.want.Size {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return p.f.Truncate(int64(p.at))
}

// again starts over with an empty file whose earlier part cannot be told apart
// from the bad one: only the chunk that failed is dropped.
func (p *partial) again() error {
	if err := p.f.Truncate(int64(p.at)); err != nil {
		return err
	}
	p.at = 0
	p.piece.Reset()
	p.whole.Reset()
	return p.recover()
}

// rest is what the current chunk still lacks.
func (p *partial) rest() uint32 {
	i := p.at / chunk.Size
	return chunk.Length(p.want.Size, i) - uint32(p.at%chunk.Size)
}

// take hashes bytes that stand in the file at p.at. On ErrChunk, at goes back to
// the beginning of the chunk and the hashes are worth nothing.
func (p *partial) take(data []byte) error {
	i, last := p.at/chunk.Size, uint32(len(data)) == p.rest()
	p.piece.Write(data)
	p.whole.Write(data)
	p.at += uint64(len(data))
	if !last {
		return nil
	}
	id := chunk.ID(p.piece.Sum(nil))
	p.piece.Reset()
	if id != p.want.Chunks[i] {
		p.at = i * chunk.Size
		return fmt.Errorf("%w: chunk %d", ErrChunk, i)
	}
	return nil
}

// fill gets what is missing. What comes is written and hashed while the next is on
// its way.
func (p *partial) fill(ctx context.Context, get Getter, wide func() bool) error {
	for p.at < p.want.Size {
		if err := p.pour(ctx, get, wide); err != nil && !errors.Is(err, errShort) {
			return err
		}
	}
	return nil
}

// errShort says that an answer brought less than the next was asked to follow.
var errShort = errors.New("a range came shorter than it was asked for")

// pour is fill until an answer is short.
func (p *partial) pour(ctx context.Context, get Getter, wide func() bool) error {
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan *answer)
	asker := asker{want: p.want, get: get, wide: wide, answers: answers}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		asker.run(ctx, p.at)
		close(answers)
	}()
	err := p.write(ctx, answers)
	cancel()
	<-ended
	return err
}

// write takes the answers in their order until the file is whole.
func (p *partial) write(ctx context.Context, answers <-chan *answer) error {
	for p.at < p.want.Size {
		select {
		case a, more := <-answers:
			if !more { // the last answer was the short one
				return cmp.Or(ctx.Err(), errShort)
			}
			if err := p.next(ctx, a); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (p *partial) next(ctx context.Context, a *answer) error {
	data, err := a.wait(ctx)
	if err != nil {
		return err
	}
	if a.at != p.at {
		return errShort
	}
	if rest := p.rest(); len(data) == 0 || uint64(len(data)) > uint64(rest) {
		return fmt.Errorf("%w: %d bytes where at most %d were asked for", ErrChunk, len(data), rest)
	}
	if _, err := p.f.WriteAt(data, int64(p.at)); err != nil {
		return fmt.Errorf("write partial file: %w", err)
	}
	if err := p.take(data); err != nil {
		return errors.Join(err, p.f.Truncate(int64(p.at)))
	}
	return nil
}

// finish gives a complete file its name.
func (s *Store) finish(p *partial) error {
	if [sha256.Size]byte(p.whole.Sum(nil)) != p.want.Digest {
		return errors.Join(ErrDigest, p.f.Close(), os.Remove(p.f.Name()))
	}
	return durable.Commit(p.f, s.path(p.want.Digest), nil)
}
