package endpoint

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/edxml"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/systems"
	"docaxis/endpoint/vxp"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// A system knows status messages, no evidence. What is stated about a document that it
// sent is therefore told to it as status messages, in the transaction that stores the
// statement: that a recipient's system took it (01), that a recipient refused it or
// will not get it (02; 16 where it asked for a change), that a recipient's endpoint
// agreed to a change for it (15). A hand-over that is late is not told so: it would
// read as a refusal, and may still come.

// tell notes what became of a document at a recipient, where a system sent it.
func tell(tx *bbolt.Tx, e *axispb.OutboxEntry, code, status string, why *axispb.Reason, ms int64) error {
	if e.System == "" || e.Kind == string(envelope.KindStatus) || status == "" {
		return nil
	}
	_, err := systems.In(tx).Tell(&axispb.NoticeEntry{
		Id: e.Id, Sender: e.Sender, Code: code, Status: status, Reason: why, TimeMs: ms,
	})
	return err
}

// badNews is the status that tells of a failure.
func badNews(e *axispb.OutboxEntry) string {
	if business.IsRequest(e.Kind) {
		return business.Disagreed
	}
	return business.Refused
}

// tellReport tells of an evidence that counts.
func tellReport(tx *bbolt.Tx, r outbox.Report) error {
	if !evidence.Counts(r.Proof.Standing) {
		return nil
	}
	e, err := outbox.In(tx).Get(r.ID)
	if err != nil {
		return err
	}
	st, status := r.Statement, ""
	switch st.Event {
	case axispb.Event_EVENT_CONTENT_HANDOVER:
		if !business.IsRequest(e.Kind) {
			status = business.Arrived
		}
	case axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE:
		if st.Reason.GetCode() != axispb.ReasonCode_REASON_DEADLINE {
			status = badNews(e)
		}
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE:
		status = badNews(e)
	case axispb.Event_EVENT_BUSINESS_STATE:
		status = st.BusinessState
	}
	return tell(tx, e, st.Code, status, st.Reason, r.TimeMs)
}

// tellRefused tells of the recipients that the axis did not put the document to.
func tellRefused(tx *bbolt.Tx, e *axispb.OutboxEntry, refused []*axispb.RefusedCode, ms int64) error {
	for _, r := range refused {
		if err := tell(tx, e, r.Code, badNews(e), r.Reason, ms); err != nil {
			return err
		}
	}
	return nil
}

// tellRejected tells of a document that the axis refused as a whole.
func tellRejected(tx *bbolt.Tx, e *axispb.OutboxEntry, why *axispb.Reason, ms int64) error {
	for _, code := range e.Recipients {
		if err := tell(tx, e, code, badNews(e), why, ms); err != nil {
			return err
		}
	}
	return nil
}

func noticeDelivery(n *axispb.NoticeEntry) vxp.Delivery {
	at := time.UnixMilli(n.TimeMs)
	d := vxp.Delivery{DocID: n.DeliveryId, Class: vxp.Statuses, From: n.Code, To: n.Sender, Created: at, Updated: at}
	d.Status, d.StateText = handingWords(n.Handing)
	return d
}

// notice finds a notice for a system's agencies.
func (x exchange) notice(system, docID string) (n *axispb.NoticeEntry, err error) {
	err = x.a.db.View(func(tx *bbolt.Tx) error {
		codes, err := codesOf(tx, system)
		if err != nil {
			return err
		}
		n, err = systems.In(tx).Notice(docID)
		if errors.Is(err, systems.ErrNotFound) || err == nil && !slices.Contains(codes, n.Sender) {
			return noDelivery(docID)
		}
		return err
	})
	return n, err
}

// fetchNotice composes a notice as a status package.
func (x exchange) fetchNotice(ctx context.Context, system, docID string) (vxp.Content, error) {
	n, err := x.notice(system, docID)
	if err != nil {
		return vxp.Content{}, err
	}
	e, err := x.a.Sent(n.Id)
	if err != nil {
		return vxp.Content{}, err
	}
	env, err := x.a.envelope(e.EnvelopeDigest)
	if err != nil {
		return vxp.Content{}, err
	}
	from := x.party(n.Code)
	from.OrganID = edxml.OrganID(n.Code)
	r := envelope.StatusReport{
		About: env.Document, From: from, Code: edxml.StatusCode(n.Status), Time: time.UnixMilli(n.TimeMs),
	}
	if n.Reason != nil {
		r.Description = reason.Sentence(n.Reason, reason.Vietnamese)
	}
	content, err := x.compose(func(w io.Writer) error { return x.writeNotice(w, env, r) })
	if err != nil {
		return content, err
	}
	err = x.a.db.Update(ctx, func(tx *bbolt.Tx) error { return systems.In(tx).MarkFetched(docID) })
	if err != nil {
		return vxp.Content{}, errors.Join(err, content.Close())
	}
	return content, nil
}

// writeNotice writes codes, number and date as the package did that was sent, as long
// as it is here: systems compare them as texts.
func (x exchange) writeNotice(w io.Writer, env *envelope.Envelope, r envelope.StatusReport) error {
	if r.About.Body != envelope.BodyEdXML {
		return envelope.WriteStatusPackage(w, r)
	}
	f, err := x.a.files.Open(env.Files()[0].Content.Digest)
	if err != nil {
		return envelope.WriteStatusPackage(w, r) // it was kept long enough
	}
	defer f.Close()
	p, err := edxml.Open(f, int64(env.Files()[0].Content.Size), edxml.Limits{})
	if err == nil {
		r.Sent, r.From.OrganID = p.Document, x.asWritten(p.Document.To, r.From.OrganID)
	}
	return envelope.WriteStatusPackage(w, r)
}

// asWritten is a recipient's code as the package has it: it may be another of the
// agency's.
func (x exchange) asWritten(to []edxml.Party, code edxml.OrganID) edxml.OrganID {
	written := code
	err := x.a.db.View(func(tx *bbolt.Tx) error {
		for _, p := range to {
			if known, err := canonical(tx, string(p.OrganID)); err == nil && known == string(code) {
				written = p.OrganID
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return code
	}
	return written
}

// reportNotice is Report for a notice. Nobody else is told of it, so that one which
// fails is listed for ever, at most once an hour.
func (x exchange) reportNotice(ctx context.Context, system, docID string, r vxp.Report) error {
	if _, err := x.notice(system, docID); err != nil {
		return err
	}
	now := x.a.cfg.Now()
	return x.a.db.Update(ctx, func(tx *bbolt.Tx) error {
		s := systems.In(tx)
		switch r {
		case vxp.Done:
			return s.Taken(docID, now)
		case vxp.Processing:
			return s.Lease(docID, now.Add(x.a.cfg.Settings.VXP.lease()))
		}
		return s.Fail(docID, now, failWait)
	})
}
