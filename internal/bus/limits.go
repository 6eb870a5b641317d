package bus

import (
	"log/slog"
	"time"
)

// ServeConfig limits what endpoints may have under way. Zero values mean the
// values named.
type ServeConfig struct {
	// MaxRequests (8) and MaxBytes (4 MiB) bound what one endpoint has under way,
	// MaxTotalBytes (256 MiB) what all have.
	MaxRequests   int
	MaxBytes      int64
	MaxTotalBytes int64
	// An endpoint is told at most ExcessCount (200) times within ExcessWindow
	// (10 s) that it has too much under way. Then it gets no answer to what is too
	// much, and is reported to Excess, which should bar it, and may block.
	ExcessCount  int
	ExcessWindow time.Duration
	Excess       func(endpoint string)
	// Timeout (60 s) ends the context of a handler.
	Timeout time.Duration
	Now     func() time.Time
	Log     *slog.Logger
}

func (c ServeConfig) withDefaults() ServeConfig {
	c.MaxRequests = orDefault(c.MaxRequests, 8)
	c.MaxBytes = orDefault(c.MaxBytes, 4<<20)
	c.MaxTotalBytes = orDefault(c.MaxTotalBytes, 256<<20)
	c.ExcessCount = orDefault(c.ExcessCount, 200)
	c.ExcessWindow = orDefault(c.ExcessWindow, 10*time.Second)
	c.Timeout = orDefault(c.Timeout, defaultTimeout)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Excess == nil {
		c.Excess = func(string) {}
	}
	return c
}

const (
	// What a request costs beside its bytes: a goroutine and its frames.
	requestOverhead = 4 << 10
	// nats.go drops the messages of everybody above these; the callbacks are far
	// faster than any flood, so this is only room for a stop of the scheduler.
	pendingMessages = 1 << 20
	pendingBytes    = 256 << 20
)

// Stats counts since the start.
type Stats struct {
	// Taken requests were given to a handler, Busy ones refused at once, Ignored
	// ones came from an endpoint that had been told so too often.
	Taken, Busy, Ignored uint64
	// BadReply requests named a reply subject that is not the asker's own.
	BadReply uint64
	// Dropped messages were lost before they were seen: the axis is overrun.
	Dropped uint64
	// Panics of handlers; each is a fault to be reported.
	Panics uint64
}

// Stats counts what was done.
func (s *Server) Stats() Stats {
	st := Stats{Taken: s.taken.Load(), Busy: s.busy.Load(), Ignored: s.ignored.Load(), BadReply: s.badReply.Load(), Panics: s.panics.Load()}
	for _, sub := range s.subs {
		// A subscription that is closed cannot say any more.
		if n, err := sub.Dropped(); err == nil {
			st.Dropped += uint64(n)
		}
	}
	return st
}
