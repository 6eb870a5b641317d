package hubtest

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/axis/registry"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// book is what the journal proves, read from its bytes and believed from nobody.
type book struct {
	trust    *evidence.Trust
	registry *registry.State

	previous []byte // digest of the last block
	blocks   uint64
	epoch    uint64
	last     int64 // journal time
	tree     tree
	entries  []*entry

	documents  []*document
	byRecord   map[[32]byte]*document // by the commitment under which it was accepted
	recovered  map[[32]byte]*entry    // of earlier epochs, by commitment
	byIdentity map[identity]*document
	counters   map[string]map[uint64]*entry // by issuer
	refused    map[[sha256.Size]byte]*entry // refusals, by digest of the evidence
	bodies     map[[sha256.Size]byte]*entry // evidence, by digest
	verified   map[[sha256.Size]byte]*axispb.Statement
	anchors    []*x509.Certificate // who seals and time-stamps, beside the CA
	covered    uint64              // by the newest sealed checkpoint
	found      []error
}

type identity struct{ sender, id string }

// entry is a record of the journal.
type entry struct {
	leaf     uint64
	record   *axispb.Record
	header   *axispb.RecordHeader
	decision *axispb.Decision
	// statement of an evidence.
	statement *axispb.Statement
	// now is what was decided when it came back; nil for one that was never lost.
	now *axispb.Decision
}

// document is an accepted document, with what the journal says of its recipients.
type document struct {
	*entry
	sender, id string
	envelope   *envelope.Envelope
	endpoint   string // that submitted it
	rows       map[string]*row
	refused    map[string]bool
	released   bool
}

// row is a recipient: by code as named.
type row struct {
	serving, endpoint string
	former            []string // endpoints that had it before its code moved
	consigner         string   // whose consignment counts
	state             axispb.State
	said              []*entry
}

// holder is the endpoint whose copy counts.
func (r *row) holder() string {
	if r.consigner != "" {
		return r.consigner
	}
	return r.endpoint
}

func (r *row) had(endpoint string) bool {
	return r.endpoint == endpoint || slices.Contains(r.former, endpoint)
}

// unconsigned: it moves with its code.
func (r *row) unconsigned() bool {
	return r.state == axispb.State_STATE_ACCEPTED || r.state == axispb.State_STATE_CONSIGNMENT_FAILED
}

func newBook(ca *x509.Certificate) *book {
	return &book{
		trust: evidence.NewTrust(ca), registry: registry.NewState(),
		byRecord: map[[32]byte]*document{}, recovered: map[[32]byte]*entry{}, byIdentity: map[identity]*document{},
		counters: map[string]map[uint64]*entry{},
		refused:  map[[sha256.Size]byte]*entry{}, bodies: map[[sha256.Size]byte]*entry{},
		verified: map[[sha256.Size]byte]*axispb.Statement{},
	}
}

func (b *book) complain(format string, args ...any) {
	b.found = append(b.found, fmt.Errorf("journal, "+format, args...))
}

func (b *book) size() uint64 { return uint64(len(b.entries)) }

func (b *book) at(leaf uint64) *entry {
	if leaf >= b.size() {
		return nil
	}
	return b.entries[leaf]
}

// learn finds out how later CAs follow from the pinned one, or earlier ones lead to
// it: whoever pinned the last one could else not read what came before.
func (b *book) learn(blocks [][]byte) {
	for _, raw := range blocks {
		block := new(axispb.Block)
		if proto.Unmarshal(raw, block) != nil {
			continue
		}
		for _, r := range block.Records {
			var h axispb.RecordHeader
			var signed axispb.SignedEpoch
			if proto.Unmarshal(r.Header, &h) == nil && h.Kind == axispb.Kind_KIND_EPOCH && proto.Unmarshal(r.Body, &signed) == nil {
				b.trust.Learn(signed.Authorities)
			}
		}
	}
}

// root is what the journal's tree has where a checkpoint was signed.
func (b *book) root(cp evidence.Checkpoint) (tlog.Hash, error) {
	if cp.Size > b.size() {
		return tlog.Hash{}, fmt.Errorf("the journal has only %d", b.size())
	}
	return tlog.TreeHash(int64(cp.Size), &b.tree)
}

// block reads a block. Its error means that the chain is broken there.
func (b *book) block(raw []byte) error {
	block := new(axispb.Block)
	if err := proto.Unmarshal(raw, block); err != nil {
		return err
	}
	root, err := tlog.TreeHash(int64(b.size()), &b.tree)
	if err != nil {
		return err
	}
	switch {
	case block.Number != b.blocks:
		return fmt.Errorf("it has number %d", block.Number)
	case !bytes.Equal(block.PreviousDigest, b.previous):
		return errors.New("it names another block before it")
	case block.FirstLeaf != b.size():
		return fmt.Errorf("it begins at leaf %d, not %d", block.FirstLeaf, b.size())
	case !bytes.Equal(block.RootBefore, root[:]):
		return errors.New("it was made on another tree")
	}
	digest := sha256.Sum256(raw)
	b.previous, b.blocks, b.epoch = digest[:], b.blocks+1, block.Epoch
	for _, r := range block.Records {
		if err := b.record(block, r); err != nil {
			return fmt.Errorf("record %d: %w", b.size(), err)
		}
	}
	return nil
}

