package evidence

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// Proven is a record whose place in the journal was proven.
type Proven struct {
	Header    *axispb.RecordHeader
	Decision  *axispb.Decision
	LeafIndex uint64
	// Commitment is the SHA-256 of the header's bytes.
	Commitment [32]byte
	// Checkpoint is the one the proof leads to; its epoch may be later than the
	// header's.
	Checkpoint Checkpoint
}

// Ref points at the record.
func (p Proven) Ref() *axispb.RecordRef {
	return &axispb.RecordRef{Epoch: p.Header.GetEpoch(), LeafIndex: p.LeafIndex}
}

// NewReceipt makes the marshalled Receipt of a record from what the axis or a
// pull gives. It checks nothing: Trust.Receipt does.
func NewReceipt(r *axispb.Record, leafIndex uint64, inclusion [][]byte, checkpoint []byte) ([]byte, error) {
	return proto.Marshal(&axispb.Receipt{
		Version:    1,
		LeafIndex:  leafIndex,
		Header:     r.GetHeader(),
		Decision:   r.GetDecision(),
		Inclusion:  inclusion,
		Checkpoint: checkpoint,
	})
}

// Receipt checks a receipt: that the header bears out the decision, that the
// header's leaf is under the checkpoint, and that the log of its epoch signed
// that. Where body is not nil it must be the record's exact bytes; a caller that
// passes nil has proven that there is a record, not what it says.
//
// ErrUnknownEpoch, ErrNotProven and ErrSplitView are told apart; any other error
// means that the receipt is no receipt.
func (t *Trust) Receipt(receipt, body []byte) (Proven, error) {
	r := new(axispb.Receipt)
	if err := decode("receipt", receipt, MaxReceipt, r); err != nil {
		return Proven{}, err
	}
	if r.Version != 1 {
		return Proven{}, fmt.Errorf("receipt of unknown version %d", r.Version)
	}
	h, err := openHeader(r.Header)
	if err != nil {
		return Proven{}, fmt.Errorf("receipt: %w", err)
	}
	d, err := openDecision(h, r.Decision)
	if err != nil {
		return Proven{}, fmt.Errorf("receipt: %w", err)
	}
	if body != nil {
		if err := checkDigest("body", body, h.BodyDigest); err != nil {
			return Proven{}, fmt.Errorf("receipt: %w", err)
		}
	}
	p := Proven{Header: h, Decision: d, LeafIndex: r.LeafIndex, Commitment: Commitment(r.Header)}
	p.Checkpoint, err = t.placed(r, h.Epoch)
	if err != nil {
		return Proven{}, fmt.Errorf("receipt: %w", err)
	}
	return p, nil
}

// placed checks where the receipt says its record is.
func (t *Trust) placed(r *axispb.Receipt, epoch uint64) (Checkpoint, error) {
	c, err := t.Checkpoint(r.Checkpoint)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := CheckInclusion(r.Inclusion, c.Size, c.Root, r.LeafIndex, LeafHash(r.Header)); err != nil {
		return Checkpoint{}, err
	}
	if err := t.checkEra(epoch, r.LeafIndex, c.Epoch); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

// checkEra: a record of an epoch stands at or after the epoch's base, and before
// the base of every later epoch that still has it. Otherwise the axis passes off
// one epoch's record as another's.
func (t *Trust) checkEra(epoch, leafIndex, signed uint64) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.epochs[epoch]
	switch {
	case epoch > signed:
		return fmt.Errorf("record of epoch %d under a checkpoint of epoch %d", epoch, signed)
	case !ok:
		return fmt.Errorf("record of epoch %d: %w", epoch, ErrUnknownEpoch)
	case leafIndex < e.pb.BaseSize:
		return fmt.Errorf("record of epoch %d stands at leaf %d, before the epoch began", epoch, leafIndex)
	}
	for n, later := range t.epochs {
		if n > epoch && n <= signed && leafIndex >= later.pb.BaseSize {
			return fmt.Errorf("record of epoch %d stands at leaf %d, where epoch %d had begun", epoch, leafIndex, n)
		}
	}
	return nil
}

// Document is what a party knows of a document from the document itself.
type Document struct {
	Sender, ID string
	// ManifestDigest is the SHA-256 of the manifest.
	ManifestDigest [32]byte
}

// Matches checks that a statement is about a document whose record was proven:
// the same epoch, leaf and commitment, and the sender, id and manifest of doc,
// which the caller read from the record's body. An error means that the
// statement must not change the document's state.
func Matches(st *axispb.Statement, p Proven, doc Document) error {
	kind := p.Header.GetKind()
	switch {
	case kind != axispb.Kind_KIND_DOCUMENT && kind != axispb.Kind_KIND_RECOVERED:
		return fmt.Errorf("the record is no document but %s", kind)
	case st.GetDocument() == nil:
		return errors.New("the statement is about no record")
	case st.Document.Epoch != p.Header.Epoch || st.Document.LeafIndex != p.LeafIndex:
		return fmt.Errorf("the statement is about record %d/%d, not %d/%d",
			st.Document.Epoch, st.Document.LeafIndex, p.Header.Epoch, p.LeafIndex)
	case !bytes.Equal(st.Commitment, p.Commitment[:]):
		return errors.New("the statement is about another record at the same place")
	case st.Sender != doc.Sender || st.EnvelopeId != doc.ID || !bytes.Equal(st.ManifestDigest, doc.ManifestDigest[:]):
		return errors.New("the statement names another document than its record has")
	}
	return nil
}
