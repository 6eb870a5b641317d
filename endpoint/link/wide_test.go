package link

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// line is a fake axis behind a line on which every range takes a time of its own. A
// range waits until so many are under way as it has patience for, as long as more can come.
type line struct {
	mu      sync.Mutex
	shelf   shelf
	now     time.Time
	takes   time.Duration
	under   int
	most    int
	patient int
}

func (l *line) beside() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.under
}

func (l *line) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *line) call(s bus.Service, req, resp proto.Message) error {
	l.mu.Lock()
	l.under++
	l.most = max(l.most, l.under)
	l.mu.Unlock()
	for n := 0; n < 50 && l.beside() < l.patient; n++ {
		<-time.After(100 * time.Microsecond)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under--
	l.now = l.now.Add(l.takes)
	if r, ok := resp.(*axispb.GetAnswer); ok {
		r.Data = make([]byte, req.(*axispb.GetRequest).Length)
		return nil
	}
	return l.shelf.answer(s, req, resp)
}

func newLine(takes time.Duration) (*line, *Link) {
	l := &line{shelf: shelf{held: map[chunk.ID][]byte{}, cut: chunk.MaxRange}, takes: takes}
	return l, New(&scripted{call: l.call}, l.clock)
}

// gets has so many wait at once for a range of so many bytes.
func (l *line) gets(t *testing.T, link *Link, n int, size uint32) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, err := link.Get(t.Context(), 1, chunk.ID{}, 0, size); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Two ranges are under way on a fast line alone, and never a third.
func TestTwoRangesOnAFastLineAlone(t *testing.T) {
	fast, link := newLine(5 * time.Millisecond)
	for range 5 {
		fast.gets(t, link, 1, chunk.Size)
	}
	if !link.Wide() {
		t.Fatal("a range in 5 ms is not taken for a fast line")
	}
	fast.patient = 3
	fast.gets(t, link, 40, chunk.Size)
	if fast.most != 2 {
		t.Errorf("%d ranges at once on a fast line", fast.most)
	}
	link.down.learn(chunk.MaxRange, time.Millisecond, errors.New("no answer"))
	if link.Wide() {
		t.Error("after a failure two ranges go at once")
	}

	slow, link := newLine(wideRange + time.Millisecond)
	slow.patient = 3
	slow.gets(t, link, 20, chunk.Size)
	if slow.most != 1 || link.Wide() {
		t.Errorf("%d ranges at once on a slow line", slow.most)
	}
}

// Four small ranges are under way on a fast line, a small one beside a large one, and
// never more bytes than two large ones have.
func TestFourSmallRangesOnAFastLine(t *testing.T) {
	fast, link := newLine(time.Millisecond)
	for range 5 {
		fast.gets(t, link, 1, partSize)
	}
	fast.patient = 5
	fast.gets(t, link, 40, partSize)
	if fast.most != 4 {
		t.Errorf("%d small ranges at once", fast.most)
	}
	fast.most = 0
	fast.gets(t, link, 40, partSize+1)
	if fast.most != 2 {
		t.Errorf("%d ranges of over %d bytes at once", fast.most, partSize)
	}
}

// A small range tells of a fast line only where a large one would be as fast, and of a
// slow one where it is slow itself; where ranges are made smaller none goes beside
// another.
func TestWhatASmallRangeTellsOfTheLine(t *testing.T) {
	p := newPace()
	for range 10 {
		p.learn(10_000, 5*time.Millisecond, nil)
	}
	if p.wide() {
		t.Error("small ranges made it wide whose way there and back may be all that counts")
	}
	p.learn(10_000, time.Millisecond, nil)
	if !p.wide() {
		t.Fatal("10,000 bytes in a millisecond did not")
	}
	p.learn(10_000, 5*time.Millisecond, nil)
	if !p.wide() {
		t.Fatal("a small range that says nothing ended it")
	}
	p.learn(10_000, wideRange+1, nil)
	if p.wide() {
		t.Error("it is wide after a small range that took long")
	}
	p.learn(chunk.MaxRange, time.Millisecond, nil)
	if !p.wide() {
		t.Fatal("a large range in a millisecond did not make it wide")
	}
	p.learn(10_000, rangeTime, nil)
	if p.wide() {
		t.Error("it is wide with small ranges")
	}
}

// On a fast line a second chunk goes up beside the first; all of them arrive once.
func TestUploadsChunksSideBySide(t *testing.T) {
	f, content := file(t, 9*chunk.Size+5)
	l, link := newLine(time.Millisecond)
	l.patient = 3
	l.shelf.held[f.Chunks[3]] = content[3*chunk.Size : 4*chunk.Size]
	moved, err := link.Upload(t.Context(), f, true, goOn)
	if err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	for i, id := range f.Chunks {
		if want := content[i*chunk.Size : min((i+1)*chunk.Size, len(content))]; !bytes.Equal(l.shelf.held[id], want) {
			t.Errorf("chunk %d: %d bytes of %d", i, len(l.shelf.held[id]), len(want))
		}
	}
	if l.most != 2 {
		t.Errorf("%d ranges at once", l.most)
	}
	if most := 4*8 + 8 + 1; l.shelf.puts > most {
		t.Errorf("%d ranges, at most %d are needed", l.shelf.puts, most)
	}
}

// What stops one of two chunks stops both, and is what is told.
func TestUploadSideBySideStops(t *testing.T) {
	f, _ := file(t, 9*chunk.Size)
	stop := errors.New("stop")
	l, link := newLine(time.Millisecond)
	l.patient = 3
	var n int
	var mu sync.Mutex
	moved, err := link.Upload(t.Context(), f, false, func() error {
		mu.Lock()
		defer mu.Unlock()
		if n++; n > 15 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || !moved || n > 18 {
		t.Fatalf("moved %v, %v after %d", moved, err, n)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := link.Upload(ctx, f, false, goOn); !reason.IsTemporary(err) {
		t.Errorf("stopped from outside: %v", err)
	}
}
