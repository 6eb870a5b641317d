package link

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a connection whose calls a test answers.
type scripted struct {
	Conn
	call func(s bus.Service, req, resp proto.Message) error
}

func (s *scripted) Call(_ context.Context, service bus.Service, req, resp proto.Message) error {
	return s.call(service, req, resp)
}

// shelf is an axis that takes chunks: at most cut bytes of a range.
type shelf struct {
	held map[chunk.ID][]byte
	cut  int
	puts int
	have int
}

func (s *shelf) answer(service bus.Service, req, resp proto.Message) error {
	switch r := req.(type) {
	case *axispb.HaveRequest:
		s.have++
		out := resp.(*axispb.HaveAnswer)
		for _, d := range r.Digests {
			out.Held = append(out.Held, s.state(chunk.ID(d)))
		}
	case *axispb.PutRequest:
		s.puts++
		id := chunk.ID(r.Digest)
		if int(r.Offset) == len(s.held[id]) {
			s.held[id] = append(s.held[id], r.Data[:min(len(r.Data), s.cut)]...)
		}
		resp.(*axispb.PutAnswer).Held = s.state(id)
	}
	return nil
}

func (s *shelf) state(id chunk.ID) *axispb.Held {
	f, _ := chunk.Read(bytes.NewReader(s.held[id]))
	return &axispb.Held{Bytes: uint32(len(s.held[id])), Complete: len(f.Chunks) == 1 && f.Chunks[0] == id}
}

func file(t *testing.T, n int) (File, []byte) {
	t.Helper()
	content := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(content)
	f, err := chunk.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return File{File: f, Content: bytes.NewReader(content)}, content
}

func goOn() error { return nil }

func TestUploadResumes(t *testing.T) {
	f, content := file(t, 2*chunk.Size+100)
	for _, ask := range []bool{false, true} {
		s := &shelf{held: map[chunk.ID][]byte{}, cut: 50_000}
		// One chunk is there whole, one is begun.
		s.held[f.Chunks[0]] = content[:chunk.Size]
		s.held[f.Chunks[1]] = content[chunk.Size : chunk.Size+1000]
		l := New(&scripted{call: s.answer}, time.Now)
		moved, err := l.Upload(t.Context(), f, ask, goOn)
		if err != nil || !moved {
			t.Fatalf("moved %v, %v", moved, err)
		}
		for i, id := range f.Chunks {
			if !s.state(id).Complete {
				t.Fatalf("asked %v: chunk %d is not complete", ask, i)
			}
		}
		if want := map[bool]int{false: 0, true: 1}[ask]; s.have != want {
			t.Errorf("asked %d times, want %d", s.have, want)
		}
	}
}

func TestUploadStopsBetweenRanges(t *testing.T) {
	f, _ := file(t, chunk.Size)
	s := &shelf{held: map[chunk.ID][]byte{}, cut: chunk.MaxRange}
	l := New(&scripted{call: s.answer}, time.Now)
	stop := errors.New("stop")
	moved, err := l.Upload(t.Context(), f, false, func() error {
		if s.puts == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || !moved || s.puts != 2 {
		t.Fatalf("moved %v after %d ranges, %v", moved, s.puts, err)
	}
}

// An axis that never gets further must not keep an upload going for ever.
func TestUploadGivesUpOnNonsense(t *testing.T) {
	f, _ := file(t, chunk.Size)
	for name, held := range map[string]*axispb.Held{
		"nothing":    nil,
		"same":       {Bytes: 10},
		"beyond":     {Bytes: chunk.Size + 1},
		"whole, bad": {Bytes: chunk.Size},
	} {
		n := 0
		l := New(&scripted{call: func(_ bus.Service, _, resp proto.Message) error {
			if n++; n > 100 {
				return errors.New("it goes on for ever")
			}
			if a, ok := resp.(*axispb.PutAnswer); ok {
				a.Held = held
			}
			return nil
		}}, time.Now)
		if _, err := l.Upload(t.Context(), f, false, goOn); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l := New(&scripted{call: func(bus.Service, proto.Message, proto.Message) error { return nil }}, time.Now)
	if _, err := l.Upload(t.Context(), f, true, goOn); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
		t.Errorf("have without an answer: %v", err)
	}
}

func TestPaceFitsTheLine(t *testing.T) {
	fast, slow := 10*time.Millisecond, 8*time.Second
	p := newPace()
	for range 10 {
		before := p.size()
		p.learn(before, fast, nil)
		if p.size() > 2*before {
			t.Fatal("more than doubled")
		}
	}
	if p.size() != chunk.MaxRange {
		t.Fatalf("fast line: %d", p.size())
	}
	p.learn(chunk.MaxRange, slow, nil)
	if p.size() != chunk.MaxRange/4 {
		t.Fatalf("slow line: %d", p.size())
	}
	for range 10 {
		p.learn(p.size(), slow, errors.New("no answer in time"))
	}
	if p.size() != chunk.MinRange {
		t.Fatalf("dead line: %d", p.size())
	}
	p.learn(p.size(), fast, errors.New("refused"))
	if p.size() != chunk.MinRange {
		t.Fatal("a refusal changed the size")
	}
	p.learn(100, 0, nil)
	if p.size() != 2*chunk.MinRange {
		t.Fatalf("a clock that stands: %d", p.size())
	}
}

// Never more than six requests, never more than one range.
func TestRequestsShareTheLine(t *testing.T) {
	var mu sync.Mutex
	var now, most, ranges, mostRanges int
	gate := make(chan struct{})
	conn := &scripted{call: func(s bus.Service, _, resp proto.Message) error {
		mu.Lock()
		now++
		most = max(most, now)
		if s == bus.Get {
			ranges++
			mostRanges = max(mostRanges, ranges)
		}
		mu.Unlock()
		<-gate
		mu.Lock()
		defer mu.Unlock()
		now--
		if s == bus.Get {
			ranges--
			resp.(*axispb.GetAnswer).Data = []byte("x")
		}
		return nil
	}}
	var seconds atomic.Int64 // on a fast line several small ranges go at once
	l := New(conn, func() time.Time { return time.Unix(seconds.Add(1), 0) })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _ = l.Call(t.Context(), bus.Submit, &axispb.SubmitRequest{}, &axispb.SubmitAnswer{}) })
		wg.Go(func() { _, _ = l.Get(t.Context(), 0, chunk.ID{}, 0, 10) })
	}
	for range 40 {
		gate <- struct{}{}
	}
	wg.Wait()
	if most > inFlight || mostRanges != 1 {
		t.Fatalf("%d requests and %d ranges at once", most, mostRanges)
	}
}

func TestWaitingForTheLineEndsWithItsContext(t *testing.T) {
	l := New(&scripted{}, time.Now)
	for range inFlight {
		l.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Call(ctx, bus.Pull, nil, nil); !reason.IsTemporary(err) || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestGetAsksForWhatFits(t *testing.T) {
	var asked []uint32
	l := New(&scripted{call: func(_ bus.Service, req, resp proto.Message) error {
		asked = append(asked, req.(*axispb.GetRequest).Length)
		return nil
	}}, time.Now)
	for _, limit := range []uint32{10, chunk.Size} {
		if _, err := l.Get(t.Context(), 1, chunk.ID{}, 0, limit); err != nil {
			t.Fatal(err)
		}
	}
	if asked[0] != 10 || asked[1] > chunk.MaxRange {
		t.Fatalf("asked for %v", asked)
	}
}
