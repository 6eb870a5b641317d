package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver
)

const insert = `INSERT INTO t VALUES (?)`

func openDB(t *testing.T) (*sql.DB, *Session) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "t.db")+"?_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(t.Context(), db, insert)
	if err == nil {
		_, err = s.ExecContext(t.Context(), `CREATE TABLE t (n INTEGER PRIMARY KEY)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return db, s
}

func count(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow(`SELECT count(*) FROM t`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func add(s *Session, n int) func() error {
	return func() error {
		_, err := s.ExecContext(context.Background(), insert, n)
		return err
	}
}

func TestATransactionIsAllOrNothing(t *testing.T) {
	db, s := openDB(t)
	if err := s.In(t.Context(), add(s, 1)); err != nil {
		t.Fatal(err)
	}
	made := errors.New("made up")
	err := s.In(t.Context(), func() error { return errors.Join(add(s, 2)(), made) })
	if !errors.Is(err, made) {
		t.Errorf("error %v", err)
	}
	if err := s.In(t.Context(), func() error { return errors.Join(add(s, 3)(), add(s, 1)()) }); err == nil {
		t.Error("a row twice")
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.In(ended, add(s, 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("for nobody: %v", err)
	}
	if err := s.In(t.Context(), add(s, 5)); err != nil || count(t, db) != 2 {
		t.Errorf("after failures: %v, %d rows", err, count(t, db))
	}
}

// What an earlier user left open is ended, without a trace.
func TestAnOpenTransactionIsEnded(t *testing.T) {
	db, s := openDB(t)
	if err := errors.Join(s.BeginRead(t.Context()), add(s, 1)()); err != nil {
		t.Fatal(err)
	}
	if err := s.In(t.Context(), add(s, 2)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// A session that is closed leaves nothing behind that keeps SQLite from closing its
// file: the write-ahead log is gone.
func TestAClosedSessionLeavesNoLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(t.Context(), db, insert)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ExecContext(t.Context(), `CREATE TABLE t (n INTEGER PRIMARY KEY)`)
	if err := errors.Join(err, s.In(t.Context(), add(s, 1)), s.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is left: %v", err)
	}
}

// Whoever waits for a session may give up; one that is given back is had again.
func TestAPoolIsBounded(t *testing.T) {
	db, _ := openDB(t)
	p := NewPool(db, 1)
	s, err := p.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Take(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("one more than there are: %v", err)
	}
	p.Give(s)
	again, err := p.Take(t.Context())
	if err != nil || again != s {
		t.Errorf("another session, %v", err)
	}
	p.Give(again)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
