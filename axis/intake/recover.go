package intake

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Past is what deciding about a record of an earlier epoch needs beside the ledger,
// as of the tail.
type Past interface {
	// Fits refuses a registry change that was overtaken since, or that is not for
	// endpoints to know.
	Fits(change *axispb.RegistryChange) error
	// Rows are the recipients that a document has when it comes back.
	Rows(d *envelope.Document, past *evidence.Past) []Route
	// Longer reports whether a checkpoint shows more of an earlier epoch than was
	// known.
	Longer(cp evidence.Checkpoint) bool
	// Announced reports whether the journal has the announcement of an epoch.
	Announced(epoch uint64) bool
}

// recovery is a record of an earlier epoch, proven by its receipt.
type recovery struct {
	endpoint string // that offers it
	raw      []byte // marshalled Recovered
	past     *evidence.Past

	// By its kind, one of these.
	envelope  *envelope.Envelope
	statement *axispb.Statement
	digest    [32]byte // of an evidence's bytes
	change    *axispb.RegistryChange
}

// Recover takes what an earlier epoch had accepted and this journal lacks. Each
// record has an outcome of its own: where it is now, or why it will never be taken.
// Errors are temporary. The epochs under which the records were proven must be
// trusted already.
func (in *Intake) Recover(ctx context.Context, endpoint string, raws [][]byte) (*axispb.RecoverAnswer, error) {
	waiting := make([]func() (answer, error), len(raws))
	all := make([]*recovery, len(raws))
	for i, raw := range raws {
		all[i] = &recovery{endpoint: endpoint, raw: raw}
		waiting[i] = in.offerPast(ctx, all[i])
	}
	out := &axispb.RecoverAnswer{}
	for i, wait := range waiting {
		o, err := in.came(ctx, all[i], wait)
		if err != nil {
			return nil, err
		}
		out.Outcomes = append(out.Outcomes, o)
	}
	return out, nil
}

func (in *Intake) offerPast(ctx context.Context, r *recovery) func() (answer, error) {
	if err := in.examinePast(r); err != nil {
		return func() (answer, error) { return answer{}, err }
	}
	c := &candidate{decider: r, done: make(chan answer, 1)}
	if err := in.enqueue(ctx, c); err != nil {
		return func() (answer, error) { return answer{}, err }
	}
	return func() (answer, error) { return in.outcomeOf(ctx, c) }
}

func (in *Intake) came(ctx context.Context, r *recovery, wait func() (answer, error)) (*axispb.RecoverOutcome, error) {
	a, err := wait()
	var refused *reason.Error
	switch {
	case errors.As(err, &refused) && !refused.Temporary():
		return &axispb.RecoverOutcome{Refused: refused.Reason}, nil
	case err != nil:
		return nil, err
	}
	if r.envelope != nil {
		// It holds no quota: what was accepted once is the axis's to keep.
		for _, f := range r.envelope.Pb.GetContents() {
			if err := in.content.Accepted(ctx, r.past.Decision.GetEndpoint(), f.GetChunks()); err != nil {
				return nil, err
			}
		}
	}
	epoch, err := in.ledger.EpochAt(ctx, a.leaf)
	if err != nil {
		return nil, err
	}
	return &axispb.RecoverOutcome{Record: &axispb.RecordRef{Epoch: epoch, LeafIndex: a.leaf}}, nil
}

// examinePast checks what needs no order: that the log of an earlier epoch, by the
// key that the CA announced, had this very record.
func (in *Intake) examinePast(r *recovery) error {
	past, proven, err := in.trust.Recovered(r.raw)
	if err != nil {
		return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, "not proven").Because(err)
	}
	if newest, ok := in.trust.Newest(); !ok || proven.Header.GetEpoch() >= newest.GetNumber() {
		return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, "a record of the present epoch")
	}
	r.past = past
	switch past.Header.GetKind() {
	case axispb.Kind_KIND_DOCUMENT:
		if r.envelope, err = envelope.Parse(past.Record.GetBody()); err == nil {
			err = in.examineHints(past)
		}
	case axispb.Kind_KIND_EVIDENCE:
		r.digest = sha256.Sum256(past.Record.GetBody())
		r.statement, _, err = in.trust.Statement(past.Record.GetBody())
	case axispb.Kind_KIND_REGISTRY:
		r.change = &axispb.RegistryChange{}
		if proto.Unmarshal(past.Record.GetBody(), r.change) != nil {
			err = reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "registry change")
		}
	default:
		err = reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "kind of record")
	}
	return err
}

// examineHints verifies the evidence that came with a document: it says who has it.
// A receipt must bear it out, or an endpoint could claim the copy of another.
func (in *Intake) examineHints(past *evidence.Past) error {
	for _, h := range past.Hints {
		if _, err := in.trust.Hint(past, h); err != nil {
			return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, "evidence that is not proven").Because(err)
		}
	}
	return nil
}

