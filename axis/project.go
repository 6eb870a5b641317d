package axis

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// projector turns blocks of the journal into what the ledger is told, moving the
// registry along. It depends on nothing but the journal, so that a rebuilt ledger
// equals the one that grew with it.
type projector struct {
	registry *registry.State
	ledger   *ledger.Ledger
	last     int64 // journal time of the last record
	// revoked or re-issued since somebody took note of it.
	revoked []string
	// past has what came back of the registry.
	past  pastChanges
	known known
}

func (p *projector) block(ctx context.Context, e opened) (*ledger.Block, error) {
	b := &ledger.Block{Number: e.Block.GetNumber()}
	for i, r := range e.records {
		record, err := p.record(ctx, e.Block.GetFirstLeaf()+uint64(i), r)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", e.Block.GetFirstLeaf()+uint64(i), err)
		}
		b.Records = append(b.Records, record)
		p.last = record.TimeMS
	}
	b.After = ledger.Position{
		Blocks: e.Block.GetNumber() + 1, Digest: e.Digest[:],
		Stream: e.Location.Stream, Seq: e.Location.Seq, TimeMS: p.last,
	}
	return b, nil
}

func (p *projector) record(ctx context.Context, position uint64, r openedRecord) (ledger.Record, error) {
	if r.err != nil {
		return ledger.Record{}, r.err
	}
	header, decision, err := r.header, r.decision, error(nil)
	out := ledger.Record{Position: position, Kind: header.GetKind(), TimeMS: header.GetTimeMs()}
	at := time.UnixMilli(header.GetTimeMs())
	switch header.GetKind() {
	case axispb.Kind_KIND_DOCUMENT:
		if out.Document, err = p.document(ctx, r, at); err == nil {
			out.Document.Leaf = position
		}
	case axispb.Kind_KIND_EVIDENCE:
		out.Evidence, err = p.evidence(ctx, r.statement, decision, at)
	case axispb.Kind_KIND_REGISTRY:
		err = p.change(&out, r.GetBody(), at)
	case axispb.Kind_KIND_EPOCH:
		out.Public = true
		if err = p.epochOpened(header.GetEpoch(), r.GetBody()); err == nil {
			out.Epoch, err = epochOf(header.GetEpoch(), r.GetBody())
		}
	case axispb.Kind_KIND_ACT:
		if out.Released, err = p.releasedBy(ctx, r.GetBody()); err == nil {
			err = p.actOf(r.GetBody())
		}
	case axispb.Kind_KIND_SEALED_CHECKPOINT:
		out.Sealed, err = sealedSize(r.GetBody())
	case axispb.Kind_KIND_RECOVERED:
		err = p.recovered(ctx, &out, r.GetBody(), decision, at)
	}
	return out, err
}

func (p *projector) document(ctx context.Context, r openedRecord, at time.Time) (*ledger.Document, error) {
	rows, _ := intake.Resolve(r.envelope.Document, routes{p.registry}, at)
	return p.accepted(ctx, r.envelope, r.Record, r.header, r.decision, rows)
}

// accepted is what a document's record says, with its recipients.
func (p *projector) accepted(
	ctx context.Context, e *envelope.Envelope, r *axispb.Record, h *axispb.RecordHeader, d *axispb.Decision, rows []intake.Route,
) (*ledger.Document, error) {
	doc := e.Document
	out := &ledger.Document{
		Epoch: h.GetEpoch(), Sender: doc.Sender, ID: doc.ID,
		Manifest: e.ManifestDigest, Commitment: evidence.Commitment(r.GetHeader()),
		Endpoint: d.GetEndpoint(), Kind: string(doc.Kind), Lane: d.GetDocument().GetLane(), Priority: doc.Priority,
		Subject: doc.Subject, Files: len(doc.Files), Refused: d.GetDocument().GetRefused(),
	}
	// As of this record: a policy that comes later changes nothing.
	policy, accepted := p.registry.Policy(doc.Sender), time.UnixMilli(h.GetTimeMs())
	out.DeadlineMS = msOf(doc.ConsignBy(accepted, policy.ConsignHours))
	out.HandoverMS = msOf(doc.HandoverBy(accepted, policy.HandoverHours))
	if err := p.target(ctx, out, h, d.GetDocument().GetTarget()); err != nil {
		return nil, err
	}
	for _, row := range rows {
		out.Rows = append(out.Rows, ledger.Row{Code: row.Code, Serving: row.Serving, Endpoint: row.Endpoint})
	}
	p.tells(doc, out)
	return out, contents(e, out)
}

// target finds the record that has a change's target now. One that is not found is
// in the same block, and so where it was accepted; of a recovered change it may be
// lost, and then nobody waits for it.
func (p *projector) target(ctx context.Context, out *ledger.Document, h *axispb.RecordHeader, t *axispb.RecordRef) error {
	if t == nil {
		return nil
	}
	known, found, err := p.ledger.ByRecord(ctx, t.GetEpoch(), t.GetLeafIndex())
	switch {
	case err != nil:
		return err
	case found:
		out.Target = &known.Position
	case t.GetEpoch() == h.GetEpoch():
		leaf := t.GetLeafIndex()
		out.Target = &leaf
	}
	return nil
}

