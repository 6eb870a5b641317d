package endpoint

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/business"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// Timeline is everything that is known of a document, with its proofs.
type Timeline struct {
	ID, Sender, Subject string
	// Sent is the submission, where the document was sent from here.
	Sent *axispb.OutboxEntry
	// Steps of the submission: queued, accepted or rejected.
	Steps []Step
	// Recipients of a document that was sent from here, by code.
	Recipients []Line
	// Received copies, one for each code and content.
	Received []Line
}

// Line is a document at one recipient.
type Line struct {
	Code, ServingCode string
	State             axispb.State
	// BusinessState is the last one that was told; of a received document, how a change
	// of it was answered.
	BusinessState string
	// GivenBack: its sender took it back, and the agency, or this endpoint for it,
	// agreed.
	GivenBack bool
	Trouble   *axispb.Trouble
	Steps     []Step
	// Key, where this endpoint received it.
	Key inbox.Key
}

// Step is something that happened, with what proves it.
type Step struct {
	// Time of the journal, or, where it has no receipt yet, as claimed.
	Time time.Time
	// State that the step led to; unspecified where it changed none.
	State axispb.State
	// Event is its ETSI name; empty for the endpoint's own states.
	Event string
	// Issuer of the statement: an endpoint, or "axis".
	Issuer   string
	Reason   *axispb.Reason
	Standing axispb.Standing
	ClockOff bool
	// Business is the business state that it tells, and Unusual what is unusual about
	// it after those before.
	Business string
	Unusual  business.Flag
	// Evidence and Receipt are exact bytes, to be given to whoever asks for
	// proof.
	Evidence, Receipt []byte
	// Verified: the proof was checked just now, and holds. Problem says what
	// does not.
	Verified bool
	Problem  string
}

// Show tells all about a document, checking every proof anew. The error is
// outbox.ErrNotFound where nothing is known of the id.
func (a *Agent) Show(id string) (Timeline, error) {
	t := Timeline{ID: id}
	err := a.db.View(func(tx *bbolt.Tx) error {
		sent, err := outbox.In(tx).Get(id)
		switch {
		case err == nil:
			err = a.showSent(tx, sent, &t)
		case errors.Is(err, outbox.ErrNotFound):
			err = nil
		}
		if err != nil {
			return err
		}
		return a.showReceived(tx, &t)
	})
	if err == nil && t.Sent == nil && len(t.Received) == 0 {
		err = fmt.Errorf("%w: %s", outbox.ErrNotFound, id)
	}
	return t, err
}

func (a *Agent) showSent(tx *bbolt.Tx, e *axispb.OutboxEntry, t *Timeline) error {
	t.Sent, t.Sender, t.Subject = e, e.Sender, e.Subject
	t.Steps = []Step{{Time: time.UnixMilli(e.CreatedMs), State: axispb.State_STATE_QUEUED, Verified: true}}
	for _, earlier := range e.Refused {
		t.Steps = append(t.Steps, a.refusalStep(earlier))
	}
	var decision *axispb.DocumentDecision
	switch {
	case len(e.Receipt) > 0:
		step, d, err := a.acceptance(e)
		if err != nil {
			return err
		}
		t.Steps, decision = append(t.Steps, step), d
	case len(e.Rejection) > 0:
		t.Steps = append(t.Steps, a.refusalStep(&axispb.Proof{Evidence: e.Rejection, Receipt: e.RejectionReceipt}))
	}
	recipients, err := outbox.In(tx).Recipients(e.Id)
	if err != nil {
		return err
	}
	told, err := statuses(tx, e)
	if err != nil {
		return err
	}
	requests, err := outbox.In(tx).Asked(e.Sender, e.Id)
	for _, r := range recipients {
		l := a.recipientLine(r, t.Steps[len(t.Steps)-1], decision)
		a.retell(&l, told)
		a.flagUnusual(&l, e, requests)
		t.Recipients = append(t.Recipients, l)
	}
	return err
}

func (a *Agent) refusalStep(p *axispb.Proof) Step {
	step := a.evidenceStep(p, p.Evidence)
	step.State = axispb.State_STATE_REJECTED
	return step
}

