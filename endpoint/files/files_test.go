package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"docaxis/internal/chunk"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func random(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{byte(n)})
	rng.Read(b)
	return b
}

func describe(t *testing.T, content []byte) chunk.File {
	t.Helper()
	f, err := chunk.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// source answers a Getter from content, in ranges of at most step bytes.
type source struct {
	mu      sync.Mutex
	content []byte
	file    chunk.File
	step    uint32
	got     uint64
	fail    func(got uint64) error
	spoil   bool
}

func newSource(t *testing.T, n int) *source {
	content := random(n)
	return &source{content: content, file: describe(t, content), step: 100 << 10}
}

func (s *source) get(_ context.Context, id chunk.ID, offset, limit uint32) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(s.got); err != nil {
			return nil, err
		}
	}
	for i, c := range s.file.Chunks {
		if c != id {
			continue
		}
		from := uint64(i)*chunk.Size + uint64(offset)
		data := bytes.Clone(s.content[from : from+uint64(min(limit, s.step))])
		s.got += uint64(len(data))
		if s.spoil {
			data[0] ^= 1
			s.spoil = false
		}
		return data, nil
	}
	return nil, errors.New("no such chunk")
}

func TestAddGivesDigestAndContent(t *testing.T) {
	s := open(t)
	for _, n := range []int{0, 1, chunk.Size, chunk.Size + 1, 3 * chunk.Size} {
		content := random(n)
		got, err := s.Add(bytes.NewReader(content), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if want := describe(t, content); got.Digest != want.Digest || got.Size != want.Size || len(got.Chunks) != len(want.Chunks) {
			t.Fatalf("%d bytes: got %v", n, got)
		}
		f, err := s.Open(got.Digest)
		if err != nil {
			t.Fatal(err)
		}
		back, _ := io.ReadAll(f)
		f.Close()
		if !bytes.Equal(back, content) {
			t.Fatalf("%d bytes come back different", n)
		}
	}
}

func TestAddKeepsOneCopyAndNoTemporaryFile(t *testing.T) {
	s := open(t)
	for range 3 {
		if _, err := s.Add(bytes.NewReader(random(5000)), 5000); err != nil {
			t.Fatal(err)
		}
	}
	bodies, _ := filepath.Glob(filepath.Join(s.bodies(), "*", "*"))
	temps, _ := os.ReadDir(s.temp())
	if len(bodies) != 1 || len(temps) != 0 {
		t.Fatalf("%d bodies and %d temporary files", len(bodies), len(temps))
	}
}

func TestAddRefusesWhatIsTooLarge(t *testing.T) {
	s := open(t)
	if _, err := s.Add(bytes.NewReader(random(5001)), 5000); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
	temps, _ := os.ReadDir(s.temp())
	if len(temps) != 0 {
		t.Fatal("a temporary file was left")
	}
}

func TestOpenOfUnknown(t *testing.T) {
	s := open(t)
	if _, err := s.Open([32]byte{1}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}

func TestReadFindsRot(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Add(bytes.NewReader([]byte("envelope")), 100)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := s.Read(f.Digest, 100); err != nil || string(back) != "envelope" {
		t.Fatalf("got %q, %v", back, err)
	}
	if err := os.WriteFile(s.path(f.Digest), []byte("Envelope"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(f.Digest, 100); err == nil {
		t.Fatal("a changed body was given out")
	}
	if s.Check() == nil {
		t.Fatal("Check did not see it")
	}
}

func TestFetchWhole(t *testing.T) {
	s := open(t)
	for _, n := range []int{0, 1, chunk.Size, 2*chunk.Size + 17} {
		src := newSource(t, n)
		if err := s.Fetch(t.Context(), src.file, src.get); err != nil {
			t.Fatal(err)
		}
		if !s.Has(src.file.Digest, src.file.Size) || src.got != uint64(n) {
			t.Fatalf("%d bytes: %d got", n, src.got)
		}
	}
	parts, _ := os.ReadDir(s.partials())
	if len(parts) != 0 {
		t.Fatal("a partial file was left")
	}
}

// After every range in turn the conversation breaks and the store is opened anew:
// no byte is got twice.
func TestFetchResumesWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	src := newSource(t, 2*chunk.Size+17)
	broken := errors.New("broken")
	for rounds := 0; ; rounds++ {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		before := src.got
		src.fail = func(got uint64) error {
			if got > before {
				return broken
			}
			return nil
		}
		err = s.Fetch(t.Context(), src.file, src.get)
		if err == nil {
			if rounds < 20 || src.got != src.file.Size {
				t.Fatalf("%d bytes in %d rounds", src.got, rounds)
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
}

// A power cut may leave zeros, or too much, in a partial file.
func TestFetchDoesNotTrustWhatACrashLeft(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"zeros in the first chunk": func(b []byte) []byte { clear(b[1000:3000]); return b },
		"zeros in the tail":        func(b []byte) []byte { clear(b[chunk.Size+10:]); return b },
		"too long":                 func(b []byte) []byte { return append(b, random(4*chunk.Size)...) },
		"empty":                    func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			src := newSource(t, 2*chunk.Size+17)
			left := damage(bytes.Clone(src.content[:chunk.Size+5000]))
			if err := os.WriteFile(s.partial(src.file.Digest), left, 0o600); err != nil {
				t.Fatal(err)
			}
			err := s.Fetch(t.Context(), src.file, src.get)
			if errors.Is(err, ErrChunk) {
				err = s.Fetch(t.Context(), src.file, src.get)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !s.Has(src.file.Digest, src.file.Size) {
				t.Fatal("not there")
			}
		})
	}
}

func TestFetchDropsASpoiltChunkOnly(t *testing.T) {
	s := open(t)
	src := newSource(t, 3*chunk.Size)
	src.fail = func(got uint64) error {
		if got == chunk.Size {
			src.spoil = true
		}
		return nil
	}
	if err := s.Fetch(t.Context(), src.file, src.get); !errors.Is(err, ErrChunk) {
		t.Fatalf("got %v", err)
	}
	src.fail = nil
	if err := s.Fetch(t.Context(), src.file, src.get); err != nil {
		t.Fatal(err)
	}
	// The range that was asked for while the chunk was found to be spoilt is lost, too.
	if again := src.got - src.file.Size; again < chunk.Size || again > chunk.Size+uint64(src.step) {
		t.Fatalf("got %d bytes", src.got)
	}
}

func TestFetchOfChunksThatAreNotTheFile(t *testing.T) {
	s := open(t)
	src := newSource(t, chunk.Size+1)
	src.file.Digest = sha256.Sum256([]byte("another"))
	if err := s.Fetch(t.Context(), src.file, src.get); !errors.Is(err, ErrDigest) {
		t.Fatalf("got %v", err)
	}
	src.file.Chunks = src.file.Chunks[:1]
	if err := s.Fetch(t.Context(), src.file, src.get); !errors.Is(err, ErrDigest) {
		t.Fatalf("got %v", err)
	}
	parts, _ := os.ReadDir(s.partials())
	if len(parts) != 0 {
		t.Fatal("a partial file was left")
	}
}

func TestFetchRefusesOverlongAnswers(t *testing.T) {
	s := open(t)
	src := newSource(t, 10)
	for _, n := range []int{0, 11} {
		get := func(context.Context, chunk.ID, uint32, uint32) ([]byte, error) { return make([]byte, n), nil }
		if err := s.Fetch(t.Context(), src.file, get); !errors.Is(err, ErrChunk) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestTwoFetchesOfOneFileGetItOnce(t *testing.T) {
	s := open(t)
	src := newSource(t, 4*chunk.Size)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := s.Fetch(t.Context(), src.file, src.get); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if src.got != src.file.Size {
		t.Fatalf("got %d bytes", src.got)
	}
}

// zeros is a large file that takes no memory.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

func TestMemoryStaysFlat(t *testing.T) {
	const size = 500 << 20
	s := open(t)
	file, err := chunk.Read(&zeros{left: size})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer := make([]byte, chunk.MaxRange)
	err = s.Fetch(t.Context(), file, func(_ context.Context, _ chunk.ID, _, limit uint32) ([]byte, error) {
		return answer[:min(limit, chunk.MaxRange)], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Fatalf("%d bytes were allocated to fetch a file of %d", grown, size)
	}
	runtime.ReadMemStats(&before)
	if _, err := s.Add(&zeros{left: size / 8}, size); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Fatalf("%d bytes were allocated to keep a file of %d", grown, size/8)
	}
}
