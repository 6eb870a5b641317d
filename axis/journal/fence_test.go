package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFencedThenRefreshed(t *testing.T) {
	a, nc := newJournal(t, Config{})
	b := open(t, nc, Config{})
	mustAppend(t, a, "a1")
	mustAppend(t, a, "a2")
	if _, err := b.Append(testContext(t), build(b.Tail(), "b")); !errors.Is(err, ErrFenced) {
		t.Fatalf("append on an old tail: %v", err)
	}
	if err := b.Refresh(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.Tail(), b.Tail()); diff != "" {
		t.Fatalf("tails differ (-a +b):\n%s", diff)
	}
	mustAppend(t, b, "b")
	if diff := cmp.Diff([]string{"a1", "a2", "b"}, bodies(t, b)); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

// writer appends n bodies of its own against others, as the appender would, and returns
// those that it was told are stored.
func writer(ctx context.Context, j *Journal, name string, n int) ([]string, error) {
	var stored []string
	for len(stored) < n {
		body := fmt.Sprintf("%s %d", name, len(stored))
		block := build(j.Tail(), body)
		_, err := j.Append(ctx, block)
		switch {
		case err == nil:
			stored = append(stored, body)
		case errors.Is(err, ErrFull):
			if _, err = j.Rotate(ctx, 1, root("tree")); err != nil && !errors.Is(err, ErrFenced) {
				return nil, err
			}
			if errors.Is(err, ErrFenced) {
				err = j.Refresh(ctx)
			}
		case errors.Is(err, ErrFenced):
			err = j.Refresh(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return stored, nil
}

func TestWritersAgainstEachOther(t *testing.T) {
	const writers, each = 3, 60
	srv := startServer(t, t.TempDir(), 0)
	cfg := Config{MaxStreamBytes: 8000}
	var (
		mu   sync.Mutex
		want []string
		wg   sync.WaitGroup
	)
	for w := range writers {
		f := &failing{times: map[string]int{"append.after": 10, "append.before": 10, "settle.read.after": 5}}
		mine := cfg
		mine.Faults = f.at
		j := open(t, connect(t, srv), mine)
		wg.Go(func() {
			stored, err := writer(testContext(t), j, fmt.Sprint("writer ", w), each)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			want = append(want, stored...)
		})
	}
	wg.Wait()
	j := open(t, connect(t, srv), cfg)
	got := bodies(t, j) // reading verifies numbers and digests
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("journal (-told +stored):\n%s", diff)
	}
	if j.Tail().Location.Stream < 4 {
		t.Errorf("only %d streams", j.Tail().Location.Stream)
	}
}
