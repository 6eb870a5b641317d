package intake

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// MaxReleased is how many documents one act releases at most: some 4 KiB.
const MaxReleased = 300

// Why content is released, as the act says.
const (
	// ReleaseRetention: nobody waits for it, and the time for keeping it is over.
	ReleaseRetention = "retention"
	// ReleaseRecall: sender and recipients agreed that it is recalled.
	ReleaseRecall = "recall"
)

// Holding is what the ledger knows of a document's content.
type Holding struct {
	Sender     string
	Waiting    int // recipients that have neither consigned it nor failed to
	SettledMS  int64
	ReleasedMS int64 // 0 while it is kept
	Recalled   bool  // its sender asked to have it back, and every recipient gave it
}

// Policies says what operators decided about an agency, as of the tail.
type Policies interface {
	// RetentionDays is for how many days the content of the documents that an agency
	// sends is kept after nobody waits for it any more; 0 means DefaultRetention.
	RetentionDays(sender string) int
}

// Release journals that the content of documents is released, as the axis, where that
// may be by now: with ReleaseRetention, of those that nobody waits for and whose
// retention is over; with ReleaseRecall, of those that were recalled from everybody. It reports how many were. Nothing is
// journaled where none may be. At most MaxReleased at once.
//
// A release is for good: from its record on, nobody is given the content.
func (in *Intake) Release(ctx context.Context, why string, documents []uint64) (int, error) {
	if len(documents) > MaxReleased {
		return 0, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "too many documents in one release")
	}
	r := &release{why: why, documents: documents}
	if _, err := in.wait(ctx, r); err != nil {
		return 0, err
	}
	return r.done, nil
}

// release marks documents' content as released.
type release struct {
	why       string
	documents []uint64
	done      int // written by the appender before it answers, and read after
}

// decide looks again, in journal order.
func (r *release) decide(ctx context.Context, b *block) (outcome, error) {
	act := &axispb.ContentReleased{}
	for _, document := range r.documents {
		k, may, err := b.mayRelease(ctx, document, r.why)
		if err != nil {
			return outcome{}, err
		}
		if may {
			act.Documents = append(act.Documents, &axispb.RecordRef{Epoch: k.Epoch, LeafIndex: k.Leaf})
		}
	}
	r.done = len(act.Documents)
	if r.done == 0 {
		none := uint64(0)
		return outcome{index: -1, leaf: &none}, nil
	}
	raw, err := proto.Marshal(&axispb.Act{
		Version: 1, Actor: evidence.AxisIssuer, Reason: r.why, Act: &axispb.Act_ContentReleased{ContentReleased: act},
	})
	if err != nil {
		return outcome{}, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "act").Because(err)
	}
	index, err := b.add(axispb.Kind_KIND_ACT, raw, &axispb.Decision{})
	return outcome{index: index}, err
}

func (b *block) mayRelease(ctx context.Context, document uint64, why string) (Known, bool, error) {
	h, found, err := b.in.ledger.Holding(ctx, document)
	if err != nil || !found || h.ReleasedMS != 0 {
		return Known{}, false, err
	}
	if !b.mayGo(h, why) {
		return Known{}, false, nil
	}
	return b.in.ledger.ByPosition(ctx, document)
}

func (b *block) mayGo(h Holding, why string) bool {
	if why == ReleaseRecall {
		return h.Recalled
	}
	kept := time.Duration(b.at.UnixMilli()-h.SettledMS) * time.Millisecond
	return h.Waiting == 0 && kept >= b.in.Retention(h.Sender)
}

// DefaultRetention is how long content is kept where no policy says otherwise.
const DefaultRetention = 400 * 24 * time.Hour

// Retention is how long the content of an agency's documents is kept after nobody
// waits for it any more.
func (in *Intake) Retention(sender string) time.Duration {
	if in.cfg.Policies != nil {
		if days := in.cfg.Policies.RetentionDays(sender); days > 0 {
			return time.Duration(days) * 24 * time.Hour
		}
	}
	return DefaultRetention
}
