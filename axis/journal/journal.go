package journal

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"docaxis/internal/fault"
	"docaxis/proto/axispb"
)

// MaxBlock is the largest block, in marshalled bytes. Measured: above it the rate of
// records falls again.
const MaxBlock = 512 << 10

// Location says where a block is stored. Locations order as blocks do.
type Location struct {
	// Stream is the number of the stream in the chain, from 1.
	Stream uint64
	// Seq is the block's sequence in that stream, from 1.
	Seq uint64
}

// Before reports whether l is stored before m.
func (l Location) Before(m Location) bool {
	return l.Stream < m.Stream || l.Stream == m.Stream && l.Seq < m.Seq
}

// String is stream/sequence.
func (l Location) String() string { return fmt.Sprintf("%d/%d", l.Stream, l.Seq) }

// Entry is a block as it is stored. Entries are shared: change nothing in one.
type Entry struct {
	Block *axispb.Block
	// Raw is the stored bytes, Digest their SHA-256.
	Raw      []byte
	Digest   [32]byte
	Location Location
}

// Tail is the end of the journal, on which the next block is built.
type Tail struct {
	// Blocks is the number of the next block.
	Blocks uint64
	// NextLeaf is the leaf index of the next record.
	NextLeaf uint64
	// Digest of the last block; nil when there is none.
	Digest []byte
	// Location of the last block; zero when there is none.
	Location Location
}

// Config of a journal. The zero value is usable.
type Config struct {
	// Prefix of the streams' names, of A-Z and 0-9; "JOURNAL" by default.
	Prefix string
	// MaxStreamBytes ends a stream; 4 GiB by default, because a server that was
	// killed reads a whole stream twice when it starts.
	MaxStreamBytes uint64
	// Replicas of each new stream; 1 by default.
	Replicas int
	// CacheBytes bounds what Get keeps decoded; 64 MiB by default.
	CacheBytes int
	// AttemptTimeout is how long one attempt to append may take before it counts as
	// unanswered and is made again; 2 s by default. How long a call may take in all is
	// for its context.
	AttemptTimeout time.Duration
	// AcceptLost opens a journal whose end was lost; see LostError.
	AcceptLost bool
	Faults     fault.Hook
	Log        *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Prefix == "" {
		c.Prefix = "JOURNAL"
	}
	for _, r := range c.Prefix {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return c, fmt.Errorf("journal: prefix %q is not of A-Z and 0-9", c.Prefix)
		}
	}
	if c.MaxStreamBytes == 0 {
		c.MaxStreamBytes = 4 << 30
	}
	c.Replicas = max(c.Replicas, 1)
	if c.CacheBytes == 0 {
		c.CacheBytes = 64 << 20
	}
	if c.AttemptTimeout <= 0 {
		c.AttemptTimeout = 2 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Journal is the chain of streams. Its methods may be called concurrently; those that
// append or move the tail take turns.
type Journal struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	cfg   Config
	cache *cache

	// turn holds a token while somebody appends or moves the tail.
	turn chan struct{}
	// pending is the block whose append is unclear. Owned by who holds the turn.
	pending *proposal

	mu  sync.RWMutex // guards end; written only by who holds the turn
	end end
}

// end is where the journal goes on.
type end struct {
	chain
	// stream takes the next block, unless ended says that another is to be entered
	// first.
	stream uint64
	// fence is the last sequence of the stream as the next append expects it.
	fence uint64
	// bytes that the stream holds, about: it only decides when to rotate.
	bytes uint64
}

// ended reports whether the last block of the stream is a closing block.
func (e end) ended() bool { return e.closed && e.stream == e.Location.Stream }

// Tail is the end of the journal as this Journal knows it: after its own appends, and
// after those of others once Refresh has read them.
func (j *Journal) Tail() Tail { return j.now().Tail }

func (j *Journal) now() end {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.end
}

func (j *Journal) set(e end) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.end = e
}

// take waits for the turn to append; the function it returns gives it back.
func (j *Journal) take(ctx context.Context) (func(), error) {
	select {
	case j.turn <- struct{}{}:
		return func() { <-j.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Refresh reads what other writers appended and moves to the new tail, entering the
// next stream where the old one was closed. It fails with ErrUnclear while an append of
// this Journal is unclear, and with a *CorruptError where the blocks do not continue.
func (j *Journal) Refresh(ctx context.Context) error {
	done, err := j.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	if j.pending != nil {
		return ErrUnclear
	}
	return j.catchUp(ctx)
}

// catchUp is Refresh and the second half of Open.
func (j *Journal) catchUp(ctx context.Context) error {
	for {
		if err := j.enter(ctx); err != nil {
			return err
		}
		e := j.now()
		page, err := j.page(ctx, Location{e.stream, e.fence + 1})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		if err := j.follow(page); err != nil {
			return err
		}
	}
}

// follow moves the end over messages that others appended.
func (j *Journal) follow(page []message) error {
	for _, m := range page {
		e := j.now()
		entry, repeated, err := e.next(m, j.streamName)
		if err != nil {
			return err
		}
		e.fence = m.at.Seq
		e.bytes = saturate(e.bytes, stored(len(m.data)))
		j.set(e)
		if !repeated {
			j.cache.add(entry)
		}
	}
	return nil
}

// advance moves the end over a block of our own.
func (j *Journal) advance(entry Entry) {
	e := j.now()
	e.chain = after(entry)
	e.fence = entry.Location.Seq
	e.bytes = saturate(e.bytes, stored(len(entry.Raw)))
	j.cache.add(entry)
	j.set(e)
}

func saturate(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}
