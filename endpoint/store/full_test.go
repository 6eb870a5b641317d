package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

// full fails points of the store as a full disk does.
type full struct{ at string }

func (f *full) hook(point string) error {
	if point == f.at {
		return fmt.Errorf("write: %w", syscall.ENOSPC)
	}
	return nil
}

func keys(t *testing.T, d *DB) (all []string) {
	t.Helper()
	err := d.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(epochBucket)).ForEach(func(k, _ []byte) error {
			all = append(all, string(k))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A commit for which there is no room changes nothing, and the store goes on: what
// is there is read, and the same change is made when there is room.
func TestAFullDiskBreaksNothing(t *testing.T) {
	f := &full{}
	d, err := OpenWith(filepath.Join(t.TempDir(), "db"), f.hook)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Update(t.Context(), put("a")); err != nil {
		t.Fatal(err)
	}
	f.at = "store.write.before"
	for range 3 {
		if err := d.Update(t.Context(), put("b")); !errors.Is(err, ErrNoRoom) || errors.Is(err, ErrBroken) {
			t.Fatalf("on a full disk: %v", err)
		}
	}
	if got := fmt.Sprint(keys(t, d)); got != "[a]" {
		t.Fatalf("on a full disk the store has %s", got)
	}
	f.at = ""
	if err := d.Update(t.Context(), put("b")); err != nil {
		t.Fatalf("when there is room again: %v", err)
	}
	if got := fmt.Sprint(keys(t, d)); got != "[a b]" {
		t.Fatalf("when there is room again the store has %s", got)
	}
}

// An error after the commit was written says nothing about what is on the disk:
// nothing may go on with it.
func TestAnUnclearCommitIsNotTakenForAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	f := &full{at: "store.write.after"}
	d, err := OpenWith(path, f.hook)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), put("a")); !errors.Is(err, ErrBroken) {
		t.Fatalf("got %v", err)
	}
	f.at = ""
	if err := d.Update(t.Context(), put("b")); !errors.Is(err, ErrBroken) {
		t.Fatalf("after it: %v", err)
	}
	d.Close()
	d = open(t, path)
	defer d.Close()
	if got := fmt.Sprint(keys(t, d)); got != "[a]" {
		t.Fatalf("after a new start the store has %s", got)
	}
}
