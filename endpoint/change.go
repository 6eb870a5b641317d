package endpoint

import (
	"errors"
	"log/slog"
	"slices"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// A sender may recall a document, update or replace it, or ask for it back (status
// 13). What follows from that here is decided in the transaction that consigns the
// request, by what the agency was given of the document until then:
//
//   - nothing: the copy is withdrawn and the endpoint agrees (15) for its agency. A
//     recall then asks for nothing any more and is withdrawn too; an update or a
//     replacement is a document of its own and waits for the agency.
//   - something: the request waits for the agency, which answers with a status 15 or 16.
//
// docs/decisions/0045 says why so.

// consigned is the rest of T2: what a request does to the copies that it is about. It
// gives the ids of the documents that it touched.
func (a *Agent) consigned(tx *bbolt.Tx, key inbox.Key) ([]string, error) {
	in := inbox.In(tx)
	e, err := in.Get(key)
	if err != nil {
		return nil, err
	}
	what := inbox.Request(e)
	if what == "" {
		return nil, nil
	}
	copies, err := a.meant(tx, e)
	if err != nil || len(copies) == 0 {
		return nil, err
	}
	touched := []string{e.Id}
	settled := true
	for _, c := range copies {
		touched = append(touched, c.Id)
		done, err := a.takeBack(tx, c, what)
		if err != nil {
			return nil, err
		}
		settled = settled && done
	}
	if settled {
		return touched, a.agree(tx, key, copies, what)
	}
	for _, c := range copies {
		if inbox.Request(c) != "" {
			continue
		}
		if err := in.Answer(inbox.KeyOf(c), ""); err != nil {
			return nil, err
		}
	}
	return touched, nil
}

// meant lists the copies that a request is about: of its target and, where it is a
// replacement, of what else it replaces, as this agency received them. A second copy
// is not among them: the one that counts is elsewhere. Nor is anything whose sender
// the request does not come from.
func (a *Agent) meant(tx *bbolt.Tx, e *axispb.InboxEntry) ([]*axispb.InboxEntry, error) {
	env, err := a.envelope(e.EnvelopeDigest)
	if err != nil {
		return nil, err
	}
	var all []*axispb.InboxEntry
	for _, r := range env.Document.References {
		if r.Relation == envelope.RelationRelated {
			continue
		}
		own, err := directory.In(tx).Succeeds(e.Sender, r.Sender)
		if err != nil {
			return nil, err
		}
		if !own {
			continue
		}
		copies, err := copiesOf(tx, r.Sender, r.ID, e)
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(copies, func(c *axispb.InboxEntry) bool { return c.SecondCopy })...)
	}
	return all, nil
}

// copiesOf lists the copies of a document that the agency of another entry received.
func copiesOf(tx *bbolt.Tx, sender, id string, like *axispb.InboxEntry) ([]*axispb.InboxEntry, error) {
	all, err := inbox.In(tx).Document(sender, id)
	if err != nil {
		return nil, err
	}
	var own []*axispb.InboxEntry
	for _, c := range all {
		same, err := sameAgency(directory.In(tx), c, like)
		if err != nil {
			return nil, err
		}
		if same {
			own = append(own, c)
		}
	}
	return own, nil
}

// sameAgency reports whether two entries came for one agency, under whichever codes:
// it may have taken over from another since.
func sameAgency(d directory.Directory, x, y *axispb.InboxEntry) (bool, error) {
	if x.Code == y.Code {
		return true, nil
	}
	one, err := d.Heir(serving(x))
	if err != nil {
		return false, err
	}
	other, err := d.Heir(serving(y))
	return one == other, err
}

func serving(e *axispb.InboxEntry) string {
	if e.ServingCode != "" {
		return e.ServingCode
	}
	return e.Code
}

// takeBack withdraws a copy that the agency was given nothing of, and reports whether
// the agency has none now: also where a recall was agreed to before.
func (a *Agent) takeBack(tx *bbolt.Tx, c *axispb.InboxEntry, what string) (done bool, err error) {
	if c.State == axispb.State_STATE_WITHDRAWN {
		return true, nil
	}
	if inbox.Untaken(c) {
		return true, a.enter(tx, inbox.KeyOf(c), claim{event: axispb.Event_EVENT_CONTENT_WITHDRAWAL})
	}
	if !business.TakesBack(what) {
		return false, nil
	}
	return recalled(tx, c)
}

// recalled reports whether the agency of a copy agreed before to give it back.
func recalled(tx *bbolt.Tx, c *axispb.InboxEntry) (bool, error) {
	all, err := requests(tx, c)
	return slices.ContainsFunc(all, func(r *axispb.InboxEntry) bool {
		return r.Answered == business.Agreed && business.TakesBack(inbox.Request(r))
	}), err
}

