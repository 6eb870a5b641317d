package axistest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func (a *Axis) serve(endpoint string, s bus.Service, req proto.Message) (proto.Message, error) {
	// What was sent is what is seen: nothing is shared with the endpoint.
	switch r := proto.Clone(req).(type) {
	case *axispb.SubmitRequest:
		return a.submit(endpoint, r)
	case *axispb.EvidenceRequest:
		return a.evidence(endpoint, r)
	case *axispb.PullRequest:
		return a.pull(endpoint, r)
	case *axispb.HaveRequest:
		return a.have(endpoint, r)
	case *axispb.PutRequest:
		return a.put(endpoint, r)
	case *axispb.GetRequest:
		return a.get(endpoint, r)
	case *axispb.ProofRequest:
		return &axispb.ProofAnswer{Checkpoint: a.checkpoint(), Consistency: a.between(r.FromSize, r.ToSize)}, nil
	case *axispb.RecoverRequest:
		return a.recover(r), nil
	case *axispb.RenewRequest:
		der, err := a.certificateOf(endpoint, r.Csr)
		return &axispb.RenewAnswer{Certificate: der}, err
	case *axispb.RegisterRequest:
		return a.register(endpoint, r)
	}
	return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, string(s))
}

func (a *Axis) submit(endpoint string, r *axispb.SubmitRequest) (proto.Message, error) {
	env, err := envelope.Parse(r.Envelope)
	if err != nil {
		return a.reject(r.Envelope, nil, reason.Of(err)), nil
	}
	doc := env.Document
	if was := a.documents[doc.Sender+" "+doc.ID]; was != nil {
		if was.manifest != env.ManifestDigest {
			return a.reject(r.Envelope, env, &axispb.Reason{Code: axispb.ReasonCode_REASON_ID_COLLISION, Args: []string{doc.ID}}), nil
		}
		return &axispb.SubmitAnswer{Receipt: a.receipt(was.leaf)}, nil
	}
	d := &document{
		lane: doc.Lane(), sender: doc.Sender, endpoint: endpoint, id: doc.ID, manifest: env.ManifestDigest,
		codes: map[string]string{}, chunks: map[chunk.ID]bool{}, stated: map[string]*stated{}, states: map[string]axispb.State{},
	}
	a.takeAboard(endpoint, r.Chunks)
	for _, f := range env.Files() {
		for i, id := range f.Content.Chunks {
			if uint32(len(a.chunks[endpoint][id])) != chunk.Length(f.Content.Size, uint64(i)) {
				return a.reject(r.Envelope, env, &axispb.Reason{Code: axispb.ReasonCode_REASON_CONTENT_MISSING, Args: []string{f.Title}}), nil
			}
			d.chunks[id] = true
		}
	}
	target := axispb.Target_TARGET_NONE
	if ref, ok := doc.Target(); ok {
		was := a.documents[ref.Sender+" "+ref.ID]
		if was == nil {
			return a.reject(r.Envelope, env, &axispb.Reason{
				Code: axispb.ReasonCode_REASON_UNKNOWN_TARGET, Args: []string{ref.Sender, ref.ID},
			}), nil
		}
		target, d.lane = axispb.Target_TARGET_PRECEDES, min(d.lane, was.lane)
	}
	if !a.accept(r.Envelope, env, d, target) {
		return a.reject(r.Envelope, env, &axispb.Reason{Code: axispb.ReasonCode_REASON_NO_RECIPIENT}), nil
	}
	if a.ForkReceipts {
		return &axispb.SubmitAnswer{Receipt: a.forkedReceipt(d.leaf)}, nil
	}
	return &axispb.SubmitAnswer{Receipt: a.receipt(d.leaf)}, nil
}

// accept journals a document and makes its rows; false where no recipient remains.
func (a *Axis) accept(raw []byte, env *envelope.Envelope, d *document, target axispb.Target) bool {
	decision := &axispb.DocumentDecision{Lane: d.lane}
	codes := slices.Clone(env.Document.To)
	for _, g := range env.Document.Groups {
		n := uint32(0)
		for code := range a.serving {
			if len(code) > len(g.Under) && code[:len(g.Under)] == g.Under {
				codes = append(codes, code)
				n++
			}
		}
		decision.Groups = append(decision.Groups, &axispb.ResolvedGroup{Served: n})
	}
	slices.Sort(codes)
	var rows []row
	for _, code := range slices.Compact(codes) {
		if a.serving[code] == "" {
			decision.Refused = append(decision.Refused, &axispb.RefusedCode{
				Code: code, Reason: &axispb.Reason{Code: axispb.ReasonCode_REASON_UNKNOWN_CODE, Args: []string{code}},
			})
			continue
		}
		d.codes[code] = code
		rows = append(rows, row{lane: d.lane, ordinal: uint32(len(rows)), code: code, serving: code, target: target})
	}
	if len(rows) == 0 {
		return false
	}
	decision.Rows = uint32(len(rows))
	d.leaf = a.journal(axispb.Kind_KIND_DOCUMENT, raw, &axispb.Decision{Endpoint: d.endpoint, Document: decision})
	a.documents[d.sender+" "+d.id], a.byLeaf[d.leaf] = d, d
	for _, r := range rows {
		r.position, r.leaf = d.leaf, d.leaf
		a.addRow(a.serving[r.code], r)
	}
	return true
}

