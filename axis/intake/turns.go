package intake

import (
	"context"
	"sync"
)

// turns shares places among endpoints. Each waits for its own share first, and only
// who has that waits for a place, so that behind whatever one endpoint sends at
// once another waits for no more than the first one's share.
type turns struct {
	all   chan struct{}
	share int

	mu   sync.Mutex // guards what follows
	each map[string]*places
}

// places are those of one endpoint, forgotten when nobody uses them.
type places struct {
	free  chan struct{}
	users int
}

func newTurns(all, share int) *turns {
	return &turns{all: make(chan struct{}, all), share: share, each: map[string]*places{}}
}

// take waits for a place; leave gives it back. The error is ctx's.
func (t *turns) take(ctx context.Context, endpoint string) (leave func(), err error) {
	own := t.enter(endpoint)
	if err := occupy(ctx, own.free); err != nil {
		t.exit(endpoint, own)
		return nil, err
	}
	if err := occupy(ctx, t.all); err != nil {
		<-own.free
		t.exit(endpoint, own)
		return nil, err
	}
	return func() {
		<-t.all
		<-own.free
		t.exit(endpoint, own)
	}, nil
}

func occupy(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turns) enter(endpoint string) *places {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.each[endpoint]
	if own == nil {
		own = &places{free: make(chan struct{}, t.share)}
		t.each[endpoint] = own
	}
	own.users++
	return own
}

func (t *turns) exit(endpoint string, own *places) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(t.each, endpoint)
	}
}
