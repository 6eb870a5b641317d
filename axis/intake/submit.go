package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"strconv"
	"time"

	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// submission is an envelope that passed every check that needs no order.
type submission struct {
	endpoint string
	raw      []byte
	aboard   [][]byte // chunks that came with it
	digest   [32]byte
	envelope *envelope.Envelope // nil where it could not be read
	seal     [32]byte           // digest of the certificate that sealed it
	refused  *reason.Error      // found before its turn; its turn makes it a record
	policy   axispb.FilePolicy  // that its files were judged by
	checked  bool               // the chunks it lists are its files', uploaded by this endpoint
}

// Submit accepts or refuses an envelope of an endpoint. The answer holds a
// receipt or a signed rejection and leaves only when it is durable; asking again
// gives the same leaf index. After an error nothing was decided. One that is not
// temporary is about the chunks that came with the envelope: nobody signed that list, so
// it makes no refusal of what was signed.
func (in *Intake) Submit(ctx context.Context, endpoint string, req *axispb.SubmitRequest) (*axispb.SubmitAnswer, error) {
	raw := req.GetEnvelope()
	s := &submission{endpoint: endpoint, raw: raw, aboard: req.GetChunks(), digest: sha256.Sum256(raw)}
	if err := in.examine(ctx, s); err != nil {
		var (
			refused *reason.Error
			failed  unstored
		)
		if errors.As(err, &failed) || !errors.As(err, &refused) || refused.Temporary() {
			return nil, err
		}
		s.refused = refused
	}
	a, err := in.wait(ctx, s)
	if err != nil {
		return nil, err
	}
	receipt, err := in.proofs.Receipt(ctx, a.leaf)
	if err != nil {
		return nil, err
	}
	if a.rejection != nil {
		return &axispb.SubmitAnswer{Rejection: a.rejection, RejectionReceipt: receipt}, nil
	}
	if err := in.accepted(ctx, s, a.leaf); err != nil {
		in.cfg.Log.Warn("the chunks of an accepted document still count for the quota", "endpoint", s.endpoint, "error", err)
	}
	return &axispb.SubmitAnswer{Receipt: receipt}, nil
}

// accepted frees the endpoint's quota. Should it fail, the quota is freed later
// than it could be, and nothing else is wrong.
//
// A repetition was not examined, and its list of chunks is not signed: it may name
// another's, which would become this endpoint's. What counts is what is journaled.
func (in *Intake) accepted(ctx context.Context, s *submission, leaf uint64) error {
	e, endpoint := s.envelope, s.endpoint
	if !s.checked {
		k, found, err := in.ledger.ByPosition(ctx, leaf)
		if err != nil || !found {
			return err
		}
		body, err := in.proofs.Body(ctx, leaf)
		if err != nil {
			return err
		}
		if e, err = envelope.Parse(body); err != nil {
			return err
		}
		endpoint = k.Endpoint
	}
	for _, f := range e.Pb.GetContents() {
		if err := in.content.Accepted(ctx, endpoint, f.GetChunks()); err != nil {
			return err
		}
	}
	return nil
}

// examine checks what does not depend on the journal's order: form, sender,
// security, seal, content. A known submission is not examined again: its content
// may be gone by now, and its receipt is owed all the same. The sender comes
// first: who does not act for it must not find out what is known.
func (in *Intake) examine(ctx context.Context, s *submission) error {
	e, err := envelope.Parse(s.raw)
	if err != nil {
		return err
	}
	s.envelope = e
	if refused := in.actsFor(s.endpoint, e.Document.Sender); refused != nil {
		return refused
	}
	if known, err := in.known(ctx, e); known || err != nil {
		return err
	}
	if err := e.Document.CheckSecurity(in.registry.Security()); err != nil {
		return err
	}
	total, err := in.size(e.Document)
	if err != nil {
		return err
	}
	if err := in.examineSealed(ctx, s); err != nil {
		return err
	}
	if err := in.examineCostly(ctx, s, total); err != nil {
		return err
	}
	return in.examineFiles(ctx, s, total)
}

