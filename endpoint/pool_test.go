package endpoint

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"docaxis/endpoint/axistest"
	"docaxis/endpoint/link"
	"docaxis/proto/axispb"
)

// bench is an agent that can do nothing but run pools.
func bench(t *testing.T) *Agent {
	t.Helper()
	a := &Agent{cfg: Config{Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	a.link.Store(link.New(axistest.New(t).Dial("x"), time.Now))
	a.recovering.done.Store(1) // in no epoch, and nothing to give back
	return a
}

// A large job that is less urgent gives way, and the urgent one goes first.
func TestAnUrgentJobDoesNotWaitForALargeOne(t *testing.T) {
	a := bench(t)
	var mu sync.Mutex
	list := []job{{"normal", axispb.Lane_LANE_NORMAL}}
	var order []string
	began, all := make(chan struct{}), make(chan struct{})
	finish := func(key string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, key)
		var rest []job
		for _, j := range list {
			if j.key != key {
				rest = append(rest, j)
			}
		}
		if list = rest; len(list) == 0 {
			close(all)
		}
	}
	first := true
	bell := make(chan struct{}, 1)
	p := a.pool(1, bell,
		func(time.Time, int) ([]job, time.Time, error) {
			mu.Lock()
			defer mu.Unlock()
			return append([]job(nil), list...), time.Time{}, nil
		},
		func(ctx context.Context, key string, giveWay func() bool) error {
			if key == "normal" && first {
				first = false
				close(began)
				for !giveWay() && ctx.Err() == nil {
					<-time.After(time.Millisecond)
				}
				return nil
			}
			finish(key)
			return nil
		})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.run(ctx) }()
	<-began
	mu.Lock()
	list = append([]job{{"urgent", axispb.Lane_LANE_URGENT}}, list...)
	mu.Unlock()
	ring(bell)
	<-all
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if order[0] != "urgent" || order[1] != "normal" {
		t.Fatalf("order %q", order)
	}
}

// A pool runs no job twice at a time, no more than its size, and ends with what
// makes the store unreliable, after its other jobs.
func TestAPoolKeepsItsSizeAndEnds(t *testing.T) {
	a := bench(t)
	broken := errors.New("broken")
	var mu sync.Mutex
	running := map[string]int{}
	most, left := 0, 200
	p := a.pool(3, make(chan struct{}, 1),
		func(_ time.Time, limit int) ([]job, time.Time, error) {
			var jobs []job
			for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
				if len(jobs) < limit {
					jobs = append(jobs, job{k, axispb.Lane_LANE_NORMAL})
				}
			}
			return jobs, time.Time{}, nil
		},
		func(_ context.Context, key string, _ func() bool) error {
			mu.Lock()
			running[key]++
			if running[key] > 1 {
				t.Errorf("%s runs twice", key)
			}
			n := 0
			for _, r := range running {
				n += r
			}
			most = max(most, n)
			left--
			end := left < 0
			mu.Unlock()
			mu.Lock()
			running[key]--
			mu.Unlock()
			if end {
				return broken
			}
			return nil
		})
	if err := p.run(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if most > 3 {
		t.Fatalf("%d jobs at once", most)
	}
	for key, n := range running {
		if n != 0 {
			t.Errorf("%s still runs", key)
		}
	}
}
