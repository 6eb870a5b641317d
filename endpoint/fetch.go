package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/internal/chunk"
	"docaxis/internal/diskspace"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func (a *Agent) dueFetches(c inbox.Class) due {
	return func(now time.Time, limit int) (jobs []job, wake time.Time, err error) {
		err = a.db.View(func(tx *bbolt.Tx) error {
			var list []inbox.Job
			list, wake, err = inbox.In(tx).Due(c, now, limit)
			for _, j := range list {
				jobs = append(jobs, job{j.Key.String(), j.Lane})
			}
			return err
		})
		return jobs, wake, err
	}
}

// fetch makes one attempt at a document's files and, when they are all here,
// consigns it. Only what makes the store unreliable is an error.
func (a *Agent) fetch(ctx context.Context, text string, giveWay func() bool) error {
	key, err := inbox.ParseKey(text)
	if err != nil {
		return err
	}
	moved, err := a.tryFetch(ctx, key, giveWay)
	switch {
	case err == nil:
		err = a.consign(ctx, key, claim{event: axispb.Event_EVENT_CONTENT_CONSIGNMENT})
	case errors.Is(err, inbox.ErrState):
		return nil
	case ctx.Err() == nil && !fatal(err) && !reason.IsTemporary(err):
		err = a.consign(ctx, key, claim{event: axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE, reason: fetchReason(err)})
	}
	switch {
	case err == nil, errors.Is(err, inbox.ErrState), errors.Is(err, inbox.ErrNotFound):
		return nil
	case fatal(err):
		return err
	case ctx.Err() != nil:
		return nil
	}
	if err = a.fetchFailed(ctx, key, moved, a.noRoom(err)); err != nil && fatal(err) {
		return err
	}
	a.rest(ctx, err)
	return nil
}

// tryFetch brings the files. Its error is permanent where nobody will ever be able
// to bring them.
func (a *Agent) tryFetch(ctx context.Context, key inbox.Key, giveWay func() bool) (moved bool, err error) {
	e, err := a.recordFetch(ctx, key)
	if err != nil {
		return false, err
	}
	env, err := a.envelope(e.EnvelopeDigest)
	if err != nil {
		return false, localError{err}
	}
	contents, err := contentsOf(env)
	if err != nil {
		return false, err
	}
	var came atomic.Bool
	get := func(ctx context.Context, id chunk.ID, offset, limit uint32) ([]byte, error) {
		if giveWay() {
			return nil, errGiveWay
		}
		if err := a.roomFor(offset, limit); err != nil {
			return nil, err
		}
		data, err := a.link.Load().Get(ctx, e.Record.GetLeafIndex(), id, offset, limit)
		if len(data) > 0 {
			came.Store(true)
		}
		return data, err
	}
	for _, c := range contents {
		err := a.step("fetch", func() error { return a.files.FetchWide(ctx, c.File, get, a.link.Load().Wide) })
		moved = came.Load()
		if errors.Is(err, files.ErrDigest) {
			return moved, reason.Permanent(axispb.ReasonCode_REASON_DIGEST_MISMATCH, c.Name).Because(err)
		}
		if err != nil {
			// Bytes that were not the chunk's are no progress.
			return moved && !errors.Is(err, files.ErrChunk), fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	return moved, nil
}

// recordFetch counts the attempt before it is made, unless the commit with which the
// document came did so.
func (a *Agent) recordFetch(ctx context.Context, key inbox.Key) (e *axispb.InboxEntry, err error) {
	if e, err = a.begunFetch(key); err != nil || e != nil {
		return e, err
	}
	err = a.db.Update(ctx, func(tx *bbolt.Tx) error {
		in := inbox.In(tx)
		was, err := in.Get(key)
		if err != nil {
			return err
		}
		e, err = in.Attempt(key, a.cfg.Now().Add(a.cfg.Retry.wait(was.Attempts)))
		return err
	})
	return e, err
}

// consign is T2: the state and the statement that proves it, in one transaction
// that the state FETCHING guards, so that it happens once.
func (a *Agent) consign(ctx context.Context, key inbox.Key, c claim) error {
	var (
		bytes   uint64
		touched []string
	)
	err := a.commit(ctx, "t2", func(tx *bbolt.Tx) error {
		e, err := inbox.In(tx).Get(key)
		if err != nil {
			return err
		}
		bytes = e.Bytes
		touched, err = a.enterConsigned(tx, key, c)
		return err
	})
	if err != nil {
		return err
	}
	a.tellConsigned(key, c, bytes, touched)
	return nil
}

// enterConsigned enters the state that a claim about a document's content proves, with
// what else follows of it; touched are documents that change with it.
func (a *Agent) enterConsigned(tx *bbolt.Tx, key inbox.Key, c claim) (touched []string, err error) {
	if err := a.enter(tx, key, c); err != nil || c.event != axispb.Event_EVENT_CONTENT_CONSIGNMENT {
		return nil, err
	}
	if touched, err = a.consigned(tx, key); err != nil {
		return nil, err
	}
	return touched, a.toLookAt(tx, key)
}

// tellConsigned tells of what enterConsigned did, once that is committed.
func (a *Agent) tellConsigned(key inbox.Key, c claim, bytes uint64, touched []string) {
	a.quota.added(bytes)
	a.log.Info("received", slog.String("id", key.ID), slog.String("code", key.Code), slog.String("event", c.event.String()))
	a.watch.changed(key.ID)
	a.touched(touched)
	ring(a.wake.evidence, a.wake.fetch, a.wake.bulkFetch, a.wake.clean, a.wake.label)
}

// fetchReason is what the sender is told.
func fetchReason(err error) *axispb.Reason {
	r := reason.Of(err)
	switch r.GetCode() {
	case axispb.ReasonCode_REASON_DIGEST_MISMATCH, axispb.ReasonCode_REASON_CONTENT_RELEASED:
		return r
	}
	return &axispb.Reason{Code: axispb.ReasonCode_REASON_FETCH_FAILED, Args: []string{clip(reason.Sentence(r, reason.English))}}
}

// fetchFailed records a failure that may pass.
func (a *Agent) fetchFailed(ctx context.Context, key inbox.Key, moved bool, why error) error {
	t := a.trouble(why)
	var next time.Time
	switch {
	case errors.Is(why, errGiveWay):
		t, next, moved = nil, a.cfg.Now(), true
	case isFull(why) && !diskspace.Exhausted(why):
		// Due at once, and taken up when the guard says that there is room.
		next, moved = a.cfg.Now(), true
	case moved:
		next = a.cfg.Now().Add(a.cfg.Retry.wait(0))
	}
	if t != nil {
		a.log.Warn("fetching failed", slog.String("id", key.ID), slog.String("code", key.Code), troubleAttr(t))
	}
	return a.db.Update(context.WithoutCancel(ctx), func(tx *bbolt.Tx) error {
		in := inbox.In(tx)
		if e, err := in.Get(key); err == nil && next.IsZero() {
			next = a.afterBegun(e.Attempts, e.NextAttemptMs)
		}
		return in.Fail(key, t, next, moved)
	})
}
