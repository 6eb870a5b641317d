package hubtest

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
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
		if act.GetReason() != intake.ReleaseRecall {
			if err := d.mayGo(e); err != nil {
				return err
			}
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
