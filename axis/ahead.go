package axis

import (
	"context"

	"golang.org/x/sync/semaphore"

	"docaxis/axis/journal"
)

// aheadBytes and aheadBlocks are how much is read and not yet applied, as blocks are stored,
// the block that is being applied among it. A block that was taken apart takes several
// times its bytes. One that is larger goes alone.
const (
	aheadBytes  = 2 << 20
	aheadBlocks = 8
)

// applyAhead applies blocks in the order in which read gives them, by the caller's goroutine,
// while another one reads the next and takes them apart: a quarter of what a rebuild computes needs
// nothing of the ledger. A block that cannot be read is reported when all before it were
// applied. Nothing is left running when it returns.
func applyAhead(ctx context.Context, read func(context.Context, func(journal.Entry) error) error, apply func(context.Context, opened) error) error {
	reading, stop := context.WithCancel(ctx)
	a := &ahead{room: semaphore.NewWeighted(aheadBytes), blocks: make(chan opened, aheadBlocks)}
	go a.read(reading, read)
	defer func() {
		stop()
		for range a.blocks {
		}
	}()
	for b := range a.blocks {
		if err := apply(ctx, b); err != nil {
			return err
		}
		a.room.Release(room(b.Entry))
	}
	return a.err
}

// ahead is blocks on their way from who reads to who applies them.
type ahead struct {
	room   *semaphore.Weighted
	blocks chan opened // as many as there is room for: who gives one never waits
	err    error       // of reading, once blocks is closed
}

func (a *ahead) read(ctx context.Context, read func(context.Context, func(journal.Entry) error) error) {
	defer close(a.blocks)
	a.err = read(ctx, func(e journal.Entry) error {
		if err := a.room.Acquire(ctx, room(e)); err != nil {
			return err
		}
		a.blocks <- openBlock(e)
		return nil
	})
}

// room is what a block takes of aheadBytes: small ones are counted, large ones weighed.
func room(e journal.Entry) int64 {
	return min(max(int64(len(e.Raw)), aheadBytes/aheadBlocks), aheadBytes)
}