func contents(e *envelope.Envelope, out *ledger.Document) error {
	for _, f := range e.Pb.GetContents() {
		out.Bytes += f.GetSize()
		for _, digest := range f.GetChunks() {
			id, err := chunk.ParseID(digest)
			if err != nil {
				return err
			}
			out.Chunks = append(out.Chunks, id)
		}
	}
	return nil
}

func (p *projector) evidence(ctx context.Context, st *statement, d *axispb.Decision, at time.Time) (*ledger.Evidence, error) {
	out := &ledger.Evidence{
		Code: st.GetCode(), Event: st.GetEvent(), Issuer: st.GetIssuer(), Counter: st.GetCounter(),
		Digest: st.digest, Standing: d.GetEvidence().GetStanding(),
	}
	if st.GetDocument() == nil {
		out.Refusal = &ledger.Refusal{
			Sender: st.GetSender(), ID: st.GetEnvelopeId(), Endpoint: d.GetEndpoint(), Reason: st.GetReason().GetCode(),
		}
		return out, nil
	}
	if evidence.Counts(out.Standing) {
		out.State = evidence.StateAfter(st.GetEvent())
	}
	known, found, err := p.ledger.ByCommitment(ctx, st.GetCommitment())
	if err != nil || !found {
		return nil, fmt.Errorf("evidence about leaf %d, which is no document (%w)", st.GetDocument().GetLeafIndex(), err)
	}
	out.Document = &known.Position
	if st.GetBusinessState() != "" && evidence.Counts(out.Standing) {
		out.Tells = &ledger.Tells{What: st.GetBusinessState(), Issuer: st.GetIssuer(), Codes: p.namesOf(st.GetCode(), at)}
	}
	out.Tell = p.servedBy(known.Sender, known.Endpoint, at)
	return out, nil
}

// servedBy is the endpoint that acts for an agency now, else the one that did.
func (p *projector) servedBy(code, otherwise string, at time.Time) string {
	if route, err := p.registry.Route(code, at); err == nil && route.Endpoint != "" {
		return route.Endpoint
	}
	return otherwise
}

func (p *projector) change(out *ledger.Record, body []byte, at time.Time) error {
	var c axispb.RegistryChange
	if err := proto.Unmarshal(body, &c); err != nil {
		return fmt.Errorf("read a journaled registry change: %w", err)
	}
	out.Public = registry.Audience(&c) == axispb.Audience_AUDIENCE_PUBLIC
	effects := p.registry.Apply(out.Position, at, &c)
	p.past.decided(&c)
	p.revoked = append(append(p.revoked, effects.Revoked...), effects.Reissued...)
	for _, m := range effects.Moved {
		out.Moves = append(out.Moves, ledger.Move{Code: m.Code, Serving: m.Serving, To: m.To})
	}
	return nil
}

// releasedBy lists the documents whose content an act released; nil for other acts.
func (p *projector) releasedBy(ctx context.Context, body []byte) ([]uint64, error) {
	var act axispb.Act
	if err := proto.Unmarshal(body, &act); err != nil {
		return nil, fmt.Errorf("read a journaled act: %w", err)
	}
	var all []uint64
	for _, ref := range act.GetContentReleased().GetDocuments() {
		known, found, err := p.ledger.ByRecord(ctx, ref.GetEpoch(), ref.GetLeafIndex())
		if err != nil || !found {
			return nil, fmt.Errorf("release of leaf %d of epoch %d, which is no document (%w)", ref.GetLeafIndex(), ref.GetEpoch(), err)
		}
		all = append(all, known.Position)
	}
	return all, nil
}

// sealedSize is up to where a sealed checkpoint covers the log.
func sealedSize(body []byte) (*uint64, error) {
	s, err := evidence.OpenSealed(body)
	if err != nil {
		return nil, fmt.Errorf("read a journaled sealed checkpoint: %w", err)
	}
	return &s.Size, nil
}

// epochOf reads an announcement: of the epoch of its record, or of one that this
// journal had forgotten.
func epochOf(now uint64, body []byte) (*ledger.Epoch, error) {
	epoch, err := announced(body)
	if err != nil {
		return nil, err
	}
	return &ledger.Epoch{Number: epoch.GetNumber(), Base: epoch.GetBaseSize(), Signed: body, Lost: epoch.GetNumber() != now}, nil
}

// journalTimeOf is a record's time, Unix milliseconds.
func journalTimeOf(r *axispb.Record) (int64, error) {
	var header axispb.RecordHeader
	if err := proto.Unmarshal(r.GetHeader(), &header); err != nil {
		return 0, fmt.Errorf("read a header: %w", err)
	}
	return header.GetTimeMs(), nil
}

func statementOf(raw []byte) (*axispb.Statement, error) {
	var (
		e  axispb.Evidence
		st axispb.Statement
	)
	if err := proto.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("read a journaled evidence: %w", err)
	}
	if err := proto.Unmarshal(e.GetStatement(), &st); err != nil {
		return nil, fmt.Errorf("read a journaled statement: %w", err)
	}
	return &st, nil
}
