package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
)

var errInjected = errors.New("injected")

// failing makes points fail: each as often as it says.
type failing struct {
	mu    sync.Mutex
	times map[string]int
	seen  []string
	// then is called at every failure.
	then func()
}

func (f *failing) at(point string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, point)
	if f.times[point] == 0 {
		return nil
	}
	f.times[point]--
	if f.then != nil {
		f.then()
	}
	return errInjected
}

func (f *failing) set(then func(), points ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.then = then
	f.times = make(map[string]int)
	for _, p := range points {
		f.times[p]++
	}
}

func TestAppendSettlesItself(t *testing.T) {
	for name, points := range map[string][]string{
		"not sent":                     {"append.before"},
		"not sent, three times":        {"append.before", "settle.send.before", "settle.send.before"},
		"stored, reported failed":      {"append.after"},
		"not sent, then stored":        {"append.before", "settle.send.after"},
		"stored, then hard to ask":     {"append.after", "settle.send.before", "settle.send.before"},
		"stored, then hard to read":    {"append.after", "settle.read.before", "settle.read.before"},
		"stored, then the answer lost": {"append.after", "settle.read.after"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &failing{}
			j, nc := newJournal(t, Config{Faults: f.at})
			mustAppend(t, j, "a")
			f.set(nil, points...)
			mustAppend(t, j, "b")
			for point, left := range f.times {
				if left != 0 {
					t.Errorf("%s was not reached %d times", point, left)
				}
			}
			mustAppend(t, j, "c")
			if diff := cmp.Diff([]string{"a", "b", "c"}, bodies(t, open(t, nc, Config{}))); diff != "" {
				t.Errorf("journal (-want +got):\n%s", diff)
			}
		})
	}
}

// unclearAppend leaves an append unclear at a point, and returns its block's builder.
func unclearAppend(t *testing.T, j *Journal, f *failing, point string) func(context.Context) (Entry, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(testContext(t))
	f.set(cancel, point)
	block := build(j.Tail(), "b")
	if _, err := j.Append(ctx, block); !errors.Is(err, ErrUnclear) || !errors.Is(err, errInjected) {
		t.Fatalf("append: %v", err)
	}
	return func(ctx context.Context) (Entry, error) { return j.Append(ctx, block) }
}

