package files

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"docaxis/internal/chunk"
)

// crowd counts how many ranges are asked for at once, and how many came that were not
// yet written.
type crowd struct {
	*source
	under, most atomic.Int32
	// short: so many answers bring half of what a range may have.
	short atomic.Int32
}

func (c *crowd) get(ctx context.Context, id chunk.ID, offset, limit uint32) ([]byte, error) {
	n := c.under.Add(1)
	defer c.under.Add(-1)
	for was := c.most.Load(); n > was && !c.most.CompareAndSwap(was, n); was = c.most.Load() {
	}
	if c.short.Add(-1) >= 0 {
		limit = min(limit, chunk.MaxRange/2)
	}
	return c.source.get(ctx, id, offset, limit)
}

func yes() bool { return true }

func TestFetchWideGetsTheSame(t *testing.T) {
	for _, short := range []int32{0, 3} {
		s := open(t)
		src := &crowd{source: newSource(t, 3*chunk.Size+17)}
		src.step = chunk.MaxRange
		src.short.Store(short)
		if err := s.FetchWide(t.Context(), src.file, src.get, yes); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(s.path(src.file.Digest))
		if err != nil || !bytes.Equal(got, src.content) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if n := src.most.Load(); n > 2 {
			t.Errorf("%d ranges at once", n)
		}
		if short == 0 && src.got != src.file.Size {
			t.Errorf("got %d bytes", src.got)
		}
	}
}

// The last answer, too, may bring less than was asked for: what is left is asked for
// again, instead of waited for.
func TestTheLastRangeMayBeShort(t *testing.T) {
	s := open(t)
	src := &crowd{source: newSource(t, chunk.MaxRange)}
	src.step = chunk.MaxRange
	src.short.Store(1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.FetchWide(ctx, src.file, src.get, yes); err != nil {
		t.Fatal(err)
	}
	if src.got != src.file.Size || !s.Whole(src.file.Digest) {
		t.Errorf("got %d bytes of %d", src.got, src.file.Size)
	}
}

// While a range that came is not yet written, the next is asked for, and no more: one
// under way, one in memory.
func TestFetchAsksForTheNextMeanwhile(t *testing.T) {
	src := newSource(t, 2*chunk.Size)
	src.step = chunk.MaxRange
	asked := make(chan uint64, 100)
	get := func(ctx context.Context, id chunk.ID, offset, limit uint32) ([]byte, error) {
		data, err := src.get(ctx, id, offset, limit)
		asked <- src.got
		return data, err
	}
	for _, wide := range []bool{false, true} {
		answers, ctx := make(chan *answer), t.Context()
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			asker{want: src.file, get: get, wide: func() bool { return wide }, answers: answers}.run(ctx, 0)
		}()
		<-asked
		first := <-answers
		<-asked // although the first is not yet written
		if _, err := first.wait(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case at := <-asked:
			if !wide {
				t.Errorf("a third range was asked for, at %d, before the second was taken", at)
			}
		default:
		}
		cancel()
		<-ended
	}
}

// Whatever stops a fetch, nothing is under way any more when it returns.
func TestFetchWideLeavesNothingBehind(t *testing.T) {
	broken := errors.New("broken")
	for n := range uint64(6) {
		s := open(t)
		src := &crowd{source: newSource(t, 2*chunk.Size+17)}
		src.step = chunk.MaxRange
		src.fail = func(got uint64) error {
			if got >= n*chunk.MaxRange {
				return broken
			}
			return nil
		}
		if err := s.FetchWide(t.Context(), src.file, src.get, yes); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		if under := src.under.Load(); under != 0 {
			t.Errorf("%d ranges are under way", under)
		}
		left, err := os.ReadFile(s.partial(src.file.Digest))
		// The one that failed may have been asked for before one that came.
		if err != nil || !bytes.Equal(left, src.content[:len(left)]) || uint64(len(left)) > n*chunk.MaxRange || uint64(len(left)+chunk.MaxRange) < n*chunk.MaxRange {
			t.Errorf("after %d ranges %d bytes are kept, %v", n, len(left), err)
		}
	}
}
