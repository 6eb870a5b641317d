package endpoint

import (
	"slices"

	"go.etcd.io/bbolt"
	"golang.org/x/text/unicode/norm"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// changeOf makes a draft a change of what it is about: a request of the sender to its
// recipients, or a recipient's answer to one.
func (d desk) changeOf(doc *envelope.Document, draft clerk.Draft) error {
	doc.Kind, doc.Reason = envelope.Kind(draft.Change), norm.NFC.String(draft.Reason)
	if slices.Contains(business.States(), draft.Change) {
		doc.Kind, doc.Status = envelope.KindStatus, draft.Change
	}
	switch {
	case business.IsRequest(draft.Change):
		return d.request(doc, draft.About)
	case business.IsAnswer(draft.Change):
		return d.answer(doc, draft.About)
	}
	return reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "change: "+clip(draft.Change))
}

// request asks the recipients of something that was sent from here: all of them, where
// the draft names none.
func (d desk) request(doc *envelope.Document, id string) error {
	sent, err := d.a.Sent(id)
	if err != nil {
		return known(err, id)
	}
	if doc.Sender == "" {
		doc.Sender = sent.Sender
	}
	doc.References = []envelope.Reference{{Sender: sent.Sender, ID: id, Relation: envelope.RelationTarget}}
	if len(doc.To)+len(doc.Groups) > 0 {
		return nil
	}
	env, err := d.a.envelope(sent.EnvelopeDigest)
	if err != nil {
		return err
	}
	doc.Groups = env.Document.Groups
	doc.To, err = d.reached(sent)
	return err
}

// reached lists the recipients that the axis took.
func (d desk) reached(sent *axispb.OutboxEntry) ([]string, error) {
	to := slices.Clone(sent.Recipients)
	err := d.a.db.View(func(tx *bbolt.Tx) error {
		all, err := outbox.In(tx).Recipients(sent.Id)
		for _, r := range all {
			if r.State == axispb.State_STATE_REJECTED {
				to = slices.DeleteFunc(to, func(code string) bool { return code == r.Code })
			}
		}
		return err
	})
	return to, err
}

// answer answers a request about something that was received here, named by itself or
// by what it is about. The sender of the draft is the code that received it.
func (d desk) answer(doc *envelope.Document, id string) error {
	key, err := d.key(id, doc.Sender)
	if err != nil {
		return err
	}
	return d.a.db.View(func(tx *bbolt.Tx) error {
		e, err := inbox.In(tx).Get(key)
		if err != nil {
			return known(err, id)
		}
		request, err := asked(tx, e)
		if err != nil {
			return err
		}
		if request == nil || request.Answered != "" {
			return lang.Errorf("Không có yêu cầu thu hồi, lấy lại, cập nhật hay thay thế nào về văn bản %s đang chờ cơ quan trả lời. Hãy xem endpoint show %s.",
				"No recall, taking back, update or replacement of document %s waits for the agency's answer. Look at endpoint show %s.", id, id)
		}
		doc.Sender, doc.To = serving(e), []string{e.Sender}
		doc.References = []envelope.Reference{{Sender: request.Sender, ID: request.Id, Relation: envelope.RelationTarget}}
		return nil
	})
}