func (b *book) record(block *axispb.Block, r *axispb.Record) error {
	h, d, err := evidence.OpenRecord(r)
	if err != nil {
		return err
	}
	e := &entry{leaf: b.size(), record: r, header: h, decision: d}
	if h.Epoch != block.Epoch {
		b.complain("record %d: epoch %d in a block of epoch %d", e.leaf, h.Epoch, block.Epoch)
	}
	if h.TimeMs < b.last {
		b.complain("record %d: its time goes back", e.leaf)
	}
	b.last = h.TimeMs
	if err := b.tree.add(evidence.LeafHash(r.Header), e.leaf); err != nil {
		return err
	}
	b.entries = append(b.entries, e)
	if err := b.body(e); err != nil {
		b.complain("record %d: %w", e.leaf, err)
	}
	return nil
}

func (b *book) body(e *entry) error {
	switch e.header.Kind {
	case axispb.Kind_KIND_EPOCH:
		_, err := b.trust.AddEpoch(e.record.Body)
		return err
	case axispb.Kind_KIND_REGISTRY:
		change := new(axispb.RegistryChange)
		if err := proto.Unmarshal(e.record.Body, change); err != nil {
			return err
		}
		if err := b.registry.Check(change, e.time()); err != nil {
			return err
		}
		b.move(b.registry.Apply(e.leaf, e.time(), change))
		return nil
	case axispb.Kind_KIND_DOCUMENT:
		return b.document(e)
	case axispb.Kind_KIND_EVIDENCE:
		return b.evidence(e)
	case axispb.Kind_KIND_ACT:
		return b.act(e)
	case axispb.Kind_KIND_RECOVERED:
		return b.past(e)
	case axispb.Kind_KIND_SEALED_CHECKPOINT:
		return b.sealed(e)
	}
	return nil
}

// move gives what nobody has consigned yet to whoever serves its code now.
func (b *book) move(effects registry.Effects) {
	for _, m := range effects.Moved {
		if m.To == "" {
			continue
		}
		var found []*row
		for _, d := range b.documents {
			for _, r := range d.rows {
				if r.serving == m.Code && r.endpoint != m.To && r.unconsigned() {
					found = append(found, r)
				}
			}
		}
		for _, r := range found {
			r.former, r.endpoint, r.serving = append(r.former, r.endpoint), m.To, m.Serving
		}
	}
}

func (e *entry) time() time.Time { return time.UnixMilli(e.header.TimeMs) }

// document enters an accepted document. Its recipients follow from document.json
// and the registry at this very record; the decision must say the same.
func (b *book) document(e *entry) error {
	env, err := envelope.Parse(e.record.Body)
	if err != nil {
		return err
	}
	d, err := b.enter(e, env)
	if err != nil {
		return err
	}
	rows, decision := intake.Resolve(env.Document, router{b.registry}, e.time())
	for _, r := range rows {
		d.rows[r.Code] = &row{serving: r.Serving, endpoint: r.Endpoint, state: axispb.State_STATE_ACCEPTED}
	}
	for _, r := range decision.Refused {
		d.refused[r.Code] = true
	}
	if !b.registry.Serves(d.endpoint, d.sender) {
		b.complain("record %d: %s does not act for %s", e.leaf, d.endpoint, d.sender)
	}
	return sameDecision(e.decision.GetDocument(), decision)
}

// enter makes a document known, without its recipients.
func (b *book) enter(e *entry, env *envelope.Envelope) (*document, error) {
	d := &document{
		entry: e, sender: env.Document.Sender, id: env.Document.ID, envelope: env,
		endpoint: e.decision.Endpoint, rows: map[string]*row{}, refused: map[string]bool{},
	}
	if b.byIdentity[identity{d.sender, d.id}] != nil {
		return nil, fmt.Errorf("%s of %s is journaled a second time", d.id, d.sender)
	}
	b.byIdentity[identity{d.sender, d.id}], b.byRecord[evidence.Commitment(e.record.Header)] = d, d
	b.documents = append(b.documents, d)
	return d, nil
}

// sameDecision compares what was decided with what follows from the registry; lane
// and target do not follow from it.
func sameDecision(journaled, follows *axispb.DocumentDecision) error {
	want := proto.Clone(follows).(*axispb.DocumentDecision)
	want.Lane, want.Target = journaled.GetLane(), journaled.GetTarget()
	if !proto.Equal(journaled, want) {
		return fmt.Errorf("its recipients were decided as %v, but the registry gives %v", journaled, want)
	}
	return nil
}