func (a *Axis) reject(raw []byte, env *envelope.Envelope, why *axispb.Reason) *axispb.SubmitAnswer {
	digest := sha256.Sum256(raw)
	st := &axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_SUBMISSION_REJECTION, Issuer: evidence.AxisIssuer, TimeMs: a.clock,
		Reason: why, EnvelopeDigest: digest[:],
	}
	if env != nil {
		st.Sender, st.EnvelopeId, st.ManifestDigest = env.Document.Sender, env.Document.ID, env.ManifestDigest[:]
	}
	signed, err := a.signer.Sign(st)
	if err != nil {
		a.t.Error(err)
	}
	return &axispb.SubmitAnswer{Rejection: signed}
}

// Refuse makes a signed refusal of some bytes that are no envelope.
func (a *Axis) Refuse(raw []byte) []byte {
	a.Lock()
	defer a.Unlock()
	return a.reject(raw, nil, &axispb.Reason{Code: axispb.ReasonCode_REASON_MALFORMED, Args: []string{"test"}}).Rejection
}

func (a *Axis) evidence(endpoint string, r *axispb.EvidenceRequest) (proto.Message, error) {
	answer := &axispb.EvidenceAnswer{}
	for _, raw := range r.Evidence {
		leaf, err := a.state(endpoint, raw)
		if err != nil {
			answer.Outcomes = append(answer.Outcomes, &axispb.EvidenceOutcome{Refused: reason.Of(err)})
			continue
		}
		answer.Outcomes = append(answer.Outcomes, &axispb.EvidenceOutcome{Receipt: a.receipt(leaf)})
	}
	return answer, nil
}

// state journals an evidence, or gives the leaf of the first that said the same.
func (a *Axis) state(endpoint string, raw []byte) (uint64, error) {
	st, _, err := a.trust.Statement(raw)
	if err != nil {
		return 0, err
	}
	d := a.byLeaf[st.Document.LeafIndex]
	if d == nil || st.Document.Epoch > a.number {
		return 0, reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_RECORD, st.EnvelopeId)
	}
	if st.Issuer != endpoint || a.serving[st.Code] != endpoint || d.codes[st.Code] == "" {
		return 0, reason.Permanent(axispb.ReasonCode_REASON_NOT_RECIPIENT, st.Code)
	}
	if err := a.count(st, raw); err != nil {
		return 0, err
	}
	return a.journalEvidence(d, st, raw), nil
}

// count refuses a counter that was used for something else.
func (a *Axis) count(st *axispb.Statement, raw []byte) error {
	var ev axispb.Evidence
	_ = proto.Unmarshal(raw, &ev)
	used := a.counters[st.Issuer]
	if used == nil {
		used = map[uint64][32]byte{}
		a.counters[st.Issuer] = used
	}
	digest := sha256.Sum256(ev.Statement)
	if was, ok := used[st.Counter]; ok && was != digest {
		return reason.Permanent(axispb.ReasonCode_REASON_COUNTER_REUSED, fmt.Sprint(st.Counter))
	}
	used[st.Counter] = digest
	return nil
}

func (a *Axis) journalEvidence(d *document, st *axispb.Statement, raw []byte) uint64 {
	key := st.Code + " " + st.Event.String() + st.BusinessState
	if first := d.stated[key]; first != nil {
		return first.leaf
	}
	standing := d.standing(st)
	leaf := a.journal(axispb.Kind_KIND_EVIDENCE, raw, &axispb.Decision{
		Endpoint: st.Issuer, Evidence: &axispb.EvidenceDecision{Standing: standing},
	})
	d.stated[key] = &stated{leaf: leaf, raw: raw, st: st}
	a.addRow(d.endpoint, row{lane: d.lane, position: leaf, leaf: leaf, code: d.sender, serving: d.sender})
	return leaf
}

// standing is what the real axis gives.
func (d *document) standing(st *axispb.Statement) axispb.Standing {
	now := d.states[st.Code]
	if now == axispb.State_STATE_UNSPECIFIED {
		now = axispb.State_STATE_ACCEPTED
	}
	standing := evidence.Judge(now, st.Event)
	if next := evidence.StateAfter(st.Event); evidence.Counts(standing) && next != axispb.State_STATE_UNSPECIFIED {
		d.states[st.Code] = next
	}
	return standing
}

