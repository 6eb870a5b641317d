package axis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/journal"
)

const (
	// scrubPeriod is within how long everything is read once.
	scrubPeriod = 7 * 24 * time.Hour
	// scrubEvery is how often the scrub looks what is due by default.
	scrubEvery = time.Minute
	// scrubShares are the parts in which content is read: a folder of chunks each.
	scrubShares = 256
	// scrubPause after each chunk bounds what the scrub takes of a disk, to about
	// 20 MiB a second.
	scrubPause = 50 * time.Millisecond
	// mostDamage is how much damage is remembered by name.
	mostDamage = 100
)

// scrub reads journal and content slowly, so that damage is found while somebody still
// has what was damaged.
type scrub struct {
	mu sync.Mutex // guards what follows
	// blocks are damaged blocks by their place, as the last look found them.
	blocks []operator.Damage
	passed time.Time // when the last pass ended; zero for never

	// Owned by the loop.
	since time.Time
	share int
	at    journal.Location
}

// scrubLoop reads what is due until ctx ends.
func (h *Hub) scrubLoop(ctx context.Context) error {
	tick := time.NewTicker(h.cfg.ScrubEvery)
	defer tick.Stop()
	h.scrub.since = h.now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := h.scrubDue(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("the scrub of journal and content could not read on", "error", err)
		}
	}
}

// scrubDue reads the shares that are due by the clock. A clock that jumps makes it read
// all of them once, not more.
func (h *Hub) scrubDue(ctx context.Context) error {
	s := &h.scrub
	due := int(min(h.now().Sub(s.since), scrubPeriod) * scrubShares / scrubPeriod)
	for ; s.share < due; s.share++ {
		if err := h.scrubContent(ctx, s.share, scrubPause); err != nil {
			return err
		}
		// The journal is read in as many shares.
		tail := h.journal.Tail().Blocks
		if err := h.scrubBlocks(ctx, tail/scrubShares+1); err != nil {
			return err
		}
	}
	if s.share == scrubShares {
		s.share, s.since, s.at = 0, h.now(), journal.Location{}
		s.end(h.now())
	}
	return nil
}

func (s *scrub) end(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed = now
}

// Check reads all of journal and content now, and gives what is damaged. Damaged chunks
// are set aside, as by whoever reads them, and asked for.
func (h *Hub) Check(ctx context.Context) (operator.Checked, error) {
	for share := range scrubShares {
		if err := h.scrubContent(ctx, share, 0); err != nil {
			return operator.Checked{}, err
		}
	}
	found, err := h.damagedBlocks(ctx, journal.Location{}, nil)
	if err != nil {
		return operator.Checked{}, err
	}
	h.scrub.found(found)
	return operator.Checked{Blocks: h.journal.Tail().Blocks, Damage: h.Damage()}, nil
}

// found replaces what is known of blocks.
func (s *scrub) found(blocks []operator.Damage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks = blocks
}

func (s *scrub) add(blocks []operator.Damage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range blocks {
		if !containsPlace(s.blocks, b.Place) && len(s.blocks) < mostDamage {
			s.blocks = append(s.blocks, b)
		}
	}
}

func containsPlace(all []operator.Damage, place string) bool {
	for _, d := range all {
		if d.Place == place {
			return true
		}
	}
	return false
}

// Damage lists what is known to be damaged, at most a hundred of each kind.
func (h *Hub) Damage() []operator.Damage {
	h.scrub.mu.Lock()
	all := append([]operator.Damage(nil), h.scrub.blocks...)
	h.scrub.mu.Unlock()
	for _, id := range h.content.Lost(mostDamage) {
		all = append(all, operator.Damage{Kind: operator.DamagedChunk, Place: id.String()})
	}
	return all
}

// scrubContent hashes the chunks of one folder.
func (h *Hub) scrubContent(ctx context.Context, share int, pause time.Duration) error {
	return h.content.ExamineFolder(ctx, fmt.Sprintf("%02x", share), func() error { return rest(ctx, pause) })
}

func rest(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// scrubBlocks reads on in the journal by so many blocks.
func (h *Hub) scrubBlocks(ctx context.Context, blocks uint64) error {
	found, err := h.damagedBlocks(ctx, h.scrub.at, func(at journal.Location) bool {
		h.scrub.at = at
		blocks--
		return blocks > 0
	})
	h.scrub.add(found)
	return err
}

var errDue = errors.New("what is due was read")

// damagedBlocks reads the journal from a place, until more says that it is enough, and
// lists the blocks that do not hold. It goes on behind each.
func (h *Hub) damagedBlocks(ctx context.Context, from journal.Location, more func(journal.Location) bool) (found []operator.Damage, err error) {
	for len(found) < mostDamage {
		err := h.journal.Blocks(ctx, from, func(e journal.Entry) error {
			if more != nil && !more(e.Location) {
				return errDue
			}
			return nil
		})
		bad := new(journal.CorruptError)
		switch {
		case err == nil, errors.Is(err, errDue):
			return found, nil
		case errors.Is(err, journal.ErrNoBlock):
			bad = &journal.CorruptError{Location: from, What: "unreadable"}
		case !errors.As(err, &bad) || ctx.Err() != nil:
			return found, err
		}
		h.log.Error("a block of the journal is damaged: put the folder journal back from a backup, leaving the folder keys as it is",
			"block", bad.Location, "error", err)
		found = append(found, operator.Damage{Kind: operator.DamagedBlock, Place: bad.Location.String(), What: bad.What})
		from = journal.Location{Stream: bad.Location.Stream, Seq: bad.Location.Seq + 1}
		if more != nil && !more(from) {
			return found, nil
		}
		if !from.Before(h.journal.Tail().Location) {
			return found, nil
		}
	}
	return found, nil
}
