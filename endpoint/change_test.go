package endpoint

import (
	"testing"

	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

// sealed makes an envelope without files, as its sender's own program would not.
func (o *office) sealed(d Draft) (id string, raw []byte) {
	o.t.Helper()
	doc := d.Document
	id, err := o.agent.newID()
	if err != nil {
		o.t.Fatal(err)
	}
	doc.Version, doc.ID, doc.Created = 1, id, o.now()
	key := o.seals[doc.Sender]
	raw, err = envelope.Seal(&doc, nil, envelope.Key{Signer: key.Key, Chain: key.Chain})
	if err != nil {
		o.t.Fatal(err)
	}
	return id, raw
}

// The axis checked who may change a document; the endpoints on both sides do not rely
// on it, do nothing of what is asked, and say so to the sender.
func TestForeignChangesAreNotConsigned(t *testing.T) {
	w, from, to := pair(t)
	third := w.office("third", "H43")
	third.start().synced("H41", "H42", "H43")
	for _, o := range []*office{from, to} {
		o.synced("H43")
	}
	target := from.send(draft("H41", "H42").with(noise(10)))
	from.wait(target, axispb.State_STATE_CONSIGNED)
	refused := func(at *office, code string, d Draft, want axispb.ReasonCode) {
		t.Helper()
		id, raw := third.sealed(d)
		w.axis.InjectDocument(raw, code)
		at.until("refused", func() bool {
			l, err := at.agent.Show(id)
			return err == nil && len(l.Received) == 1 && l.Received[0].State == axispb.State_STATE_CONSIGNMENT_FAILED
		})
		if got := at.received(id, code).Trouble.GetReason().GetCode(); got != want {
			t.Errorf("%s %s: %s", d.Document.Kind, d.Document.Status, got)
		}
	}
	for _, kind := range []envelope.Kind{envelope.KindRecall, envelope.KindUpdate, envelope.KindReplacement, envelope.KindStatus} {
		refused(to, "H42", draft("H43", "H42").about("H41", target, kind), axispb.ReasonCode_REASON_NOT_ITS_SENDER)
	}
	for _, status := range []string{business.Refused, business.Agreed} {
		d := draft("H43", "H41").about("H41", target, envelope.KindStatus)
		d.Document.Status = status
		refused(from, "H41", d, axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT)
	}
	if e := to.received(target, "H42"); e.State != axispb.State_STATE_CONSIGNED || e.Answered != "" {
		t.Errorf("the document is %s, answered %q", e.State, e.Answered)
	}
}

// An endpoint that lost its store knows from the journal what was recalled and that it
// agreed: nothing comes back, and nobody is asked again.
func TestARecallOutlivesTheStore(t *testing.T) {
	_, from, to := pair(t)
	target := from.send(draft("H41", "H42").with(noise(10)))
	from.wait(target, axispb.State_STATE_CONSIGNED)
	recall := from.send(draft("H41", "H42").about("H41", target, envelope.KindRecall))
	from.until("all is said", func() bool {
		l, err := from.agent.Show(recall)
		return err == nil && len(l.Recipients) == 1 && l.Recipients[0].State == axispb.State_STATE_WITHDRAWN
	})
	to.halt()
	to.dir = t.TempDir()
	to.join(sealtest.NotAfter)
	to.writeSeal("H42", to.seals["H42"])
	to.start()
	to.wait(target, axispb.State_STATE_WITHDRAWN)
	to.wait(recall, axispb.State_STATE_WITHDRAWN)
	if got := to.received(recall, "H42").Answered; got != business.Agreed {
		t.Errorf("the recall is answered %q", got)
	}
	if n := to.status().Progress.Counter; n != 5 {
		t.Errorf("%d statements, not those five of before", n)
	}
}
