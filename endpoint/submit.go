package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/files"
	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// missingLimit is how often a refusal for missing content only leads to another
// upload: the axis's pins may have run out while the line was down.
const missingLimit = 5

// errGiveWay ends a long job because something more urgent waits.
var errGiveWay = errors.New("gave way to something more urgent")

func (a *Agent) dueSubmissions(c outbox.Class) due {
	return func(now time.Time, limit int) (jobs []job, wake time.Time, err error) {
		err = a.db.View(func(tx *bbolt.Tx) error {
			var list []outbox.Job
			list, wake = outbox.In(tx).Due(c, now, limit)
			for _, j := range list {
				jobs = append(jobs, job{j.ID, j.Lane})
			}
			return nil
		})
		return jobs, wake, err
	}
}

// submit makes one attempt at a submission and records how it went. Only what
// makes the store unreliable is an error.
func (a *Agent) submit(ctx context.Context, id string, giveWay func() bool) error {
	moved, err := a.trySubmit(ctx, id, giveWay)
	switch {
	case err == nil, errors.Is(err, outbox.ErrState):
		return nil
	case fatal(err):
		return err
	case ctx.Err() != nil:
		// The attempt is recorded; the next start goes on.
		return nil
	}
	if err = a.submissionFailed(ctx, id, moved, err); err != nil && fatal(err) {
		return err
	}
	a.rest(ctx, err)
	return nil
}

// trySubmit brings the axis what it lacks, offers the envelope, and stores the
// answer. moved reports that some content was newly taken.
func (a *Agent) trySubmit(ctx context.Context, id string, giveWay func() bool) (moved bool, err error) {
	e, err := a.recordAttempt(ctx, id)
	if err != nil {
		return false, err
	}
	env, err := a.envelope(e.EnvelopeDigest)
	if err != nil {
		return false, err
	}
	answer, moved, err := a.offer(ctx, e, env, giveWay)
	if err != nil {
		return moved, err
	}
	return moved, a.answered(ctx, e, env, answer)
}

// offered notes that a submission that was queued until now is offered.
func (a *Agent) offered(ctx context.Context, e *axispb.OutboxEntry) error {
	if e.State != axispb.State_STATE_QUEUED {
		return nil
	}
	return a.db.Update(ctx, func(tx *bbolt.Tx) error { return outbox.In(tx).Offer(e.Id) })
}

// recordAttempt counts the attempt and sets the next before anything is done, unless
// the commit that queued the submission did so for its first attempt. A
// small submission is offered in this attempt; a large one only after its upload,
// which may take days.
func (a *Agent) recordAttempt(ctx context.Context, id string) (e *axispb.OutboxEntry, err error) {
	record := func(tx *bbolt.Tx) error {
		o := outbox.In(tx)
		was, err := o.Get(id)
		if err != nil {
			return err
		}
		next := a.cfg.Now().Add(a.cfg.Retry.wait(was.Attempts))
		e, err = o.Attempt(id, next, outbox.ClassOf(was) == outbox.Small)
		return err
	}
	err = a.step("attempt", func() (err error) {
		if e, err = a.begunSubmission(id); err != nil || e != nil {
			return err
		}
		return a.db.Update(context.WithoutCancel(ctx), record)
	})
	return e, err
}

func (a *Agent) upload(ctx context.Context, env *envelope.Envelope, ask bool, giveWay func() bool) (moved bool, err error) {
	between := func() error {
		if giveWay() {
			return errGiveWay
		}
		return ctx.Err()
	}
	contents, err := contentsOf(env)
	if err != nil {
		return false, err
	}
	for i, c := range contents {
		err := a.step("put", func() error {
			f, err := a.files.Open(c.Digest)
			if err != nil {
				return err
			}
			some, err := a.link.Load().Upload(ctx, link.File{File: c.File, Content: f}, ask, between)
			moved = moved || some
			return errors.Join(err, f.Close())
		})
		if err != nil {
			return moved, spoilt(env.Document.Files[i].Title, err)
		}
	}
	return moved, nil
}

