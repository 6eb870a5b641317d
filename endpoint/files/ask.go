package files

import (
	"context"

	"docaxis/internal/chunk"
)

// asker asks for the ranges of a file, ahead of whoever writes them. Beside those
// under way at most one waits in memory.
type asker struct {
	want    chunk.File
	get     Getter
	wide    func() bool
	answers chan<- *answer
}

// answer is a range that was asked for.
type answer struct {
	at   uint64
	came chan struct{}
	// What came, once came is closed.
	data []byte
	err  error
}

// wait gives what came.
func (a *answer) wait(ctx context.Context) ([]byte, error) {
	select {
	case <-a.came:
		return a.data, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run asks from an offset on, until all was asked for, an error came, or ctx ends. It
// returns when nothing is under way any more.
func (q asker) run(ctx context.Context, at uint64) {
	var before *answer
	for at < q.want.Size && ctx.Err() == nil {
		i := at / chunk.Size
		offset := uint32(at % chunk.Size)
		limit := chunk.Length(q.want.Size, i) - offset
		wide := q.wide()
		a := &answer{at: at, came: make(chan struct{})}
		go func() {
			defer close(a.came)
			a.data, a.err = q.get(ctx, q.want.Chunks[i], offset, limit)
		}()
		if wide {
			at += uint64(min(limit, chunk.MaxRange))
		} else {
			<-a.came
			at += uint64(len(a.data))
		}
		if !q.give(ctx, a) {
			<-a.came
			break
		}
		if !wide && (a.err != nil || len(a.data) == 0) {
			break
		}
		if before != nil {
			<-before.came
		}
		before = a
	}
	if before != nil {
		<-before.came
	}
}

func (q asker) give(ctx context.Context, a *answer) bool {
	select {
	case q.answers <- a:
		return true
	case <-ctx.Done():
		return false
	}
}
