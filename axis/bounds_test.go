package axis

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// wantQuota holds an error to a quota that says when to come back.
func wantQuota(t *testing.T, err error, quota string, again time.Time) {
	t.Helper()
	r := reason.Of(err)
	if r.GetCode() != axispb.ReasonCode_REASON_QUOTA || !reason.IsTemporary(err) || len(r.GetArgs()) != 2 {
		t.Fatalf("error %v, not a temporary quota", err)
	}
	when, bad := time.Parse(time.RFC3339, r.GetArgs()[1])
	if r.GetArgs()[0] != quota || bad != nil || again.Sub(when).Abs() > time.Minute {
		t.Errorf("quota %q until %v (%v), not %q until %v", r.GetArgs()[0], when, bad, quota, again)
	}
}

// movable is a clock that a test moves.
func movable() (now func() time.Time, ahead *atomic.Int64) {
	ahead = new(atomic.Int64)
	return func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, ahead
}

// One endpoint may have so many documents accepted in a day, and others are not
// touched by it; what was accepted is answered all the same.
func TestDocumentsADay(t *testing.T) {
	now, ahead := movable()
	file := DefaultFile()
	file.DocumentsPerDay = 2
	b := newBenchOf(t, now, file)
	start := now()
	first := b.seal(doc("H41"))
	b.submit("g22", first)
	b.accept(doc("H41"))
	_, err := b.intake.Submit(t.Context(), "g22", &axispb.SubmitRequest{Envelope: b.seal(doc("H41"))})
	wantQuota(t, err, "2 documents a day", start.Add(24*time.Hour))
	if _, refused := b.submit("g22", first); refused != 0 {
		t.Errorf("a repetition is refused: %v", refused)
	}
	other := doc("G22")
	other.Sender = "H41"
	b.accept(other)
	ahead.Store(int64(25 * time.Hour))
	b.accept(doc("H41"))
}

