package axis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/axis/journal"
	"docaxis/axis/ledger"
	"docaxis/axis/mailbox"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/durable"
	"docaxis/proto/axispb"

	"golang.org/x/mod/sumdb/tlog"
)

// recover brings ledger, registry and tree to the journal's tail, and decides
// whether the log may go on under its key. Nothing is signed before that is known.
func (h *Hub) recover(ctx context.Context) error {
	if err := h.openLedger(ctx); err != nil {
		return err
	}
	if err := h.rely(ctx); err != nil {
		return err
	}
	mark, restored, err := h.restored()
	if err != nil {
		return err
	}
	if restored {
		if err := h.openEpoch(ctx, mark.why(), h.startTime(), true); err != nil {
			return err
		}
		return h.unmark()
	}
	why, err := h.mustOpenEpoch()
	if err != nil {
		return err
	}
	if why != "" {
		return h.openEpoch(ctx, why, h.startTime(), false)
	}
	return h.resume(ctx)
}

func (h *Hub) ledgerPath() string { return filepath.Join(h.dir, "ledger.db") }

// openLedger opens the ledger, or begins a new one where it does not belong to
// this journal. The old file is kept aside for whoever wants to know why.
func (h *Hub) openLedger(ctx context.Context) error {
	path := h.ledgerPath()
	l, err := ledger.Open(ctx, path)
	if err == nil {
		h.ledger = l
		fits, err := h.fits(ctx)
		if err != nil || fits {
			return err
		}
		h.log.Warn("the ledger does not belong to this journal and is rebuilt")
		if err := l.Close(); err != nil {
			return err
		}
	} else {
		h.log.Warn("the ledger cannot be read and is rebuilt", "error", err)
	}
	if err := setAside(path, h.now()); err != nil {
		return err
	}
	if h.ledger, err = ledger.Open(ctx, path); err != nil {
		return err
	}
	_, err = h.fits(ctx)
	return err
}

// setAside renames a ledger that is of no use, with what SQLite keeps beside it.
func setAside(path string, now time.Time) error {
	mark := ".set-aside-" + now.UTC().Format("20060102T150405")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Rename(path+suffix, path+mark+suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("set the ledger aside: %w", err)
		}
	}
	return durable.SyncDir(filepath.Dir(path))
}

