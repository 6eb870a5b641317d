package journal

import (
	"context"
	"fmt"
)

// Blocks calls fn with each block from a location (inclusive; zero is the first) to the
// tail as it is known when Blocks is called, in order over the chain. It verifies
// that each continues the one before, except that the first is taken as it is unless
// it is the journal's first: a projection passes the location of the last block that it
// has applied, compares that block's digest with its own, and goes on with the next.
//
// It returns fn's error as it is, a *CorruptError naming the location where the journal
// does not continue, ErrNoBlock where nothing is at from, or a reading error: call it
// again from the last block seen.
func (j *Journal) Blocks(ctx context.Context, from Location, fn func(Entry) error) error {
	to := j.now().Location
	c := chain{middle: from != Location{}}
	if !c.middle {
		from = Location{1, 1}
	}
	if to.Before(from) {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	pages := j.prefetch(ctx, from, to)
	defer func() {
		cancel()
		for range pages {
		}
	}()
	for p := range pages {
		if p.err != nil {
			return p.err
		}
		if c.middle && p.messages[0].at != from {
			return fmt.Errorf("%w: %v", ErrNoBlock, from)
		}
		if err := j.yield(&c, p.messages, to, fn); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.Location != to {
		return corrupt(to, "the journal ends at %v", c.Location)
	}
	return nil
}

func (j *Journal) yield(c *chain, page []message, to Location, fn func(Entry) error) error {
	for _, m := range page {
		if to.Before(m.at) {
			return nil
		}
		entry, repeated, err := c.next(m, j.streamName)
		if err != nil {
			return err
		}
		if repeated {
			continue
		}
		if err := fn(entry); err != nil {
			return err
		}
	}
	return nil
}

type page struct {
	messages []message
	err      error
}

// prefetch reads ahead of whoever applies the blocks: at most three pages are in memory,
// one being applied, one waiting, one being read. It ends, and closes the channel, at the
// end, at an error, or with the context.
func (j *Journal) prefetch(ctx context.Context, from, to Location) <-chan page {
	pages := make(chan page, 1)
	go func() {
		defer close(pages)
		for at := from; !to.Before(at); {
			messages, err := j.page(ctx, at)
			switch {
			case err == nil && len(messages) == 0 && at.Stream < to.Stream:
				at = Location{at.Stream + 1, 1}
				continue
			case err == nil && len(messages) == 0:
				err = corrupt(at, "unreadable, and so is what follows in its stream")
			case err == nil:
				at.Seq = messages[len(messages)-1].at.Seq + 1
			}
			select {
			case pages <- page{messages, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return pages
}

// Get reads one block, from a cache where it can. It verifies that the bytes are a block,
// not how it continues the one before. Errors are ErrNoBlock for a location behind the
// tail, a *CorruptError for one before it, or what the server said.
func (j *Journal) Get(ctx context.Context, at Location) (Entry, error) {
	if at.Stream == 0 || at.Seq == 0 || j.now().Location.Before(at) {
		return Entry{}, fmt.Errorf("%w: %v", ErrNoBlock, at)
	}
	return j.load(ctx, at)
}

func (j *Journal) load(ctx context.Context, at Location) (Entry, error) {
	if e, ok := j.cache.get(at); ok {
		return e, nil
	}
	m, err := j.one(ctx, at, readTimeout)
	if err != nil {
		return Entry{}, err
	}
	if m == nil {
		return Entry{}, corrupt(at, "unreadable")
	}
	e, err := entryOf(*m)
	if err != nil {
		return Entry{}, err
	}
	if err := checkShape(e.Block, at, j.streamName); err != nil {
		return Entry{}, err
	}
	j.cache.add(e)
	return e, nil
}
