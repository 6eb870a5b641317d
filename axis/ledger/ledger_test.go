package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"docaxis/internal/chunk"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// book grows a ledger as the axis does, one record a block.
type book struct {
	t     *testing.T
	l     *Ledger
	after Position
	tree  []tlog.Hash // stored hashes
}

func openBook(t *testing.T) *book {
	t.Helper()
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &book{t: t, l: l}
}

func (b *book) next(r Record) *Block {
	b.t.Helper()
	leaf := sha256.Sum256([]byte{byte(b.after.Size)})
	reader := tlog.HashReaderFunc(func(ids []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ids))
		for i, id := range ids {
			out[i] = b.tree[id]
		}
		return out, nil
	})
	hashes, err := tlog.StoredHashesForRecordHash(int64(b.after.Size), leaf, reader)
	if err != nil {
		b.t.Fatal(err)
	}
	b.tree = append(b.tree, hashes...)
	root, err := tlog.TreeHash(int64(b.after.Size)+1, reader)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Position, r.TimeMS = b.after.Size, 1000+int64(b.after.Size)
	block := &Block{Number: b.after.Blocks, Records: []Record{r}, Hashes: hashes}
	b.after = Position{
		Epoch: 1, Blocks: b.after.Blocks + 1, Digest: leaf[:], Stream: 1, Seq: b.after.Seq + 1,
		Size: b.after.Size + 1, Root: root, TimeMS: r.TimeMS, Checkpoint: []byte("note"),
	}
	block.After = b.after
	return block
}

func (b *book) apply(r Record) Applied {
	b.t.Helper()
	a, err := b.l.Apply(b.t.Context(), b.next(r))
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func document(id string, rows ...Row) *Document {
	return &Document{
		Epoch: 1, Sender: "G22", ID: id, Endpoint: "g22", Kind: "document", Lane: axispb.Lane_LANE_NORMAL,
		Subject: "Công văn", Rows: rows, Chunks: []chunk.ID{sha256.Sum256([]byte(id))},
	}
}

func row(code, endpoint string) Row { return Row{Code: code, Serving: code, Endpoint: endpoint} }

func (b *book) rows(endpoint string, lane axispb.Lane, c *axispb.Cursor) []Waiting {
	b.t.Helper()
	s, err := b.l.Snapshot(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only reads
	if c == nil {
		c = &axispb.Cursor{}
	}
	c.Lane = lane
	rows, err := s.Rows(b.t.Context(), endpoint, c, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	return rows
}

func positions(rows []Waiting) []uint64 {
	out := []uint64{}
	for _, r := range rows {
		out = append(out, r.Record.Position)
	}
	return out
}

func TestRowsWaitForTheirEndpointInOrder(t *testing.T) {
	b := openBook(t)
	told := b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("a", row("H41", "h41"), row("H27", "h27"))})
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("b", row("H41", "h41"), row("H41.11", "h41"))})
	if diff := cmp.Diff(map[string]struct{}{"h41": {}, "h27": {}}, told.Endpoints); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{0, 1, 1}, positions(b.rows("h41", axispb.Lane_LANE_NORMAL, nil))); diff != "" {
		t.Errorf("rows of h41 (-want +got):\n%s", diff)
	}
	after := &axispb.Cursor{Position: 2, Ordinal: 1}
	rest := b.rows("h41", axispb.Lane_LANE_NORMAL, after)
	if len(rest) != 1 || rest[0].Code != "H41.11" || rest[0].Ordinal != 1 {
		t.Errorf("after the first row of record 1 come %+v, not its second", rest)
	}
	if got := b.rows("stranger", axispb.Lane_LANE_NORMAL, nil); len(got) != 0 {
		t.Errorf("a stranger has rows: %+v", got)
	}
}

func TestABlockOutOfOrderChangesNothing(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("a", row("H41", "h41"))})
	before := b.dump()
	again := b.next(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("b", row("H41", "h41"))})
	again.Number = 7
	if _, err := b.l.Apply(t.Context(), again); !errors.Is(err, ErrGap) {
		t.Fatalf("error %v, not ErrGap", err)
	}
	if b.dump() != before {
		t.Error("a refused block left something behind")
	}
}

func (b *book) dump() string {
	b.t.Helper()
	var s strings.Builder
	if err := b.l.Dump(context.Background(), &s); err != nil {
		b.t.Fatal(err)
	}
	return s.String()
}

