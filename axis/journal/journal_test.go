package journal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"docaxis/proto/axispb"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// startServer runs a real server over dir; port 0 means in-process only.
func startServer(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{
		JetStream: true, StoreDir: dir, SyncAlways: true,
		Host: "127.0.0.1", Port: port, DontListen: port == 0,
		NoSigs: true, NoLog: true, MaxPayload: 2 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { stopServer(srv) })
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	return srv
}

func stopServer(srv *server.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

func connect(t *testing.T, srv *server.Server) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func open(t *testing.T, nc *nats.Conn, cfg Config) *Journal {
	t.Helper()
	j, err := Open(testContext(t), nc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func newJournal(t *testing.T, cfg Config) (*Journal, *nats.Conn) {
	t.Helper()
	nc := connect(t, startServer(t, t.TempDir(), 0))
	return open(t, nc, cfg), nc
}

func root(of string) []byte {
	r := sha256.Sum256([]byte(of))
	return r[:]
}

// build makes the block that continues a tail, with a record for each body.
func build(tail Tail, bodies ...string) *axispb.Block {
	b := &axispb.Block{
		Version: 1, Epoch: 1, Number: tail.Blocks, FirstLeaf: tail.NextLeaf,
		RootBefore: root("tree"), PreviousDigest: tail.Digest,
	}
	for _, body := range bodies {
		header := make([]byte, 40)
		rand.Read(header)
		b.Records = append(b.Records, &axispb.Record{Header: header, Body: []byte(body)})
	}
	return b
}

func mustAppend(t *testing.T, j *Journal, bodies ...string) Entry {
	t.Helper()
	e, err := j.Append(testContext(t), build(j.Tail(), bodies...))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// appendRotating is the appender's loop in small.
func appendRotating(t *testing.T, j *Journal, bodies ...string) Entry {
	t.Helper()
	ctx := testContext(t)
	e, err := j.Append(ctx, build(j.Tail(), bodies...))
	if errors.Is(err, ErrFull) {
		if _, err := j.Rotate(ctx, 1, root("tree")); err != nil {
			t.Fatal(err)
		}
		e, err = j.Append(ctx, build(j.Tail(), bodies...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func readAll(t *testing.T, j *Journal, from Location) []Entry {
	t.Helper()
	var all []Entry
	err := j.Blocks(testContext(t), from, func(e Entry) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// bodies lists what the journal holds, in order.
func bodies(t *testing.T, j *Journal) []string {
	t.Helper()
	var all []string
	for _, e := range readAll(t, j, Location{}) {
		for _, r := range e.Block.Records {
			all = append(all, string(r.Body))
		}
	}
	return all
}

func raws(entries []Entry) [][]byte {
	var all [][]byte
	for _, e := range entries {
		all = append(all, e.Raw)
	}
	return all
}

// crashImage copies a running server's folder: what is on disk when it is killed now.
func crashImage(t *testing.T, dir string) string {
	t.Helper()
	image := t.TempDir()
	if err := os.CopyFS(image, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return image
}

func TestAppendAndReadBack(t *testing.T) {
	j, _ := newJournal(t, Config{})
	if diff := cmp.Diff(Tail{}, j.Tail()); diff != "" {
		t.Fatalf("tail of an empty journal (-want +got):\n%s", diff)
	}
	var appended []Entry
	for i := range 20 {
		appended = append(appended, mustAppend(t, j, fmt.Sprint(i), "second"))
	}
	last := appended[19]
	want := Tail{Blocks: 20, NextLeaf: 40, Digest: last.Digest[:], Location: Location{1, 20}}
	if diff := cmp.Diff(want, j.Tail()); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(raws(appended), raws(readAll(t, j, Location{}))); diff != "" {
		t.Errorf("from the start (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(raws(appended[7:]), raws(readAll(t, j, appended[7].Location))); diff != "" {
		t.Errorf("from the middle (-want +got):\n%s", diff)
	}
	if got := readAll(t, j, Location{1, 21}); got != nil {
		t.Errorf("behind the tail: %d blocks", len(got))
	}
}

func TestDigestIsOfTheStoredBytes(t *testing.T) {
	j, nc := newJournal(t, Config{})
	mustAppend(t, j, "a")
	e := mustAppend(t, j, "b")
	other := open(t, nc, Config{}) // with an empty cache
	got, err := other.Get(testContext(t), e.Location)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != e.Digest || sha256.Sum256(got.Raw) != e.Digest || string(got.Block.Records[0].Body) != "b" {
		t.Errorf("got %v, want %v", got, e)
	}
}

func TestGetBehindTheTail(t *testing.T) {
	j, _ := newJournal(t, Config{})
	mustAppend(t, j, "a")
	for _, at := range []Location{{}, {1, 0}, {0, 1}, {1, 2}, {2, 1}} {
		if _, err := j.Get(testContext(t), at); !errors.Is(err, ErrNoBlock) {
			t.Errorf("get %v: %v", at, err)
		}
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	j, _ := newJournal(t, Config{})
	mustAppend(t, j, "a")
	tail := j.Tail()
	for name, c := range map[string]struct {
		change func(*axispb.Block)
		want   error
	}{
		"number":     {func(b *axispb.Block) { b.Number++ }, ErrNotNext},
		"first leaf": {func(b *axispb.Block) { b.FirstLeaf++ }, ErrNotNext},
		"previous":   {func(b *axispb.Block) { b.PreviousDigest = nil }, ErrNotNext},
		"root":       {func(b *axispb.Block) { b.RootBefore = nil }, ErrNotNext},
		"version":    {func(b *axispb.Block) { b.Version = 2 }, ErrNotNext},
		"no records": {func(b *axispb.Block) { b.Records = nil }, ErrNotNext},
		"closing": {func(b *axispb.Block) {
			b.Records, b.Closing = nil, &axispb.Closing{NextStream: "JOURNAL-000002"}
		}, ErrNotNext},
		"too large": {func(b *axispb.Block) { b.Records[0].Body = make([]byte, MaxBlock) }, ErrTooLarge},
	} {
		b := build(tail, "b")
		c.change(b)
		if _, err := j.Append(testContext(t), b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff([]string{"a"}, bodies(t, j)); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	mustAppend(t, j, "still works")
}

func TestLargestBlock(t *testing.T) {
	j, _ := newJournal(t, Config{})
	b := build(j.Tail(), string(make([]byte, MaxBlock-200)))
	e, err := j.Append(testContext(t), b)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, j, e.Location); len(got) != 1 || len(got[0].Raw) < MaxBlock-200 {
		t.Errorf("read back %d blocks", len(got))
	}
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	srv := startServer(t, dir, 0)
	j := open(t, connect(t, srv), Config{})
	for i := range 40 {
		mustAppend(t, j, fmt.Sprint(i))
	}
	want := j.Tail()
	stopServer(srv)
	again := open(t, connect(t, startServer(t, dir, 0)), Config{})
	if diff := cmp.Diff(want, again.Tail()); diff != "" {
		t.Fatalf("tail (-want +got):\n%s", diff)
	}
	mustAppend(t, again, "40")
	if got := bodies(t, again); len(got) != 41 || got[40] != "40" {
		t.Errorf("got %v", got)
	}
}

func TestKilledServerHasEveryAppendedBlock(t *testing.T) {
	dir := t.TempDir()
	j := open(t, connect(t, startServer(t, dir, 0)), Config{MaxStreamBytes: 2000})
	for i := range 12 {
		appendRotating(t, j, fmt.Sprint(i))
		killed := open(t, connect(t, startServer(t, crashImage(t, dir), 0)), Config{MaxStreamBytes: 2000})
		if diff := cmp.Diff(j.Tail(), killed.Tail()); diff != "" {
			t.Fatalf("killed after block %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestManyPages(t *testing.T) {
	j, _ := newJournal(t, Config{MaxStreamBytes: 9 << 20, CacheBytes: 1})
	body := string(make([]byte, 400<<10))
	for range 40 { // two streams, four pages
		appendRotating(t, j, body)
	}
	var n int
	err := j.Blocks(testContext(t), Location{}, func(e Entry) error {
		n += len(e.Block.Records)
		return nil
	})
	if err != nil || n != 40 || j.Tail().Location.Stream < 2 {
		t.Errorf("%d records, %v, tail %v", n, err, j.Tail().Location)
	}
}

func TestBlocksStopsWithItsCaller(t *testing.T) {
	j, _ := newJournal(t, Config{MaxStreamBytes: 2000})
	for i := range 20 {
		appendRotating(t, j, fmt.Sprint(i))
	}
	enough := errors.New("enough")
	if err := j.Blocks(testContext(t), Location{}, func(Entry) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("stopped by fn: %v", err)
	}
	for range 50 { // it may be noticed at any point
		ctx, cancel := context.WithCancel(testContext(t))
		err := j.Blocks(ctx, Location{}, func(Entry) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped by the context: %v", err)
		}
	}
}

func TestForeignStreamIsRefused(t *testing.T) {
	nc := connect(t, startServer(t, t.TempDir(), 0))
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.AddStream(&nats.StreamConfig{Name: "JOURNAL-000001", Subjects: []string{"journal.000001"}, MaxMsgs: 10, AllowDirect: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(testContext(t), nc, Config{}); err == nil {
		t.Error("opened a stream that deletes blocks")
	}
}

func TestStreamKeepsWhatItHolds(t *testing.T) {
	j, nc := newJournal(t, Config{})
	mustAppend(t, j, "a")
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteMsg("JOURNAL-000001", 1); err == nil {
		t.Error("a block was deleted")
	}
	if err := js.PurgeStream("JOURNAL-000001"); err == nil {
		t.Error("the stream was purged")
	}
	info, err := js.StreamInfo("JOURNAL-000001")
	if err != nil {
		t.Fatal(err)
	}
	c := info.Config
	if c.Storage != nats.FileStorage || c.Discard != nats.DiscardNew || c.Duplicates != 100*time.Millisecond ||
		c.MaxBytes != -1 || c.MaxMsgs != -1 || c.MaxAge != 0 || c.Subjects[0] != "journal.000001" {
		t.Errorf("configuration %+v", c)
	}
	if diff := cmp.Diff([]string{"a"}, bodies(t, j)); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func TestStreamOutsideTheChainIsRefused(t *testing.T) {
	nc := connect(t, startServer(t, t.TempDir(), 0))
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = js.AddStream(&nats.StreamConfig{Name: "OTHER", Subjects: []string{"journal.other"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(testContext(t), nc, Config{}); err == nil {
		t.Error("opened beside a stream that takes the journal's subjects")
	}
}

func blkFile(t *testing.T, dir, stream string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", stream, "msgs", "*.blk"))
	if err != nil || len(files) != 1 {
		t.Fatalf("block files %v, %v", files, err)
	}
	return files[0]
}
