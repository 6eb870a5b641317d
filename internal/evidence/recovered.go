package evidence

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// MaxRecovered is the limit of a marshalled Recovered: the largest record with its
// receipt.
const MaxRecovered = 508 << 10

// Past is a record that an earlier epoch had accepted, as a Recovered carries it.
type Past struct {
	// Record is whole: header and decision come from the receipt where the
	// Recovered leaves them out.
	Record   *axispb.Record
	Header   *axispb.RecordHeader
	Decision *axispb.Decision
	// Receipt proved the record when it was accepted, exact bytes.
	Receipt []byte
	// Ref is where it was; Commitment names it whatever becomes of it.
	Ref        *axispb.RecordRef
	Commitment [32]byte
	// Hints are evidence known about it when it was offered; unverified.
	Hints []Hint
}

// Hint is evidence that comes with a record, with its own receipt: without that it
// is anybody's word, and left out.
type Hint struct{ Evidence, Receipt []byte }

// NewRecovered makes the marshalled Recovered of a record from its body and its
// receipt, which has header and decision. It checks nothing: Trust.Recovered does.
func NewRecovered(body, receipt []byte, hints ...Hint) ([]byte, error) {
	r := &axispb.Recovered{Version: 1, Record: &axispb.Record{Body: body}, Receipt: receipt}
	for _, h := range hints {
		r.Evidence = append(r.Evidence, h.Evidence)
		r.EvidenceReceipts = append(r.EvidenceReceipts, h.Receipt)
	}
	return proto.Marshal(r)
}

// OpenRecovered reads a Recovered and holds it to its own form: the header, which
// its receipt has, bears out body and decision. That any log ever had the record is
// another matter: see Trust.Recovered.
func OpenRecovered(raw []byte) (*Past, error) {
	r := new(axispb.Recovered)
	if err := decode("recovered record", raw, MaxRecovered, r); err != nil {
		return nil, err
	}
	receipt := new(axispb.Receipt)
	if err := decode("receipt", r.Receipt, MaxReceipt, receipt); err != nil {
		return nil, fmt.Errorf("recovered record: %w", err)
	}
	p := &Past{
		Record:  &axispb.Record{Header: receipt.Header, Body: r.Record.GetBody(), Decision: receipt.Decision},
		Receipt: r.Receipt, Hints: hintsOf(r), Commitment: Commitment(receipt.Header),
	}
	var err error
	if p.Header, p.Decision, err = OpenRecord(p.Record); err != nil {
		return nil, fmt.Errorf("recovered record: %w", err)
	}
	p.Ref = &axispb.RecordRef{Epoch: p.Header.Epoch, LeafIndex: receipt.LeafIndex}
	return p, p.check(r)
}

func hintsOf(r *axispb.Recovered) (all []Hint) {
	for i, raw := range r.Evidence {
		if i < len(r.EvidenceReceipts) && len(r.EvidenceReceipts[i]) > 0 {
			all = append(all, Hint{raw, r.EvidenceReceipts[i]})
		}
	}
	return all
}

// Hint checks that the log of an epoch had the evidence that came with a record, and
// that it is about that record and counted.
func (t *Trust) Hint(p *Past, h Hint) (*axispb.Statement, error) {
	st, _, err := t.Statement(h.Evidence)
	if err != nil {
		return nil, err
	}
	proven, err := t.Receipt(h.Receipt, append([]byte{}, h.Evidence...))
	switch {
	case err != nil:
		return nil, err
	case proven.Header.GetKind() != axispb.Kind_KIND_EVIDENCE || !bytes.Equal(st.GetCommitment(), p.Commitment[:]):
		return nil, errors.New("evidence about another record")
	}
	if s := proven.Decision.GetEvidence().GetStanding(); s != axispb.Standing_STANDING_FIRST && s != axispb.Standing_STANDING_SUPERSEDES {
		return nil, errors.New("evidence that changed no state")
	}
	return st, nil
}

// check refuses two stories in one: what the Recovered says beside its receipt must
// be the same.
func (p *Past) check(r *axispb.Recovered) error {
	h, d, o := r.Record.GetHeader(), r.Record.GetDecision(), r.Original
	switch {
	case r.Version != 1:
		return fmt.Errorf("recovered record of unknown version %d", r.Version)
	case len(h) > 0 && !bytes.Equal(h, p.Record.Header), len(d) > 0 && !bytes.Equal(d, p.Record.Decision):
		return errors.New("recovered record: its receipt is of another record")
	case o != nil && (o.Epoch != p.Ref.Epoch || o.LeafIndex != p.Ref.LeafIndex):
		return errors.New("recovered record: its receipt is of another place")
	case p.Header.Kind == axispb.Kind_KIND_RECOVERED:
		return errors.New("recovered record inside a recovered record")
	}
	return nil
}

// Recovered checks that the log of an earlier epoch had the record that a Recovered
// carries, by its receipt. ErrUnknownEpoch: see Receipt.
func (t *Trust) Recovered(raw []byte) (*Past, Proven, error) {
	p, err := OpenRecovered(raw)
	if err != nil {
		return nil, Proven{}, err
	}
	proven, err := t.Receipt(p.Receipt, append([]byte{}, p.Record.Body...))
	return p, proven, err
}

// Common is the size up to which the tree of an epoch is part of a later one's: the
// smallest base of the epochs after it, as far as they are known. In the epoch
// itself nothing is lost.
func (t *Trust) Common(epoch, to uint64) uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	common := uint64(MaxTreeSize)
	for n, e := range t.epochs {
		if n > epoch && n <= to {
			common = min(common, e.pb.BaseSize)
		}
	}
	return common
}

// SignedEpoch gives the announcement of an epoch as it was added, exact bytes of a
// SignedEpoch.
func (t *Trust) SignedEpoch(number uint64) ([]byte, bool) {
	e, ok := t.epoch(number)
	return e.signed, ok
}