func TestEvidenceMovesTheStateAndTellsTheSender(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("a", row("H41", "h41"))})
	doc := uint64(0)
	e := &Evidence{
		Document: &doc, Code: "H41", Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT, Issuer: "h41", Counter: 1,
		Standing: axispb.Standing_STANDING_FIRST, State: axispb.State_STATE_CONSIGNED, Tell: "g22",
	}
	b.apply(Record{Kind: axispb.Kind_KIND_EVIDENCE, Evidence: e})
	held, found, err := b.l.Copy(t.Context(), 0, "H41")
	want := evidence.Copy{State: axispb.State_STATE_CONSIGNED, Endpoint: "h41", Consigner: "h41"}
	if err != nil || !found || held != want {
		t.Errorf("%+v, found %v, error %v", held, found, err)
	}
	if diff := cmp.Diff([]uint64{1}, positions(b.rows("g22", axispb.Lane_LANE_NORMAL, nil))); diff != "" {
		t.Errorf("the sender's rows (-want +got):\n%s", diff)
	}
	said, found, err := b.l.ByCounter(t.Context(), "h41", 1)
	if err != nil || !found || said.Position != 1 {
		t.Errorf("by counter: %+v, %v, %v", said, found, err)
	}
}

func TestAMovedCodeTakesWhatWaitsAlong(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("a", row("H41", "old"))})
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("b", row("H41", "old"))})
	doc := uint64(0)
	b.apply(Record{Kind: axispb.Kind_KIND_EVIDENCE, Evidence: &Evidence{
		Document: &doc, Code: "H41", Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT, Issuer: "old", Counter: 1,
		Standing: axispb.Standing_STANDING_FIRST, State: axispb.State_STATE_CONSIGNED,
	}})
	b.apply(Record{Kind: axispb.Kind_KIND_REGISTRY, Public: true, Moves: []Move{{Code: "H41", Serving: "H41", To: "new"}}})
	if diff := cmp.Diff([]uint64{0}, positions(b.rows("old", axispb.Lane_LANE_NORMAL, nil))); diff != "" {
		t.Errorf("rows of the old endpoint (-want +got):\n%s", diff)
	}
	got := b.rows("new", axispb.Lane_LANE_NORMAL, nil)
	if diff := cmp.Diff([]uint64{1}, positions(got)); diff != "" {
		t.Fatalf("rows of the new endpoint (-want +got):\n%s", diff)
	}
	if got[0].Position != 3 {
		t.Errorf("the row stands at record %d, not at the move's", got[0].Position)
	}
	for _, who := range []string{"old", "new"} {
		if had, err := b.l.HadRow(t.Context(), who, 1, "H41"); err != nil || !had {
			t.Errorf("%s had a row: %v, %v", who, had, err)
		}
	}
	if had, err := b.l.HadRow(t.Context(), "new", 0, "H41"); err != nil || had {
		t.Errorf("the new endpoint has a row of what was consigned before: %v, %v", had, err)
	}
}

// What waits is found in the mailbox of whoever served the code last, also under the code
// of the agency that took over, and after a way there and back.
func TestAMovedCodeMovesOn(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("a", row("H41", "one"))})
	for _, c := range []struct {
		Move
		holder, serving string
	}{
		{Move{Code: "H41", Serving: "H41", To: "two"}, "two", "H41"},
		{Move{Code: "H41", Serving: "H41", To: "one"}, "one", "H41"},
		{Move{Code: "H41", Serving: "H42", To: "two"}, "two", "H42"}, // H42 takes over
		{Move{Code: "H42", Serving: "H42", To: "three"}, "three", "H42"},
		{Move{Code: "H41", Serving: "H41", To: "one"}, "three", "H42"}, // it serves nothing any more
	} {
		b.apply(Record{Kind: axispb.Kind_KIND_REGISTRY, Public: true, Moves: []Move{c.Move}})
		for _, who := range []string{"one", "two", "three"} {
			rows := b.rows(who, axispb.Lane_LANE_NORMAL, nil)
			if who != c.holder && len(rows) > 0 {
				t.Errorf("after %+v %s has %+v", c.Move, who, rows)
			}
			if who == c.holder && (len(rows) != 1 || rows[0].Code != "H41" || rows[0].Serving != c.serving) {
				t.Errorf("after %+v %s has %+v, served by %s", c.Move, who, rows, c.serving)
			}
		}
	}
}