// size adds up a document's files, and refuses what is too large.
func (in *Intake) size(d *envelope.Document) (total uint64, err error) {
	tooLarge := func(name string, size, limit uint64) error {
		return reason.Permanent(axispb.ReasonCode_REASON_FILE_TOO_LARGE, name, strconv.FormatUint(size, 10), strconv.FormatUint(limit, 10))
	}
	for _, f := range d.Files {
		if f.Size > in.cfg.MaxFile {
			return 0, tooLarge(f.Title, f.Size, in.cfg.MaxFile)
		}
		total += f.Size // at most 999 files, each within the limit: no overflow
	}
	if limit := max(maxDocument, in.cfg.MaxFile); total > limit {
		return 0, tooLarge("*", total, limit)
	}
	return total, nil
}

// actsFor refuses an endpoint that does not serve the sender.
func (in *Intake) actsFor(endpoint, sender string) *reason.Error {
	if in.registry.Serves(endpoint, sender) {
		return nil
	}
	return reason.Permanent(axispb.ReasonCode_REASON_SENDER_NOT_SERVED, sender)
}

func (in *Intake) known(ctx context.Context, e *envelope.Envelope) (bool, error) {
	k, found, err := in.ledger.ByIdentity(ctx, e.Document.Sender, e.Document.ID)
	return found && bytes.Equal(k.Manifest, e.ManifestDigest[:]), err
}

// examineSealed checks the seal, while the disk is at work on the chunks that came with
// the envelope.
func (in *Intake) examineSealed(ctx context.Context, s *submission) error {
	stored := in.store(ctx, s)
	if err := in.onACore(ctx, func() error { return in.checkSeal(s) }); err != nil {
		<-stored
		return err
	}
	return <-stored
}

// onACore does something for a small document, which waits for a core.
func (in *Intake) onACore(ctx context.Context, do func() error) error {
	if err := occupy(ctx, in.small); err != nil {
		return err
	}
	defer func() { <-in.small }()
	return do()
}

// examineCostly checks content. Small documents wait for a core, large
// ones for one another, and no endpoint's for more than one of another's.
func (in *Intake) examineCostly(ctx context.Context, s *submission, total uint64) error {
	if total >= bulkBytes {
		leave, err := in.bulk.take(ctx, s.endpoint)
		if err != nil {
			return err
		}
		defer leave()
		return in.examineContent(ctx, s)
	}
	return in.onACore(ctx, func() error { return in.examineContent(ctx, s) })
}

func (in *Intake) examineContent(ctx context.Context, s *submission) error {
	contents := s.envelope.Pb.GetContents()
	for i, f := range s.envelope.Files() {
		if err := in.content.CheckFile(ctx, s.endpoint, contents[i], f.Content.Digest); err != nil {
			return err
		}
	}
	s.checked = true
	return nil
}

// checkSeal judges the seal by the certificates admitted for the sender. That the
// certificate is not admitted, or not any more, is the more useful thing to say.
func (in *Intake) checkSeal(s *submission) error {
	sender, now := s.envelope.Document.Sender, in.cfg.Now()
	v := s.envelope.CheckSeal(signing.Options{At: now, Pinned: in.registry.Pinned(sender)})
	if v.Signer != nil {
		s.seal = v.SignerDigest()
		if err := in.registry.Seal(sender, s.seal, now); err != nil {
			return named(err, sender, v.Signer)
		}
	}
	if refused := envelope.SealRefusal(v); refused != nil {
		return refused
	}
	return nil
}

// named calls a certificate that is not admitted by its name: the registry, which
// does not have it, knows its digest alone.
func named(refused error, sender string, cert *x509.Certificate) error {
	if !reason.Is(refused, axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED) {
		return refused
	}
	return reason.Permanent(axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED, sender, cert.Subject.String()).Because(refused)
}

