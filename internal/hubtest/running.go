package hubtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// process is what runs by itself: an axis, an endpoint.
type process interface {
	Run(ctx context.Context) error
	Close() error
}

// running is a process that runs in a goroutine of its own.
type running[T process] struct {
	open   func(context.Context) (T, error)
	cancel context.CancelFunc
	done   chan struct{} // closed when it ended for good; err is set then
	err    error
	failed chan error // has err, too, for whoever watches

	mu       sync.Mutex
	part     T
	restarts int
}

// start opens a process and runs it. With again, one that ends by itself with an
// error is closed and opened again, as a service manager does with the real one.
func start[T process](ctx context.Context, open func(context.Context) (T, error), again bool, log *slog.Logger) (*running[T], error) {
	part, err := open(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running[T]{open: open, cancel: cancel, done: make(chan struct{}), failed: make(chan error, 1), part: part}
	go func() {
		defer close(r.done)
		r.err = r.run(ctx, again, log)
		r.failed <- r.err
	}()
	return r, nil
}

func (r *running[T]) run(ctx context.Context, again bool, log *slog.Logger) error {
	for {
		err := r.get().Run(ctx)
		if err == nil || ctx.Err() != nil || !again {
			return errors.Join(err, r.get().Close())
		}
		log.Warn("ended by itself and is started again", "error", err)
		if err := r.get().Close(); err != nil {
			log.Warn("closed with an error", "error", err)
		}
		switch err := r.reopen(ctx, log); {
		case errors.Is(err, errEnded):
			return nil
		case err != nil:
			return err
		}
	}
}

// reopenLimit is how often a start may fail in a row: a test that makes each one
// fail is to end.
const reopenLimit = 100

// errEnded: the end came while the process was down. What was closed does not run
// again.
var errEnded = errors.New("ended while it was down")

func (r *running[T]) reopen(ctx context.Context, log *slog.Logger) error {
	var err error
	for range reopenLimit {
		if ctx.Err() != nil {
			return errEnded
		}
		var part T
		if part, err = r.open(context.WithoutCancel(ctx)); err == nil {
			r.mu.Lock()
			r.part = part
			r.restarts++
			r.mu.Unlock()
			return nil
		}
		log.Warn("does not start", "error", err)
		wait(ctx, 10*time.Millisecond)
	}
	return fmt.Errorf("does not start: %w", err)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// get is the process as it runs now; after one that ended by itself, the closed
// one until the next is there.
func (r *running[T]) get() T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.part
}

func (r *running[T]) restarted() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.restarts
}

// stop ends the process; its error is what Run and Close returned.
func (r *running[T]) stop() error {
	r.cancel()
	<-r.done
	return r.err
}
