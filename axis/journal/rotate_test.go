package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var rotationPoints = []string{
	"rotate.closing.before", "append.before", "append.after", "rotate.closing.after",
	"rotate.create.before", "rotate.create.after", "rotate.seal.before", "rotate.seal.after",
}

// sealed lists the streams of the journal, and whether each is sealed.
func sealed(t *testing.T, nc *nats.Conn) []bool {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	var all []bool
	for i := 1; ; i++ {
		s, err := js.Stream(testContext(t), fmt.Sprintf("JOURNAL-%06d", i))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s.CachedInfo().Config.Sealed)
	}
}

func TestRotate(t *testing.T) {
	j, nc := newJournal(t, Config{MaxStreamBytes: 1000})
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprint(i))
		appendRotating(t, j, want[i])
	}
	streams := j.Tail().Location.Stream
	if streams < 3 {
		t.Fatalf("only %d streams", streams)
	}
	if diff := cmp.Diff(want, bodies(t, j)); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	var closings uint64
	for i, e := range readAll(t, j, Location{}) {
		if e.Block.Number != uint64(i) {
			t.Errorf("block %d is numbered %d", i, e.Block.Number)
		}
		if e.Block.Closing != nil {
			closings++
		}
	}
	if closings != streams-1 {
		t.Errorf("%d closing blocks in %d streams", closings, streams)
	}
	for i, s := range sealed(t, nc) {
		if want := uint64(i) < streams-1; s != want {
			t.Errorf("stream %d sealed: %v", i+1, s)
		}
	}
	if diff := cmp.Diff(j.Tail(), open(t, nc, Config{}).Tail()); diff != "" {
		t.Errorf("tail opened again (-want +got):\n%s", diff)
	}
}

func TestFullStreamIsRefusedAndForetold(t *testing.T) {
	j, _ := newJournal(t, Config{MaxStreamBytes: 400})
	if j.NeedsRotation(MaxBlock) {
		t.Error("an empty stream needs rotation")
	}
	mustAppend(t, j, "a")
	if !j.NeedsRotation(100) {
		t.Error("a full stream needs no rotation")
	}
	tail := j.Tail()
	if _, err := j.Append(testContext(t), build(tail, "b")); !errors.Is(err, ErrFull) {
		t.Errorf("append to a full stream: %v", err)
	}
	if diff := cmp.Diff(tail, j.Tail()); diff != "" {
		t.Errorf("tail moved (-before +after):\n%s", diff)
	}
}

// A process dies between two steps of a rotation, and another one opens what is on disk.
func TestCrashInRotation(t *testing.T) {
	for _, point := range rotationPoints {
		t.Run(point, func(t *testing.T) {
			dir := t.TempDir()
			f := &failing{}
			j := open(t, connect(t, startServer(t, dir, 0)), Config{Faults: f.at})
			mustAppend(t, j, "a")
			ctx, cancel := context.WithCancel(testContext(t))
			f.set(cancel, point)
			if _, err := j.Rotate(ctx, 1, root("tree")); !errors.Is(err, errInjected) {
				t.Fatalf("rotate: %v", err)
			}

			nc := connect(t, startServer(t, crashImage(t, dir), 0))
			again := open(t, nc, Config{})
			mustAppend(t, again, "b")
			if diff := cmp.Diff([]string{"a", "b"}, bodies(t, again)); diff != "" {
				t.Errorf("journal (-want +got):\n%s", diff)
			}
			want := []bool{true, false}
			if slices.Index(rotationPoints, point) < slices.Index(rotationPoints, "append.after") {
				want = []bool{false}
			}
			if diff := cmp.Diff(want, sealed(t, nc)); diff != "" {
				t.Errorf("streams sealed (-want +got):\n%s", diff)
			}
		})
	}
}

// A step of a rotation fails, and the same process goes on.
func TestRotationIsResumed(t *testing.T) {
	for _, point := range rotationPoints {
		t.Run(point, func(t *testing.T) {
			f := &failing{}
			j, nc := newJournal(t, Config{Faults: f.at})
			mustAppend(t, j, "a")
			ctx, cancel := context.WithCancel(testContext(t))
			f.set(cancel, point)
			if _, err := j.Rotate(ctx, 1, root("tree")); !errors.Is(err, errInjected) {
				t.Fatalf("rotate: %v", err)
			}
			closing, err := j.Rotate(testContext(t), 1, root("tree"))
			if err != nil || closing.Block.Closing == nil || closing.Block.Number != 1 {
				t.Fatalf("rotate again: %v, %v", closing.Block, err)
			}
			if e := mustAppend(t, j, "b"); e.Location != (Location{2, 1}) || e.Block.Number != 2 {
				t.Errorf("block %d at %v", e.Block.Number, e.Location)
			}
			if diff := cmp.Diff([]bool{true, false}, sealed(t, nc)); diff != "" {
				t.Errorf("streams sealed (-want +got):\n%s", diff)
			}
		})
	}
}

