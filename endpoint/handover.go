package endpoint

import (
	"context"
	"log/slog"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// overduePerCommit is how many passed deadlines are stated in one transaction.
const overduePerCommit = 100

// stateOverdue states, until ctx ends, what was not handed over in time: once, in the
// transaction that makes the document one whose hand-over failed. The DMS may take it
// all the same; that counts, and is flagged.
func (a *Agent) stateOverdue(ctx context.Context) error {
	for {
		n, err := a.overdueNow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && fatal(err):
			return err
		case err != nil:
			a.log.Warn("passed deadlines could not be stated; they will be", slog.Any("error", err))
		case n == overduePerCommit:
			continue
		}
		if !nap(ctx, a.cfg.HandoverEvery, nil) {
			return nil
		}
	}
}

// overdueNow states a batch of what is due.
func (a *Agent) overdueNow(ctx context.Context) (int, error) {
	var due []*axispb.InboxEntry
	list := func(tx *bbolt.Tx) (err error) {
		due, err = inbox.In(tx).DueHandovers(a.cfg.Now(), overduePerCommit)
		return err
	}
	if err := a.db.View(list); err != nil || len(due) == 0 {
		return 0, err
	}
	err := a.commit(ctx, "handover.due", func(tx *bbolt.Tx) error {
		if err := list(tx); err != nil {
			return err
		}
		for _, e := range due {
			if err := a.enter(tx, inbox.KeyOf(e), late(e)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, e := range due {
		a.log.Warn("a document was not handed over in time; its DMS may still take it",
			slog.String("id", e.Id), slog.String("code", e.Code), slog.Time("deadline", time.UnixMilli(e.HandoverByMs)))
		a.watch.changed(e.Id)
	}
	ring(a.wake.evidence)
	return len(due), nil
}

func late(e *axispb.InboxEntry) claim {
	return claim{
		event: axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE,
		reason: &axispb.Reason{
			Code: axispb.ReasonCode_REASON_DEADLINE, Args: []string{reason.Time(time.UnixMilli(e.HandoverByMs))},
		},
	}
}

// handoverBy is when a document that came must have been handed over, Unix milliseconds;
// 0 for never. A deadline of its own that passed before it came is the axis's to state:
// it was not consigned in time. The policy is the one that is known here now: the
// registry comes before documents.
func (a *Agent) handoverBy(doc *envelope.Document, accepted time.Time) (int64, error) {
	var policy directory.Policy
	err := a.db.View(func(tx *bbolt.Tx) (err error) {
		policy, err = directory.In(tx).Policy(doc.Sender)
		return err
	})
	if err != nil {
		return 0, localError{err}
	}
	by := doc.HandoverBy(accepted, policy.HandoverHours)
	if by.IsZero() || !doc.Deadline.IsZero() && !by.After(a.cfg.Now()) {
		return 0, nil
	}
	return by.UnixMilli(), nil
}

// toldLate reports whether an issuer stated that a document was not handed over in time.
func toldLate(said []*axispb.Statement, issuer string) bool {
	for _, st := range said {
		if st.Issuer == issuer && isLate(st) {
			return true
		}
	}
	return false
}

// isLate reports whether a statement says that a deadline passed before the hand-over,
// which is not the end of it.
func isLate(st *axispb.Statement) bool {
	return evidence.StateAfter(st.Event) == axispb.State_STATE_HANDOVER_FAILED &&
		st.Reason.GetCode() == axispb.ReasonCode_REASON_DEADLINE
}
