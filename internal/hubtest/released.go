package hubtest

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// act enters an act. Content may be released only where nobody waits for it and it was
// kept long enough, or by an agreed recall.
func (b *book) act(e *entry) error {
	act := new(axispb.Act)
	if err := proto.Unmarshal(e.record.Body, act); err != nil {
		return err
	}
	for _, ref := range act.GetContentReleased().GetDocuments() {
		d := b.accepted(ref)
		if d == nil {
			return fmt.Errorf("it releases %v, which is no document", ref)
		}
		if d.released {
			return fmt.Errorf("it releases %s a second time", d.id)
		}
		may := d.mayGo
		if act.GetReason() == intake.ReleaseRecall {
			may = func(*entry) error { return b.recalled(d) }
		}
		if err := may(e); err != nil {
			return err
		}
		d.released = true
	}
	return nil
}

// accepted finds a document by where it was accepted; nil where there is none.
func (b *book) accepted(ref *axispb.RecordRef) *document {
	for _, d := range b.documents {
		if d.leaf == ref.GetLeafIndex() && d.header.GetEpoch() == ref.GetEpoch() {
			return d
		}
	}
	return nil
}

// mayGo asks what the journal had said until then.
func (d *document) mayGo(e *entry) error {
	for code, r := range d.rows {
		if r.state == axispb.State_STATE_ACCEPTED {
			return fmt.Errorf("%s is released while %s waits for it", d.id, code)
		}
		for _, said := range r.said {
			if kept := e.time().Sub(said.time()); said.decision.GetEvidence().GetStanding() == axispb.Standing_STANDING_FIRST &&
				said.statement.GetEvent() == axispb.Event_EVENT_CONTENT_CONSIGNMENT && kept < intake.DefaultRetention {
				return fmt.Errorf("%s was kept for %v only after %s had it", d.id, kept.Round(time.Second), code)
			}
		}
	}
	return nil
}

// recalled asks whether every recipient of a document gave it back: its copy was
// withdrawn, or it agreed to a recall.
func (b *book) recalled(d *document) error {
	agreed := map[string]bool{}
	for _, r := range b.documents {
		if b.about(r) != d || !takesBack(r) {
			continue
		}
		for code := range b.agreed(r) {
			agreed[code] = true
		}
	}
	if len(agreed) == 0 {
		return fmt.Errorf("%s is released as recalled, and nobody agreed to that", d.id)
	}
	for code, r := range d.rows {
		if r.state != axispb.State_STATE_WITHDRAWN && !agreed[code] {
			return fmt.Errorf("%s is released as recalled, and %s holds it", d.id, code)
		}
	}
	return nil
}

// agreed lists the codes whose agencies agreed to a request: by a status document about
// it or what it is about, or by their endpoint.
func (b *book) agreed(request *document) map[string]bool {
	codes := map[string]bool{}
	add := func(agency string) {
		for _, code := range append(b.registry.Names(agency), agency) {
			codes[code] = true
		}
	}
	for _, s := range b.documents {
		if s.envelope.Document.Status == business.Agreed && (b.about(s) == request || b.about(s) == b.about(request)) {
			add(s.sender)
		}
	}
	for code, r := range request.rows {
		for _, said := range r.said {
			if said.statement.GetBusinessState() == business.Agreed {
				add(code)
				add(r.serving)
			}
		}
	}
	return codes
}

// about is the document that a change is about; nil for none.
func (b *book) about(change *document) *document {
	ref, ok := change.envelope.Document.Target()
	if !ok {
		return nil
	}
	return b.byIdentity[identity{ref.Sender, ref.ID}]
}

func takesBack(d *document) bool {
	doc := d.envelope.Document
	return doc.Kind == envelope.KindRecall || doc.Status == business.TakeBack
}
