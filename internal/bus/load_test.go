package bus

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bench is a load with limits that are easy to count, and a clock to turn.
func bench(t *testing.T) (*load, *time.Time) {
	t.Helper()
	now := time.Unix(1000, 0)
	cfg := ServeConfig{
		MaxRequests: 2, MaxBytes: 100, MaxTotalBytes: 150, ExcessCount: 3, ExcessWindow: 10 * time.Second,
		Now: func() time.Time { return now },
	}
	return newLoad(cfg), &now
}

func takeAll(l *load, endpoint string, size int64, n int) []verdict {
	var got []verdict
	for range n {
		got = append(got, l.take(endpoint, size))
	}
	return got
}

func TestLoadOfOneEndpoint(t *testing.T) {
	l, _ := bench(t)
	if diff := cmp.Diff([]verdict{taken, taken, busy}, takeAll(l, "a", 10, 3)); diff != "" {
		t.Error("requests:", diff)
	}
	if diff := cmp.Diff([]verdict{taken, busy}, takeAll(l, "b", 60, 2)); diff != "" {
		t.Error("bytes:", diff)
	}
	l.done("a", 10)
	if got := l.take("a", 10); got != taken {
		t.Error("after one is done:", got)
	}
}

func TestLoadOfAll(t *testing.T) {
	l, _ := bench(t)
	takeAll(l, "a", 80, 1)
	takeAll(l, "b", 60, 1)
	// Over the limit of all, which is not the third one's fault.
	for range 100 {
		if got := l.take("c", 20); got != busy {
			t.Fatal(got)
		}
	}
	l.done("a", 80)
	if got := l.take("c", 20); got != taken {
		t.Error("after one is done:", got)
	}
}

func TestLoadExcess(t *testing.T) {
	l, now := bench(t)
	takeAll(l, "a", 10, 2)
	want := []verdict{busy, busy, busy, excess, ignored, ignored, ignored}
	if diff := cmp.Diff(want, takeAll(l, "a", 10, 7)); diff != "" {
		t.Error("at once:", diff)
	}
	l.heard("a")
	if diff := cmp.Diff([]verdict{ignored, ignored, excess, ignored}, takeAll(l, "a", 10, 4)); diff != "" {
		t.Error("when the report was heard:", diff)
	}
	*now = now.Add(11 * time.Second)
	if diff := cmp.Diff([]verdict{busy, busy, busy, ignored}, takeAll(l, "a", 10, 4)); diff != "" {
		t.Error("in the next window, one report still under way:", diff)
	}
	if got := takeAll(l, "b", 10, 2); got[1] != taken {
		t.Error("another endpoint:", got)
	}
}

func TestLoadForgets(t *testing.T) {
	l, now := bench(t)
	takeAll(l, "a", 10, 3)
	l.done("a", 10)
	*now = now.Add(time.Minute)
	l.done("a", 10)
	takeAll(l, "b", 10, 1)
	l.done("b", 10)
	for range 3 {
		l.answered()
	}
	if len(l.endpoints) != 0 || l.bytes != 0 || l.requests != 0 {
		t.Errorf("left over: %+v", l)
	}
}

func TestLoadDrain(t *testing.T) {
	l, _ := bench(t)
	takeAll(l, "a", 10, 1)
	idle := l.drain()
	if got := l.take("b", 10); got != busy {
		t.Error("while draining:", got)
	}
	select {
	case <-idle:
		t.Error("idle with a request under way")
	default:
	}
	l.done("a", 10)
	select {
	case <-idle:
		t.Error("idle before the answer")
	default:
	}
	l.answered()
	<-idle
	<-l.drain()
}