// decide gives a record of an earlier epoch its place in this journal. One that is
// here already, in whatever form, is answered with the record that has it.
func (r *recovery) decide(ctx context.Context, b *block) (outcome, error) {
	if index, ok := b.recovered[r.past.Commitment]; ok {
		return outcome{index: index}, nil
	}
	if o, known, err := b.hasPast(ctx, r.past); known || err != nil {
		return o, err
	}
	var (
		d   = &axispb.Decision{Endpoint: r.endpoint}
		o   outcome
		had bool
		err error
	)
	switch {
	case r.envelope != nil:
		d.Document, o, had, err = b.pastDocument(ctx, r)
	case r.statement != nil:
		d.Evidence, o, had, err = b.pastEvidence(ctx, r)
	case r.change != nil:
		err = b.pastChange(r)
	}
	if had || err != nil {
		return o, err
	}
	return b.addPast(r, d)
}

func (b *block) addPast(r *recovery, d *axispb.Decision) (outcome, error) {
	index, err := b.add(axispb.Kind_KIND_RECOVERED, r.raw, d)
	if err != nil {
		return outcome{}, err
	}
	if b.recovered == nil {
		b.recovered = map[[32]byte]int{}
	}
	b.recovered[r.past.Commitment] = index
	switch {
	case r.envelope != nil:
		doc := r.envelope.Document
		b.documents[identity{doc.Sender, doc.ID}] = placed{
			index, r.envelope.ManifestDigest, d.GetDocument().GetLane(), r.past.Decision.GetEndpoint(), true,
		}
		b.closed = b.closed || len(b.records) >= pastAtOnce
	case r.change != nil:
		b.closed = true
	}
	return outcome{index: index}, nil
}

// pastAtOnce bounds the records of a block that have documents of an earlier epoch:
// each may have thousands of rows.
const pastAtOnce = 200

// hasPast looks for a record in this journal: as it was, where the tree goes on from
// it, or recovered before.
func (b *block) hasPast(ctx context.Context, past *evidence.Past) (outcome, bool, error) {
	leaf := past.Ref.GetLeafIndex()
	has, err := b.in.proofs.Has(ctx, leaf, past.Record.GetHeader())
	if err != nil || has {
		return outcome{index: -1, leaf: &leaf}, has, err
	}
	position, found, err := b.in.ledger.Recovered(ctx, past.Commitment[:])
	return outcome{index: -1, leaf: &position}, found, err
}

// pastDocument decides about a document: it keeps what was decided about it then.
func (b *block) pastDocument(ctx context.Context, r *recovery) (*axispb.DocumentDecision, outcome, bool, error) {
	doc := r.envelope.Document
	if _, ok := b.documents[identity{doc.Sender, doc.ID}]; ok {
		return nil, outcome{}, false, errFull // the next block knows more
	}
	k, found, err := b.in.ledger.ByIdentity(ctx, doc.Sender, doc.ID)
	switch {
	case err != nil:
		return nil, outcome{}, false, err
	case found && bytes.Equal(k.Manifest, r.envelope.ManifestDigest[:]):
		return nil, outcome{index: -1, leaf: &k.Position}, true, nil
	case found:
		return nil, outcome{}, false, reason.Permanent(axispb.ReasonCode_REASON_ID_COLLISION, doc.ID)
	}
	rows := b.in.past.Rows(doc, r.past)
	if !b.party(r, rows) {
		return nil, outcome{}, false, reason.Permanent(axispb.ReasonCode_REASON_FORBIDDEN, "a document of others")
	}
	if r.past.Decision.GetDocument().GetTarget() != nil && len(b.recovered) > 0 {
		// Its target may be in this very block.
		return nil, outcome{}, false, errFull
	}
	d := proto.Clone(r.past.Decision.GetDocument()).(*axispb.DocumentDecision)
	d.Rows = uint32(len(rows))
	return d, outcome{}, false, nil
}

// party reports whether whoever offers a document sent it or is given it.
func (b *block) party(r *recovery, rows []Route) bool {
	if r.past.Decision.GetEndpoint() == r.endpoint || b.in.registry.Serves(r.endpoint, r.envelope.Document.Sender) {
		return true
	}
	if slices.ContainsFunc(rows, func(row Route) bool { return row.Endpoint == r.endpoint }) {
		return true
	}
	return slices.ContainsFunc(r.past.Hints, func(h evidence.Hint) bool {
		st, _, err := b.in.trust.Statement(h.Evidence)
		return err == nil && st.GetIssuer() == r.endpoint
	})
}