// requests lists what its agency was asked about a copy, oldest first.
func requests(tx *bbolt.Tx, c *axispb.InboxEntry) ([]*axispb.InboxEntry, error) {
	all, err := inbox.In(tx).Changes(c.Sender, c.Id)
	if err != nil {
		return nil, err
	}
	var own []*axispb.InboxEntry
	for _, r := range all {
		if inbox.Request(r) == "" || inbox.Pending(r) || r.State == axispb.State_STATE_CONSIGNMENT_FAILED {
			continue
		}
		if r.State == axispb.State_STATE_WITHDRAWN && r.Answered == "" {
			continue // taken back itself
		}
		same, err := sameAgency(directory.In(tx), r, c)
		if err != nil {
			return nil, err
		}
		if same {
			own = append(own, r)
		}
	}
	return own, nil
}

// agree answers a request for an agency that has nothing of what it is about: the
// endpoint's own statement 15 about the request.
func (a *Agent) agree(tx *bbolt.Tx, key inbox.Key, copies []*axispb.InboxEntry, what string) error {
	in := inbox.In(tx)
	e, err := in.Get(key)
	if err != nil {
		return err
	}
	counter, err := a.state(tx, e, claim{event: axispb.Event_EVENT_BUSINESS_STATE, business: business.Agreed})
	if err != nil {
		return err
	}
	if err := errors.Join(in.Note(key, counter), in.Answer(key, business.Agreed)); err != nil {
		return err
	}
	for _, c := range copies {
		if err := a.answeredFor(tx, inbox.KeyOf(c), what, business.Agreed); err != nil {
			return err
		}
	}
	a.log.Info("a change of what the agency had not taken was agreed to here",
		slog.String("id", key.ID), slog.String("code", key.Code), slog.String("what", what))
	if !business.TakesBack(what) {
		return nil
	}
	return a.enter(tx, key, claim{event: axispb.Event_EVENT_CONTENT_WITHDRAWAL})
}

// touched tells whoever waits what a change did to other documents, once that is
// committed.
func (a *Agent) touched(ids []string) {
	if len(ids) == 0 {
		return
	}
	a.givenBack.Store(true)
	a.watch.changed(ids...)
	ring(a.wake.evidence, a.wake.clean)
}

// answeredFor records at a document how a change of it was answered. One that was
// given back is withdrawn, unless its agency had taken it whole, and its files are not
// kept here any more (Nghị định 30/2020/NĐ-CP, article 18 and annex VI.III.8); its
// envelope and proofs stay.
func (a *Agent) answeredFor(tx *bbolt.Tx, key inbox.Key, what, answer string) error {
	in := inbox.In(tx)
	c, err := in.Get(key)
	if err != nil {
		return err
	}
	if inbox.Request(c) == "" {
		// What a request is answered stands there, not what is said about it.
		if err := in.Answer(key, answer); err != nil {
			return err
		}
	}
	if answer != business.Agreed || !business.TakesBack(what) {
		return nil
	}
	if inbox.Allowed(c.State, axispb.State_STATE_WITHDRAWN) {
		if err := a.enter(tx, key, claim{event: axispb.Event_EVENT_CONTENT_WITHDRAWAL}); err != nil {
			return err
		}
	}
	return in.Release(key, a.cfg.Now())
}

// answers is what a status document 15 or 16 of an agency of this endpoint does here,
// in the transaction that stores its acceptance. It names the request, or, as most
// systems do, the document that this was about: then it answers the newest request that
// is open. Where nothing was asked, nothing is done: the axis has it recorded, and says
// so.
func (a *Agent) answers(tx *bbolt.Tx, doc *envelope.Document) ([]string, error) {
	ref, ok := doc.Target()
	if !ok || doc.Kind != envelope.KindStatus || !business.IsAnswer(doc.Status) {
		return nil, nil
	}
	named, err := copiesOf(tx, ref.Sender, ref.ID, &axispb.InboxEntry{Code: doc.Sender})
	if err != nil {
		return nil, err
	}
	var touched []string
	for _, n := range named {
		request, err := asked(tx, n)
		if err != nil {
			return nil, err
		}
		if request == nil || request.Answered != "" {
			continue
		}
		some, err := a.answer(tx, request, doc.Status)
		if err != nil {
			return nil, err
		}
		touched = append(touched, some...)
	}
	return touched, nil
}

// asked is the request that an answer to an entry answers: itself, or the newest open
// one about it; nil for none.
func asked(tx *bbolt.Tx, named *axispb.InboxEntry) (*axispb.InboxEntry, error) {
	if inbox.Request(named) != "" {
		return named, nil
	}
	all, err := requests(tx, named)
	for _, r := range slices.Backward(all) {
		if r.Answered == "" {
			return r, err
		}
	}
	return nil, err
}

// answer records an agency's answer to a request, at the request and at what it is
// about.
func (a *Agent) answer(tx *bbolt.Tx, request *axispb.InboxEntry, status string) ([]string, error) {
	if err := inbox.In(tx).Answer(inbox.KeyOf(request), status); err != nil {
		return nil, err
	}
	copies, err := a.meant(tx, request)
	if err != nil {
		return nil, err
	}
	touched := []string{request.Id}
	for _, c := range copies {
		touched = append(touched, c.Id)
		if err := a.answeredFor(tx, inbox.KeyOf(c), inbox.Request(request), status); err != nil {
			return nil, err
		}
	}
	return touched, nil
}