// spoilt names a file that is not any more what was sealed, or not here any more, as
// its sender knows it. No further attempt helps: a person must put it back.
func spoilt(title string, err error) error {
	altered := reason.Is(err, axispb.ReasonCode_REASON_DIGEST_MISMATCH) && !reason.IsTemporary(err)
	if !altered && !errors.Is(err, files.ErrNotFound) {
		return err
	}
	return reason.Permanent(axispb.ReasonCode_REASON_DIGEST_MISMATCH, clip(title)).Because(err)
}

// answered verifies what the axis says, and stores it with the state that it
// proves.
func (a *Agent) answered(ctx context.Context, e *axispb.OutboxEntry, env *envelope.Envelope, answer *axispb.SubmitAnswer) error {
	switch {
	case len(answer.Receipt) > 0 && len(answer.Rejection) == 0:
		return a.accepted(ctx, e, env, answer.Receipt)
	case len(answer.Rejection) > 0 && len(answer.Receipt) == 0:
		return a.rejected(ctx, e, answer)
	}
	return errors.New("the axis answered neither with a receipt nor with a refusal")
}

func (a *Agent) accepted(ctx context.Context, e *axispb.OutboxEntry, env *envelope.Envelope, receipt []byte) error {
	proven, err := a.trust.Receipt(receipt, env.Raw)
	if err != nil {
		a.needsPull(err)
		return disbelieved("receipt", err)
	}
	if k := proven.Header.Kind; k != axispb.Kind_KIND_DOCUMENT {
		return fmt.Errorf("receipt from the axis is of a %s", k)
	}
	a.receipted.Store(&proven.Checkpoint)
	recipients := recipientsOf(env.Document, proven)
	var touched []string
	err = a.commit(ctx, "receipt.store", func(tx *bbolt.Tx) error {
		if err := outbox.In(tx).Accept(e.Id, receipt, recipients); err != nil {
			return err
		}
		if err := tellRefused(tx, e, proven.Decision.GetDocument().GetRefused(), proven.Header.TimeMs); err != nil {
			return err
		}
		touched, err = a.answers(tx, env.Document)
		return err
	})
	if err != nil {
		return err
	}
	a.log.Info("accepted", slog.String("id", e.Id), slog.Uint64("leaf", proven.LeafIndex))
	a.watch.changed(e.Id)
	a.noteAccepted(e)
	a.touched(touched)
	// What waited for it, and evidence that overtook the receipt. Where no lane stands,
	// a pull would bring nothing.
	ring(a.wake.submit, a.wake.bulkSubmit)
	if a.pulling.receipts.Add(1); a.pulling.held.Load() {
		ring(a.wake.pull)
	}
	return nil
}

// disbelieved is an answer that proves nothing. Whatever reason was found in it is
// no reason of this submission: it is offered again.
func disbelieved(what string, err error) error {
	return fmt.Errorf("%s from the axis: %v", what, err)
}

// recipientsOf is what the receipt says of each recipient that document.json
// names. Those of a group appear with their evidence.
func recipientsOf(doc *envelope.Document, proven evidence.Proven) []*axispb.RecipientEntry {
	decision := proven.Decision.GetDocument()
	refused := make(map[string]bool)
	for _, r := range decision.GetRefused() {
		refused[r.Code] = true
	}
	routed := make(map[string]string)
	for _, r := range decision.GetRouted() {
		routed[r.Code] = r.Successor
	}
	var all []*axispb.RecipientEntry
	for _, code := range doc.To {
		r := &axispb.RecipientEntry{
			Code: code, ServingCode: routed[code],
			State: axispb.State_STATE_ACCEPTED, SinceMs: proven.Header.TimeMs,
		}
		if refused[code] {
			r.State = axispb.State_STATE_REJECTED
		}
		all = append(all, r)
	}
	return all
}