// fits reports whether the journal has the block that the ledger applied last, and
// prepares the commit path to go on from there.
func (h *Hub) fits(ctx context.Context) (bool, error) {
	at, err := h.ledger.Position(ctx)
	if ledger.Damaged(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if at.Blocks > 0 {
		e, err := h.journal.Get(ctx, journal.Location{Stream: at.Stream, Seq: at.Seq})
		if err != nil || !bytes.Equal(e.Digest[:], at.Digest) {
			return false, nil //nolint:nilerr // not there is as good as another
		}
	}
	tree, err := axistlog.Load(at.Size, h.ledger)
	if err != nil || tree.Root() != at.Root {
		return false, nil //nolint:nilerr // a damaged tree is rebuilt, too
	}
	h.chain.ledger, h.chain.at, h.chain.tree = h.ledger, at, tree
	h.chain.project.ledger, h.chain.project.last = h.ledger, at.TimeMS
	return true, nil
}

// loadRegistry applies the registry's changes up to where the ledger stands.
func (h *Hub) loadRegistry(ctx context.Context) error {
	at, err := h.ledger.Registry(ctx)
	if err != nil {
		return err
	}
	for _, l := range at {
		record, err := h.records().Record(ctx, mailbox.Location(l))
		if err != nil {
			return fmt.Errorf("read registry record %d: %w", l.Position, err)
		}
		if err := h.chain.project.replay(l.Position, record); err != nil {
			return err
		}
	}
	return nil
}

// trustEpochs makes every epoch of the journal known to whoever checks evidence.
func (h *Hub) trustEpochs(ctx context.Context) error {
	epochs, err := h.signedEpochs(ctx)
	if err != nil {
		return err
	}
	if err := h.trust.AddEpochs(epochs); err != nil {
		return fmt.Errorf("epochs of the journal: %w", err)
	}
	return h.checkCA()
}

// mustOpenEpoch says why the log may not go on under the key it had; empty when it
// may. A log that has forgotten what it signed must never sign again under that
// name: it could contradict itself.
func (h *Hub) mustOpenEpoch() (string, error) {
	state, found, err := h.remembered()
	if err != nil {
		return "", err
	}
	used, err := h.lastKey()
	if err != nil {
		return "", err
	}
	newest, known := h.trust.Newest()
	switch {
	case !known && !found && used == 0:
		return "the axis was founded", nil
	case !known && !found:
		return fmt.Sprintf("the journal is empty and there is no guard, but a key of epoch %d was in use", used), nil
	case !known:
		return fmt.Sprintf("the journal is empty, but the guard remembers size %d of epoch %d", state.Size, state.Epoch), nil
	case !found:
		return "there is no guard beside the keys", nil
	case !h.announced():
		return "the CA was replaced", nil
	case state.Epoch != newest.GetNumber():
		return fmt.Sprintf("the guard is of epoch %d, the journal of epoch %d", state.Epoch, newest.GetNumber()), nil
	case state.Size > h.chain.tree.Size():
		return fmt.Sprintf("the journal has %d records, but %d were signed for", h.chain.tree.Size(), state.Size), nil
	}
	root, err := tlog.TreeHash(int64(state.Size), h.ledger)
	if err != nil {
		return "", fmt.Errorf("root at the guard's size: %w", err)
	}
	if root != tlog.Hash(state.Root) {
		return "the journal differs from what was signed", nil
	}
	return "", nil
}

// resume goes on under the newest epoch's key.
func (h *Hub) resume(ctx context.Context) error {
	newest, _ := h.trust.Newest()
	key, err := os.ReadFile(h.keyPath(newest.GetNumber()))
	if errors.Is(err, os.ErrNotExist) {
		return h.openEpoch(ctx, "the log's key is gone", h.startTime(), false)
	}
	if err != nil {
		return fmt.Errorf("read the log's key: %w", err)
	}
	signer, err := axistlog.OpenSigner(string(bytes.TrimSpace(key)))
	if err != nil {
		return lostLogKey(h.keyPath(newest.GetNumber()), err)
	}
	h.chain.signer, h.chain.epoch = signer, newest.GetNumber()
	return h.chain.publish(ctx)
}

// openEpoch begins a new origin with a new key. Its first record names what the
// old one had signed, as far as anybody here knows.
func (h *Hub) openEpoch(ctx context.Context, why string, at time.Time, restored bool) error {
	number, previous, err := h.nextEpoch(restored)
	if err != nil {
		return err
	}
	origin := fmt.Sprintf("%s/%d", h.cfg.Name, number)
	key, verifier, err := axistlog.NewKey(origin, h.cfg.Random)
	if err != nil {
		return fmt.Errorf("make the log's key: %w", err)
	}
	if err := h.keepLogKey(number, key); err != nil {
		return fmt.Errorf("keep the log's key: %w", err)
	}
	signed, err := axistlog.OpenEpoch(axistlog.EpochParams{
		Number: number, Origin: origin, VerifierKey: verifier, Opened: at,
		BaseSize: h.chain.tree.Size(), BaseRoot: h.chain.tree.Root(), Previous: previous, Reason: why,
		Authorities: h.ca.Load().Authorities(),
	}, h.ca.Load().SignEpoch)
	if err != nil {
		return fmt.Errorf("open an epoch: %w", err)
	}
	if h.chain.signer, err = axistlog.OpenSigner(key); err != nil {
		return fmt.Errorf("open the log's key: %w", err)
	}
	h.chain.epoch = number
	if _, err := h.trust.AddEpoch(signed); err != nil {
		return fmt.Errorf("open an epoch: %w", err)
	}
	h.log.Info("epoch opened", "epoch", number, "origin", origin, "reason", why)
	return h.found(ctx, signed, at)
}

// keepLogKey makes a key durable before anything names it. Points of failure for
// tests: log.key.before and log.key.after.
func (h *Hub) keepLogKey(number uint64, key string) error {
	if err := h.cfg.Faults.At("log.key.before"); err != nil {
		return err
	}
	if err := durable.WriteFile(h.keyPath(number), []byte(key+"\n"), 0o600); err != nil {
		return err
	}
	return h.cfg.Faults.At("log.key.after")
}

// remembered is what the guard knows. One that can no longer be read is as good as
// none: what was signed last is not known.
func (h *Hub) remembered() (axistlog.GuardState, bool, error) {
	state, found, err := h.guard.Read()
	if errors.Is(err, axistlog.ErrGuardLost) {
		return axistlog.GuardState{}, false, nil
	}
	if err != nil {
		return axistlog.GuardState{}, false, fmt.Errorf("read the guard: %w", err)
	}
	return state, found, nil
}

// lastKey is the newest epoch that a key was made for; 0 for none.
func (h *Hub) lastKey() (uint64, error) {
	files, err := os.ReadDir(h.keys())
	if err != nil {
		return 0, fmt.Errorf("look for the log's keys: %w", err)
	}
	last := uint64(0)
	for _, f := range files {
		var n uint64
		if _, err := fmt.Sscanf(f.Name(), "log-%d.key", &n); err == nil && f.Name() == filepath.Base(h.keyPath(n)) {
			last = max(last, n)
		}
	}
	return last, nil
}

// nextEpoch is a number under which nothing was ever signed, and what was signed
// before it. The guard knows: nothing leaves before it is written, so a key of a
// later epoch was never used. Without it every key may have signed anything.
func (h *Hub) nextEpoch(restored bool) (uint64, *axispb.CheckpointRef, error) {
	root := h.chain.tree.Root()
	here := &axispb.CheckpointRef{Size: h.chain.tree.Size(), Root: root[:]}
	if newest, ok := h.trust.Newest(); ok {
		here.Epoch = newest.GetNumber()
	}
	state, found, err := h.remembered()
	if err != nil {
		return 0, nil, err
	}
	if found {
		return nextNumber(max(here.Epoch, state.Epoch), restored, h.now()), &axispb.CheckpointRef{Epoch: state.Epoch, Size: state.Size, Root: state.Root[:]}, nil
	}
	used, err := h.lastKey()
	if err != nil {
		return 0, nil, err
	}
	if here.Epoch = max(here.Epoch, used); here.Epoch == 0 {
		return 1, nil, nil
	}
	return nextNumber(here.Epoch, restored, h.now()), here, nil
}

// found writes the first record of an epoch.
func (h *Hub) found(ctx context.Context, signed []byte, at time.Time) error {
	record, err := intake.NewRecord(h.cfg.Random, h.chain.epoch, axispb.Kind_KIND_EPOCH, h.chain.after(at), signed, &axispb.Decision{})
	if err != nil {
		return err
	}
	if _, err := h.chain.Commit(ctx, []*axispb.Record{record}); err != nil {
		return fmt.Errorf("write the epoch's first record: %w", err)
	}
	return nil
}

// replay applies a registry record that the ledger has applied already.
func (p *projector) replay(position uint64, r *axispb.Record) error {
	var header axispb.RecordHeader
	if err := proto.Unmarshal(r.GetHeader(), &header); err != nil {
		return fmt.Errorf("read registry record %d: %w", position, err)
	}
	out, err := &ledger.Record{Position: position}, error(nil)
	switch header.GetKind() {
	case axispb.Kind_KIND_REGISTRY:
		err = p.change(out, r.GetBody(), time.UnixMilli(header.GetTimeMs()))
	case axispb.Kind_KIND_EPOCH:
		err = p.epochOpened(header.GetEpoch(), r.GetBody())
	case axispb.Kind_KIND_ACT:
		err = p.actOf(r.GetBody())
	case axispb.Kind_KIND_RECOVERED:
		err = p.recoveredChange(out, r.GetBody())
	}
	p.revoked = nil // they are not connected yet
	return err
}
