package axis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"

	"golang.org/x/mod/sumdb/tlog"
)

// recovery is what the hub keeps of an epoch that may have lost records.
type recovery struct {
	gate *gate
	// behind has why the log may not go on under its key.
	behind chan error
}

// errBehind says that the log signed more under its key than it has: it was set back
// while it did not know. It must end at once and begin a new epoch.
var errBehind = errors.New("the log was set back behind what it had signed")

// openRecovery decides whether endpoints have to give back first. Only the first
// epoch cannot have lost anything.
func (h *Hub) openRecovery(context.Context) (err error) {
	epoch := h.present()
	if epoch == 1 {
		epoch = 0
	}
	h.recovery.behind = make(chan error, 1)
	h.recovery.gate, err = openGate(&gate{
		epoch: epoch, hold: h.cfg.RecoverHold, now: h.cfg.Now, path: filepath.Join(h.dir, gateFile), others: h.unrevoked,
	})
	return err
}

// present is the newest epoch, which is this journal's own: what it had forgotten is
// older.
func (h *Hub) present() uint64 {
	newest, _ := h.trust.Newest()
	return newest.GetNumber()
}

// nothingLost notes an epoch that was opened while the axis ran, and so knew all that
// it had signed: nobody has to give anything back before he is served.
func (h *Hub) nothingLost() error {
	g := h.recovery.gate
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.epoch != 0 && !g.open {
		return nil
	}
	g.epoch, g.rolled = h.present(), true
	return g.release()
}

func (h *Hub) unrevoked() []string {
	var all []string
	for _, e := range h.registry.Endpoints() {
		if !e.Revoked {
			all = append(all, e.Name)
		}
	}
	return all
}

// maxRecovered bounds the records of one request, in bytes, and maxRecords their
// number.
const (
	maxRecovered = 1 << 20
	maxRecords   = 1000
	maxEpochs    = 100
)

// takeBack serves recover: what an endpoint kept of earlier epochs.
func (h *Hub) takeBack(ctx context.Context, endpoint string, req *axispb.RecoverRequest) (*axispb.RecoverAnswer, error) {
	size := 0
	for _, raw := range req.GetRecords() {
		size += len(raw)
	}
	if size > maxRecovered || len(req.GetRecords()) > maxRecords || len(req.GetEpochs()) > maxEpochs {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "more than 1 MiB of records")
	}
	if err := h.learn(ctx, endpoint, req.GetEpochs()); err != nil {
		return nil, err
	}
	if err := h.shown(ctx, endpoint, req.GetCheckpoint()); err != nil {
		return nil, err
	}
	if req.GetEpoch() != h.present() {
		return nil, reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "another epoch: pull first")
	}
	answer, err := h.intake.Recover(ctx, endpoint, req.GetRecords())
	if err == nil && req.GetRegistryDone() {
		h.recovery.gate.said(endpoint)
	}
	return answer, err
}

// learn trusts epochs of the CA that this journal forgot. One that is not older than
// the present shows that this axis was set back.
//
// What is proven under their keys can only be read by whoever knows them, so they
// are journaled first.
func (h *Hub) learn(ctx context.Context, endpoint string, epochs [][]byte) error {
	for _, signed := range epochs {
		e, err := announced(signed)
		if err != nil {
			return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "epoch").Because(err)
		}
		known, ok := h.trust.SignedEpoch(e.GetNumber())
		same := ok && bytes.Equal(known, signed)
		if same && h.chain.project.known.has(e.GetNumber()) {
			continue
		}
		if !same && e.GetNumber() >= h.present() {
			if _, err := evidence.NewTrust(h.ca.Load().Certificate()).AddEpoch(signed); err != nil {
				return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "epoch").Because(err)
			}
			return h.setBack(fmt.Errorf("%w: the CA announced epoch %d, which is not known here", errBehind, e.GetNumber()))
		}
		if _, err := h.trust.AddEpoch(signed); err != nil {
			return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "epoch").Because(err)
		}
		if err := h.intake.Forgotten(ctx, endpoint, e.GetNumber(), signed); err != nil {
			return err
		}
	}
	return nil
}

// shown looks at a checkpoint that an endpoint holds. Of an earlier epoch it may
// prove that more was lost than was known; of the present one it must be this log's.
func (h *Hub) shown(ctx context.Context, endpoint string, note []byte) error {
	if len(note) == 0 {
		return nil
	}
	cp, err := h.trust.Checkpoint(note)
	if err != nil {
		return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "checkpoint").Because(err)
	}
	if cp.Epoch != h.present() {
		return h.intake.Longer(ctx, endpoint, cp)
	}
	at, err := h.ledger.Position(ctx)
	if err != nil {
		return err
	}
	// Nobody is given a checkpoint before the ledger stands there.
	if cp.Size <= at.Size {
		root, err := tlog.TreeHash(int64(cp.Size), h.ledger)
		if err != nil || root == cp.Root {
			return err
		}
	}
	return h.setBack(fmt.Errorf("%w: endpoint %s shows a checkpoint of %d records, there are %d", errBehind, endpoint, cp.Size, at.Size))
}

