package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/link"
	"docaxis/endpoint/store"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// recoverBytes bounds the records of one request; service.proto allows 1 MiB.
const recoverBytes = 900 << 10

// recoverAtOnce bounds their number.
const recoverAtOnce = 200

// recoverPast gives the axis back what its newest epoch lacks, on every connection,
// until ctx ends. Until that is done nothing of this endpoint's own goes on.
func (a *Agent) recoverPast(ctx context.Context) error {
	list := &pastList{}
	for attempts := uint32(0); ; {
		wait := idle
		err := a.giveBack(ctx, list)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errParked), fatal(err):
			return err
		case err != nil:
			a.log.Warn("what the axis lost could not be given back yet", slog.Any("error", err))
			attempts++
			wait = a.cfg.Retry.wait(attempts)
		default:
			attempts = 0
		}
		if !nap(ctx, wait, a.wake.recover) {
			return nil
		}
	}
}

// giveBack brings the endpoint to where it may go on with its own.
func (a *Agent) giveBack(ctx context.Context, list *pastList) error {
	for a.isConnected() {
		p, err := a.progress()
		if err != nil {
			return err
		}
		// The store knows, also where the step into an epoch was not heard of.
		a.recovering.epoch.Store(p.Epoch)
		if a.recovering.over() {
			return nil
		}
		if p.Epoch <= 1 {
			a.goOn(p.Epoch)
			return nil
		}
		e, err := a.recovery(ctx, p)
		if err != nil {
			return err
		}
		// The axis has not opened yet to what was said before: do not press.
		if said := a.recovering.said.Load(); e.Done && said > 0 && !nap(ctx, a.cfg.Retry.wait(said), nil) {
			return ctx.Err()
		}
		if err := a.giveBackPart(ctx, e, list); err != nil {
			return err
		}
	}
	return nil
}

// recovering is how far an endpoint is, on its connection, with giving back.
type recovering struct {
	epoch atomic.Uint64 // in which the endpoint is
	done  atomic.Uint64 // that got everything back, plus one
	said  atomic.Uint32 // how often it was said on this connection
	told  atomic.Bool   // the axis knows that no registry record is left
}

// begin forgets what was said on another connection.
func (r *recovering) begin() {
	r.done.Store(0)
	r.said.Store(0)
	r.told.Store(false)
}

// over reports whether the endpoint's own may go on.
func (r *recovering) over() bool { return r.done.Load() == r.epoch.Load()+1 }

// goOn lets everything go on that waited.
func (a *Agent) goOn(epoch uint64) {
	a.recovering.said.Add(1)
	a.recovering.done.Store(epoch + 1)
	w := a.wake
	ring(w.submit, w.bulkSubmit, w.fetch, w.bulkFetch, w.evidence)
}

// recovery is the entry of the epoch in which the endpoint is. One that joined in it
// has nothing to give, and says so as well.
func (a *Agent) recovery(ctx context.Context, p *axispb.Progress) (e *axispb.RecoveryEntry, err error) {
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		e, err = store.Recovery(tx)
		return err
	})
	if err != nil || e.GetEpoch() == p.Epoch {
		return e, err
	}
	e = &axispb.RecoveryEntry{Epoch: p.Epoch, From: a.trust.Common(0, p.Epoch)}
	return e, a.db.Update(ctx, func(tx *bbolt.Tx) error { return store.PutRecovery(tx, e) })
}

// beginRecovery notes, with the step into a new epoch, what shows that it lost
// something.
func (a *Agent) beginRecovery(tx *bbolt.Tx, was *axispb.Progress, epoch uint64) error {
	old, err := store.Recovery(tx)
	if err != nil {
		return err
	}
	e := &axispb.RecoveryEntry{Epoch: epoch, Checkpoint: was.Checkpoint, From: a.trust.Common(was.Epoch, epoch)}
	if len(e.Checkpoint) == 0 {
		e.Checkpoint = old.GetCheckpoint()
	}
	return store.PutRecovery(tx, e)
}

// giveBackPart makes one request of what is left, registry first.
func (a *Agent) giveBackPart(ctx context.Context, e *axispb.RecoveryEntry, list *pastList) error {
	req, files, next, err := a.nextPart(e, list)
	if err != nil {
		return err
	}
	// An axis that was started again takes no content before it knows that nothing
	// of the registry is left.
	if len(files) > 0 && !a.recovering.told.Load() {
		said := &axispb.RecoverRequest{Epoch: e.Epoch, RegistryDone: true}
		if err := a.link.Load().Call(ctx, bus.Recover, said, new(axispb.RecoverAnswer)); err != nil {
			return err
		}
		a.recovering.told.Store(true)
	}
	// Whoever is given a document must find its content.
	for _, env := range files {
		if _, err := a.upload(ctx, env, true, func() bool { return false }); err != nil {
			return fmt.Errorf("upload the content of %s again: %w", env.Document.ID, err)
		}
	}
	var answer axispb.RecoverAnswer
	err = a.step("recover", func() error { return a.link.Load().Call(ctx, bus.Recover, req, &answer) })
	if err != nil {
		ring(a.wake.pull) // there may be a newer epoch
		return err
	}
	if len(answer.Outcomes) != len(req.Records) {
		return fmt.Errorf("the axis answered for %d of %d records", len(answer.Outcomes), len(req.Records))
	}
	if req.RegistryDone {
		a.recovering.told.Store(true)
	}
	a.count(next, answer.Outcomes)
	err = a.commit(ctx, "recover.store", func(tx *bbolt.Tx) error {
		now, err := store.Recovery(tx)
		if err != nil || now.GetEpoch() != next.Epoch {
			return err // a newer epoch came meanwhile: begin anew
		}
		return store.PutRecovery(tx, next)
	})
	if err == nil && next.Done {
		a.log.Info("the axis has what this endpoint kept", slog.Uint64("epoch", next.Epoch),
			slog.Uint64("taken", next.Taken), slog.Uint64("refused", next.Refused))
		a.goOn(next.Epoch)
	}
	return err
}

