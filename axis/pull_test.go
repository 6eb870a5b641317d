package axis

import (
	"fmt"
	"slices"
	"testing"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// reader pulls as an endpoint does, verifying every page and item.
type reader struct {
	b       *bench
	name    string
	epoch   uint64
	seen    evidence.Checkpoint
	cursors map[axispb.Lane]*axispb.Cursor
	pages   int
}

func (b *bench) reader(name string) *reader {
	r := &reader{b: b, name: name, epoch: 1, cursors: map[axispb.Lane]*axispb.Cursor{}}
	for lane := range axispb.Lane(3) {
		r.cursors[lane] = &axispb.Cursor{Lane: lane}
	}
	return r
}

// all pulls until nothing more waits and names the items in the order they came.
func (r *reader) all(maxBytes uint32) (got []string) {
	t := r.b.t
	t.Helper()
	for {
		req := &axispb.PullRequest{Epoch: r.epoch, MaxBytes: maxBytes, SeenSize: r.seen.Size}
		for lane := range axispb.Lane(3) {
			req.Cursors = append(req.Cursors, r.cursors[lane])
		}
		page, err := r.b.mailbox.Pull(t.Context(), r.name, req)
		if err != nil {
			t.Fatal(err)
		}
		r.verify(page)
		r.pages++
		for _, item := range page.GetItems() {
			got = append(got, fmt.Sprintf("%d:%d/%d", item.GetLane(), item.GetPosition(), item.GetOrdinal()))
			r.cursors[item.GetLane()] = &axispb.Cursor{Lane: item.GetLane(), Position: item.GetPosition() + 1, Ordinal: item.GetOrdinal() + 1}
		}
		if !page.GetMore() {
			return got
		}
		if len(page.GetItems()) == 0 {
			t.Fatal("a page says that more waits and brings nothing")
		}
	}
}

func (r *reader) verify(page *axispb.Page) {
	t := r.b.t
	t.Helper()
	checkpoint, err := r.b.trust.Checkpoint(page.GetCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.b.trust.Extends(r.seen, checkpoint, page.GetConsistency()); err != nil {
		t.Fatalf("the page's checkpoint: %v", err)
	}
	r.seen = checkpoint
	for _, item := range page.GetItems() {
		if _, _, err := evidence.OpenRecord(item.GetRecord()); err != nil {
			t.Error(err)
		}
		leaf := evidence.LeafHash(item.GetRecord().GetHeader())
		if err := evidence.CheckInclusion(item.GetInclusion(), checkpoint.Size, checkpoint.Root, item.GetLeafIndex(), leaf); err != nil {
			t.Errorf("item %d: %v", item.GetLeafIndex(), err)
		}
	}
}

func TestPullsBringEveryRowOnceRegistryFirstThenUrgent(t *testing.T) {
	b := newBench(t)
	var normal, urgent []string
	for i := range 40 {
		d := doc("H41", "H41.11", "H41.11.05")
		if i%5 == 0 {
			d.Priority = 3
		}
		p := b.accept(d)
		for ordinal := 1; ordinal <= 2; ordinal++ { // the second and third recipient
			row := fmt.Sprintf("%d/%d", p.LeafIndex, ordinal)
			if d.Priority > 0 {
				urgent = append(urgent, "1:"+row)
			} else {
				normal = append(normal, "2:"+row)
			}
		}
	}
	want := append(slices.Clone(urgent), normal...)
	for _, size := range []uint32{1, 3000, 0} {
		r := b.reader("h41-11")
		got := r.all(size)
		registry := 0
		for registry < len(got) && got[registry][0] == '0' {
			registry++
		}
		if registry == 0 || !slices.Equal(got[registry:], want) {
			t.Errorf("pages of %d bytes: %v after %d of the registry, not %v", size, got[registry:], registry, want)
		}
		if size == 1 && r.pages != len(got) {
			t.Errorf("%d pages for %d items: a page takes one item at least and goes over by none", r.pages, len(got))
		}
		if again := r.all(size); len(again) != 0 {
			t.Errorf("pulled again: %v", again)
		}
	}
}

func TestAnEndpointPullsOnlyItsOwn(t *testing.T) {
	b := newBench(t)
	b.accept(doc("H41"))
	for _, row := range b.reader("h41-11").all(0) {
		if row[0] != '0' {
			t.Errorf("h41-11 pulled %s", row)
		}
	}
	if got := b.reader("nobody").all(0); !slices.Equal(got, b.reader("h41-11").all(0)) {
		t.Error("the registry's lane differs from one endpoint to another")
	}
}

// A page proves that its log is the one under a receipt, where it is as long.
func TestAPageProvesTheLogOfAReceipt(t *testing.T) {
	b := newBench(t)
	p := b.accept(doc("H41"))
	b.accept(doc("H41"))
	pull := func(size uint64) *axispb.Page {
		page, err := b.mailbox.Pull(t.Context(), "g22", &axispb.PullRequest{Epoch: 1, ReceiptSize: size})
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	page := pull(p.Checkpoint.Size)
	newer, err := b.trust.Checkpoint(page.GetCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.trust.Extends(p.Checkpoint, newer, page.GetReceiptConsistency()); err != nil {
		t.Error(err)
	}
	if err := b.trust.Extends(p.Checkpoint, newer, nil); err == nil {
		t.Error("there was nothing to prove")
	}
	for _, size := range []uint64{0, newer.Size + 1, 1<<64 - 1} {
		if proof := pull(size).GetReceiptConsistency(); proof != nil {
			t.Errorf("size %d: %d hashes", size, len(proof))
		}
	}
}

// Whoever comes with cursors of an epoch that this log does not go back to starts
// where the log went on, and gets the epochs that it lacks.
func TestCursorsOfAnEarlierEpoch(t *testing.T) {
	b := newBench(t)
	b.accept(doc("H41"))
	want := b.reader("h41").all(0)
	r := b.reader("h41")
	r.epoch = 0 // before the first, whose base is 0
	for lane := range axispb.Lane(3) {
		r.cursors[lane] = &axispb.Cursor{Lane: lane, Position: 1 << 40, Ordinal: 7}
	}
	page, err := b.mailbox.Pull(t.Context(), "h41", &axispb.PullRequest{
		Epoch: 0, Cursors: []*axispb.Cursor{r.cursors[0], r.cursors[1], r.cursors[2]},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.GetItems()) != len(want) || len(page.GetEpochs()) != 1 || page.GetEpoch() != 1 {
		t.Errorf("%d items and %d epochs, not %d and 1", len(page.GetItems()), len(page.GetEpochs()), len(want))
	}
}

func TestEvidenceGoesToTheSenderInItsDocumentsLane(t *testing.T) {
	b := newBench(t)
	d := doc("H41")
	d.Priority = 1
	raw := b.seal(d)
	p, _ := b.submit("g22", raw)
	e, why := b.offer("h41", b.state("h41", p, d, "H41", axispb.Event_EVENT_CONTENT_CONSIGNMENT, raw))
	if why != 0 {
		t.Fatal(why)
	}
	got := b.reader("g22").all(0)
	if want := fmt.Sprintf("1:%d/0", e.LeafIndex); got[len(got)-1] != want {
		t.Errorf("the sender's last row is %s, not %s", got[len(got)-1], want)
	}
	// A re-issued endpoint is told what its predecessor stated.
	page, err := b.mailbox.Pull(t.Context(), "h41", &axispb.PullRequest{Epoch: 1, Cursors: []*axispb.Cursor{{Lane: axispb.Lane_LANE_URGENT}}})
	if err != nil {
		t.Fatal(err)
	}
	if items := page.GetItems(); len(items) != 1 || len(items[0].GetJournaled()) != 1 {
		t.Errorf("items %v", items)
	}
}
