package journal

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// verifyLast is how many blocks Open reads and verifies at the end of the journal.
const verifyLast = 16

// Open finds the end of the journal, or begins one where there is no stream. It believes
// no counter: it reads and verifies the last blocks, and finishes a rotation that a crash
// interrupted. Errors are a *CorruptError, a *LostError, a *CutError, or what the server
// said.
func Open(ctx context.Context, nc *nats.Conn, cfg Config) (*Journal, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{nc: nc, js: js, cfg: cfg, cache: newCache(cfg.CacheBytes), turn: make(chan struct{}, 1)}
	streams, err := j.findStreams(ctx)
	if err != nil {
		return nil, err
	}
	if err := j.start(ctx, streams); err != nil {
		return nil, err
	}
	return j, nil
}

// found is what Open knows of one stream.
type found struct {
	// last is the sequence of the last readable block, counter what the stream says.
	last, counter uint64
	closed        bool
}

// findStreams looks at the end of every stream. The last one is created if it is the
// first.
func (j *Journal) findStreams(ctx context.Context) ([]found, error) {
	n, err := j.streams(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]found, 0, n+1)
	for i := uint64(1); i <= max(n, 1); i++ {
		info, err := j.ensureStream(ctx, i)
		if err != nil {
			return nil, err
		}
		if i == max(n, 1) {
			if err := j.counted(ctx, i, info.State.LastSeq); err != nil {
				return nil, err
			}
		}
		f, err := j.look(ctx, i, info.State.LastSeq)
		if err != nil {
			return nil, err
		}
		if i < n && !f.closed {
			return nil, corrupt(Location{i, f.last}, "no closing block, yet stream %d exists", i+1)
		}
		if i < n {
			j.seal(ctx, info.Config)
		}
		all = append(all, f)
	}
	return all, nil
}

// look finds the last readable block of a stream, going back from its counter.
func (j *Journal) look(ctx context.Context, stream, counter uint64) (found, error) {
	for seq := counter; seq > 0; seq-- {
		m, err := j.one(ctx, Location{stream, seq}, readTimeout)
		if err != nil {
			return found{}, err
		}
		if m == nil {
			continue
		}
		e, err := entryOf(*m)
		if err != nil {
			return found{}, err
		}
		return found{seq, counter, e.Block.Closing != nil}, j.checkLost(m.at, counter)
	}
	return found{counter: counter}, j.checkLost(Location{Stream: stream}, counter)
}

func (j *Journal) checkLost(last Location, counter uint64) error {
	if last.Seq == counter {
		return nil
	}
	err := &LostError{Last: last, Counter: counter}
	if !j.cfg.AcceptLost {
		return err
	}
	j.cfg.Log.Error("journal: going on after lost blocks", "error", err)
	return nil
}

// start verifies the last blocks and puts the end behind them.
func (j *Journal) start(ctx context.Context, streams []found) error {
	from := lastBlocks(streams, verifyLast)
	j.set(end{stream: from.Stream, fence: from.Seq - 1, chain: chain{middle: from != Location{1, 1}}})
	if err := j.catchUp(ctx); err != nil {
		return err
	}
	e := j.now()
	if last := uint64(len(streams)); e.stream == last {
		// Behind lost blocks the server still counts on from its own counter.
		e.fence = max(e.fence, streams[last-1].counter)
	}
	info, err := j.ensureStream(ctx, e.stream)
	if err != nil {
		return err
	}
	e.bytes = info.State.Bytes
	j.set(e)
	return nil
}

// lastBlocks is where the last n blocks begin, about: lost ones count.
func lastBlocks(streams []found, n uint64) Location {
	i := len(streams) - 1
	for ; i > 0 && streams[i].last < n; i-- {
		n -= streams[i].last
	}
	last := streams[i].last
	return Location{uint64(i) + 1, last - min(n, last) + 1}
}
