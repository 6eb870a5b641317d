package content_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// rig is a store under test: checked whenever it is closed.
type rig struct {
	*content.Store
	t   *testing.T
	dir string
}

// open opens a store that is checked and closed when the test ends.
func open(t *testing.T, dir string, cfg content.Config) *rig {
	t.Helper()
	s := &rig{t: t, dir: dir}
	s.start(cfg)
	t.Cleanup(s.shut)
	return s
}

func (s *rig) start(cfg content.Config) {
	s.t.Helper()
	var err error
	if s.Store, err = content.Open(s.dir, cfg); err != nil {
		s.t.Fatal(err)
	}
}

func (s *rig) shut() {
	s.t.Helper()
	if err := s.Check(); err != nil {
		s.t.Errorf("check: %v", err)
	}
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

// restart stands for a restart of the axis.
func (s *rig) restart(cfg content.Config) {
	s.t.Helper()
	s.shut()
	s.start(cfg)
}

// bytesOf makes n bytes that differ from seed to seed.
func bytesOf(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	data := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(data)
	return data
}

func idOf(data []byte) chunk.ID { return sha256.Sum256(data) }

func rangeOf(data []byte, offset, n int) *axispb.PutRequest {
	id := idOf(data)
	return &axispb.PutRequest{
		Digest: id[:], Size: uint32(len(data)), Offset: uint32(offset),
		Data: data[offset:min(offset+n, len(data))],
	}
}

// upload does as an endpoint does: asks what is held, and sends from there on.
func upload(s *rig, endpoint string, data []byte) error {
	id := idOf(data)
	held, err := s.Have(context.Background(), endpoint, [][]byte{id[:]})
	if err != nil {
		return err
	}
	for h := held[0]; !h.Complete; {
		if h, err = s.Put(context.Background(), endpoint, rangeOf(data, int(h.Bytes), chunk.MaxRange)); err != nil {
			return err
		}
	}
	return nil
}

func mustUpload(t *testing.T, s *rig, endpoint string, data ...[]byte) {
	t.Helper()
	for _, d := range data {
		if err := upload(s, endpoint, d); err != nil {
			t.Fatalf("upload by %s: %v", endpoint, err)
		}
	}
}

// heldBy is what Have says of one chunk.
func heldBy(t *testing.T, s *rig, endpoint string, data []byte) (n int, whole bool) {
	t.Helper()
	id := idOf(data)
	held, err := s.Have(t.Context(), endpoint, [][]byte{id[:]})
	if err != nil {
		t.Fatal(err)
	}
	return int(held[0].Bytes), held[0].Complete
}

// wantHeld compares what Have says.
func wantHeld(t *testing.T, s *rig, endpoint string, data []byte, n int, whole bool) {
	t.Helper()
	if gotN, gotWhole := heldBy(t, s, endpoint, data); gotN != n || gotWhole != whole {
		t.Errorf("held from %s: %d bytes, complete %v; want %d, %v", endpoint, gotN, gotWhole, n, whole)
	}
}

// wantServed reads a chunk back range by range.
func wantServed(t *testing.T, s *rig, data []byte) {
	t.Helper()
	for at := 0; at < len(data); at += chunk.MaxRange {
		n := min(chunk.MaxRange, len(data)-at)
		got, err := s.ReadRange(t.Context(), idOf(data), uint32(at), uint32(n))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data[at:at+n]) {
			t.Errorf("range at %d differs", at)
		}
	}
}

// wantReason compares the reason of an error and whether it may pass.
func wantReason(t *testing.T, err error, code axispb.ReasonCode, temporary bool) {
	t.Helper()
	if !reason.Is(err, code) {
		t.Fatalf("error %v, want %v", err, code)
	}
	if reason.IsTemporary(err) != temporary {
		t.Errorf("%v: temporary is %v", err, !temporary)
	}
}

func chunkFile(dir string, data []byte) string {
	name := idOf(data).String()
	return filepath.Join(dir, "chunks", name[:2], name)
}

// partFiles lists the names under parts.
func partFiles(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "parts", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// clock is a time that the test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time          { return c.now }
func (c *clock) forward(d time.Duration) { c.now = c.now.Add(d) }

func newClock() *clock { return &clock{now: time.Now()} }

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func loseDatabase(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"content.db", "content.db-wal", "content.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

func TestFolderWithOddName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c=%20#d")
	s := open(t, dir, content.Config{})
	mustUpload(t, s, "e1", bytesOf(1, 100))
	if _, err := os.Stat(filepath.Join(dir, "content.db")); err != nil {
		t.Error(err)
	}
}

func TestRunSweepsUntilStopped(t *testing.T) {
	dir, now := t.TempDir(), newClock()
	s := open(t, dir, content.Config{Now: now.Now, PinFor: time.Hour})
	data := bytesOf(1, 100)
	if _, err := s.Put(t.Context(), "e1", rangeOf(data, 0, 50)); err != nil {
		t.Fatal(err)
	}
	now.forward(2 * time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); len(partFiles(t, dir)) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the part was not swept")
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Losing content.db costs uploads, never content.
func TestLostDatabase(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, content.Config{})
	accepted, waiting, begun := bytesOf(1, 5000), bytesOf(2, 6000), bytesOf(3, 7000)
	mustUpload(t, s, "e1", accepted, waiting)
	if _, err := s.Put(t.Context(), "e1", rangeOf(begun, 0, 3000)); err != nil {
		t.Fatal(err)
	}
	s.shut()
	loseDatabase(t, dir)
	s.start(content.Config{})
	for _, data := range [][]byte{accepted, waiting} {
		wantServed(t, s, data)
		wantHeld(t, s, "e1", data, 0, false)
	}
	wantHeld(t, s, "e1", begun, 3000, false)
	id := idOf(accepted)
	if err := s.Accepted(t.Context(), "e1", [][]byte{id[:]}); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, s, "e1", accepted, len(accepted), true)
	mustUpload(t, s, "e1", waiting, begun)
	wantServed(t, s, begun)
}

func TestBrokenDatabaseSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "content.db"), bytesOf(1, 8192))
	_, err := content.Open(dir, content.Config{})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("may be moved away")) {
		t.Errorf("error %v", err)
	}
}
