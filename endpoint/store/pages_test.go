package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/store"
	"docaxis/internal/lang"
)

// filled makes a store with buckets of every shape: a tree of pages, values over
// several pages, one inside its parent.
func filled(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 12 {
		err := db.Update(t.Context(), func(tx *bbolt.Tx) error {
			many, err := tx.CreateBucketIfNotExists([]byte("many"))
			if err != nil {
				return err
			}
			few, err := tx.CreateBucketIfNotExists([]byte("few"))
			if err != nil {
				return err
			}
			for i := range 60 {
				key := fmt.Appendf(nil, "key %d of %d", i, n)
				if err := many.Put(key, bytes.Repeat(key, 1+i*i%200)); err != nil {
					return err
				}
			}
			return few.Put([]byte("n"), []byte{byte(n)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A damaged file is refused in words, or harmless to bbolt: it never panics, nor ends
// the process.
func TestDamagedPagesAreRefused(t *testing.T) {
	whole, r := filled(t), rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "db")
	refused := 0
	for range 250 {
		b := bytes.Clone(whole)
		switch at := r.IntN(len(b)); r.IntN(4) {
		case 0:
			b = b[:at]
		case 1:
			b[at] ^= 1 << r.IntN(8)
		case 2:
			b[at/4096*4096+r.IntN(64)] ^= 1 << r.IntN(8) // heads and elements of pages
		case 3:
			clear(b[at/4096*4096:][:4096])
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := openAndRead(path); errors.Is(err, store.ErrDamaged) {
			refused++
			if !bytes.Equal(b, mustRead(t, path)) {
				t.Fatal("a damaged file was changed")
			}
			if vi, en := lang.Say(err, lang.Vietnamese), lang.Say(err, lang.English); vi == en || !bytes.Contains([]byte(vi), []byte(path)) {
				t.Fatalf("it says %q and %q", vi, en)
			}
		}
	}
	if refused < 50 {
		t.Errorf("only %d damaged files were refused", refused)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openAndRead(path); err != nil {
		t.Errorf("a whole file: %v", err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openAndRead goes through all that a store has, and writes.
func openAndRead(path string) error {
	db, err := store.Open(path)
	if err != nil {
		return err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				_ = bytes.Compare(k, v)
				return nil
			})
		})
	})
	return errors.Join(err, db.Close())
}