// router is the registry as recipients are resolved by it.
type router struct{ *registry.State }

func (r router) Route(code string, at time.Time) (intake.Route, error) {
	route, refused := r.State.Route(code, at)
	if refused != nil {
		return intake.Route{}, refused
	}
	return intake.Route(route), nil
}

func (r router) Group(under string, level axispb.Level, at time.Time) ([]intake.Route, int) {
	served, unserved := r.State.Group(under, level, at)
	all := make([]intake.Route, len(served))
	for i, route := range served {
		all[i] = intake.Route(route)
	}
	return all, unserved
}

// statement verifies an evidence; the same bytes but once.
func (b *book) statement(raw []byte) (*axispb.Statement, error) {
	digest := sha256.Sum256(raw)
	if st := b.verified[digest]; st != nil {
		return st, nil
	}
	st, _, err := b.trust.Statement(raw)
	if err == nil {
		b.verified[digest] = st
	}
	return st, err
}

// evidence enters a statement and the state that it leads to.
func (b *book) evidence(e *entry) error {
	st, err := b.statement(e.record.Body)
	if err != nil {
		return err
	}
	e.statement = st
	digest := sha256.Sum256(e.record.Body)
	if b.bodies[digest] != nil {
		return errors.New("the same evidence is journaled twice")
	}
	b.bodies[digest] = e
	if st.Event == axispb.Event_EVENT_SUBMISSION_REJECTION {
		b.refused[digest] = e
		return nil
	}
	if err := b.count(e); err != nil {
		return err
	}
	return b.effect(e)
}

// count enters an endpoint's counter; the axis has none.
func (b *book) count(e *entry) error {
	if e.statement.Issuer == evidence.AxisIssuer {
		return nil
	}
	by := b.counters[e.statement.Issuer]
	if by == nil {
		by = map[uint64]*entry{}
		b.counters[e.statement.Issuer] = by
	}
	if by[e.statement.Counter] != nil {
		return fmt.Errorf("%s used counter %d twice", e.statement.Issuer, e.statement.Counter)
	}
	by[e.statement.Counter] = e
	return nil
}

// effect follows the state of a recipient through the journal.
func (b *book) effect(e *entry) error {
	st := e.statement
	d := b.byRecord[[32]byte(st.Commitment)]
	if d == nil {
		return fmt.Errorf("evidence about record %d, which is no document", st.Document.GetLeafIndex())
	}
	if err := evidence.Matches(st, d.proven(), d.described()); err != nil {
		return err
	}
	r := d.rows[st.Code]
	if r != nil && e.now != nil && st.Event == axispb.Event_EVENT_CONTENT_CONSIGNMENT && r.endpoint != st.Issuer {
		r.former, r.endpoint = append(r.former, r.endpoint), st.Issuer // it was the code's then
	}
	if r == nil || !r.had(st.Issuer) && st.Issuer != evidence.AxisIssuer {
		return fmt.Errorf("evidence by %s about %s, which it never had for %s", st.Issuer, d.id, st.Code)
	}
	if st.Event != axispb.Event_EVENT_BUSINESS_STATE {
		for _, before := range r.said {
			if before.statement.Event == st.Event && before.statement.Issuer == st.Issuer {
				return fmt.Errorf("%s of %s by %s is journaled a second time", st.Event, d.id, st.Code)
			}
		}
	}
	r.said = append(r.said, e)
	standing := r.judge(st)
	decision := e.decision
	if e.now != nil {
		decision = e.now
	}
	if got := decision.GetEvidence().GetStanding(); got != standing {
		return fmt.Errorf("%s in state %s was given the standing %s, not %s", st.Event, r.state, got, standing)
	}
	if !evidence.Counts(standing) {
		return nil
	}
	if to := evidence.StateAfter(st.Event); to != axispb.State_STATE_UNSPECIFIED {
		r.state = to
	}
	if st.Event == axispb.Event_EVENT_CONTENT_CONSIGNMENT {
		r.consigner = st.Issuer
	}
	return nil
}

// judge says what a statement is worth. The axis speaks of whoever has the row.
func (r *row) judge(st *axispb.Statement) axispb.Standing {
	by := st.Issuer
	if by == evidence.AxisIssuer {
		by = r.holder()
	}
	return evidence.JudgeBy(evidence.Copy{State: r.state, Endpoint: r.endpoint, Consigner: r.consigner}, by, st.Event)
}

// proven is the document's record as a receipt would prove it.
func (d *document) proven() evidence.Proven {
	return evidence.Proven{
		Header: d.header, Decision: d.decision, LeafIndex: d.leaf, Commitment: evidence.Commitment(d.record.Header),
	}
}

func (d *document) described() evidence.Document {
	return evidence.Document{Sender: d.sender, ID: d.id, ManifestDigest: d.envelope.ManifestDigest}
}
