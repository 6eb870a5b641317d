package endpoint

import (
	"cmp"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Recipients tell how they get on with a document by sealed status messages. They
// belong to the story of the document that they are about.

// statuses lists the status messages that were received about a submission, as they
// were journaled.
func statuses(tx *bbolt.Tx, e *axispb.OutboxEntry) ([]*axispb.InboxEntry, error) {
	all, err := inbox.In(tx).Changes(e.Sender, e.Id)
	return slices.DeleteFunc(all, func(c *axispb.InboxEntry) bool {
		return c.Kind != string(envelope.KindStatus) || inbox.Pending(c) || c.State == axispb.State_STATE_CONSIGNMENT_FAILED
	}), err
}

// fromRecipient reports whether a message comes from a recipient, by the code that the
// document was sent to or the one that took over.
func fromRecipient(c *axispb.InboxEntry, code, serving string) bool {
	return c.Sender == code || serving != "" && c.Sender == serving
}

// toldStep is a status message in the story: proved by the record that brought it.
func (a *Agent) toldStep(c *axispb.InboxEntry) Step {
	s := Step{Time: time.UnixMilli(c.ReceivedMs), Issuer: c.Sender, Business: c.Status, Receipt: c.Receipt, Reason: a.saidWhy(c)}
	proven, err := a.trust.Receipt(c.Receipt, nil)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.Time, s.Verified = journalTime(proven.Header), true
	return s
}

// saidWhy is the reason that a message gives, where it gives one.
func (a *Agent) saidWhy(c *axispb.InboxEntry) *axispb.Reason {
	env, err := a.envelope(c.EnvelopeDigest)
	if err != nil || env.Document.Reason == "" {
		return nil
	}
	return reason.Permanent(axispb.ReasonCode_REASON_REFUSED_BY_DMS, clip(env.Document.Reason)).Reason
}

// retell puts the messages of a recipient among what was stated of it, in the order of
// the journal, behind the line's first step.
func (a *Agent) retell(l *Line, told []*axispb.InboxEntry) {
	for _, c := range told {
		if fromRecipient(c, l.Code, l.ServingCode) {
			l.Steps = append(l.Steps, a.toldStep(c))
		}
	}
	slices.SortStableFunc(l.Steps[1:], func(x, y Step) int { return x.Time.Compare(y.Time) })
	for _, s := range l.Steps {
		l.BusinessState = cmp.Or(s.Business, l.BusinessState)
	}
}

// lastTold is the newest business state that a recipient told; empty for none.
func lastTold(told []*axispb.InboxEntry, r *axispb.RecipientEntry) string {
	for _, c := range slices.Backward(told) {
		if fromRecipient(c, r.Code, r.ServingCode) {
			return c.Status
		}
	}
	return r.GetBusinessState()
}
