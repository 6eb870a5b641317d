package ledger

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A parameter that is a limit by itself makes SQLite parse the query again at each use.
func TestFrequentQueriesHaveNoBareLimit(t *testing.T) {
	for _, q := range slices.Concat(frequentReads(), frequentLooks(), frequentWrites()) {
		if strings.Contains(q, "LIMIT ?") {
			t.Errorf("parsed each time: %s", q)
		}
	}
}

// What was applied is known without asking the database: each receipt needs it.
func TestReadersOfNewRecordsAskNoDatabase(t *testing.T) {
	b := openBook(t)
	for i := range 3 * recentBlocks / 2 {
		b.apply(Record{Document: document(string(rune('a'+i%26)) + strings.Repeat("x", i/26))})
	}
	want := b.after
	if err := errors.Join(b.l.look.Close(), b.l.read.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := b.l.Position(t.Context())
	if err != nil || got.Root != want.Root || got.Size != want.Size {
		t.Errorf("position %+v, %v; want %+v", got, err, want)
	}
	for leaf := want.Size - recentBlocks; leaf < want.Size; leaf++ {
		at, found, err := b.l.Locate(t.Context(), leaf)
		if err != nil || !found || at != (Location{Position: leaf, Stream: 1, Seq: leaf + 1}) {
			t.Fatalf("record %d is at %+v, %v, %v", leaf, at, found, err)
		}
	}
	ids := []int64{int64(len(b.tree)) - 1, int64(len(b.tree)) - 2, int64(len(b.tree)) / 2}
	hashes, err := b.l.ReadHashes(ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if hashes[i] != b.tree[id] {
			t.Errorf("hash %d differs", id)
		}
	}
	if _, _, err := b.l.Locate(t.Context(), 0); err == nil {
		t.Error("an old record is found without a database")
	}
}

// Whoever applied nothing reads what the file says.
func TestAnotherReaderSeesWhatIsApplied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	writer, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	other, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	b := &book{t: t, l: writer}
	for range 2 {
		b.apply(Record{Document: document(strings.Repeat("d", int(b.after.Size)+1))})
		if err := writer.SetCheckpoint(t.Context(), 2, []byte("signed anew")); err != nil {
			t.Fatal(err)
		}
		for _, l := range []*Ledger{writer, other} {
			at, err := l.Position(t.Context())
			if err != nil || at.Size != b.after.Size || at.Epoch != 2 || string(at.Checkpoint) != "signed anew" {
				t.Errorf("at %+v, %v", at, err)
			}
			if _, found, err := l.Locate(t.Context(), b.after.Size-1); !found || err != nil {
				t.Errorf("the last record: %v, %v", found, err)
			}
		}
	}
}

// A transaction that failed leaves nothing behind, and the next one goes on.
func TestAFailedTransactionIsUndone(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Document: document("one")})
	broken := b.next(Record{Document: document("two")})
	broken.Records[0].Position = 0 // there already, but the block's hashes are written before
	if _, err := b.l.Apply(t.Context(), broken); err == nil {
		t.Fatal("a record is applied twice")
	}
	at, err := position(t.Context(), b.l.look)
	if err != nil || at.Size != 1 {
		t.Fatalf("at %+v, %v", at, err)
	}
	broken.Records[0].Position = 1
	if _, err := b.l.Apply(t.Context(), broken); err != nil {
		t.Error(err)
	}
}

// Whoever waits for a snapshot may give up, and what was given back can be had again.
func TestSnapshotsAreBounded(t *testing.T) {
	b := openBook(t)
	var all []*Snapshot
	for range readers {
		s, err := b.l.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.l.Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("one more than there may be: %v", err)
	}
	for range 2 {
		for i, s := range all {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s.Close() != sql.ErrTxDone {
				t.Error("closed twice")
			}
			var err error
			if all[i], err = b.l.Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, s := range all {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
