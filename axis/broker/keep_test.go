package broker

import (
	"os"
	"path/filepath"
	"testing"
)

const first = "JOURNAL-000001"

// stored is a folder with a stream of two blocks.
func stored(t *testing.T) kept {
	t.Helper()
	k := kept{t.TempDir()}
	put(t, filepath.Join(k.streams(), first, "meta.inf"), "{}")
	put(t, filepath.Join(k.streams(), first, "msgs", "1.blk"), "one")
	put(t, filepath.Join(k.streams(), first, "msgs", "2.blk"), "two")
	return k
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// has compares the blocks of the stream; the second names must be gone.
func (k kept) has(t *testing.T, blocks ...string) {
	t.Helper()
	names := []string{"1.blk", "2.blk"}
	for i, want := range blocks {
		got, err := os.ReadFile(filepath.Join(k.streams(), first, "msgs", names[i]))
		if want == "" && os.IsNotExist(err) {
			continue
		}
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", names[i], got, err, want)
		}
	}
	if _, err := os.Stat(k.folder()); !os.IsNotExist(err) {
		t.Errorf("second names are left: %v", err)
	}
}

// What a server does with a stream while it starts, and what is there afterwards.
func TestWhatTheServerRemovesIsPutBack(t *testing.T) {
	remove := func(t *testing.T, k kept) {
		if err := os.RemoveAll(filepath.Join(k.streams(), first)); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		server func(t *testing.T, k kept)
		lost   bool
		blocks []string
	}{
		"nothing": {func(*testing.T, kept) {}, false, []string{"one", "two"}},
		"removed": {remove, true, []string{"one", "two"}},
		"removed, and made anew": {func(t *testing.T, k kept) {
			remove(t, k)
			put(t, filepath.Join(k.streams(), first, "msgs", "1.blk"), "")
		}, true, []string{"one", "two"}},
		"all removed": {func(t *testing.T, k kept) {
			if err := os.RemoveAll(filepath.Join(k.dir, "jetstream")); err != nil {
				t.Fatal(err)
			}
		}, true, []string{"one", "two"}},
		"appended": {func(t *testing.T, k kept) {
			put(t, filepath.Join(k.streams(), first, "msgs", "2.blk"), "two and more")
		}, false, []string{"one", "two and more"}},
		"an empty block made anew": {func(t *testing.T, k kept) {
			path := filepath.Join(k.streams(), first, "msgs", "2.blk")
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			put(t, path, "")
		}, false, []string{"one", ""}},
		"all blocks written anew": {func(t *testing.T, k kept) {
			remove(t, k)
			put(t, filepath.Join(k.streams(), first, "msgs", "1.blk"), "on")
			put(t, filepath.Join(k.streams(), first, "msgs", "2.blk"), "")
		}, false, []string{"on", ""}},
		"blocks under other names": {func(t *testing.T, k kept) {
			remove(t, k)
			put(t, filepath.Join(k.streams(), first, "msgs", "3.blk"), "one and two")
		}, false, []string{"", ""}},
		"cut": {func(t *testing.T, k kept) {
			if err := os.Remove(filepath.Join(k.streams(), first, "msgs", "2.blk")); err != nil {
				t.Fatal(err)
			}
		}, false, []string{"one", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			k := stored(t)
			if _, err := keep(k.dir); err != nil {
				t.Fatal(err)
			}
			c.server(t, k)
			if err := k.whole(); (err != nil) != c.lost {
				t.Errorf("whole: %v", err)
			}
			// The process may have died: the next start puts back, and gives names again.
			if _, err := keep(k.dir); err != nil {
				t.Fatal(err)
			}
			if err := k.whole(); err != nil {
				t.Errorf("after the next start: %v", err)
			}
			if err := k.settle(); err != nil {
				t.Fatal(err)
			}
			k.has(t, c.blocks...)
		})
	}
}
