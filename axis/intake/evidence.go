package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"strconv"

	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// statement is an endpoint's evidence whose signature and claims about the log
// were checked.
type statement struct {
	endpoint string
	raw      []byte
	digest   [32]byte
	st       *axispb.Statement
}

// Evidence takes an endpoint's statements, each with an outcome of its own: a
// receipt, or the reason why it will never be taken. Errors are temporary.
func (in *Intake) Evidence(ctx context.Context, endpoint string, raws [][]byte) (*axispb.EvidenceAnswer, error) {
	if len(raws) > MaxEvidence {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "more than 100 statements")
	}
	waiting := make([]func() (answer, error), len(raws))
	for i, raw := range raws {
		waiting[i] = in.offer(ctx, endpoint, raw)
	}
	out := &axispb.EvidenceAnswer{}
	for _, wait := range waiting {
		outcome, err := in.outcome(ctx, wait)
		if err != nil {
			return nil, err
		}
		out.Outcomes = append(out.Outcomes, outcome)
	}
	return out, nil
}

// offer checks a statement and queues it; what it returns waits for the outcome.
// Statements of one request are queued in their order, so that the first of two
// that agree is the first in the journal.
func (in *Intake) offer(ctx context.Context, endpoint string, raw []byte) func() (answer, error) {
	s := &statement{endpoint: endpoint, raw: raw, digest: sha256.Sum256(raw)}
	if err := in.examineStatement(ctx, s); err != nil {
		return func() (answer, error) { return answer{}, err }
	}
	c := &candidate{decider: s, done: make(chan answer, 1)}
	if err := in.enqueue(ctx, c); err != nil {
		return func() (answer, error) { return answer{}, err }
	}
	return func() (answer, error) { return in.outcomeOf(ctx, c) }
}

func (in *Intake) outcome(ctx context.Context, wait func() (answer, error)) (*axispb.EvidenceOutcome, error) {
	a, err := wait()
	if err != nil {
		var refused *reason.Error
		if errors.As(err, &refused) && !refused.Temporary() {
			return &axispb.EvidenceOutcome{Refused: refused.Reason}, nil
		}
		return nil, err
	}
	receipt, err := in.proofs.Receipt(ctx, a.leaf)
	if err != nil {
		return nil, err
	}
	return &axispb.EvidenceOutcome{Receipt: receipt}, nil
}

func (in *Intake) examineStatement(ctx context.Context, s *statement) error {
	st, _, err := in.trust.Statement(s.raw)
	if err != nil {
		return err // with its reason
	}
	if st.GetIssuer() != s.endpoint {
		return reason.Permanent(axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE, "issued by "+st.GetIssuer())
	}
	signed, err := in.proofs.Signed(ctx, st.GetCheckpoint())
	if err != nil {
		return err
	}
	if !signed {
		return reason.Permanent(axispb.ReasonCode_REASON_SPLIT_VIEW)
	}
	s.st = st
	return nil
}

// decide gives a statement its standing in journal order.
func (s *statement) decide(ctx context.Context, b *block) (outcome, error) {
	if o, known, err := b.counted(ctx, s); known || err != nil {
		return o, err
	}
	k, err := b.entitled(ctx, s)
	if err != nil {
		return outcome{}, err
	}
	who := recipient{k.Position, s.st.GetCode()}
	if o, known, err := b.saidBefore(ctx, s, who); known || err != nil {
		return o, err
	}
	if err := b.tooOften(ctx, s, who); err != nil {
		return outcome{}, err
	}
	held, err := b.held(ctx, who)
	if err != nil {
		return outcome{}, err
	}
	standing := evidence.JudgeBy(held, s.endpoint, s.st.GetEvent())
	off := b.at.UnixMilli() - s.st.GetTimeMs()
	index, err := b.add(axispb.Kind_KIND_EVIDENCE, s.raw, &axispb.Decision{
		Endpoint: s.endpoint,
		Evidence: &axispb.EvidenceDecision{Standing: standing, ClockOff: max(off, -off) > clockTolerance.Milliseconds()},
	})
	if err != nil {
		return outcome{}, err
	}
	b.remember(s, who, held, standing, index)
	return outcome{index: index}, nil
}

