package journal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// plant stores bytes as a block of a stream, past every check of the journal.
func plant(t *testing.T, nc *nats.Conn, stream int, raw []byte) {
	t.Helper()
	reply, err := nc.RequestWithContext(testContext(t), fmt.Sprintf("journal.%06d", stream), raw)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("planted: %s", reply.Data)
}

func marshal(t *testing.T, b *axispb.Block) []byte {
	t.Helper()
	raw, err := proto.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestCorruptBlock(t *testing.T) {
	for name, change := range map[string]func(*axispb.Block){
		"version":           func(b *axispb.Block) { b.Version = 9 },
		"number":            func(b *axispb.Block) { b.Number = 7 },
		"number again":      func(b *axispb.Block) { b.Number-- },
		"previous digest":   func(b *axispb.Block) { b.PreviousDigest = root("other") },
		"no previous":       func(b *axispb.Block) { b.PreviousDigest = nil },
		"first leaf":        func(b *axispb.Block) { b.FirstLeaf++ },
		"root":              func(b *axispb.Block) { b.RootBefore = b.RootBefore[:31] },
		"no records":        func(b *axispb.Block) { b.Records = nil },
		"closing, records":  func(b *axispb.Block) { b.Closing = &axispb.Closing{NextStream: "JOURNAL-000002"} },
		"closing to itself": func(b *axispb.Block) { b.Records, b.Closing = nil, &axispb.Closing{NextStream: "JOURNAL-000001"} },
		"not a block":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			j, nc := newJournal(t, Config{})
			mustAppend(t, j, "a")
			mustAppend(t, j, "b")
			raw := []byte("\xffgarbage")
			if change != nil {
				b := build(j.Tail(), "c")
				change(b)
				raw = marshal(t, b)
			}
			plant(t, nc, 1, raw)
			tail := j.Tail()
			wantCorrupt(t, "refresh", j.Refresh(testContext(t)), Location{1, 3})
			if diff := cmp.Diff(tail, j.Tail()); diff != "" {
				t.Errorf("tail moved over it (-before +after):\n%s", diff)
			}
			_, err := Open(testContext(t), nc, Config{})
			wantCorrupt(t, "open", err, Location{1, 3})
		})
	}
}

func wantCorrupt(t *testing.T, what string, err error, at Location) {
	t.Helper()
	var c *CorruptError
	if !errors.As(err, &c) || c.Location != at {
		t.Errorf("%s: %v, want a corrupt block at %v", what, err, at)
	}
}

// The last blocks are good, so the journal opens; reading from the start finds the bad one.
func TestCorruptBlockLongAgo(t *testing.T) {
	j, nc := newJournal(t, Config{})
	mustAppend(t, j, "a")
	b := build(j.Tail(), "b")
	b.FirstLeaf = 5
	plant(t, nc, 1, marshal(t, b))
	j2 := &Journal{nc: nc, js: j.js, cfg: j.cfg, cache: newCache(0), turn: make(chan struct{}, 1)}
	c := chain{middle: true}
	if _, _, err := c.next(message{Location{1, 2}, marshal(t, b)}, j.streamName); err != nil {
		t.Fatal(err)
	}
	j2.set(end{chain: c, stream: 1, fence: 2})
	for i := range verifyLast {
		mustAppend(t, j2, fmt.Sprint(i))
	}
	opened := open(t, nc, Config{})
	var n int
	err := opened.Blocks(testContext(t), Location{}, func(Entry) error { n++; return nil })
	wantCorrupt(t, "blocks", err, Location{1, 2})
	if n != 1 {
		t.Errorf("%d blocks before it", n)
	}
	if got := readAll(t, opened, Location{1, 2}); len(got) != verifyLast+1 {
		t.Errorf("%d blocks from the middle", len(got))
	}
}

func TestBlockBehindTheClosingBlock(t *testing.T) {
	f := &failing{}
	j, nc := newJournal(t, Config{Faults: f.at})
	mustAppend(t, j, "a")
	f.set(nil, "rotate.create.before")
	if _, err := j.Rotate(testContext(t), 1, root("tree")); !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	plant(t, nc, 1, marshal(t, build(j.Tail(), "b")))
	_, err := Open(testContext(t), nc, Config{})
	wantCorrupt(t, "open", err, Location{1, 3})
}

func TestStreamWithoutClosingBlock(t *testing.T) {
	j, nc := newJournal(t, Config{})
	mustAppend(t, j, "a")
	if _, err := j.ensureStream(testContext(t), 2); err != nil {
		t.Fatal(err)
	}
	_, err := Open(testContext(t), nc, Config{})
	wantCorrupt(t, "open", err, Location{1, 1})
}