// decide gives a submission its outcome in journal order.
func (s *submission) decide(ctx context.Context, b *block) (outcome, error) {
	if s.refused != nil {
		return b.reject(s, s.refused)
	}
	// First of all: only an endpoint that acts for the sender learns anything of
	// what its agency submitted. The code may have moved since it was examined.
	if refused := b.in.actsFor(s.endpoint, s.envelope.Document.Sender); refused != nil {
		return b.reject(s, refused)
	}
	if o, known, err := b.repeated(ctx, s); known || err != nil {
		return o, err
	}
	decision, err := b.admit(ctx, s)
	if err != nil {
		var refused *reason.Error
		if errors.As(err, &refused) && !refused.Temporary() {
			return b.reject(s, refused)
		}
		return outcome{}, err
	}
	if err := b.afford(s); err != nil {
		return outcome{}, err
	}
	index, err := b.add(axispb.Kind_KIND_DOCUMENT, s.raw, &axispb.Decision{Endpoint: s.endpoint, Document: decision})
	if err != nil {
		return outcome{}, err
	}
	b.spend(s)
	d := s.envelope.Document
	b.documents[identity{d.Sender, d.ID}] = placed{index, s.envelope.ManifestDigest, decision.Lane, s.endpoint, false}
	return outcome{index: index}, nil
}

// repeated finds the outcome of the same submission, accepted before or in this
// block; the same id with other content is refused.
func (b *block) repeated(ctx context.Context, s *submission) (outcome, bool, error) {
	d := s.envelope.Document
	collision := reason.Permanent(axispb.ReasonCode_REASON_ID_COLLISION, d.ID)
	if p, ok := b.documents[identity{d.Sender, d.ID}]; ok {
		if p.manifest == s.envelope.ManifestDigest {
			return outcome{index: p.index}, true, nil
		}
		o, err := b.reject(s, collision)
		return o, true, err
	}
	k, found, err := b.in.ledger.ByIdentity(ctx, d.Sender, d.ID)
	if err != nil || !found {
		return outcome{}, false, err
	}
	if !bytes.Equal(k.Manifest, s.envelope.ManifestDigest[:]) {
		o, err := b.reject(s, collision)
		return o, true, err
	}
	return outcome{index: -1, leaf: &k.Position}, true, nil
}

// admit checks a submission against the registry and resolves its recipients.
func (b *block) admit(ctx context.Context, s *submission) (*axispb.DocumentDecision, error) {
	d := s.envelope.Document
	if err := b.in.registry.Seal(d.Sender, s.seal, b.at); err != nil {
		return nil, err
	}
	if err := d.CheckSecurity(b.in.registry.Security()); err != nil {
		return nil, err
	}
	if err := b.in.checkFiles(s); err != nil {
		return nil, err
	}
	if !d.Deadline.IsZero() && d.Deadline.Before(b.at) {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_DEADLINE_PASSED, d.Deadline.UTC().Format(time.RFC3339))
	}
	target, lane, err := b.target(ctx, s)
	if err != nil {
		return nil, err
	}
	rows, decision := Resolve(d, b.in.registry, b.at)
	if len(rows) == 0 {
		return nil, noRecipient(decision)
	}
	decision.Target, decision.Lane = target, min(d.Lane(), lane)
	return decision, nil
}

// noRecipient is the reason of the only recipient, where there is one.
func noRecipient(d *axispb.DocumentDecision) error {
	if len(d.Refused) == 1 && len(d.Groups) == 0 {
		r := d.Refused[0].Reason
		return reason.Permanent(r.Code, r.Args...)
	}
	return reason.Permanent(axispb.ReasonCode_REASON_NO_RECIPIENT)
}

// reject makes the record of a refusal: the axis's own signed statement. Past the
// endpoint's quota nothing is journaled and the endpoint is asked to slow down.
func (b *block) reject(s *submission, why *reason.Error) (outcome, error) {
	if !b.in.quota.take(s.endpoint, 1, b.at) {
		return outcome{}, b.in.quota.over("refusals an hour")
	}
	st := &axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_SUBMISSION_REJECTION, Issuer: evidence.AxisIssuer,
		TimeMs: b.at.UnixMilli(), Reason: why.Reason, EnvelopeDigest: s.digest[:],
	}
	if s.envelope != nil {
		st.Sender, st.EnvelopeId = s.envelope.Document.Sender, s.envelope.Document.ID
		st.ManifestDigest = s.envelope.ManifestDigest[:]
	}
	raw, err := b.in.sign(st)
	if err != nil {
		return outcome{}, err
	}
	index, err := b.add(axispb.Kind_KIND_EVIDENCE, raw, &axispb.Decision{
		Endpoint: s.endpoint, Evidence: &axispb.EvidenceDecision{Standing: axispb.Standing_STANDING_FIRST},
	})
	return outcome{index: index, rejection: raw}, err
}
