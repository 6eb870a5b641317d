package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// session is one connection with the statements that it has parsed, for one goroutine
// at a time.
//
// Its transactions are begun and ended by statements: one of database/sql starts a
// goroutine for itself and one for each query, to cancel them, and parses what begins
// and ends it each time, which together cost more than the queries do.
type session struct {
	*sql.Conn
	by statements
}

// What begins and ends transactions.
const (
	beginRead  = `BEGIN`
	beginWrite = `BEGIN IMMEDIATE`
	commit     = `COMMIT`
	rollback   = `ROLLBACK`
)

// newSession takes a connection of its own; the queries are those worth remembering.
func newSession(ctx context.Context, db *sql.DB, queries []string) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a connection: %w", err)
	}
	s := &session{Conn: conn, by: make(statements, len(queries)+4)}
	for _, q := range append([]string{beginRead, beginWrite, commit, rollback}, queries...) {
		s.by[q] = nil // parsed when it is used first
	}
	return s, nil
}

// statement is a query as it was parsed on this connection; nil for one that is not
// worth remembering.
func (s *session) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	st, frequent := s.by[query]
	if st != nil || !frequent {
		return st, nil
	}
	st, err := s.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.40q: %w", query, err)
	}
	s.by[query] = st // closed with the connection
	return st, nil
}

// QueryRowContext runs a query.
func (s *session) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = whole(ctx)
	if st, err := s.statement(ctx, query); err == nil && st != nil {
		return st.QueryRowContext(ctx, args...)
	}
	return s.Conn.QueryRowContext(ctx, query, args...) // has the error, where there was one
}

// QueryContext runs a query.
func (s *session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx = whole(ctx)
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
func (s *session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx = whole(ctx)
	st, err := s.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case st != nil:
		return st.ExecContext(ctx, args...)
	}
	return s.Conn.ExecContext(ctx, query, args...)
}

// begin begins a transaction. One that an earlier user could not end is ended first.
func (s *session) begin(ctx context.Context, how string) error {
	if _, err := s.ExecContext(ctx, how); err != nil {
		if _, stuck := s.ExecContext(ctx, rollback); stuck != nil {
			return fmt.Errorf("begin: %w", err)
		}
		if _, err := s.ExecContext(ctx, how); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	return nil
}

// in runs f in a transaction, which commits when f returns nil.
func (s *session) in(ctx context.Context, f func() error) error {
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
	s.ExecContext(context.WithoutCancel(ctx), rollback) //nolint:errcheck // see above
	return err
}

// whole is a context for statements that are not worth cancelling, unless it has ended:
// watching for its end costs a goroutine each.
func whole(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// sessions are connections of which whoever needs one waits until one is free. They
// are opened when they are needed first.
type sessions struct {
	db      *sql.DB
	queries []string
	free    chan *session // nil: not open yet
}

func newSessions(db *sql.DB, n int, queries []string) *sessions {
	all := &sessions{db: db, queries: queries, free: make(chan *session, n)}
	for range n {
		all.free <- nil
	}
	return all
}

// take waits for a connection; the caller must give it back.
func (all *sessions) take(ctx context.Context) (s *session, err error) {
	select {
	case s = <-all.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s == nil {
		if s, err = newSession(whole(ctx), all.db, all.queries); err != nil {
			all.free <- nil
		}
	}
	return s, err
}

func (all *sessions) give(s *session) { all.free <- s }

// close closes those that nobody has.
func (all *sessions) close() error {
	var errs []error
	for range cap(all.free) {
		select {
		case s := <-all.free:
			if s != nil {
				errs = append(errs, s.Close())
			}
		default:
		}
	}
	return errors.Join(errs...)
}