func TestUnclearAppendBarsOthersUntilSettled(t *testing.T) {
	for _, point := range []string{"append.before", "append.after"} {
		for _, how := range []string{"settle", "same block"} {
			t.Run(point+" "+how, func(t *testing.T) {
				f := &failing{}
				j, nc := newJournal(t, Config{Faults: f.at})
				mustAppend(t, j, "a")
				tail := j.Tail()
				again := unclearAppend(t, j, f, point)

				if _, err := j.Append(testContext(t), build(j.Tail(), "other")); !errors.Is(err, ErrUnclear) {
					t.Errorf("another block: %v", err)
				}
				if err := j.Refresh(testContext(t)); !errors.Is(err, ErrUnclear) {
					t.Errorf("refresh: %v", err)
				}
				if _, err := j.Rotate(testContext(t), 1, root("tree")); !errors.Is(err, ErrUnclear) {
					t.Errorf("rotate: %v", err)
				}
				if diff := cmp.Diff(tail, j.Tail()); diff != "" {
					t.Errorf("tail moved (-before +after):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"a"}, bodies(t, j)); diff != "" {
					t.Errorf("an unclear block is shown (-want +got):\n%s", diff)
				}

				if how == "settle" {
					again = j.Settle
				}
				e, err := again(testContext(t))
				if err != nil || e.Block.Number != 1 {
					t.Fatalf("settled as %v, %v", e.Block, err)
				}
				mustAppend(t, j, "c")
				if diff := cmp.Diff([]string{"a", "b", "c"}, bodies(t, open(t, nc, Config{}))); diff != "" {
					t.Errorf("journal (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestUnclearAppendLosesToAnotherWriter(t *testing.T) {
	f := &failing{}
	j, nc := newJournal(t, Config{Faults: f.at})
	mustAppend(t, j, "a")
	unclearAppend(t, j, f, "append.before")
	mustAppend(t, open(t, nc, Config{}), "theirs")

	if _, err := j.Settle(testContext(t)); !errors.Is(err, ErrFenced) {
		t.Fatalf("settle: %v", err)
	}
	if err := j.Refresh(testContext(t)); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, "c")
	if diff := cmp.Diff([]string{"a", "theirs", "c"}, bodies(t, j)); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func TestSettleWithNothingUnclear(t *testing.T) {
	j, _ := newJournal(t, Config{})
	mustAppend(t, j, "a")
	if e, err := j.Settle(testContext(t)); err != nil || e.Block != nil {
		t.Errorf("settle: %v, %v", e, err)
	}
}

func TestNothingSentWhenTheContextHasEnded(t *testing.T) {
	j, _ := newJournal(t, Config{})
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	for range 20 { // whichever of turn and context is looked at first
		if _, err := j.Append(ctx, build(j.Tail(), "a")); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnclear) {
			t.Fatalf("append: %v", err)
		}
	}
	mustAppend(t, j, "b")
}

// A refusal with nothing readable at the place settles nothing: here because somebody
// sealed the stream, in a cluster because another block is under way there.
func TestNothingReadableIsNotSettled(t *testing.T) {
	ctx, cancel := context.WithCancel(testContext(t))
	var polls int
	j, _ := newJournal(t, Config{Faults: func(point string) error {
		if point == "settle.read.after" {
			if polls++; polls == 3 {
				cancel()
			}
		}
		return nil
	}})
	mustAppend(t, j, "a")
	j.sealStream(testContext(t), 1)
	if _, err := j.Append(ctx, build(j.Tail(), "b")); !errors.Is(err, ErrUnclear) || polls != 3 {
		t.Errorf("append: %v after %d polls", err, polls)
	}
}

// proxy stands between a client and the server, and cuts the connection when it is told.
type proxy struct {
	net.Listener
	to string
	// cut says at which publish of a block the connection is cut.
	cut atomic.Int32
	wg  sync.WaitGroup
}

const (
	cutNever   = iota
	cutRequest // the publish never reaches the server
	cutAnswer  // it does, and its answer is lost
)

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	p.wg.Add(1)
	go p.serve()
	t.Cleanup(func() { l.Close(); p.wg.Wait() })
	return p
}

func (p *proxy) serve() {
	defer p.wg.Done()
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		srv, err := net.Dial("tcp", p.to)
		if err != nil {
			client.Close()
			continue
		}
		var swallow atomic.Bool
		p.wg.Add(2)
		go p.copy(srv, client, func(b []byte) (forward, end bool) {
			if !bytes.Contains(b, []byte("HPUB journal.")) {
				return true, false
			}
			switch p.cut.Swap(cutNever) {
			case cutRequest:
				return false, true
			case cutAnswer:
				swallow.Store(true)
			}
			return true, false
		})
		go p.copy(client, srv, func([]byte) (forward, end bool) {
			return !swallow.Load(), swallow.Load()
		})
	}
}

// copy moves bytes until an end of the connection, or look, says that it is over.
func (p *proxy) copy(dst, src net.Conn, look func([]byte) (forward, end bool)) {
	defer p.wg.Done()
	defer dst.Close()
	defer src.Close()
	buf := make([]byte, 1<<20)
	for {
		n, err := src.Read(buf)
		if err != nil {
			return
		}
		forward, end := look(buf[:n])
		if forward {
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if end {
			return
		}
	}
}

var _ io.Closer = (*proxy)(nil)

func dial(t *testing.T, addr string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect("nats://"+addr, nats.MaxReconnects(-1), nats.ReconnectWait(5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestCutConnection(t *testing.T) {
	srv := startServer(t, t.TempDir(), -1)
	p := startProxy(t, srv.Addr().String())
	j := open(t, dial(t, p.Addr().String()), Config{AttemptTimeout: 100 * time.Millisecond})
	var want []string
	for i := range 12 {
		cut := int32(i % 3)
		p.cut.Store(cut)
		body := fmt.Sprintf("block %d, cut %d", i, cut)
		mustAppend(t, j, body)
		if p.cut.Load() != cutNever {
			t.Fatal("nothing was cut")
		}
		want = append(want, body)
	}
	if diff := cmp.Diff(want, bodies(t, open(t, connect(t, srv), Config{}))); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func TestServerStopsUnderLoad(t *testing.T) {
	dir := t.TempDir()
	srv := startServer(t, dir, -1)
	addr := srv.Addr().(*net.TCPAddr)
	j := open(t, dial(t, addr.String()), Config{AttemptTimeout: 500 * time.Millisecond})
	var (
		written atomic.Int64
		stop    atomic.Bool
		want    []string
		failed  = make(chan error, 1)
	)
	go func() {
		for i := 0; !stop.Load(); i++ {
			body := fmt.Sprint(i)
			if _, err := j.Append(testContext(t), build(j.Tail(), body)); err != nil {
				failed <- err
				return
			}
			want = append(want, body)
			written.Add(1)
		}
		failed <- nil
	}()
	for range 3 {
		waitFor(t, func(from int64) func() bool {
			return func() bool { return written.Load() > from+20 }
		}(written.Load()))
		stopServer(srv)
		srv = startServer(t, dir, addr.Port)
	}
	stop.Store(true)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if got := bodies(t, open(t, connect(t, srv), Config{})); !slices.Equal(got, want) {
		t.Errorf("journal has %d records, %d were appended", len(got), len(want))
	}
}

// waitFor polls a condition until it holds.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
		if pause(t.Context(), time.Millisecond) != nil {
			t.Fatal("the test has ended")
		}
	}
}
