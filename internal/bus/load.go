package bus

import (
	"sync"
	"time"
)

// verdict is what becomes of a request.
type verdict int

const (
	taken verdict = iota
	// busy is to be said.
	busy
	// ignored is not worth an answer any more: it would cost the others.
	ignored
	// excess is ignored, and to be reported.
	excess
)

// load counts what each endpoint has under way. It is the only thing between a
// flooding endpoint and the others, so it never waits.
type load struct {
	cfg ServeConfig

	mu        sync.Mutex // guards what follows
	bytes     int64
	requests  int
	endpoints map[string]*share
	draining  bool
	idle      chan struct{} // closed when draining and nothing is under way
}

// share is one endpoint's part.
type share struct {
	requests int
	bytes    int64
	refused  int       // in the window that began at since
	since    time.Time // zero when nothing was refused
	reported bool      // a report of excess is under way
}

func newLoad(cfg ServeConfig) *load {
	return &load{cfg: cfg, endpoints: make(map[string]*share), idle: make(chan struct{})}
}

// take decides on a request of so many bytes. After taken, done and then answered must
// follow.
func (l *load) take(endpoint string, size int64) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining {
		return busy
	}
	s := l.endpoints[endpoint]
	if s == nil {
		s = new(share)
		l.endpoints[endpoint] = s
	}
	own := s.requests >= l.cfg.MaxRequests || s.bytes+size > l.cfg.MaxBytes
	if own {
		return l.refuse(s)
	}
	// No fault of this endpoint, so nothing that counts against it.
	if l.bytes+size > l.cfg.MaxTotalBytes {
		l.forget(endpoint, s)
		return busy
	}
	s.requests++
	s.bytes += size
	l.requests++
	l.bytes += size
	return taken
}

// refuse answers so many requests too many in a window of time. What comes on
// top of them is reported again and again, but by one report at a time.
func (l *load) refuse(s *share) verdict {
	now := l.cfg.Now()
	if s.since.IsZero() || now.Sub(s.since) > l.cfg.ExcessWindow {
		s.since, s.refused = now, 0
	}
	s.refused++
	switch {
	case s.refused <= l.cfg.ExcessCount:
		return busy
	case s.refused%l.cfg.ExcessCount == 1 && !s.reported:
		s.reported = true
		return excess
	default:
		return ignored
	}
}

// heard ends a report of excess.
func (l *load) heard(endpoint string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.endpoints[endpoint]; s != nil {
		s.reported = false
	}
}

// done gives back what take took of the endpoint's share. It comes before the answer:
// whoever has that may ask again at once.
func (l *load) done(endpoint string, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.endpoints[endpoint]
	s.requests--
	s.bytes -= size
	l.bytes -= size
	l.forget(endpoint, s)
}

// answered ends a request.
func (l *load) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests--
	l.settle()
}

// forget drops what says nothing any more.
func (l *load) forget(endpoint string, s *share) {
	over := s.since.IsZero() || l.cfg.Now().Sub(s.since) > l.cfg.ExcessWindow
	if s.requests == 0 && over && !s.reported {
		delete(l.endpoints, endpoint)
	}
}

// drain takes no more, and gives a channel that closes when all is done.
func (l *load) drain() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.draining {
		l.draining = true
		l.settle()
	}
	return l.idle
}

func (l *load) settle() {
	if l.draining && l.requests == 0 {
		close(l.idle)
	}
}

func (l *load) underWay() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requests
}