// Inject journals an evidence about a document whatever it says, with a standing,
// and hands it to the sender.
func (a *Axis) Inject(sender, id string, raw []byte, standing axispb.Standing) {
	a.Lock()
	defer a.Unlock()
	d := a.documents[sender+" "+id]
	leaf := a.journal(axispb.Kind_KIND_EVIDENCE, raw, &axispb.Decision{Evidence: &axispb.EvidenceDecision{Standing: standing}})
	a.addRow(d.endpoint, row{lane: d.lane, position: leaf, leaf: leaf, code: sender, serving: sender})
}

// Expire states that a document was not consigned at a code in time.
func (a *Axis) Expire(sender, id, code string) {
	a.Lock()
	d := a.documents[sender+" "+id]
	commitment := evidence.Commitment(a.records[d.leaf].Header)
	raw, err := a.signer.Sign(&axispb.Statement{
		Version: 1, Event: axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE, Issuer: evidence.AxisIssuer, TimeMs: a.clock,
		Document: &axispb.RecordRef{Epoch: a.number, LeafIndex: d.leaf}, Commitment: commitment[:],
		Sender: sender, EnvelopeId: id, ManifestDigest: d.manifest[:], Code: code,
		Reason: &axispb.Reason{Code: axispb.ReasonCode_REASON_DEADLINE, Args: []string{"then"}},
	})
	if err != nil {
		a.t.Error(err)
	}
	d.states[code] = axispb.State_STATE_CONSIGNMENT_FAILED
	a.Unlock()
	a.Inject(sender, id, raw, axispb.Standing_STANDING_FIRST)
}

// InjectDocument journals an envelope that the axis should have refused.
func (a *Axis) InjectDocument(raw []byte, code string) {
	a.Lock()
	defer a.Unlock()
	leaf := a.journal(axispb.Kind_KIND_DOCUMENT, raw, &axispb.Decision{Document: &axispb.DocumentDecision{}})
	r := row{lane: axispb.Lane_LANE_NORMAL, position: leaf, leaf: leaf, code: code, serving: code}
	if env, err := envelope.Parse(raw); err == nil {
		d := &document{
			leaf: leaf, lane: r.lane, sender: env.Document.Sender, endpoint: a.serving[env.Document.Sender], id: env.Document.ID, manifest: env.ManifestDigest,
			codes: map[string]string{code: code}, chunks: chunksOf(env), stated: map[string]*stated{}, states: map[string]axispb.State{},
		}
		a.documents[d.sender+" "+d.id], a.byLeaf[leaf] = d, d
	}
	a.addRow(a.serving[code], r)
}

func chunksOf(env *envelope.Envelope) map[chunk.ID]bool {
	ids := map[chunk.ID]bool{}
	for _, f := range env.Files() {
		for _, id := range f.Content.Chunks {
			ids[id] = true
		}
	}
	return ids
}

// Repeat gives an endpoint every row of a document a second time, as new rows at a
// later position.
func (a *Axis) Repeat(sender, id string) {
	a.Lock()
	defer a.Unlock()
	d := a.documents[sender+" "+id]
	at := a.journal(axispb.Kind_KIND_ACT, []byte("moved"), &axispb.Decision{})
	for code := range d.codes {
		a.addRow(a.serving[code], row{lane: d.lane, position: at, leaf: d.leaf, code: code, serving: code})
	}
}

// Stated counts what the journal has of an event about a document at a code.
func (a *Axis) Stated(sender, id, code string, event axispb.Event) *axispb.Statement {
	a.Lock()
	defer a.Unlock()
	d := a.documents[sender+" "+id]
	if d == nil || d.stated[code+" "+event.String()] == nil {
		return nil
	}
	return d.stated[code+" "+event.String()].st
}

// Documents counts the accepted documents.
func (a *Axis) Documents() int {
	a.Lock()
	defer a.Unlock()
	return len(a.documents)
}

func (a *Axis) pull(endpoint string, r *axispb.PullRequest) (proto.Message, error) {
	page := &axispb.Page{Epoch: a.number, Checkpoint: a.checkpoint(), Consistency: a.consistency(r.SeenSize)}
	if !a.Older {
		page.ReceiptConsistency = a.consistency(r.ReceiptSize)
	}
	for i := r.Epoch; i < a.number; i++ {
		page.Epochs = append(page.Epochs, a.epochs[i])
	}
	if r.Epoch != a.number {
		return page, nil
	}
	a.fill(endpoint, r, page)
	return page, nil
}