// acceptance is the step that the receipt proves, checked against the very bytes
// of the envelope. Where these cannot be read nothing is said of the proof: a disk that
// fails for a moment is no receipt that does not hold.
func (a *Agent) acceptance(e *axispb.OutboxEntry) (Step, *axispb.DocumentDecision, error) {
	s := Step{
		State: axispb.State_STATE_ACCEPTED, Issuer: evidence.AxisIssuer, Receipt: e.Receipt,
		Event: evidence.EventName(axispb.Event_EVENT_SUBMISSION_ACCEPTANCE),
	}
	env, err := a.envelope(e.EnvelopeDigest)
	if err != nil {
		return s, nil, fmt.Errorf("check the receipt of %s: %w", e.Id, err)
	}
	proven, err := a.trust.Receipt(e.Receipt, env.Raw)
	if err != nil {
		s.Problem = err.Error()
		return s, nil, nil
	}
	s.Time, s.Verified = journalTime(proven.Header), true
	return s, proven.Decision.GetDocument(), nil
}

func (a *Agent) recipientLine(r *axispb.RecipientEntry, accepted Step, d *axispb.DocumentDecision) Line {
	l := Line{Code: r.Code, ServingCode: r.ServingCode, State: r.State, BusinessState: r.BusinessState}
	first := accepted
	for _, refused := range d.GetRefused() {
		if refused.Code == r.Code {
			first.State, first.Reason = axispb.State_STATE_REJECTED, refused.Reason
		}
	}
	l.Steps = append(l.Steps, first)
	for _, p := range r.Proofs {
		l.Steps = append(l.Steps, a.evidenceStep(p, p.Evidence))
	}
	return l
}

// evidenceStep is the step that an evidence proves. Its receipt, where it has one,
// must be of the record with these bytes, unless they are nil.
func (a *Agent) evidenceStep(p *axispb.Proof, recorded []byte) Step {
	s := Step{Evidence: p.Evidence, Receipt: p.Receipt, Standing: p.Standing, ClockOff: p.ClockOff}
	st, _, err := a.trust.Statement(p.Evidence)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.Time, s.Event, s.Issuer, s.Reason = time.UnixMilli(st.TimeMs), evidence.EventName(st.Event), st.Issuer, st.Reason
	s.Business = st.BusinessState
	if evidence.Counts(p.Standing) {
		s.State = evidence.StateAfter(st.Event)
	}
	if len(p.Receipt) == 0 {
		s.Verified = true
		return s
	}
	proven, err := a.trust.Receipt(p.Receipt, recorded)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.Time, s.Verified = journalTime(proven.Header), true
	return s
}

func (a *Agent) showReceived(tx *bbolt.Tx, t *Timeline) error {
	in := inbox.In(tx)
	entries, err := in.ByID(t.ID)
	for _, e := range entries {
		if t.Sender == "" {
			t.Sender, t.Subject = e.Sender, e.Subject
		}
		l := Line{
			Code: e.Code, ServingCode: e.ServingCode, State: e.State, Trouble: e.Trouble, Key: inbox.KeyOf(e),
			BusinessState: e.Answered, Steps: []Step{a.arrivalStep(e)},
		}
		if l.GivenBack, err = recalled(tx, e); err != nil {
			return err
		}
		for _, raw := range e.Journaled {
			l.Steps = append(l.Steps, a.evidenceStep(&axispb.Proof{Evidence: raw}, nil))
		}
		for _, counter := range e.Evidence {
			own, err := in.Evidence(counter)
			if err != nil {
				return err
			}
			l.Steps = append(l.Steps, a.ownStep(own))
		}
		t.Received = append(t.Received, l)
	}
	return err
}

// arrivalStep is the acceptance by the axis, as the pull proved it.
func (a *Agent) arrivalStep(e *axispb.InboxEntry) Step {
	s := Step{
		State: axispb.State_STATE_FETCHING, Issuer: evidence.AxisIssuer, Receipt: e.Receipt,
		Event: evidence.EventName(axispb.Event_EVENT_SUBMISSION_ACCEPTANCE),
	}
	proven, err := a.trust.Receipt(e.Receipt, nil)
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.Time, s.Verified = journalTime(proven.Header), true
	return s
}

// ownStep is what this endpoint stated. The receipt may be of an earlier evidence
// that said the same; the axis may also have refused it.
func (a *Agent) ownStep(own *axispb.EvidenceEntry) Step {
	s := a.evidenceStep(&axispb.Proof{Evidence: own.GetEvidence(), Receipt: own.GetReceipt()}, nil)
	if own.GetRefused() != nil {
		s.Verified, s.Reason = false, own.Refused
		s.Problem = "the axis refused this statement"
	}
	var r axispb.Receipt
	var d axispb.Decision
	if proto.Unmarshal(own.GetReceipt(), &r) == nil && proto.Unmarshal(r.Decision, &d) == nil {
		s.Standing, s.ClockOff = d.Evidence.GetStanding(), d.Evidence.GetClockOff()
	}
	return s
}