// An endpoint may state so many business states about one document and code within
// a day; anything else about it goes on.
func TestBusinessStatesADay(t *testing.T) {
	now, ahead := movable()
	b := newBenchOf(t, now, DefaultFile())
	start := now()
	d, another := doc("H41"), doc("H41")
	p, q := b.accept(d), b.accept(another)
	business := func(p evidence.Proven, d *envelope.Document) error {
		st := b.state("h41", p, d, "H41", axispb.Event_EVENT_BUSINESS_STATE, b.seal(d))
		st.BusinessState = "01"
		raw, err := b.keys["h41"].Sign(st)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.intake.Evidence(t.Context(), "h41", [][]byte{raw})
		return err
	}
	for range 100 {
		if err := business(p, d); err != nil {
			t.Fatal(err)
		}
	}
	wantQuota(t, business(p, d), "100 business states of one document a day", start.Add(24*time.Hour))
	if err := business(q, another); err != nil {
		t.Errorf("about another document: %v", err)
	}
	ahead.Store(int64(25 * time.Hour))
	if err := business(p, d); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

// Nobody waits and the time is over, or everybody agreed: else nothing is released.
func TestWhatMayBeReleased(t *testing.T) {
	now, ahead := movable()
	b := newBenchOf(t, now, DefaultFile())
	wanted, had := doc("H41"), doc("H41")
	waiting, p := b.accept(wanted), b.accept(had)
	both := []uint64{waiting.LeafIndex, p.LeafIndex}
	release := func(why string, want int) {
		t.Helper()
		before := b.chainSize()
		n, err := b.intake.Release(t.Context(), why, both)
		if err != nil || n != want || want == 0 && b.chainSize() != before {
			t.Fatalf("%s: %d released (%v), journal grew by %d", why, n, err, b.chainSize()-before)
		}
	}
	release(intake.ReleaseRetention, 0)
	if _, refused := b.offer("h41", b.state("h41", p, had, "H41", axispb.Event_EVENT_CONTENT_CONSIGNMENT, b.seal(had))); refused != 0 {
		t.Fatal(refused)
	}
	release(intake.ReleaseRetention, 0)
	ahead.Store(int64(399 * 24 * time.Hour))
	release(intake.ReleaseRetention, 0)
	ahead.Store(int64(401 * 24 * time.Hour))
	release(intake.ReleaseRetention, 1)
	release(intake.ReleaseRetention, 0)
	b.wantAct("retention", p.LeafIndex)
	release(intake.ReleaseRecall, 0)
	recall := doc("H41")
	recall.Kind, recall.References = envelope.KindRecall, []envelope.Reference{{Sender: "G22", ID: wanted.ID, Relation: envelope.RelationTarget}}
	asked := b.accept(recall)
	release(intake.ReleaseRecall, 0)
	agreed := b.state("h41", asked, recall, "H41", axispb.Event_EVENT_BUSINESS_STATE, b.seal(recall))
	agreed.BusinessState = "15"
	if _, refused := b.offer("h41", agreed); refused != 0 {
		t.Fatal(refused)
	}
	// The axis does it by itself, or this does: once.
	if _, err := b.intake.Release(t.Context(), intake.ReleaseRecall, both); err != nil {
		t.Fatal(err)
	}
	release(intake.ReleaseRecall, 0)
	b.wantAct("recall", waiting.LeafIndex)

	// The row that waits moves on, with nothing to be fetched.
	b.endpoint("h41-new", "H41")
	rows := b.reader("h41-new").all(0)
	if released, err := b.ledger.Released(t.Context(), waiting.LeafIndex); err != nil || released == 0 || !slices.ContainsFunc(rows, inNormalLane) {
		t.Errorf("released %d (%v), rows %q", released, err, rows)
	}
	var rebuilt, grown strings.Builder
	if err := b.DumpRebuilt(t.Context(), t.TempDir()+"/again.db", &rebuilt); err != nil {
		t.Fatal(err)
	}
	if err := b.DumpLedger(t.Context(), &grown); err != nil || rebuilt.String() != grown.String() {
		t.Errorf("a rebuilt ledger differs (%v)", err)
	}
}

func inNormalLane(item string) bool { return strings.HasPrefix(item, "2:") }

// wantAct holds the journal's last record to a release of one document by the axis.
func (b *bench) wantAct(why string, document uint64) {
	b.t.Helper()
	body, err := proofs{b.ledger, b.records(), b.trust}.Body(b.t.Context(), b.chainSize()-1)
	act := new(axispb.Act)
	if err == nil {
		err = proto.Unmarshal(body, act)
	}
	refs := act.GetContentReleased().GetDocuments()
	if err != nil || act.GetActor() != "axis" || act.GetReason() != why || len(refs) != 1 || refs[0].GetLeafIndex() != document {
		b.t.Errorf("the act is %v (%v)", act, err)
	}
}

// Readers see a block before the goroutine that applied it has said so: a checkpoint
// over it is known all the same, and no other.
func TestACheckpointIsKnownFromTheMomentReadersSeeIt(t *testing.T) {
	b := newBench(t)
	p := proofs{b.ledger, b.records(), b.trust}
	before, err := b.ledger.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.close("H27", "H41")
	after, err := b.ledger.Position(t.Context())
	if err != nil || after.Size <= before.Size {
		t.Fatalf("%d records, then %d: %v", before.Size, after.Size, err)
	}
	other := sha256.Sum256([]byte("another root"))
	for _, c := range []struct {
		what string
		ref  *axispb.CheckpointRef
		want bool
	}{
		{"the newest", &axispb.CheckpointRef{Epoch: after.Epoch, Size: after.Size, Root: after.Root[:]}, true},
		{"another root", &axispb.CheckpointRef{Epoch: after.Epoch, Size: after.Size, Root: other[:]}, false},
		{"beyond the newest", &axispb.CheckpointRef{Epoch: after.Epoch, Size: after.Size + 1, Root: after.Root[:]}, false},
		{"a later epoch", &axispb.CheckpointRef{Epoch: after.Epoch + 1, Size: after.Size, Root: after.Root[:]}, false},
	} {
		if got, err := p.signedSince(t.Context(), before, c.ref); got != c.want || err != nil {
			t.Errorf("%s: %v, %v", c.what, got, err)
		}
	}
}