// counted finds what the issuer said under the same counter: the same bytes are a
// repetition, others betray a clone or a restored copy.
func (b *block) counted(ctx context.Context, s *statement) (outcome, bool, error) {
	reused := reason.Permanent(axispb.ReasonCode_REASON_COUNTER_REUSED, strconv.FormatUint(s.st.GetCounter(), 10))
	if have, ok := b.counters[counter{s.st.GetIssuer(), s.st.GetCounter()}]; ok {
		if have.digest != s.digest {
			return outcome{}, true, reused
		}
		return outcome{index: have.index}, true, nil
	}
	have, found, err := b.in.ledger.ByCounter(ctx, s.st.GetIssuer(), s.st.GetCounter())
	switch {
	case err != nil || !found:
		return outcome{}, false, err
	case !bytes.Equal(have.Digest, s.digest[:]):
		return outcome{}, true, reused
	}
	return outcome{index: -1, leaf: &have.Position}, true, nil
}

// entitled checks that the statement is about a document that this endpoint was
// given, and names it rightly.
//
// It names the record under which the document was accepted, whether the journal has
// that or got it back. What is named by its place alone is not there.
func (b *block) entitled(ctx context.Context, s *statement) (Known, error) {
	ref := s.st.GetDocument()
	k, found, err := b.in.ledger.ByCommitment(ctx, s.st.GetCommitment())
	if err == nil && (!found || k.Leaf != ref.GetLeafIndex() || k.Epoch != ref.GetEpoch()) {
		k, found, err = b.in.ledger.ByPosition(ctx, ref.GetLeafIndex())
	}
	if err != nil {
		return k, err
	}
	if found {
		if found, err = b.in.ledger.HadRow(ctx, s.endpoint, k.Position, s.st.GetCode()); err != nil {
			return k, err
		}
	}
	if !found {
		// One answer for a document that is not there and one that is not theirs.
		return k, reason.Permanent(axispb.ReasonCode_REASON_NOT_RECIPIENT, s.st.GetCode())
	}
	if ref.GetEpoch() != k.Epoch || ref.GetLeafIndex() != k.Leaf || !bytes.Equal(s.st.GetCommitment(), k.Commitment) ||
		!bytes.Equal(s.st.GetManifestDigest(), k.Manifest) || s.st.GetSender() != k.Sender || s.st.GetEnvelopeId() != k.ID {
		return k, reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, "the statement names another record than the journal has there")
	}
	return k, nil
}

// saidBefore finds the first evidence of the same event by the same endpoint: a
// repetition is answered with it. Business states may follow one another. What the
// axis stated of a deadline is not what an endpoint says of its failure: why it failed
// there is for the sender to know.
func (b *block) saidBefore(ctx context.Context, s *statement, who recipient) (outcome, bool, error) {
	if s.st.GetEvent() == axispb.Event_EVENT_BUSINESS_STATE {
		return outcome{}, false, nil
	}
	if index, ok := b.said[event{who, s.st.GetEvent(), s.endpoint}]; ok {
		return outcome{index: index}, true, nil
	}
	first, found, err := b.in.ledger.First(ctx, who.document, who.code, s.st.GetEvent(), s.endpoint)
	if err != nil || !found {
		return outcome{}, false, err
	}
	return outcome{index: -1, leaf: &first.Position}, true, nil
}

// held is what is true of a document at a code, with what the block adds.
func (b *block) held(ctx context.Context, who recipient) (evidence.Copy, error) {
	if c, ok := b.copies[who]; ok {
		return c, nil
	}
	c, _, err := b.in.ledger.Copy(ctx, who.document, who.code)
	return c, err
}

func (b *block) remember(s *statement, who recipient, held evidence.Copy, standing axispb.Standing, index int) {
	b.counters[counter{s.st.GetIssuer(), s.st.GetCounter()}] = said{index, s.digest}
	b.said[event{who, s.st.GetEvent(), s.endpoint}] = index
	if s.st.GetEvent() == axispb.Event_EVENT_BUSINESS_STATE {
		b.business[who]++
	}
	if !evidence.Counts(standing) {
		return
	}
	if next := evidence.StateAfter(s.st.GetEvent()); next != axispb.State_STATE_UNSPECIFIED {
		held.State = next
	}
	if s.st.GetEvent() == axispb.Event_EVENT_CONTENT_CONSIGNMENT {
		held.Consigner = s.endpoint
	}
	b.copies[who] = held
}
