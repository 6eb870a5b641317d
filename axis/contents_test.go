package axis

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/axis/mailbox"
	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// filed has a document of g22 with files of these sizes accepted, uploaded before.
func (b *bench) filed(d *envelope.Document, sizes ...int) (evidence.Proven, [][]byte) {
	b.t.Helper()
	var (
		files  []envelope.File
		bodies [][]byte
	)
	for i, n := range sizes {
		body := make([]byte, n)
		rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, d.ID, i))).Read(body)
		files = append(files, b.file(body, i))
		bodies = append(bodies, body)
	}
	p, refused := b.submit("g22", b.sealed(d, files...))
	if refused != 0 {
		b.t.Fatalf("refused: %v", refused)
	}
	return p, bodies
}

// file uploads a file.
func (b *bench) file(body []byte, n int) envelope.File {
	b.t.Helper()
	f, err := chunk.Read(bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i, id := range f.Chunks {
		piece := body[i*chunk.Size:][:chunk.Length(f.Size, uint64(i))]
		raw, err := proto.Marshal(&axispb.PutRequest{Digest: id[:], Size: uint32(len(piece)), Data: piece})
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.handlers()[bus.Put](b.t.Context(), "g22", raw); err != nil {
			b.t.Fatal(err)
		}
	}
	return envelope.File{Title: fmt.Sprintf("tệp %d.bin", n+1), Type: "application/octet-stream", Content: f}
}

func (b *bench) sealed(d *envelope.Document, files ...envelope.File) []byte {
	b.t.Helper()
	s := b.seals[d.Sender]
	raw, err := envelope.Seal(d, files, envelope.Key{Signer: s.Key, Chain: s.Chain[:1]})
	if err != nil {
		b.t.Fatal(err)
	}
	return raw
}

// page is what an endpoint pulls that takes so many bytes of contents, all from one row on.
func (b *bench) page(endpoint string, contents uint32, from uint64) *axispb.Page {
	b.t.Helper()
	raw, err := proto.Marshal(&axispb.PullRequest{
		Epoch: 1, MaxBytes: 1 << 20, MaxContents: contents,
		Cursors: []*axispb.Cursor{{Lane: axispb.Lane_LANE_NORMAL, Position: from, Ordinal: math.MaxUint32}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.services()[bus.Pull](b.t.Context(), endpoint, raw)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.(*axispb.Page)
}

// wantContents holds a page to bring these chunks, and its items whatever it brings.
func wantContents(t *testing.T, what string, page *axispb.Page, items int, bodies ...[]byte) {
	t.Helper()
	if len(page.GetItems()) != items {
		t.Errorf("%s: %d items, not %d", what, len(page.GetItems()), items)
	}
	if len(page.GetContents()) != len(bodies) {
		t.Errorf("%s: %d chunks, not %d", what, len(page.GetContents()), len(bodies))
		return
	}
	for i, c := range page.GetContents() {
		sum := sha256.Sum256(bodies[i])
		if !bytes.Equal(c.GetData(), bodies[i]) || !bytes.Equal(c.GetDigest(), sum[:]) {
			t.Errorf("%s: chunk %d is another", what, i)
		}
	}
}

const everything = 1 << 20

// A page brings the contents of its small documents to whoever wants them, each chunk
// once; larger ones are asked for.
func TestAPageBringsSmallContents(t *testing.T) {
	b := newBench(t)
	first, small := b.filed(doc("H41"), 3000, 0, 10)
	from := first.LeafIndex
	wantContents(t, "nothing is wanted", b.page("h41", 0, from), 1)
	wantContents(t, "all is wanted", b.page("h41", everything, from), 1, small[0], small[2])
	wantContents(t, "there is room", b.page("h41", 3010, from), 1, small[0], small[2])
	wantContents(t, "there is no room for all of it", b.page("h41", 3009, from), 1)
	wantContents(t, "somebody else's", b.page("h41-11", everything, from), 0)

	if _, refused := b.submit("g22", b.sealed(doc("H41"), b.file(small[0], 0), b.file(small[0], 1))); refused != 0 {
		t.Fatal(refused)
	}
	wantContents(t, "the same file again, twice", b.page("h41", everything, from), 2, small[0], small[2])
	wantContents(t, "the same file twice", b.page("h41", everything, from+1), 1, small[0])

	over, _ := b.filed(doc("H41"), 16<<10+1)
	wantContents(t, "a larger file", b.page("h41", everything, over.LeafIndex), 1)
	several, _ := b.filed(doc("H41"), 10_000, 10_000)
	wantContents(t, "larger together", b.page("h41", everything, several.LeafIndex), 1)
	most, body := b.filed(doc("H41"), 16<<10)
	wantContents(t, "as large as may be", b.page("h41", everything, most.LeafIndex), 1, body...)

	twice, body := b.filed(doc("H41.11", "H41.11.05"), 50)
	wantContents(t, "two codes of one endpoint", b.page("h41-11", everything, twice.LeafIndex), 2, body...)
}

// However much is wanted, a page brings so many bytes and so many chunks, and whatever
// is smaller than what does not fit.
func TestContentsOfAPageAreBounded(t *testing.T) {
	b := newBench(t)
	var from uint64
	var want [][]byte
	for i := range 9 {
		p, bodies := b.filed(doc("H41"), 15_000)
		if i == 0 {
			from = p.LeafIndex
		}
		if i < 8 {
			want = append(want, bodies...) // of 128 KiB
		}
	}
	_, last := b.filed(doc("H41"), 10_000)
	page := b.page("h41", 1<<32-1, from)
	wantContents(t, "bytes", page, 10, append(want, last...)...)
	if n := proto.Size(page); n > bus.MaxPayload/2 {
		t.Errorf("the page has %d bytes", n)
	}

	many := 0
	for i := range 5 {
		p, _ := b.filed(doc("H41"), 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25)
		if i == 0 {
			from = p.LeafIndex
		}
	}
	for _, c := range b.page("h41", everything, from).GetContents() {
		many += len(c.GetDigest()) / sha256.Size
	}
	if many != 60 {
		t.Errorf("%d chunks of files by 15 where 64 fit", many)
	}
}

// What the content service does not serve no page brings.
func TestAPageBringsOnlyWhatIsServed(t *testing.T) {
	now, ahead := movable()
	b := newBenchOf(t, now, DefaultFile())
	d := doc("H41")
	p, bodies := b.filed(d, 3000, 200)
	from := p.LeafIndex
	wantContents(t, "served", b.page("h41", everything, from), 1, bodies...)

	b.recovery.gate.mu.Lock()
	b.recovery.gate.epoch = 1
	b.recovery.gate.mu.Unlock()
	wantContents(t, "while it gives back", b.page("h41", everything, from), 1)
	b.recovery.gate.said("h41")
	wantContents(t, "when it gave back", b.page("h41", everything, from), 1, bodies...)
	b.recovery.gate.mu.Lock()
	b.recovery.gate.epoch = 0
	b.recovery.gate.mu.Unlock()

	harmed := doc("H41")
	q, _ := b.filed(harmed, 4000)
	b.harm(q.LeafIndex)
	ahead.Store(int64(2 * time.Minute)) // as long as a chunk is trusted unseen
	wantContents(t, "damaged", b.page("h41", everything, q.LeafIndex), 1)
	if lost := b.content.Lost(5); len(lost) != 1 {
		t.Errorf("%d chunks are wanted", len(lost))
	}

	if _, refused := b.offer("h41", b.state("h41", p, d, "H41", axispb.Event_EVENT_CONTENT_CONSIGNMENT, b.raw(p.LeafIndex))); refused != 0 {
		t.Fatal(refused)
	}
	wantContents(t, "consigned", b.page("h41", everything, from), 2)

	b.recalled(everything)
}

// recalled holds a document, which its sender recalled and its recipient gives back unread,
// to be in the mailbox without content.
func (b *bench) recalled(contents uint32) {
	t := b.t
	t.Helper()
	d := doc("H41")
	gone, bodies := b.filed(d, 300)
	wantContents(t, "kept", b.page("h41", contents, gone.LeafIndex), 1, bodies...)
	recall := doc("H41")
	recall.Kind, recall.References = envelope.KindRecall, []envelope.Reference{{Sender: "G22", ID: d.ID, Relation: envelope.RelationTarget}}
	asked := b.accept(recall)
	agreed := b.state("h41", asked, recall, "H41", axispb.Event_EVENT_BUSINESS_STATE, b.raw(asked.LeafIndex))
	agreed.BusinessState = "15"
	if _, refused := b.offer("h41", agreed); refused != 0 {
		t.Fatal(refused)
	}
	if _, err := b.intake.Release(t.Context(), intake.ReleaseRecall, []uint64{gone.LeafIndex}); err != nil {
		t.Fatal(err)
	}
	if at, err := b.ledger.Released(t.Context(), gone.LeafIndex); err != nil || at == 0 {
		t.Fatalf("released at %d, %v", at, err)
	}
	wantContents(t, "released", b.page("h41", contents, gone.LeafIndex), 2)
}

// raw is the envelope of a document.
func (b *bench) raw(leaf uint64) []byte {
	b.t.Helper()
	body, err := proofs{b.ledger, b.records(), b.trust}.Body(b.t.Context(), leaf)
	if err != nil {
		b.t.Fatal(err)
	}
	return body
}

// harm changes a byte of the first chunk of a document.
func (b *bench) harm(leaf uint64) {
	b.t.Helper()
	env, err := envelope.Parse(b.raw(leaf))
	if err != nil {
		b.t.Fatal(err)
	}
	name := env.Files()[0].Content.Chunks[0].String()
	path := filepath.Join(b.dir, "content", "chunks", name[:2], name)
	data, err := os.ReadFile(path)
	if err == nil {
		data[len(data)/2] ^= 1
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// held counts the snapshots that are open, and how many are when contents are read.
type held struct {
	boxes
	chunks
	open, reading int
}

func (h *held) Snapshot(ctx context.Context) (mailbox.Snapshot, error) {
	s, err := h.boxes.Snapshot(ctx)
	h.open++
	return heldSnapshot{s, h}, err
}

type heldSnapshot struct {
	mailbox.Snapshot
	by *held
}

func (s heldSnapshot) Close() error {
	s.by.open--
	return s.Snapshot.Close()
}

func (h *held) Chunk(ctx context.Context, endpoint string, leaf uint64, digest []byte, size uint32) ([]byte, error) {
	h.reading += h.open
	return h.chunks.Chunk(ctx, endpoint, leaf, digest, size)
}

// No snapshot is held while contents are read: whoever needs one would wait for a disk.
func TestContentsAreReadWithoutASnapshot(t *testing.T) {
	b := newBench(t)
	p, bodies := b.filed(doc("H41"), 3000)
	h := &held{boxes: boxes{b.ledger}, chunks: chunks{b.Hub}}
	page, err := mailbox.New(h, b.records(), h).Pull(t.Context(), "h41", &axispb.PullRequest{
		Epoch: 1, MaxContents: everything, Cursors: []*axispb.Cursor{{Lane: axispb.Lane_LANE_NORMAL, Position: p.LeafIndex}},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantContents(t, "served", page, 1, bodies...)
	if h.open != 0 || h.reading != 0 {
		t.Errorf("%d snapshots are open, %d were while contents were read", h.open, h.reading)
	}
}