// pastEvidence gives an evidence its standing among what the journal has by now. The
// receipt shows that its issuer was entitled to it.
func (b *block) pastEvidence(ctx context.Context, r *recovery) (*axispb.EvidenceDecision, outcome, bool, error) {
	st := r.statement
	d := &axispb.EvidenceDecision{Standing: axispb.Standing_STANDING_FIRST, ClockOff: r.past.Decision.GetEvidence().GetClockOff()}
	if st.GetIssuer() != evidence.AxisIssuer {
		o, known, err := b.counted(ctx, &statement{digest: r.digest, st: st})
		if known || err != nil {
			return nil, o, known, err
		}
	}
	forbidden := reason.Permanent(axispb.ReasonCode_REASON_FORBIDDEN, "evidence about a document of others")
	if st.GetEvent() == axispb.Event_EVENT_SUBMISSION_REJECTION {
		if r.past.Decision.GetEndpoint() != r.endpoint {
			return nil, outcome{}, false, forbidden
		}
		return d, outcome{}, false, nil
	}
	if _, ok := b.recovered[[32]byte(st.GetCommitment())]; ok {
		return nil, outcome{}, false, errFull
	}
	k, found, err := b.in.ledger.ByCommitment(ctx, st.GetCommitment())
	if err != nil {
		return nil, outcome{}, false, err
	}
	who := recipient{k.Position, st.GetCode()}
	var held evidence.Copy
	known := false
	if found {
		if held, known, err = b.in.ledger.Copy(ctx, k.Position, st.GetCode()); err != nil {
			return nil, outcome{}, false, err
		}
	}
	switch {
	case !found || !known:
		return nil, outcome{}, false, reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, "the document is not known, or not for this code")
	case st.GetIssuer() != r.endpoint && k.Endpoint != r.endpoint && !b.in.registry.Serves(r.endpoint, k.Sender):
		return nil, outcome{}, false, forbidden
	}
	s := &statement{endpoint: st.GetIssuer(), st: st, digest: r.digest}
	if o, said, err := b.saidBefore(ctx, s, who); said || err != nil {
		return nil, o, said, err
	}
	if c, ok := b.copies[who]; ok {
		held = c
	}
	by := st.GetIssuer()
	if by == evidence.AxisIssuer {
		by = cmp.Or(held.Consigner, held.Endpoint)
	}
	d.Standing = evidence.JudgeBy(held, by, st.GetEvent())
	b.remember(s, who, held, d.Standing, len(b.records))
	return d, outcome{}, false, nil
}

// pastChange holds a registry change to what the registry is now.
func (b *block) pastChange(r *recovery) error {
	if err := b.in.past.Fits(r.change); err != nil {
		return reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, err.Error())
	}
	return b.in.registry.Check(r.change, time.UnixMilli(r.past.Header.GetTimeMs()))
}

// longer journals that an earlier epoch's log was longer than was known.
type longer struct {
	cp  evidence.Checkpoint
	act act
}

// Longer journals a checkpoint of an earlier epoch where it shows more than was
// known, once. The checkpoint must have been verified.
func (in *Intake) Longer(ctx context.Context, endpoint string, cp evidence.Checkpoint) error {
	if !in.past.Longer(cp) {
		return nil
	}
	raw, err := proto.Marshal(&axispb.Act{
		Version: 1, Actor: evidence.AxisIssuer, Reason: "epoch " + strconv.FormatUint(cp.Epoch, 10) + " had more records than was known",
		Act: &axispb.Act_LogWasLonger{LogWasLonger: &axispb.LogWasLonger{
			Checkpoint: cp.Note, Seen: cp.Ref(), Endpoint: endpoint,
		}},
	})
	if err != nil {
		return err
	}
	_, err = in.wait(ctx, longer{cp, act{raw: raw}})
	return err
}

func (l longer) decide(ctx context.Context, b *block) (outcome, error) {
	if !b.in.past.Longer(l.cp) {
		return outcome{index: -1, leaf: new(uint64)}, nil
	}
	o, err := l.act.decide(ctx, b)
	b.closed = err == nil
	return o, err
}

// forgotten is the announcement of an epoch that the journal lacks.
type forgotten struct {
	endpoint string
	number   uint64
	signed   []byte
}

// Forgotten journals the announcement of an earlier epoch, once. The CA's signature
// must have been verified, and the epoch be trusted.
func (in *Intake) Forgotten(ctx context.Context, endpoint string, number uint64, signed []byte) error {
	_, err := in.wait(ctx, forgotten{endpoint, number, signed})
	return err
}

func (f forgotten) decide(_ context.Context, b *block) (outcome, error) {
	if b.in.past.Announced(f.number) {
		return outcome{index: -1, leaf: new(uint64)}, nil
	}
	index, err := b.add(axispb.Kind_KIND_EPOCH, f.signed, &axispb.Decision{Endpoint: f.endpoint})
	b.closed = err == nil
	return outcome{index: index}, err
}
