package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/archive"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// world is an axis's folder and journal, as small as they can be.
type world struct {
	t      *testing.T
	dir    string
	blocks [][]byte
	chain  chain
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	for name, text := range map[string]string{
		"axis.toml": "name = \"x\"\n", "keys/ca.key": "k", "keys/ca.crt": "c", "keys/log-000001.key": "l",
		"keys/guard": "g", "keys/guard.lock": "", "keys/.tmp-1": "half", "keys/restored": "{}",
	} {
		w.file(name, []byte(text))
	}
	return w
}

func (w *world) file(name string, b []byte) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
		w.t.Fatal(err)
	}
}

// block appends a block of records to the journal.
func (w *world) block(records ...*axispb.Record) {
	w.t.Helper()
	root := w.chain.tree.root()
	raw := marshal(w.t, &axispb.Block{
		Version: 1, Epoch: 1, Number: w.chain.blocks, FirstLeaf: w.chain.tree.size, RootBefore: root[:],
		PreviousDigest: w.chain.previous, Records: records,
	})
	if _, _, err := w.chain.block(raw); err != nil {
		w.t.Fatal(err)
	}
	w.blocks = append(w.blocks, raw)
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func record(t *testing.T, kind axispb.Kind, m proto.Message) *axispb.Record {
	t.Helper()
	body, decision := marshal(t, m), marshal(t, &axispb.Decision{Endpoint: "e"})
	b, d := sha256.Sum256(body), sha256.Sum256(decision)
	header := marshal(t, &axispb.RecordHeader{
		Version: 1, Epoch: 1, Kind: kind, TimeMs: 1, Nonce: make([]byte, 16), BodyDigest: b[:], DecisionDigest: d[:],
	})
	return &axispb.Record{Header: header, Body: body, Decision: decision}
}

// document is a record that names chunks; the content of each is its number.
func document(t *testing.T, chunks ...byte) *axispb.Record {
	t.Helper()
	return record(t, axispb.Kind_KIND_DOCUMENT, envelopeOf(chunks...))
}

func envelopeOf(chunks ...byte) *axispb.Envelope {
	f := &axispb.FileContent{Name: "files/001.pdf"}
	for _, n := range chunks {
		id := sha256.Sum256([]byte{n})
		f.Chunks = append(f.Chunks, id[:])
	}
	return &axispb.Envelope{Version: 1, Contents: []*axispb.FileContent{f}}
}

func (w *world) chunk(n byte) {
	w.file(chunkName(sha256.Sum256([]byte{n})), []byte{n})
}

func (w *world) source() Source {
	root := w.chain.tree.root()
	return Source{
		Dir: w.dir, Now: time.UnixMilli(5), Temp: w.t.TempDir(),
		Head: Head{Name: "x", Epoch: 1, Blocks: w.chain.blocks, Size: w.chain.tree.size, Root: root},
		Blocks: func(_ context.Context, fn func([]byte) error) error {
			for _, b := range w.blocks {
				if err := fn(b); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (w *world) write(src Source) ([]byte, Report) {
	w.t.Helper()
	var b bytes.Buffer
	report, err := Write(w.t.Context(), &b, src)
	if err != nil {
		w.t.Fatal(err)
	}
	return b.Bytes(), report
}

// taken is a Sink that remembers.
type taken struct {
	Nothing
	keys   []string
	blocks int
	chunks []byte
}

func (s *taken) Key(name string, _ []byte) error { s.keys = append(s.keys, name); return nil }

func (s *taken) Block(context.Context, []byte) error { s.blocks++; return nil }

func (s *taken) Chunk(_ chunk.ID, data []byte) error {
	s.chunks = append(s.chunks, data...)
	return nil
}

// A chunk belongs to a backup as long as a document that was not released names it;
// one that the axis lost is counted, save where nobody could expect it.
func TestWhichChunksBelong(t *testing.T) {
	w := newWorld(t)
	w.block(document(t, 1, 2, 1), document(t, 2, 3))
	w.block(document(t, 4), document(t, 5))
	w.block(record(t, axispb.Kind_KIND_ACT, &axispb.Act{Version: 1, Act: &axispb.Act_ContentReleased{
		ContentReleased: &axispb.ContentReleased{Documents: []*axispb.RecordRef{{Epoch: 1, LeafIndex: 1}, {Epoch: 1, LeafIndex: 3}}},
	}}))
	w.block(record(t, axispb.Kind_KIND_RECOVERED, &axispb.Recovered{Version: 1, Record: document(t, 6, 7)}))
	for _, n := range []byte{1, 2, 3, 6, 9} { // 4 is lost; 5 was released; 7 was never sent again; 9 is nobody's
		w.chunk(n)
	}
	raw, report := w.write(w.source())
	if report.Chunks != 3 || report.Missing != 1 || report.Documents != 5 {
		t.Errorf("written: %+v", report)
	}
	got := &taken{}
	again, err := Read(t.Context(), bytes.NewReader(raw), t.TempDir(), got)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(report) {
		t.Errorf("read: %+v (%v)", again, err)
	}
	slicesEqual(t, got)
}

func slicesEqual(t *testing.T, got *taken) {
	t.Helper()
	have := map[byte]bool{}
	for _, n := range got.chunks {
		have[n] = true
	}
	if len(got.chunks) != 3 || !have[1] || !have[2] || !have[6] || got.blocks != 4 {
		t.Errorf("chunks %v in %d blocks", got.chunks, got.blocks)
	}
	if fmt.Sprint(got.keys) != "[ca.crt ca.key log-000001.key guard]" {
		t.Errorf("keys %v", got.keys)
	}
}

func TestWithoutContent(t *testing.T) {
	w := newWorld(t)
	w.block(document(t, 1))
	src := w.source()
	src.WithoutContent = true
	raw, report := w.write(src)
	again, err := Read(t.Context(), bytes.NewReader(raw), t.TempDir(), Nothing{})
	if err != nil || report.Content || again.Chunks != 0 || again.Missing != 0 {
		t.Errorf("%+v %+v (%v)", report, again, err)
	}
}

// A journal that does not hold together is not backed up.
func TestWriteChecksTheJournal(t *testing.T) {
	for name, spoil := range map[string]func(w *world, src *Source){
		"a block is missing":  func(w *world, _ *Source) { w.blocks = append(w.blocks[:1:1], w.blocks[2:]...) },
		"it ends too early":   func(w *world, _ *Source) { w.blocks = w.blocks[:2] },
		"it is of other size": func(_ *world, src *Source) { src.Head.Size++ },
		"another root":        func(_ *world, src *Source) { src.Head.Root[0]++ },
		"a byte changed":      func(w *world, _ *Source) { w.blocks[1][len(w.blocks[1])-1]++ },
	} {
		w := newWorld(t)
		w.block(document(t))
		w.block(document(t))
		w.block(document(t))
		src := w.source()
		spoil(w, &src)
		if _, err := Write(t.Context(), new(bytes.Buffer), src); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// Whoever makes a container with right digests can still not pass off a backup that
// does not hold together.
func TestReadBelievesNothing(t *testing.T) {
	w := newWorld(t)
	w.block(document(t, 1))
	w.block(document(t, 2))
	root := w.chain.tree.root()
	m := archive.Manifest{Kind: archive.KindAxis, Name: "x", Epoch: 1, Blocks: 2, Size: 2, Root: root[:], Content: true}
	one, two := chunkName(sha256.Sum256([]byte{1})), chunkName(sha256.Sum256([]byte{2}))
	good := func() []entry {
		return []entry{
			{"axis.toml", []byte("x")},
			{"keys/ca.key", nil},
			{"keys/ca.crt", nil},
			{"keys/log-000001.key", nil},
			{segmentName(0), frame(w.blocks...)},
			{one, []byte{1}},
			{two, []byte{2}},
		}
	}
	if err := readBack(t, m, good()); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	for name, change := range map[string]func(m *archive.Manifest, e []entry) []entry{
		"a chunk is missing": func(_ *archive.Manifest, e []entry) []entry { return e[:6] },
		"a chunk of nobody": func(_ *archive.Manifest, e []entry) []entry {
			return append(e, entry{chunkName(sha256.Sum256([]byte{3})), []byte{3}})
		},
		"a chunk twice": func(_ *archive.Manifest, e []entry) []entry { return append(e, e[6]) },
		"a chunk elsewhere": func(_ *archive.Manifest, e []entry) []entry {
			e[6].name = "content/chunks/" + filepath.Base(two)
			return e
		},
		"no configuration":        func(_ *archive.Manifest, e []entry) []entry { return e[1:] },
		"no CA":                   func(_ *archive.Manifest, e []entry) []entry { return append(e[:1:1], e[2:]...) },
		"no key of its epoch":     func(_ *archive.Manifest, e []entry) []entry { return append(e[:3:3], e[4:]...) },
		"no journal":              func(_ *archive.Manifest, e []entry) []entry { return append(e[:4:4], e[5:]...) },
		"a journal of one block":  func(_ *archive.Manifest, e []entry) []entry { e[4].b = frame(w.blocks[0]); return e },
		"the blocks turned round": func(_ *archive.Manifest, e []entry) []entry { e[4].b = frame(w.blocks[1], w.blocks[0]); return e },
		"a block twice":           func(_ *archive.Manifest, e []entry) []entry { e[4].b = frame(w.blocks[0], w.blocks[0]); return e },
		"half a block":            func(_ *archive.Manifest, e []entry) []entry { e[4].b = e[4].b[:len(e[4].b)-1]; return e },
		"a block without end":     func(_ *archive.Manifest, e []entry) []entry { e[4].b = []byte{0xff, 0xff, 0xff, 0xff}; return e },
		"a segment of another":    func(_ *archive.Manifest, e []entry) []entry { e[4].name = segmentName(7); return e },
		"an unknown file":         func(_ *archive.Manifest, e []entry) []entry { return append(e, entry{"extra", nil}) },
		"a key in a folder":       func(_ *archive.Manifest, e []entry) []entry { return append(e, entry{"keys/a/b", nil}) },
		"a hidden key":            func(_ *archive.Manifest, e []entry) []entry { return append(e, entry{"keys/.b", nil}) },
		"a mark of its own":       func(_ *archive.Manifest, e []entry) []entry { return append(e, entry{"keys/restored", nil}) },
		"another root":            func(m *archive.Manifest, e []entry) []entry { m.Root = make([]byte, 32); return e },
		"another size":            func(m *archive.Manifest, e []entry) []entry { m.Size++; return e },
		"a list of missing chunks that is none": func(_ *archive.Manifest, e []entry) []entry {
			return append(e, entry{missingName, bytes.Repeat([]byte("x"), missingLine)})
		},
		"a block after another": func(_ *archive.Manifest, e []entry) []entry {
			b := new(axispb.Block)
			if err := proto.Unmarshal(w.blocks[1], b); err != nil {
				t.Fatal(err)
			}
			b.PreviousDigest[0]++
			e[4].b = frame(w.blocks[0], marshal(t, b))
			return e
		},
		"a block on another tree": func(_ *archive.Manifest, e []entry) []entry {
			b := new(axispb.Block)
			if err := proto.Unmarshal(w.blocks[1], b); err != nil {
				t.Fatal(err)
			}
			b.RootBefore[0]++
			e[4].b = frame(w.blocks[0], marshal(t, b))
			return e
		},
		"a record that its header does not bear out": func(_ *archive.Manifest, e []entry) []entry {
			b := new(axispb.Block)
			if err := proto.Unmarshal(w.blocks[1], b); err != nil {
				t.Fatal(err)
			}
			b.Records[0].Body = append(b.Records[0].Body, 0x28, 1)
			e[4].b = frame(w.blocks[0], marshal(t, b))
			return e
		},
	} {
		changed := m
		entries := change(&changed, good())
		if err := readBack(t, changed, entries); err == nil {
			t.Errorf("%s: nobody saw", name)
		}
	}
}

type entry struct {
	name string
	b    []byte
}

func frame(blocks ...[]byte) (all []byte) {
	for _, b := range blocks {
		all = append(binary.BigEndian.AppendUint32(all, uint32(len(b))), b...)
	}
	return all
}

func readBack(t *testing.T, m archive.Manifest, entries []entry) error {
	t.Helper()
	var b bytes.Buffer
	out, err := archive.NewWriter(&b, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := out.Add(e.name, int64(len(e.b)), bytes.NewReader(e.b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Read(t.Context(), &b, t.TempDir(), Nothing{})
	if err != nil && !errors.Is(err, archive.ErrDamaged) {
		t.Errorf("%v is no word of a damaged backup", err)
	}
	return err
}

func TestOtherKindIsRefused(t *testing.T) {
	if err := readOther(t); !errors.Is(err, archive.ErrNoArchive) {
		t.Errorf("%v", err)
	}
}

func readOther(t *testing.T) error {
	t.Helper()
	var b bytes.Buffer
	out, err := archive.NewWriter(&b, archive.Manifest{Kind: archive.KindEndpoint})
	if err := errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Read(t.Context(), &b, t.TempDir(), Nothing{})
	return err
}
