package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"docaxis/internal/chunk"
	"docaxis/internal/sqlite"
	"docaxis/proto/axispb"
)

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Check(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func put(s *Store, data []byte, offset, n int) (*axispb.Held, error) {
	id := sha256.Sum256(data)
	return s.Put(context.Background(), "e1", &axispb.PutRequest{
		Digest: id[:], Size: uint32(len(data)), Offset: uint32(offset), Data: data[offset : offset+n],
	})
}

// A small document's chunk costs the database one commit when it comes and one when
// its document is accepted; its bytes are not read again.
func TestCommitsOfASmallDocument(t *testing.T) {
	s := openStore(t)
	data := []byte("một công văn")
	id := sha256.Sum256(data)
	before := s.rows.write.commits.Load()
	if _, err := put(s, data, 0, len(data)); err != nil {
		t.Fatal(err)
	}
	if got := s.rows.write.commits.Load() - before; got != 1 {
		t.Errorf("%d commits of an upload, want 1", got)
	}
	if !s.seenRight(id, uint64(len(data))) {
		t.Error("its file would be read again")
	}
	if err := s.Accepted(t.Context(), "e1", [][]byte{id[:]}); err != nil {
		t.Fatal(err)
	}
	if got := s.rows.write.commits.Load() - before; got != 2 {
		t.Errorf("%d commits in all, want 2", got)
	}
}

// Ranges of a large file's chunk: one commit at the first and one at the last, and what
// this process saw of it is remembered in between.
func TestCommitsOfALargeChunk(t *testing.T) {
	s := openStore(t)
	data := make([]byte, chunk.Size)
	before := s.rows.write.commits.Load()
	for at := 0; at < len(data); at += chunk.MaxRange {
		if _, err := put(s, data, at, chunk.MaxRange); err != nil {
			t.Fatal(err)
		}
		if last := at+chunk.MaxRange == len(data); len(s.up.all) != 1 && !last || len(s.up.all) != 0 && last {
			t.Errorf("%d uploads remembered after the range at %d", len(s.up.all), at)
		}
	}
	if got := s.rows.write.commits.Load() - before; got != 2 {
		t.Errorf("%d commits, want 2", got)
	}
}

// Of two ranges under way the second may come first: it is answered by what is held,
// and what was seen of the upload is not forgotten.
func TestARangeThatComesTooEarly(t *testing.T) {
	s := openStore(t)
	data := make([]byte, chunk.Size)
	for at := 0; at < len(data); at += chunk.MaxRange {
		if at > 0 && at+chunk.MaxRange < len(data) {
			held, err := put(s, data, at+chunk.MaxRange, chunk.MaxRange)
			if err != nil || held.GetBytes() != uint32(at) || len(s.up.all) != 1 {
				t.Errorf("too early: held %v, %v; %d uploads remembered", held, err, len(s.up.all))
			}
		}
		if _, err := put(s, data, at, chunk.MaxRange); err != nil {
			t.Fatal(err)
		}
	}
}

// A part that somebody cut is not written beyond its end: what is missing would be zeros
// of a chunk that counts as right.
func TestAPartThatWasCut(t *testing.T) {
	s := openStore(t)
	data := []byte(strings.Repeat("0123456789", 60<<10))
	if _, err := put(s, data, 0, chunk.MaxRange); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(s.partPath("e1", sha256.Sum256(data)), 1000); err != nil {
		t.Fatal(err)
	}
	if held, err := put(s, data, chunk.MaxRange, chunk.MaxRange); err == nil {
		t.Fatalf("held %v", held)
	}
	for at := 1000; at < len(data); {
		held, err := put(s, data, at, min(chunk.MaxRange, len(data)-at))
		if err != nil || int(held.GetBytes()) <= at {
			t.Fatalf("at %d: held %v, %v", at, held, err)
		}
		at = int(held.GetBytes())
	}
	if good, err := s.verify(sha256.Sum256(data)); err != nil || !good {
		t.Errorf("the chunk is right: %v, %v", good, err)
	}
}

// Changes that wait share a commit, and one of them that fails fails alone.
func TestChangesShareACommit(t *testing.T) {
	for failing, want := range map[int]uint64{-1: 2, 3: 1 + 9} { // the first by itself; after a failure, each
		t.Run(fmt.Sprint(failing), func(t *testing.T) { changesShareACommit(t, failing, want) })
	}
}

func changesShareACommit(t *testing.T, failing int, want uint64) {
	s := openStore(t)
	w := s.rows.write
	begun, goOn := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	before := w.commits.Load()
	all.Go(func() {
		err := w.in(t.Context(), func(*sqlite.Session) error {
			close(begun)
			<-goOn
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	made, charged := errors.New("made up"), int64(0)
	for i := range 10 {
		all.Go(func() {
			err := w.in(t.Context(), func(q *sqlite.Session) error {
				if i == failing {
					return made
				}
				return s.rows.charge(t.Context(), q, fmt.Sprint("e", i%3), 100, 1<<20)
			})
			if (i == failing) != errors.Is(err, made) {
				t.Errorf("change %d: %v", i, err)
			}
		})
		if i != failing {
			charged += 100
		}
	}
	for len(w.queue) < 10 {
		runtime.Gosched()
	}
	close(goOn)
	all.Wait()
	if got := w.commits.Load() - before; got != want {
		t.Errorf("%d commits, want %d", got, want)
	}
	var sum int64
	if err := s.rows.db.QueryRow(`SELECT sum(bytes) FROM usage`).Scan(&sum); err != nil || sum != charged {
		t.Errorf("charged %d, %v; want %d", sum, err, charged)
	}
	if _, err := s.rows.db.Exec(`DELETE FROM usage`); err != nil { // nothing was uploaded
		t.Fatal(err)
	}
}

// Nobody waits for ever for a store that is closed.
func TestAChangeAfterCloseIsRefused(t *testing.T) {
	s, err := Open(t.TempDir(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Accepted(t.Context(), "e1", [][]byte{make([]byte, 32)}); !errors.Is(err, errClosed) {
		t.Errorf("error %v", err)
	}
}

// What is remembered of uploads is bounded, whoever begins how many.
func TestUploadsRememberedAreBounded(t *testing.T) {
	var p progresses
	for i := range 2 * underWay {
		p.put(fmt.Sprint(i), &progress{})
	}
	if len(p.all) != underWay {
		t.Errorf("%d are remembered", len(p.all))
	}
	if p.take(fmt.Sprint(2*underWay-1)) == nil {
		t.Error("the newest is forgotten")
	}
}