// setBack ends the axis: its next start opens a new epoch.
func (h *Hub) setBack(why error) error {
	h.log.Error("this log signed what it does not have: it was set back to an older copy. A new epoch is opened at once", "error", why)
	err := MarkRestored(h.keys(), Restored{
		Who: "axis", When: h.now(), Reason: "an endpoint shows that the log was set back",
	})
	select {
	case h.recovery.behind <- errors.Join(why, err):
	default:
	}
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the axis opens a new epoch").Because(why)
}

// past is what decisions about records of earlier epochs rest on.
type past struct{ h *Hub }

func (p past) Fits(change *axispb.RegistryChange) error { return p.h.chain.project.past.fits(change) }

func (p past) Rows(d *envelope.Document, record *evidence.Past) []intake.Route {
	return RecoveredRows(p.h.registry, d, record)
}

func (p past) Longer(cp evidence.Checkpoint) bool {
	return cp.Size > max(p.h.chain.project.known.size(cp.Epoch), p.h.trust.Common(cp.Epoch, p.h.present()))
}

func (p past) Announced(epoch uint64) bool { return p.h.chain.project.known.has(epoch) }

// known is what the journal says of earlier epochs.
type known struct {
	mu     sync.Mutex
	sizes  map[uint64]uint64 // the largest that each is known to have signed
	epochs map[uint64]bool   // that were announced in it
}

func (k *known) has(epoch uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.epochs[epoch]
}

func (k *known) announced(epoch uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.epochs == nil {
		k.epochs = map[uint64]bool{}
	}
	k.epochs[epoch] = true
}

func (k *known) size(epoch uint64) uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sizes[epoch]
}

func (k *known) raise(ref *axispb.CheckpointRef) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sizes == nil {
		k.sizes = map[uint64]uint64{}
	}
	k.sizes[ref.GetEpoch()] = max(k.sizes[ref.GetEpoch()], ref.GetSize())
}

// actOf takes note of an act that others rest on.
func (p *projector) actOf(body []byte) error {
	var a axispb.Act
	if err := proto.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("read a journaled act: %w", err)
	}
	if seen := a.GetLogWasLonger().GetSeen(); seen != nil {
		p.known.raise(seen)
	}
	return nil
}

// epochOpened takes note of what an epoch knew of those before it.
func (p *projector) epochOpened(now uint64, body []byte) error {
	e, err := announced(body)
	if err != nil {
		return err
	}
	p.known.announced(e.GetNumber())
	if e.GetNumber() != now {
		return nil // one that this journal had forgotten
	}
	p.past.forget()
	if e.GetPrevious() != nil {
		p.known.raise(e.GetPrevious())
	}
	return nil
}

func announced(body []byte) (*axispb.Epoch, error) {
	signed, epoch := new(axispb.SignedEpoch), new(axispb.Epoch)
	if err := errors.Join(proto.Unmarshal(body, signed), proto.Unmarshal(signed.GetEpoch(), epoch)); err != nil {
		return nil, fmt.Errorf("read a journaled epoch: %w", err)
	}
	return epoch, nil
}

// Has reports whether this log has a record at a leaf.
func (p proofs) Has(ctx context.Context, leaf uint64, header []byte) (bool, error) {
	at, err := p.ledger.Stored(ctx) // not what is remembered: a record that is here is not got back
	if err != nil || leaf >= at.Size {
		return false, err
	}
	hashes, err := p.ledger.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(leaf))})
	return err == nil && hashes[0] == evidence.LeafHash(header), err
}

// missing turns a chunk that is not here into one that may still come: of a document
// that was got back, whoever sent it uploads the content again.
func (h *Hub) missing(ctx context.Context, req *axispb.GetRequest, err error) error {
	if reason.Of(err).GetCode() != axispb.ReasonCode_REASON_NOT_FOUND {
		return err
	}
	back, lookup := h.ledger.WasRecovered(ctx, req.GetLeafIndex())
	if lookup != nil {
		return errors.Join(err, lookup)
	}
	if !back {
		return h.gone(ctx, req.GetDigest(), err)
	}
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the content has still to come back").Because(err)
}

// nextNumber is the number of an epoch that follows on last, opened at a time. After
// a restore nobody here knows which numbers were used since the backup was made, so
// the clock gives one that was not.
func nextNumber(last uint64, restored bool, now time.Time) uint64 {
	if !restored {
		return last + 1
	}
	u := now.UTC()
	date := uint64(u.Year())*10000 + uint64(u.Month())*100 + uint64(u.Day())
	return max(last+1, date*1_000_000+uint64(u.Hour())*10000+uint64(u.Minute())*100+uint64(u.Second()))
}

// loss says how many leaf indices earlier epochs lost, as far as is known, and how
// many records the present one got back.
func (h *Hub) loss(ctx context.Context) (lost, back uint64, err error) {
	newest := h.present()
	for _, e := range h.trust.Epochs() {
		if e.GetNumber() >= newest {
			continue
		}
		common := max(h.trust.Common(e.GetNumber(), newest), e.GetBaseSize())
		if size := h.chain.project.known.size(e.GetNumber()); size > common {
			lost += size - common
		}
	}
	if e, ok := h.trust.Epoch(newest); ok {
		back, err = h.ledger.CameBack(ctx, e.GetBaseSize())
	}
	return lost, back, err
}
