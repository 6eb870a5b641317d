package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(key string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(epochBucket)).Put([]byte(key), []byte("x")) }
}

func count(t *testing.T, d *DB) int {
	t.Helper()
	n := 0
	if err := d.View(func(tx *bbolt.Tx) error { n = len(Epochs(tx)); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNewerFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := open(t, path)
	err := d.Update(t.Context(), func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(metaBucket)).Put([]byte(formatKey), []byte{0, 0, 0, Format + 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := Open(path); !errors.Is(err, ErrNewer) {
		t.Fatalf("got %v", err)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := open(t, path)
	defer d.Close()
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("got %v", err)
	}
}

func TestUpdateAfterClose(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "db"))
	d.Close()
	if err := d.Update(t.Context(), put("a")); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if err := d.View(func(*bbolt.Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
}

// One change that fails, after it has written, leaves nothing of itself and
// everything of the others, though they share a commit.
func TestFailingChangeTakesNoOtherAlong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := open(t, path)
	bad := errors.New("bad")
	group := make([]*request, 0, 10)
	for i := range 10 {
		change := put(fmt.Sprint("key", i))
		if i%3 == 1 {
			inner := change
			change = func(tx *bbolt.Tx) error { return errors.Join(inner(tx), bad) }
		}
		group = append(group, &request{change: change, done: make(chan error, 1)})
	}
	d.commit(append([]*request(nil), group...))
	for i, r := range group {
		if err := <-r.done; errors.Is(err, bad) != (i%3 == 1) {
			t.Errorf("change %d: %v", i, err)
		}
	}
	d.Close()
	d = open(t, path)
	defer d.Close()
	if n := count(t, d); n != 7 {
		t.Fatalf("%d changes are there", n)
	}
}

// A change that failed only because of one that was undone is made after all.
func TestFailureCausedByAnUndoneChange(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "db"))
	defer d.Close()
	bad := errors.New("bad")
	once := func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(epochBucket)).Get([]byte("key")) != nil {
			return errors.New("there already")
		}
		return put("key")(tx)
	}
	group := []*request{
		{change: once, done: make(chan error, 1)},
		{change: func(tx *bbolt.Tx) error { return errors.Join(put("other")(tx), bad) }, done: make(chan error, 1)},
		{change: once, done: make(chan error, 1)},
	}
	d.commit(append([]*request(nil), group...))
	if err := <-group[0].done; err != nil {
		t.Error(err)
	}
	if err := <-group[1].done; !errors.Is(err, bad) {
		t.Error(err)
	}
	if err := <-group[2].done; err == nil {
		t.Error("the second was not refused")
	}
	if n := count(t, d); n != 1 {
		t.Fatalf("%d keys", n)
	}
}

func TestConcurrentUpdatesAreDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := open(t, path)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if err := d.Update(t.Context(), put(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d.Close()
	d = open(t, path)
	defer d.Close()
	if n := count(t, d); n != 200 {
		t.Fatalf("%d of 200", n)
	}
}

func TestAfterAFailedCommitNothingIsWritten(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "db"))
	defer d.Close()
	err := fmt.Errorf("%w: disk", ErrBroken)
	d.broken.Store(&err)
	if err := d.Update(t.Context(), put("a")); !errors.Is(err, ErrBroken) {
		t.Fatalf("got %v", err)
	}
	if count(t, d) != 0 {
		t.Fatal("something was written")
	}
}

func TestProgressEpochsAndParking(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := open(t, path)
	want := &axispb.Progress{Version: 1, Epoch: 3, Counter: 9}
	err := d.Update(t.Context(), func(tx *bbolt.Tx) error {
		return errors.Join(PutProgress(tx, want), AddEpoch(tx, 2, []byte("two")), AddEpoch(tx, 1, []byte("one")),
			Park(tx, &axispb.Trouble{Detail: "split"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open(t, path)
	defer d.Close()
	err = d.View(func(tx *bbolt.Tx) error {
		got, err := Progress(tx)
		if err != nil || !proto.Equal(got, want) {
			t.Errorf("progress %v, %v", got, err)
		}
		if e := Epochs(tx); len(e) != 2 || string(e[0]) != "one" {
			t.Errorf("epochs %q", e)
		}
		if why, err := Parked(tx); err != nil || why.GetDetail() != "split" {
			t.Errorf("parked %v, %v", why, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), Unpark); err != nil {
		t.Fatal(err)
	}
	_ = d.View(func(tx *bbolt.Tx) error {
		if why, _ := Parked(tx); why != nil {
			t.Error("still parked")
		}
		return nil
	})
}
