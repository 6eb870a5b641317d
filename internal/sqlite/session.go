// Package sqlite owns connections to SQLite that parse a statement once, and
// transactions that cost no goroutine. It knows no table.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Session is one connection with the statements that it has parsed, for one goroutine
// at a time.
//
// Its transactions are begun and ended by statements: one of database/sql starts a
// goroutine for itself and one for each query, to cancel them, and parses what begins
// and ends it each time, which together cost more than the queries do. So a row that
// is asked for must be scanned, and rows closed, before the connection is closed.
type Session struct {
	*sql.Conn
	by map[string]*sql.Stmt
}

const (
	beginRead  = `BEGIN`
	beginWrite = `BEGIN IMMEDIATE`
	commit     = `COMMIT`
	rollback   = `ROLLBACK`
)

// NewSession takes a connection of its own; the queries are those worth remembering.
func NewSession(ctx context.Context, db *sql.DB, queries ...string) (*Session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a connection: %w", err)
	}
	s := &Session{Conn: conn, by: make(map[string]*sql.Stmt, len(queries)+4)}
	for _, q := range append([]string{beginRead, beginWrite, commit, rollback}, queries...) {
		s.by[q] = nil // parsed when it is used first
	}
	return s, nil
}

// statement is a query as it was parsed on this connection; nil for one that is not
// worth remembering.
func (s *Session) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	st, frequent := s.by[query]
	if st != nil || !frequent {
		return st, nil
	}
	st, err := s.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.40q: %w", query, err)
	}
	s.by[query] = st
	return st, nil
}

// Close gives the connection back to its database, without the statements: SQLite does
// not close a connection that has any, and so does not clear away the write-ahead log.
func (s *Session) Close() error {
	var errs []error
	for _, st := range s.by {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(append(errs, s.Conn.Close())...)
}

// QueryRowContext runs a query.
func (s *Session) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = Whole(ctx)
	if st, err := s.statement(ctx, query); err == nil && st != nil {
		return st.QueryRowContext(ctx, args...)
	}
	return s.Conn.QueryRowContext(ctx, query, args...) // has the error, where there was one
}

// QueryContext runs a query.
func (s *Session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx = Whole(ctx)
	st, err := s.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case st != nil:
		return st.QueryContext(ctx, args...)
	}
	return s.Conn.QueryContext(ctx, query, args...)
}

// ExecContext runs a change.
func (s *Session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx = Whole(ctx)
	st, err := s.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case st != nil:
		return st.ExecContext(ctx, args...)
	}
	return s.Conn.ExecContext(ctx, query, args...)
}

// BeginRead begins a transaction that only reads; Rollback ends it.
func (s *Session) BeginRead(ctx context.Context) error { return s.begin(ctx, beginRead) }

// Rollback ends a transaction without a trace.
func (s *Session) Rollback() error {
	_, err := s.ExecContext(context.Background(), rollback)
	return err
}

// begin begins a transaction. One that an earlier user could not end is ended first.
func (s *Session) begin(ctx context.Context, how string) error {
	_, err := s.ExecContext(ctx, how)
	if err != nil && ctx.Err() == nil && s.Rollback() == nil {
		_, err = s.ExecContext(ctx, how)
	}
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// In runs f in a transaction that writes, which commits when f returns nil. After an
// error nothing of it is there.
func (s *Session) In(ctx context.Context, f func() error) error {
	if err := s.begin(ctx, beginWrite); err != nil {
		return err
	}
	err := f()
	if err == nil {
		if _, err = s.ExecContext(ctx, commit); err == nil {
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	// A failure may have ended the transaction by itself: the first error counts.
	s.Rollback() //nolint:errcheck // see above
	return err
}

// Whole is a context for statements that are not worth cancelling, unless it has ended:
// watching for its end costs a goroutine each, in database/sql and in the driver.
func Whole(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// Pool is sessions of which whoever needs one waits until one is free. They are opened
// when they are needed first.
type Pool struct {
	db      *sql.DB
	queries []string
	free    chan *Session // nil: not open yet
}

// NewPool makes a pool of at most n connections of db.
func NewPool(db *sql.DB, n int, queries ...string) *Pool {
	p := &Pool{db: db, queries: queries, free: make(chan *Session, n)}
	for range n {
		p.free <- nil
	}
	return p
}

// Take waits for a session; the caller must Give it back.
func (p *Pool) Take(ctx context.Context) (s *Session, err error) {
	select {
	case s = <-p.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s == nil {
		if s, err = NewSession(Whole(ctx), p.db, p.queries...); err != nil {
			p.free <- nil
		}
	}
	return s, err
}

// Give gives a session back, outside of any transaction.
func (p *Pool) Give(s *Session) { p.free <- s }

// Close closes the sessions that nobody has.
func (p *Pool) Close() error {
	var errs []error
	for range cap(p.free) {
		select {
		case s := <-p.free:
			if s != nil {
				errs = append(errs, s.Close())
			}
		default:
		}
	}
	return errors.Join(errs...)
}