func TestMissingStream(t *testing.T) {
	j, nc := newJournal(t, Config{})
	if _, err := j.ensureStream(testContext(t), 3); err != nil {
		t.Fatal(err)
	}
	_, err := Open(testContext(t), nc, Config{})
	if err == nil || !strings.Contains(err.Error(), "JOURNAL-000002 is missing") {
		t.Errorf("open a chain that lacks its second stream: %v", err)
	}
}

func TestChainLeavesAStreamOnlyByItsClosingBlock(t *testing.T) {
	j := &Journal{cfg: Config{Prefix: "JOURNAL"}}
	var c chain
	first := marshal(t, build(c.Tail, "a"))
	if _, _, err := c.next(message{Location{1, 1}, first}, j.streamName); err != nil {
		t.Fatal(err)
	}
	second := marshal(t, build(c.Tail, "b"))
	_, _, err := c.next(message{Location{2, 1}, second}, j.streamName)
	wantCorrupt(t, "next", err, Location{2, 1})
}

// What a replica skips may be there all the same: nothing behind a gap is believed before
// the leader was asked.
func TestPageEndsAtAGap(t *testing.T) {
	run := func(seqs ...uint64) []message {
		var page []message
		for _, seq := range seqs {
			page = append(page, message{at: Location{1, seq}})
		}
		return page
	}
	if got := untilGap(run(4, 5, 7, 8)); len(got) != 2 {
		t.Errorf("%d messages before the gap", len(got))
	}
	if got := untilGap(run(4, 5, 6)); len(got) != 3 {
		t.Errorf("%d of 3 messages", len(got))
	}
}

func TestIdenticalBlockSeenTwice(t *testing.T) {
	j, nc := newJournal(t, Config{})
	mustAppend(t, j, "a")
	e := mustAppend(t, j, "b")
	plant(t, nc, 1, e.Raw)
	plant(t, nc, 1, e.Raw)
	if err := j.Refresh(testContext(t)); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, "c")
	reopened := open(t, nc, Config{})
	if diff := cmp.Diff(j.Tail(), reopened.Tail()); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
	plant(t, nc, 1, readAll(t, j, Location{1, 5})[0].Raw)
	for _, j := range []*Journal{reopened, open(t, nc, Config{})} {
		if err := j.Refresh(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a", "b", "c"}, bodies(t, j)); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	}
	mustAppend(t, reopened, "d")
	if got := bodies(t, open(t, nc, Config{})); len(got) != 4 {
		t.Errorf("journal: %v", got)
	}
}

// The file of the stream lost its end, but its index remembers it.
func TestLostEnd(t *testing.T) {
	dir := t.TempDir()
	srv := startServer(t, dir, 0)
	j := open(t, connect(t, srv), Config{})
	for i := range 30 {
		mustAppend(t, j, fmt.Sprint(i))
	}
	before := readAll(t, j, Location{})
	stopServer(srv) // writes the index
	file := blkFile(t, dir, "JOURNAL-000001")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()-int64(2*len(before[29].Raw))); err != nil {
		t.Fatal(err)
	}

	nc := connect(t, startServer(t, dir, 0))
	_, err = Open(testContext(t), nc, Config{})
	var lost *LostError
	if !errors.As(err, &lost) || lost.Counter != 30 || lost.Last.Seq >= 30 || lost.Last.Seq < 27 {
		t.Fatalf("open: %v", err)
	}
	again := open(t, nc, Config{AcceptLost: true})
	if got := again.Tail(); got.Location != lost.Last || got.Blocks != lost.Last.Seq {
		t.Errorf("tail %+v, last readable %v", got, lost.Last)
	}
	e := mustAppend(t, again, "new")
	if e.Location != (Location{1, 31}) {
		t.Errorf("appended at %v", e.Location)
	}
	for _, j := range []*Journal{again, open(t, nc, Config{})} { // nothing is lost at the end any more
		if got := bodies(t, j); len(got) != int(lost.Last.Seq)+1 || got[len(got)-1] != "new" {
			t.Errorf("journal: %v", got)
		}
		if err := j.Blocks(testContext(t), Location{1, 30}, func(Entry) error { return nil }); !errors.Is(err, ErrNoBlock) {
			t.Errorf("blocks from a lost one: %v", err)
		}
		_, err := j.Get(testContext(t), Location{1, 30})
		wantCorrupt(t, "get", err, Location{1, 30})
	}
}