func (a *Agent) rejected(ctx context.Context, e *axispb.OutboxEntry, answer *axispb.SubmitAnswer) error {
	rejection, receipt := answer.Rejection, answer.RejectionReceipt
	st, err := a.checkRejection(e, rejection)
	if err == nil && len(receipt) > 0 {
		_, err = a.trust.Receipt(receipt, rejection)
	}
	if err != nil {
		a.needsPull(err)
		return disbelieved("refusal", err)
	}
	if st.Reason.GetCode() == axispb.ReasonCode_REASON_CONTENT_MISSING && e.Attempts < missingLimit {
		return reason.Temporary(st.Reason.Code, st.Reason.Args...)
	}
	waiting := a.trouble(reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_TARGET, e.Sender, e.Id))
	var parked []string
	err = a.commit(ctx, "receipt.store", func(tx *bbolt.Tx) (err error) {
		if parked, err = outbox.In(tx).Reject(e.Id, rejection, receipt, waiting); err != nil {
			return err
		}
		return tellRejected(tx, e, st.Reason, st.TimeMs)
	})
	if err != nil {
		return err
	}
	a.log.Warn("refused by the axis", slog.String("id", e.Id), slog.String("why", reason.Sentence(st.Reason, reason.English)))
	a.watch.changed(append(parked, e.Id)...)
	return nil
}

// checkRejection holds a refusal to be the axis's, of this very envelope.
func (a *Agent) checkRejection(e *axispb.OutboxEntry, rejection []byte) (*axispb.Statement, error) {
	st, _, err := a.trust.Statement(rejection)
	switch {
	case err != nil:
		return nil, err
	case st.Event != axispb.Event_EVENT_SUBMISSION_REJECTION:
		return nil, fmt.Errorf("it states %s", st.Event)
	case !bytes.Equal(st.EnvelopeDigest, e.EnvelopeDigest):
		return nil, errors.New("it is about another envelope")
	case len(st.ManifestDigest) > 0 && !bytes.Equal(st.ManifestDigest, e.ManifestDigest):
		return nil, errors.New("it is about another manifest")
	}
	return st, nil
}

// submissionFailed records a failure. What only a person can mend is parked; all
// else is tried again, for ever.
func (a *Agent) submissionFailed(ctx context.Context, id string, moved bool, why error) error {
	t := a.trouble(why)
	permanent := !reason.IsTemporary(why)
	var next time.Time
	switch {
	case errors.Is(why, errGiveWay):
		t, next, moved = nil, a.cfg.Now(), true
	case moved:
		next = a.cfg.Now().Add(a.cfg.Retry.wait(0))
	}
	if t != nil {
		a.log.Warn("submission failed", slog.String("id", id), slog.Bool("parked", permanent), troubleAttr(t))
	}
	err := a.db.Update(context.WithoutCancel(ctx), func(tx *bbolt.Tx) error {
		if permanent {
			return outbox.In(tx).Park(id, t)
		}
		o := outbox.In(tx)
		if e, err := o.Get(id); err == nil && next.IsZero() {
			next = a.afterBegun(e.Attempts, e.NextAttemptMs)
		}
		return o.Fail(id, t, next, moved)
	})
	if err == nil && permanent {
		a.watch.changed(id)
	}
	return err
}

// Retry takes up a parked or refused submission again, at once: a person mended what
// Show says was wrong, or wants to know whether it still is. A refused one goes
// under the seal that it had; Send with its id seals it anew. outbox.ErrState: its
// state does not allow it.
//
// One that waits for a seal is sealed, and one that was received and failed at a DMS is
// listed to it again.
func (a *Agent) Retry(ctx context.Context, id string) error {
	e, err := a.Sent(id)
	switch {
	case errors.Is(err, outbox.ErrNotFound):
		return a.relist(ctx, id, err)
	case err != nil:
		return err
	case outbox.Unsealed(e):
		return a.sealDraft(ctx, e)
	}
	err = a.db.Update(ctx, func(tx *bbolt.Tx) error { return outbox.In(tx).Retry(id, a.cfg.Now()) })
	if err != nil {
		return err
	}
	a.watch.changed(id)
	ring(a.wake.submit, a.wake.bulkSubmit)
	return nil
}
