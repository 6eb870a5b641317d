package files

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"

	"golang.org/x/sync/errgroup"

	"docaxis/internal/chunk"
	"docaxis/internal/durable"
)

// Hold keeps bodies from being swept while what needs them is not yet committed:
// between the moment a body is found to be here already and the entry that names it,
// nothing else says that it is needed.
type Hold struct {
	store *Store
	mine  [][sha256.Size]byte
	// soon has what AddSoon still makes durable.
	soon errgroup.Group
}

// soonAtOnce bounds the bodies of one hold that are made durable side by side.
const soonAtOnce = 4

// Hold begins to hold what is added through it. Release ends it.
func (s *Store) Hold() *Hold {
	h := &Hold{store: s}
	h.soon.SetLimit(soonAtOnce)
	return h
}

// Add is Store.Add; the body is held.
func (h *Hold) Add(r io.Reader, limit uint64) (chunk.File, error) {
	return h.AddJudged(r, limit, func(io.ReaderAt, chunk.File) error { return nil })
}

// AddSoon is Add that does not wait for the disk: the body is durable, and can be read,
// when Settle has returned nil.
func (h *Hold) AddSoon(r io.Reader, limit uint64) (chunk.File, error) {
	file, finish, err := h.take(r, limit, func(io.ReaderAt, chunk.File) error { return nil })
	if err == nil {
		h.soon.Go(finish)
	}
	return file, err
}

// Settle waits until everything that was added is durable.
func (h *Hold) Settle() error { return h.soon.Wait() }

// AddJudged is Add for a body that is looked at before anything of it is kept: an error
// of judge comes back as it is, and the body is gone. What judge reads is there only
// while it runs.
func (h *Hold) AddJudged(r io.Reader, limit uint64, judge func(io.ReaderAt, chunk.File) error) (chunk.File, error) {
	file, finish, err := h.take(r, limit, judge)
	if err != nil {
		return file, err
	}
	return file, finish()
}

// take reads a body into a temporary file and holds its digest; finish gives it its name.
func (h *Hold) take(r io.Reader, limit uint64, judge func(io.ReaderAt, chunk.File) error) (file chunk.File, finish func() error, err error) {
	s := h.store
	tmp, err := os.CreateTemp(s.temp(), "add-*")
	if err != nil {
		return chunk.File{}, nil, fmt.Errorf("create a temporary file: %w", err)
	}
	file, err = chunk.Read(io.TeeReader(&capped{r: r, left: limit}, tmp))
	if err != nil {
		return file, nil, durable.Commit(tmp, s.path(file.Digest), err)
	}
	if err := judge(tmp, file); err != nil {
		if left := errors.Join(tmp.Close(), os.Remove(tmp.Name())); left != nil {
			err = errors.Join(err, left)
		}
		return file, nil, err
	}
	h.hold(file.Digest)
	return file, func() error { return s.name(tmp, file) }, nil
}

// name makes a temporary file the body of its digest, durable, unless that is here.
func (s *Store) name(tmp *os.File, file chunk.File) error {
	// One that has rotted is replaced: nothing may be sent that is not what was sealed.
	if s.Has(file.Digest, file.Size) && s.Whole(file.Digest) {
		err := errors.Join(tmp.Close(), os.Remove(tmp.Name()))
		// Whoever added it first may not have come to this line yet.
		return errors.Join(err, durable.SyncDir(s.folder(file.Digest)))
	}
	return durable.Commit(tmp, s.path(file.Digest), nil)
}

func (h *Hold) hold(digest [sha256.Size]byte) {
	s := h.store
	s.mu.Lock()
	defer s.mu.Unlock()
	h.mine = append(h.mine, digest)
	s.held[digest]++
	s.touch(digest)
}

// Release ends the hold: what needs the bodies is committed, or nothing does.
func (h *Hold) Release() {
	s := h.store
	h.soon.Wait() //nolint:errcheck // Settle told whoever needs them
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, digest := range h.mine {
		if s.held[digest]--; s.held[digest] == 0 {
			delete(s.held, digest)
		}
	}
	h.mine = nil
}

// touch keeps a body from the sweep that is going on. The store is locked.
func (s *Store) touch(digest [sha256.Size]byte) {
	if s.touched != nil {
		s.touched[digest] = true
	}
}

// ErrSweeping says that another sweep is going on.
var ErrSweeping = errors.New("the file store is being cleaned already")

// Sweep removes bodies that nobody needs. Whoever sweeps begins one, then finds out
// what is needed, then removes the rest: a body that was held or fetched at any time
// since the beginning is not removed, so that what becomes needed meanwhile stays.
type Sweep struct{ store *Store }

// Sweep begins a sweep; End must follow. The error is ErrSweeping.
func (s *Store) Sweep() (*Sweep, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.touched != nil {
		return nil, ErrSweeping
	}
	s.touched = make(map[[sha256.Size]byte]bool, len(s.held)+len(s.busy))
	for digest := range maps.Keys(s.held) {
		s.touched[digest] = true
	}
	for digest := range maps.Keys(s.busy) {
		s.touched[digest] = true
	}
	return &Sweep{s}, nil
}

// End ends the sweep.
func (w *Sweep) End() {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.store.touched = nil
}

// Remove drops a body, or what was fetched of one. removed is false where somebody
// has come to need it.
func (w *Sweep) Remove(k Kept) (removed bool, err error) {
	s := w.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.touched[k.Digest] {
		return false, nil
	}
	if k.Partial {
		return true, remove(s.partial(k.Digest))
	}
	return true, remove(s.path(k.Digest))
}
