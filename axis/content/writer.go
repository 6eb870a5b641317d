package content

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"docaxis/internal/sqlite"
)

// atOnce bounds what one commit has.
const atOnce = 256

// errClosed is what a change meets after Close.
var errClosed = errors.New("the content store is closed")

// writer carries out the changes of content.db, in one goroutine over one connection:
// SQLite has one writer at a time, and who waits for its lock sleeps. Changes that come
// while others are committed share the next commit.
type writer struct {
	session *sqlite.Session
	queue   chan *change
	stop    chan struct{} // closed by close
	ended   chan struct{} // closed when run has returned
	commits atomic.Uint64 // that took place
}

// change is what somebody waits for. do may run again after it was rolled back.
type change struct {
	do   func(*sqlite.Session) error
	done chan error // buffered
}

func newWriter(db *sql.DB, queries ...string) (*writer, error) {
	session, err := sqlite.NewSession(context.Background(), db, queries...)
	if err != nil {
		return nil, err
	}
	w := &writer{session: session, queue: make(chan *change, atOnce), stop: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	return w, nil
}

// in carries out a change in a transaction, which commits when do returns nil. A
// change that is queued is waited for, whatever becomes of ctx: it takes no longer than
// the disk does.
func (w *writer) in(ctx context.Context, do func(*sqlite.Session) error) error {
	c := &change{do: do, done: make(chan error, 1)}
	select {
	case w.queue <- c:
	case <-w.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.done:
		return err
	case <-w.ended:
	}
	select {
	case err := <-c.done:
		return err
	default:
		return errClosed
	}
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case c := <-w.queue:
			w.commit(w.waiting(c))
		case <-w.stop:
			return
		}
	}
}

// waiting adds what waits without waiting for more.
func (w *writer) waiting(first *change) []*change {
	all := []*change{first}
	for len(all) < atOnce {
		select {
		case c := <-w.queue:
			all = append(all, c)
		default:
			return all
		}
	}
	return all
}

// commit carries out changes in one transaction; where one of them fails, each in one
// of its own, so that none suffers from another.
func (w *writer) commit(all []*change) {
	err := w.together(all)
	for _, c := range all {
		if err != nil && len(all) > 1 {
			c.done <- w.together([]*change{c})
			continue
		}
		c.done <- err
	}
}

func (w *writer) together(all []*change) error {
	err := w.session.In(context.Background(), func() error {
		for _, c := range all {
			if err := c.do(w.session); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		w.commits.Add(1)
	}
	return err
}

// close ends the goroutine; what is queued is not carried out.
func (w *writer) close() error {
	close(w.stop)
	<-w.ended
	return w.session.Close()
}
