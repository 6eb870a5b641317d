package endpoint

import (
	"errors"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Only a document's sender, or its heir, may recall, update or replace it or ask for it
// back; only a recipient may tell how it gets on with it, or answer. The axis refuses
// everything else; this endpoint does not rely on that, on either side.

// checkChange judges whether a change that came in is its sender's to make. A doubt
// gets a second look: the registry's record of a succession may be newer than the
// registry part of this page.
func (p *part) checkChange(item *axispb.Item, doc *envelope.Document) (*axispb.Reason, error) {
	var refused *reason.Error
	err := p.agent.db.View(func(tx *bbolt.Tx) error {
		err := changeRight(tx, doc)
		if errors.As(err, &refused) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, localError{err}
	}
	if refused == nil {
		return nil, nil
	}
	if _, again := p.agent.pulling.doubted.LoadOrStore(rowOf(item), true); !again {
		return nil, errHold
	}
	return refused.Reason, nil
}

// changeRight is a *reason.Error where a change is not its sender's to make.
func changeRight(tx *bbolt.Tx, doc *envelope.Document) error {
	ref, ok := doc.Target()
	switch {
	case !ok || doc.Kind == envelope.KindReply:
		return nil
	case business.BySender(what(doc)):
		return senderRight(tx, doc)
	}
	return recipientRight(tx, doc, ref)
}

// what a change says or asks, as package business names it.
func what(doc *envelope.Document) string {
	if doc.Kind == envelope.KindStatus {
		return doc.Status
	}
	return string(doc.Kind)
}

// senderRight asks for each document that a request takes away.
func senderRight(tx *bbolt.Tx, doc *envelope.Document) error {
	for _, r := range doc.References {
		if r.Relation == envelope.RelationRelated {
			continue
		}
		own, err := directory.In(tx).Succeeds(doc.Sender, r.Sender)
		if err != nil {
			return err
		}
		if !own {
			return reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_SENDER, r.Sender, r.ID)
		}
	}
	return nil
}

// recipientRight holds the sender of a status to be a recipient of what it is about, as
// far as that is known here: it was sent from here, or received here.
func recipientRight(tx *bbolt.Tx, doc *envelope.Document, ref envelope.Reference) error {
	sent, err := outbox.In(tx).Get(ref.ID)
	if errors.Is(err, outbox.ErrNotFound) || err == nil && sent.Sender != ref.Sender {
		return nil
	}
	if err != nil || sent.Grouped {
		return err
	}
	d := directory.In(tx)
	for _, code := range sent.Recipients {
		own, err := d.Succeeds(doc.Sender, code)
		if own || err != nil {
			return err
		}
	}
	return reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT, doc.Sender, ref.Sender, ref.ID)
}

// checkOwnChange refuses at once a change that the axis would refuse, as far as this
// endpoint can know: what it is about was sent from here, or received here.
func checkOwnChange(tx *bbolt.Tx, doc *envelope.Document) error {
	ref, ok := doc.Target()
	if !ok {
		return nil
	}
	if err := changeRight(tx, doc); err != nil {
		return err
	}
	if doc.Kind != envelope.KindStatus || business.BySender(doc.Status) {
		return nil
	}
	copies, err := inbox.In(tx).Document(ref.Sender, ref.ID)
	if err != nil || len(copies) == 0 {
		return err
	}
	own, err := copiesOf(tx, ref.Sender, ref.ID, &axispb.InboxEntry{Code: doc.Sender})
	if err != nil || len(own) > 0 {
		return err
	}
	return reason.Permanent(axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT, doc.Sender, ref.Sender, ref.ID)
}