// A stream stayed unsealed long ago; only Open looks at it again.
func TestOpenSeals(t *testing.T) {
	f := &failing{}
	j, nc := newJournal(t, Config{Faults: f.at})
	mustAppend(t, j, "a")
	f.set(nil, "rotate.create.before")
	if _, err := j.Rotate(testContext(t), 1, root("tree")); !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	if _, err := j.ensureStream(testContext(t), 2); err != nil {
		t.Fatal(err)
	}
	e := j.now()
	e.stream, e.fence, e.bytes = 2, 0, 0
	j.set(e)
	for i := range verifyLast + 1 {
		mustAppend(t, j, fmt.Sprint(i))
	}
	if diff := cmp.Diff([]bool{false, false}, sealed(t, nc)); diff != "" {
		t.Fatalf("streams sealed (-want +got):\n%s", diff)
	}
	open(t, nc, Config{})
	if diff := cmp.Diff([]bool{true, false}, sealed(t, nc)); diff != "" {
		t.Errorf("streams sealed (-want +got):\n%s", diff)
	}
}

func TestOpenKnowsHowFullTheStreamIs(t *testing.T) {
	j, nc := newJournal(t, Config{})
	var size int
	for i := range 4 * verifyLast {
		size += len(mustAppend(t, j, fmt.Sprint(i)).Raw)
	}
	if !open(t, nc, Config{MaxStreamBytes: uint64(size)}).NeedsRotation(1) {
		t.Error("a full stream needs no rotation")
	}
	if open(t, nc, Config{MaxStreamBytes: uint64(10 * size)}).NeedsRotation(1) {
		t.Error("a stream with room needs rotation")
	}
}

// After a rotation that stopped half way, Append alone enters the stream.
func TestAppendEntersTheNextStream(t *testing.T) {
	f := &failing{}
	j, _ := newJournal(t, Config{Faults: f.at})
	mustAppend(t, j, "a")
	f.set(nil, "rotate.create.before", "rotate.create.before")
	if _, err := j.Rotate(testContext(t), 1, root("tree")); !errors.Is(err, errInjected) {
		t.Fatalf("rotate: %v", err)
	}
	if _, err := j.Append(testContext(t), build(j.Tail(), "b")); !errors.Is(err, errInjected) {
		t.Fatalf("append: %v", err)
	}
	if e := mustAppend(t, j, "b"); e.Location != (Location{2, 1}) {
		t.Errorf("appended at %v", e.Location)
	}
}

func TestWriterOfAnOldStreamIsFenced(t *testing.T) {
	for name, point := range map[string]string{"sealed": "", "not yet sealed": "rotate.seal.before"} {
		t.Run(name, func(t *testing.T) {
			f := &failing{}
			a, nc := newJournal(t, Config{Faults: f.at})
			mustAppend(t, a, "a")
			b := open(t, nc, Config{})
			f.set(nil, point)
			if _, err := a.Rotate(testContext(t), 1, root("tree")); point == "" && err != nil {
				t.Fatal(err)
			}
			if _, err := b.Append(testContext(t), build(b.Tail(), "b")); !errors.Is(err, ErrFenced) {
				t.Fatalf("append to a closed stream: %v", err)
			}
			if err := b.Refresh(testContext(t)); err != nil {
				t.Fatal(err)
			}
			if e := mustAppend(t, b, "b"); e.Location != (Location{2, 1}) {
				t.Errorf("appended at %v", e.Location)
			}
			if diff := cmp.Diff([]string{"a", "b"}, bodies(t, b)); diff != "" {
				t.Errorf("journal (-want +got):\n%s", diff)
			}
		})
	}
}

// Two writers whose closing blocks are the same bytes have both won, and go on together.
func TestTwoWritersRotate(t *testing.T) {
	a, nc := newJournal(t, Config{})
	mustAppend(t, a, "a")
	b := open(t, nc, Config{})
	first, err := a.Rotate(testContext(t), 1, root("tree"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Rotate(testContext(t), 1, root("tree"))
	if err != nil || first.Digest != second.Digest || first.Location != second.Location {
		t.Fatalf("%v and %v, %v", first.Location, second.Location, err)
	}
	mustAppend(t, a, "b")
	if _, err := b.Append(testContext(t), build(b.Tail(), "c")); !errors.Is(err, ErrFenced) {
		t.Errorf("append: %v", err)
	}
}
