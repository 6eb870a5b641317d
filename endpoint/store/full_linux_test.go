package store

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

// The kernel refuses the writes of a real commit, at whatever page it comes to: a
// process that may make no larger file meets what a full disk is. In a process of its
// own, because the limit is the process's.
func TestTheKernelRefusesACommit(t *testing.T) {
	if os.Getenv("DOCAXIS_LIMITED") != "" {
		limited(t, os.Getenv("DOCAXIS_LIMITED"))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestTheKernelRefusesACommit$", "-test.v")
	cmd.Env = append(os.Environ(), "DOCAXIS_LIMITED="+filepath.Join(t.TempDir(), "db"))
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("refused and resumed")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func limited(t *testing.T, path string) {
	signal.Ignore(syscall.SIGXFSZ)
	d := open(t, path)
	value := bytes.Repeat([]byte{7}, 3000)
	fill := func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(epochBucket))
		n, _ := b.NextSequence()
		return b.Put([]byte{byte(n >> 8), byte(n)}, value)
	}
	var none syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &none); err != nil {
		t.Fatal(err)
	}
	written := 0
	for limit := uint64(40 << 10); limit < 400<<10; limit += 12 << 10 {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: none.Max}); err != nil {
			t.Fatal(err)
		}
		for {
			err := d.Update(t.Context(), fill)
			if err == nil {
				written++
				continue
			}
			if !errors.Is(err, ErrNoRoom) {
				t.Fatalf("with %d bytes: %v", limit, err)
			}
			break
		}
		if n := len(keys(t, d)); n != written {
			t.Fatalf("with %d bytes: %d entries of %d", limit, n, written)
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &none); err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	err := d.bolt.View(func(tx *bbolt.Tx) error {
		var found []error
		for err := range tx.Check() {
			found = append(found, err)
		}
		return errors.Join(found...)
	})
	d.Close()
	d = open(t, path)
	if n := len(keys(t, d)); n != written+1 || err != nil || written < 20 {
		t.Fatalf("%d entries of %d: %v", n, written+1, err)
	}
	d.Close()
	t.Log("refused and resumed")
}
