package hubtest

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/axis"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// past enters a record that an earlier epoch had: proven under that epoch's key from
// scratch, once, and none that the journal has itself.
func (b *book) past(e *entry) error {
	past, proven, err := b.trust.Recovered(e.record.Body)
	if err != nil {
		return err
	}
	if own := b.at(proven.LeafIndex); own != nil && evidence.Commitment(own.record.Header) == proven.Commitment {
		return fmt.Errorf("record %d came back, and was never lost", proven.LeafIndex)
	}
	if b.recovered[past.Commitment] != nil {
		return fmt.Errorf("record %d of epoch %d came back twice", proven.LeafIndex, proven.Header.Epoch)
	}
	inner := &entry{
		leaf: proven.LeafIndex, record: past.Record, header: past.Header, decision: past.Decision, now: e.decision,
	}
	b.recovered[past.Commitment] = inner
	switch past.Header.Kind {
	case axispb.Kind_KIND_REGISTRY:
		change := new(axispb.RegistryChange)
		if err := proto.Unmarshal(past.Record.Body, change); err != nil {
			return err
		}
		if err := b.registry.Check(change, inner.time()); err != nil {
			return err
		}
		b.move(b.registry.Apply(e.leaf, inner.time(), change))
		return nil
	case axispb.Kind_KIND_DOCUMENT:
		return b.pastDocument(inner, past)
	case axispb.Kind_KIND_EVIDENCE:
		return b.evidence(inner)
	}
	return errors.New("a record of this kind cannot come back")
}

// pastDocument enters a document with the recipients that its receipt promised.
func (b *book) pastDocument(e *entry, past *evidence.Past) error {
	env, err := envelope.Parse(e.record.Body)
	if err != nil {
		return err
	}
	d, err := b.enter(e, env)
	if err != nil {
		return err
	}
	for _, r := range axis.RecoveredRows(b.registry, env.Document, past) {
		d.rows[r.Code] = &row{serving: r.Serving, endpoint: r.Endpoint, state: axispb.State_STATE_ACCEPTED}
	}
	for _, r := range e.decision.GetDocument().GetRefused() {
		d.refused[r.Code] = true
	}
	return b.promised(d)
}

// promised holds the rows of a document that came back to the receipt of its sender:
// whoever it names has one.
func (b *book) promised(d *document) error {
	for _, code := range d.envelope.Document.To {
		if d.rows[code] == nil && !d.refused[code] {
			return fmt.Errorf("%s came back without its recipient %s", d.id, code)
		}
	}
	return nil
}

// known finds the record that a commitment names, in the journal itself or come
// back; nil where there is none.
func (b *book) known(leaf uint64, commitment [32]byte) *entry {
	if e := b.at(leaf); e != nil && evidence.Commitment(e.record.Header) == commitment {
		return e
	}
	return b.recovered[commitment]
}

// of gives the document that a record is.
func (b *book) of(e *entry) *document { return b.byRecord[evidence.Commitment(e.record.Header)] }

// forgotten reports whether a checkpoint is of a part that an epoch lost: nobody here
// can say anything about it.
func (b *book) forgotten(cp evidence.Checkpoint) bool {
	return cp.Epoch < b.epoch && cp.Size > b.trust.Common(cp.Epoch, b.epoch)
}
