package files

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is added to be durable soon is there after Settle, and nothing is left of it
// half done when the hold ends.
func TestAddSoonIsThereWhenSettled(t *testing.T) {
	s := open(t)
	var bodies [][]byte
	for n := range 12 {
		bodies = append(bodies, random(100+n))
	}
	bodies = append(bodies, bodies[3]) // one comes twice
	h := s.Hold()
	for _, b := range bodies {
		if f, err := h.AddSoon(bytes.NewReader(b), 1000); err != nil || f.Size != uint64(len(b)) {
			t.Fatalf("%d bytes of %d: %v", f.Size, len(b), err)
		}
	}
	if err := h.Settle(); err != nil {
		t.Fatal(err)
	}
	for _, b := range bodies {
		if got, err := s.Read(describe(t, b).Digest, 1000); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%d bytes of %d: %v", len(got), len(b), err)
		}
	}
	h.Release()
	if left, err := os.ReadDir(s.temp()); err != nil || len(left) != 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
}

func TestSettleSaysWhatCouldNotBeKept(t *testing.T) {
	s := open(t)
	good, bad := random(300), random(400)
	folder := s.folder(describe(t, bad).Digest)
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	h := s.Hold()
	for _, b := range [][]byte{bad, good} {
		if _, err := h.AddSoon(bytes.NewReader(b), 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Settle(); err == nil {
		t.Error("nothing is said of a body that could not be kept")
	}
	h.Release()
	if left, err := os.ReadDir(s.temp()); err != nil || len(left) != 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
	if err := os.Mkdir(filepath.Clean(folder), 0o700); err != nil {
		t.Fatal(err)
	}
}