func (a *Agent) count(e *axispb.RecoveryEntry, outcomes []*axispb.RecoverOutcome) {
	for _, o := range outcomes {
		if o.Refused == nil {
			e.Taken++
			continue
		}
		e.Refused++
		a.log.Warn("the axis did not take a record back", slog.String("why", reason.Sentence(o.Refused, reason.English)))
	}
}

// nextPart is the next request, the documents whose content goes with it, and how
// far the endpoint is once it was answered.
func (a *Agent) nextPart(e *axispb.RecoveryEntry, list *pastList) (req *axispb.RecoverRequest, files []*envelope.Envelope, next *axispb.RecoveryEntry, err error) {
	next = &axispb.RecoveryEntry{
		Epoch: e.Epoch, Checkpoint: e.Checkpoint, From: e.From, RegistryDone: e.RegistryDone,
		Offered: e.Offered, Done: e.Done, Taken: e.Taken, Refused: e.Refused,
	}
	req = &axispb.RecoverRequest{Epoch: e.Epoch, Checkpoint: e.Checkpoint}
	for _, epoch := range a.trust.Epochs() {
		if signed, ok := a.trust.SignedEpoch(epoch.Number); ok && epoch.Number < e.Epoch {
			req.Epochs = append(req.Epochs, signed)
		}
	}
	err = a.db.View(func(tx *bbolt.Tx) error {
		left, err := a.left(tx, e, list)
		if err != nil {
			return err
		}
		size := 0
		for i, k := range left {
			raw, env, err := k.make(tx)
			if err != nil {
				// What is not here any more cannot be given back by this endpoint.
				a.log.Warn("a record cannot be given back", slog.Uint64("leaf", k.at.LeafIndex), slog.Any("error", err))
				next.Offered = k.key()
				next.Refused++
				continue
			}
			if size += len(raw); i > 0 && (size > recoverBytes || i == recoverAtOnce) {
				return nil
			}
			req.Records = append(req.Records, raw)
			next.Offered = k.key()
			if env != nil {
				files = append(files, env)
			}
		}
		// Nothing is left of this phase.
		if !e.RegistryDone {
			next.RegistryDone, next.Offered = true, nil
		} else {
			next.Done = true
		}
		return nil
	})
	req.RegistryDone = next.RegistryDone
	return req, files, next, err
}

// left lists what has still to be offered in the phase in which the endpoint is.
func (a *Agent) left(tx *bbolt.Tx, e *axispb.RecoveryEntry, list *pastList) ([]keepsake, error) {
	if e.Done {
		*list = pastList{}
		return nil, nil
	}
	if list.epoch != e.Epoch || list.registry == e.RegistryDone {
		gather := a.lostRecords
		if !e.RegistryDone {
			gather = a.lostRegistry
		}
		all, err := gather(tx, e.Epoch)
		if err != nil {
			return nil, err
		}
		*list = pastList{epoch: e.Epoch, registry: !e.RegistryDone, all: all}
	}
	for len(list.all) > 0 && bytes.Compare(list.all[0].key(), e.Offered) <= 0 {
		list.all = list.all[1:]
	}
	return list.all, nil
}

// pastList is what a phase has still to offer; gathered once, and the loop's own.
type pastList struct {
	epoch    uint64
	registry bool
	all      []keepsake
}

// heedRecovering begins anew where the axis waits for what this endpoint has to give
// back: it may have been started again.
func (a *Agent) heedRecovering(err error) {
	r := reason.Of(err)
	if r.GetCode() == axispb.ReasonCode_REASON_UNAVAILABLE && len(r.Args) == 1 && r.Args[0] == "recovering" {
		a.recovering.told.Store(false)
		a.recovering.done.Store(0)
		ring(a.wake.recover)
	}
}

// showSeen shows the axis a checkpoint that it does not seem to have: an axis that
// was set back, and does not know, must not go on under its key.
func (a *Agent) showSeen(ctx context.Context, was *axispb.Progress, l *link.Link) {
	if len(was.Checkpoint) == 0 || l == nil {
		return
	}
	req := &axispb.RecoverRequest{Epoch: was.Epoch, Checkpoint: was.Checkpoint}
	for _, epoch := range a.trust.Epochs() {
		if signed, ok := a.trust.SignedEpoch(epoch.Number); ok {
			req.Epochs = append(req.Epochs, signed)
		}
	}
	if err := l.Call(ctx, bus.Recover, req, new(axispb.RecoverAnswer)); err != nil {
		a.log.Warn("the axis was shown the newest checkpoint that was seen here", slog.Any("answer", err))
	}
}
