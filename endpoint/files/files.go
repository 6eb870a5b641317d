// Package files owns the bodies that an endpoint keeps: envelopes and the files of
// documents, each under the SHA-256 of its content.
//
// A body is there whole or not at all: files/ab/HEX is written under a temporary
// name, synced and renamed. What is still being fetched lies in partial/HEX.part
// and goes on where it stopped, also after a crash: whatever it holds is hashed
// again before it is trusted. Memory does not grow with the size of a file.
package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"docaxis/internal/chunk"
	"docaxis/internal/durable"
)

var (
	// ErrNotFound says that no body of that digest is here.
	ErrNotFound = errors.New("no such file in the store")
	// ErrDamaged says that a body is not what its name says any more: a disk that
	// rots. Fetch replaces it, where it can still be got.
	ErrDamaged = errors.New("the file was damaged on this machine's disk")
	// ErrTooLarge says that a body is over the limit given; nothing was kept.
	ErrTooLarge = errors.New("the file is larger than allowed")
)

// Store is the folder of bodies. Its methods may be called concurrently.
type Store struct {
	dir string

	mu sync.Mutex
	// busy has a channel for each digest being fetched, closed when it is done.
	busy map[[sha256.Size]byte]chan struct{}
	// held counts the holds on each digest.
	held map[[sha256.Size]byte]int
	// touched has what a sweep that is going on must leave; nil where none is.
	touched map[[sha256.Size]byte]bool
}

// Open makes the folders where they are missing and clears what an interrupted
// Add left behind.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, busy: make(map[[sha256.Size]byte]chan struct{}), held: make(map[[sha256.Size]byte]int)}
	if err := os.RemoveAll(s.temp()); err != nil {
		return nil, fmt.Errorf("clear temporary files: %w", err)
	}
	for _, path := range s.folders() {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("make folder of the file store: %w", err)
		}
	}
	return s, errors.Join(durable.SyncDir(s.bodies()), durable.SyncDir(dir))
}

// Add keeps what r gives, at most limit bytes, and says what it was. When it
// returns nil the body survives a power cut. A body that is already here is kept
// once. Whoever needs it until something is committed adds it through a Hold.
func (s *Store) Add(r io.Reader, limit uint64) (chunk.File, error) {
	h := s.Hold()
	defer h.Release()
	return h.Add(r, limit)
}

// Has reports whether a body of that digest and size is here.
func (s *Store) Has(digest [sha256.Size]byte, size uint64) bool {
	info, err := os.Stat(s.path(digest))
	return err == nil && info.Size() >= 0 && uint64(info.Size()) == size
}

// Open opens a body for reading, at any offset; the caller closes it. The error
// is ErrNotFound where it is not here.
func (s *Store) Open(digest [sha256.Size]byte) (*os.File, error) {
	f, err := os.Open(s.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %x", ErrNotFound, digest)
	}
	return f, err
}

// OpenWhole opens a body that is as it was when it came, which it finds out by
// reading all of it first; the caller closes it. The error is ErrNotFound where it is
// not here, ErrDamaged where it is another.
func (s *Store) OpenWhole(digest [sha256.Size]byte) (*os.File, error) {
	f, err := s.Open(digest)
	if err != nil {
		return nil, err
	}
	sum, err := chunk.Sum(f)
	if err == nil && sum != digest {
		err = ErrDamaged
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.path(digest), err), f.Close())
	}
	return f, nil
}

// Whole reports whether a body is here as it was when it came, reading all of it.
func (s *Store) Whole(digest [sha256.Size]byte) bool {
	f, err := s.OpenWhole(digest)
	return err == nil && f.Close() == nil
}

// Path is where a body lies, for messages.
func (s *Store) Path(digest [sha256.Size]byte) string { return s.path(digest) }

// Read gives a whole body of at most limit bytes: for envelopes. Its digest is
// checked, so that a rotten disk is found here and not by the other side.
func (s *Store) Read(digest [sha256.Size]byte, limit uint64) ([]byte, error) {
	f, err := s.Open(digest)
	if err != nil {
		return nil, err
	}
	data, err := readAll(f, limit)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if sha256.Sum256(data) != digest {
		return nil, fmt.Errorf("%s: %w", s.path(digest), ErrDamaged)
	}
	return data, nil
}

// readAll reads a file in one piece.
func readAll(f *os.File, limit uint64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data := bytes.NewBuffer(make([]byte, 0, min(uint64(info.Size()), limit)+bytes.MinRead))
	_, err = data.ReadFrom(&capped{r: f, left: limit})
	return data.Bytes(), err
}

// Check reads every body and lists those that do not have their digest.
func (s *Store) Check() error {
	var found []error
	err := filepath.WalkDir(s.bodies(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found = append(found, checkBody(path))
		return nil
	})
	return errors.Join(err, errors.Join(found...))
}

func checkBody(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	sum, err := chunk.Sum(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(sum[:]) != filepath.Base(path) {
		return fmt.Errorf("body %s does not have its digest", filepath.Base(path))
	}
	return nil
}

func (s *Store) bodies() string   { return filepath.Join(s.dir, "files") }
func (s *Store) partials() string { return filepath.Join(s.dir, "partial") }
func (s *Store) temp() string     { return filepath.Join(s.dir, "temp") }

func (s *Store) folder(digest [sha256.Size]byte) string {
	return filepath.Join(s.bodies(), hex.EncodeToString(digest[:1]))
}

func (s *Store) path(digest [sha256.Size]byte) string {
	return filepath.Join(s.folder(digest), hex.EncodeToString(digest[:]))
}

func (s *Store) partial(digest [sha256.Size]byte) string {
	return filepath.Join(s.partials(), hex.EncodeToString(digest[:])+".part")
}

// folders lists every folder of the store. All are made at once, so that no Add
// has to sync the folder above its own.
func (s *Store) folders() []string {
	all := []string{s.partials(), s.temp()}
	for i := range 256 {
		all = append(all, filepath.Join(s.bodies(), fmt.Sprintf("%02x", i)))
	}
	return all
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// capped reads at most left bytes and fails on one more.
type capped struct {
	r    io.Reader
	left uint64
}

func (c *capped) Read(p []byte) (int, error) {
	if uint64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if uint64(n) > c.left {
		return 0, ErrTooLarge
	}
	c.left -= uint64(n)
	return n, err
}