func (a *Axis) fill(endpoint string, r *axispb.PullRequest, page *axispb.Page) {
	room := r.MaxContents
	limit := cmp.Or(a.MaxItems, 50)
	for _, c := range r.Cursors {
		for _, row := range a.rows[endpoint] {
			if row.lane != c.Lane || !row.after(c) {
				continue
			}
			if len(page.Items) == limit {
				page.More = true
				return
			}
			page.Items = append(page.Items, a.item(row))
			if a.Carries {
				room -= a.carry(a.byLeaf[row.leaf], room, page)
			}
		}
	}
}

func (r row) after(c *axispb.Cursor) bool {
	return r.position+1 > c.Position || r.position+1 == c.Position && r.ordinal+1 > c.Ordinal
}

func (a *Axis) item(r row) *axispb.Item {
	item := &axispb.Item{
		Lane: r.lane, Position: r.position, Ordinal: r.ordinal, LeafIndex: r.leaf,
		Record:    proto.Clone(a.records[r.leaf]).(*axispb.Record),
		Inclusion: a.inclusion(r.leaf), Code: r.code, ServingCode: r.serving, Target: r.target,
	}
	if d := a.byLeaf[r.leaf]; d != nil {
		for _, s := range d.stated {
			if s.st.Code == r.code {
				item.Journaled = append(item.Journaled, s.raw)
			}
		}
		slices.SortFunc(item.Journaled, bytes.Compare)
		return item
	}
	if st, _, err := a.trust.Statement(item.Record.Body); err == nil && st.Checkpoint != nil {
		item.Consistency = a.consistency(st.Checkpoint.Size)
	}
	return item
}

func (a *Axis) have(endpoint string, r *axispb.HaveRequest) (proto.Message, error) {
	answer := &axispb.HaveAnswer{}
	for _, digest := range r.Digests {
		data := a.chunks[endpoint][chunk.ID(digest)]
		answer.Held = append(answer.Held, held(chunk.ID(digest), data))
	}
	return answer, nil
}

func held(id chunk.ID, data []byte) *axispb.Held {
	return &axispb.Held{Bytes: uint32(len(data)), Complete: sha256.Sum256(data) == id}
}

func (a *Axis) put(endpoint string, r *axispb.PutRequest) (proto.Message, error) {
	id := chunk.ID(r.Digest)
	mine := a.chunks[endpoint]
	if mine == nil {
		mine = map[chunk.ID][]byte{}
		a.chunks[endpoint] = mine
	}
	if len(r.Data) > chunk.MaxRange || r.Size > chunk.Size {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "put")
	}
	if data := mine[id]; int(r.Offset) == len(data) {
		n := len(r.Data)
		if a.CutPut > 0 {
			n = min(n, a.CutPut)
		}
		mine[id] = append(slices.Clone(data), r.Data[:n]...)
	}
	return &axispb.PutAnswer{Held: held(id, mine[id])}, nil
}

func (a *Axis) get(endpoint string, r *axispb.GetRequest) (proto.Message, error) {
	id := chunk.ID(r.Digest)
	d := a.byLeaf[r.LeafIndex]
	if d == nil || !d.chunks[id] || r.Length > chunk.MaxRange {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, id.String())
	}
	data := a.chunks[d.endpoint][id]
	if int(r.Offset) >= len(data) {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, id.String())
	}
	end := min(int(r.Offset)+int(r.Length), len(data))
	return &axispb.GetAnswer{Data: slices.Clone(data[r.Offset:end])}, nil
}

// Hold gives the axis a chunk, as if the endpoint had uploaded it.
func (a *Axis) Hold(endpoint string, data []byte) {
	a.Lock()
	defer a.Unlock()
	a.holdChunk(endpoint, data)
}

func (a *Axis) holdChunk(endpoint string, data []byte) {
	if a.chunks[endpoint] == nil {
		a.chunks[endpoint] = map[chunk.ID][]byte{}
	}
	a.chunks[endpoint][sha256.Sum256(data)] = data
}

// Forget takes the nth document row of a code away, as if it had never been made.
func (a *Axis) Forget(code string, nth int) {
	a.Lock()
	defer a.Unlock()
	name := a.serving[code]
	for i, r := range a.rows[name] {
		if r.code != code {
			continue
		}
		if nth == 0 {
			a.rows[name] = slices.Delete(a.rows[name], i, i+1)
			return
		}
		nth--
	}
}

// recover takes what is given back and does nothing with it.
func (a *Axis) recover(r *axispb.RecoverRequest) proto.Message {
	answer := &axispb.RecoverAnswer{}
	for range r.Records {
		answer.Outcomes = append(answer.Outcomes, &axispb.RecoverOutcome{Record: &axispb.RecordRef{Epoch: a.number}})
	}
	return answer
}