func TestOnlyPartiesMayReadAChunk(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("a", row("H41", "h41"))})
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("b", row("H27", "h27"))})
	a := sha256.Sum256([]byte("a"))
	for _, c := range []struct {
		endpoint string
		document uint64
		may      bool
	}{
		{"h41", 0, true},
		{"g22", 0, true},
		{"h27", 0, false},
		{"stranger", 0, false},
		{"h27", 1, false}, // a party, but of a document without this chunk
		{"h41", 9, false},
	} {
		may, err := b.l.MayRead(t.Context(), c.endpoint, c.document, a[:])
		if err != nil || may != c.may {
			t.Errorf("%s, document %d: %v (%v), not %v", c.endpoint, c.document, may, err, c.may)
		}
	}
}

func TestAChangeKnowsWhetherItsTargetCameBefore(t *testing.T) {
	b := openBook(t)
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: document("a", row("H41", "h41"))})
	target := uint64(0)
	recall := document("b", row("H41", "h41"), row("H27", "h27"))
	recall.Target = &target
	b.apply(Record{Kind: axispb.Kind_KIND_DOCUMENT, Document: recall})
	if got := b.rows("h41", axispb.Lane_LANE_NORMAL, nil)[1].Target; got != axispb.Target_TARGET_PRECEDES {
		t.Errorf("h41: %v", got)
	}
	if got := b.rows("h27", axispb.Lane_LANE_NORMAL, nil)[0].Target; got != axispb.Target_TARGET_ELSEWHERE {
		t.Errorf("h27: %v", got)
	}
}

func TestHashesServeTheTree(t *testing.T) {
	b := openBook(t)
	for range 20 {
		b.apply(Record{Kind: axispb.Kind_KIND_ACT})
	}
	root, err := tlog.TreeHash(20, b.l)
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.l.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if root != p.Root || p.Size != 20 || p.Blocks != 20 {
		t.Errorf("position %+v, root of the stored hashes %v", p, root)
	}
}

// Whoever holds a snapshot reads everything by it: if it waited for a further
// connection, as many holders as there are connections would wait for one another.
func TestASnapshotNeedsNoFurtherConnection(t *testing.T) {
	b := openBook(t)
	for range 5 {
		b.apply(Record{Kind: axispb.Kind_KIND_ACT})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range readers {
		s, err := b.l.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		at, found, err := s.Locate(ctx, 3)
		if err != nil || !found || at.Position != 3 {
			t.Fatalf("record 3 at %+v, %v, %v", at, found, err)
		}
		if root, err := tlog.TreeHash(5, s); err != nil || root != s.Position.Root {
			t.Fatalf("root %v, %v", root, err)
		}
		for lane := range axispb.Lane(3) {
			if _, err := s.Rows(ctx, "ep", &axispb.Cursor{Lane: lane}, 10); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Journaled(ctx, 3, "H41"); err != nil {
			t.Fatal(err)
		}
	}
}

// A document that was applied lately is known without the database as the database has
// it, and no more of them are remembered than there may be.
func TestDocumentsAreKnownByCommitment(t *testing.T) {
	b := openBook(t)
	commitment := func(n int) [32]byte { return sha256.Sum256(fmt.Append(nil, "commitment ", n)) }
	for n := range recentDocuments + 200 {
		d := document(fmt.Sprint("d", n), row("H41", "h41"))
		d.Commitment, d.Manifest, d.Leaf, d.DeadlineMS = commitment(n), commitment(-n), uint64(n), int64(n)
		b.apply(Record{Document: d})
	}
	if k, o := len(b.l.recent.known), len(b.l.recent.order); k != recentDocuments || o != recentDocuments {
		t.Errorf("%d and %d documents are remembered", k, o)
	}
	for _, n := range []int{0, 199, 200, recentDocuments, recentDocuments + 199} {
		want := commitment(n)
		known, found, err := b.l.ByCommitment(t.Context(), want[:])
		stored, _, err2 := scanKnown(b.l.look.QueryRowContext(t.Context(), selectByRecord, want[:]))
		if err := errors.Join(err, err2); err != nil || !found {
			t.Fatalf("%d: %v, %v", n, found, err)
		}
		if diff := cmp.Diff(stored, known); diff != "" {
			t.Errorf("%d: %s", n, diff)
		}
		if _, recent := b.l.recent.byCommitment(want[:]); recent != (n >= 200) {
			t.Errorf("%d is remembered: %v", n, recent)
		}
	}
	if _, found, err := b.l.ByCommitment(t.Context(), make([]byte, 31)); found || err != nil {
		t.Errorf("31 bytes: %v, %v", found, err)
	}
}
