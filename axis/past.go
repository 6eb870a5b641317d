package axis

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// What an earlier epoch had accepted and this journal got back. It depends on
// nothing but the journal, as everything that the projector does.

// recovered projects a record of an earlier epoch at its new position.
func (p *projector) recovered(ctx context.Context, out *ledger.Record, body []byte, d *axispb.Decision, at time.Time) error {
	past, err := evidence.OpenRecovered(body)
	if err != nil {
		return fmt.Errorf("read a journaled recovered record: %w", err)
	}
	out.Recovered = &ledger.Recovered{
		Commitment: past.Commitment, Epoch: past.Ref.GetEpoch(), Leaf: past.Ref.GetLeafIndex(), Kind: past.Header.GetKind(),
	}
	switch past.Header.GetKind() {
	case axispb.Kind_KIND_DOCUMENT:
		out.Document, err = p.recoveredDocument(ctx, past)
	case axispb.Kind_KIND_EVIDENCE:
		out.Evidence, err = p.recoveredEvidence(ctx, past, d, at)
	case axispb.Kind_KIND_REGISTRY:
		err = p.recoveredChange(out, body)
	}
	return err
}

func (p *projector) recoveredEvidence(ctx context.Context, past *evidence.Past, d *axispb.Decision, at time.Time) (*ledger.Evidence, error) {
	st, err := openStatement(past.Record.GetBody())
	if err != nil {
		return nil, err
	}
	d = proto.Clone(d).(*axispb.Decision)
	d.Endpoint = past.Decision.GetEndpoint()
	return p.evidence(ctx, st, d, at)
}

func (p *projector) recoveredDocument(ctx context.Context, past *evidence.Past) (*ledger.Document, error) {
	e, err := envelope.Parse(past.Record.GetBody())
	if err != nil {
		return nil, fmt.Errorf("read a recovered envelope: %w", err)
	}
	decision := proto.Clone(past.Decision).(*axispb.Decision)
	target := decision.GetDocument().GetTarget()
	if target != nil {
		decision.Document.Target = nil
	}
	out, err := p.accepted(ctx, e, past.Record, past.Header, decision, RecoveredRows(p.registry, e.Document, past))
	if err != nil {
		return nil, err
	}
	out.Leaf = past.Ref.GetLeafIndex()
	if target == nil {
		return out, nil
	}
	known, found, err := p.ledger.ByRecord(ctx, target.GetEpoch(), target.GetLeafIndex())
	if found {
		out.Target = &known.Position
	}
	return out, err
}

// RecoveredRows are the recipients of a document that was got back. What its receipt
// says holds: who was refused stays so, who was routed is routed; nobody whom it
// names is left out because the code is served by nobody now. A group's members are
// those that have an endpoint, also one that was revoked, since the registry of that
// time is not known any more. Whoever is known to have consigned it keeps it.
func RecoveredRows(r *registry.State, doc *envelope.Document, past *evidence.Past) []intake.Route {
	d := past.Decision.GetDocument()
	refused, routed := map[string]bool{}, map[string]string{}
	for _, c := range d.GetRefused() {
		refused[c.GetCode()] = true
	}
	for _, c := range d.GetRouted() {
		routed[c.GetCode()] = c.GetSuccessor()
	}
	holders := holdersOf(past)
	taken := map[string]bool{}
	var rows []intake.Route
	add := func(code, serving string) {
		a, known := r.Agency(serving)
		if known {
			serving = a.Code
		}
		if taken[serving] {
			return
		}
		taken[serving] = true
		endpoint := a.Endpoint
		if holder, ok := holders[code]; ok {
			endpoint = holder
		}
		rows = append(rows, intake.Route{Code: code, Serving: serving, Endpoint: endpoint, Routed: routed[code] != ""})
	}
	for _, code := range doc.To {
		switch {
		case refused[code]:
		case routed[code] != "":
			add(code, routed[code])
		default:
			add(code, code)
		}
	}
	for _, g := range doc.Groups {
		for _, code := range members(r, g) {
			if code != doc.Sender {
				add(code, code)
			}
		}
	}
	return rows
}

// members lists the agencies of a group that have, or had, an endpoint.
func members(r *registry.State, g envelope.Group) []string {
	level, _ := g.AxisLevel() // Parse refused what is no level
	parents := map[string]registry.Agency{}
	for _, a := range r.Agencies() {
		parents[a.Code] = a
	}
	top := g.Under
	if a, ok := r.Agency(g.Under); ok {
		top = a.Code
	}
	var all []string
	for _, code := range slices.Sorted(maps.Keys(parents)) {
		a := parents[code]
		if a.Endpoint == "" || level != axispb.Level_LEVEL_UNSPECIFIED && a.Level != level {
			continue
		}
		if top == "" || below(parents, a, top) {
			all = append(all, code)
		}
	}
	return all
}

func below(all map[string]registry.Agency, a registry.Agency, top string) bool {
	for range len(all) {
		if a.Parent == top {
			return true
		}
		if a.Parent == "" {
			return false
		}
		a = all[a.Parent]
	}
	return false
}

// holdersOf reads, out of the evidence that came with a document, who consigned it
// for which code. Intake verified it.
func holdersOf(past *evidence.Past) map[string]string {
	holders := map[string]string{}
	for _, h := range past.Hints {
		st, err := statementOf(h.Evidence)
		if err == nil && st.GetEvent() == axispb.Event_EVENT_CONTENT_CONSIGNMENT && bytes.Equal(st.GetCommitment(), past.Commitment[:]) {
			holders[st.GetCode()] = st.GetIssuer()
		}
	}
	return holders
}

// pastChanges are the registry's changes that came back, so that one which comes
// late takes the place that it had: whoever gives them back chooses the order in
// which they come, and must gain nothing by it.
type pastChanges struct {
	steps []pastStep
	// since are what was changed anew since the epoch was opened: decisions of now
	// are not undone by what is older.
	since map[string]bool
}

type pastStep struct {
	epoch, leaf uint64
	at          time.Time
	step        *axispb.Change
}

// before orders steps as they were journaled.
func (s pastStep) before(o pastStep) bool {
	return s.epoch < o.epoch || s.epoch == o.epoch && s.leaf < o.leaf
}

// forget begins a new epoch.
func (c *pastChanges) forget() { c.since = nil }

// decided notes what a change of the present touches.
func (c *pastChanges) decided(change *axispb.RegistryChange) {
	if c.since == nil {
		c.since = map[string]bool{}
	}
	for _, step := range change.GetChanges() {
		for _, key := range touches(step) {
			c.since[key] = true
		}
	}
}

// touches names what a step replaces: what an earlier step said of it holds no
// more.
func touches(c *axispb.Change) []string {
	seal := func(code string, digest []byte) []string {
		return []string{"seal " + code + " " + hex.EncodeToString(digest)}
	}
	switch c := c.GetChange().(type) {
	case *axispb.Change_PutAgency:
		return []string{"agency " + c.PutAgency.GetCode()}
	case *axispb.Change_CloseAgency:
		return []string{"closing " + c.CloseAgency.GetCode()}
	case *axispb.Change_ServeCode:
		return []string{"service " + c.ServeCode.GetCode()}
	case *axispb.Change_AdmitSeal:
		digest := evidence.Commitment(c.AdmitSeal.GetCertificate()) // SHA-256
		return seal(c.AdmitSeal.GetCode(), digest[:])
	case *axispb.Change_RetireSeal:
		return seal(c.RetireSeal.GetCode(), c.RetireSeal.GetDigest())
	case *axispb.Change_PutEndpoint:
		var all []string
		for _, code := range c.PutEndpoint.GetCodes() {
			all = append(all, "service "+code)
		}
		return all
	case *axispb.Change_PutPolicy:
		return []string{"policy " + c.PutPolicy.GetCode()}
	}
	return nil
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// fits refuses what was decided anew since, and what is the operators' alone.
func (c *pastChanges) fits(change *axispb.RegistryChange) error {
	if registry.Audience(change) != axispb.Audience_AUDIENCE_PUBLIC {
		return errors.New("it is not public")
	}
	for _, step := range change.GetChanges() {
		for _, key := range touches(step) {
			if c.since[key] {
				return errors.New("it was changed anew since the epoch was opened (" + key + ")")
			}
		}
	}
	return nil
}

// recoveredChange applies a change that came back, and after it again what was
// journaled after it then and came back before it now. It keeps the time that it
// had: a seal admitted then may have sealed what comes back, too.
func (p *projector) recoveredChange(out *ledger.Record, body []byte) error {
	past, err := evidence.OpenRecovered(body)
	if err != nil {
		return fmt.Errorf("read a journaled recovered record: %w", err)
	}
	if past.Header.GetKind() != axispb.Kind_KIND_REGISTRY {
		return nil
	}
	var c axispb.RegistryChange
	if err := proto.Unmarshal(past.Record.GetBody(), &c); err != nil {
		return fmt.Errorf("read a recovered registry change: %w", err)
	}
	out.Public = true
	moved := map[string]registry.Move{}
	for _, s := range p.past.take(past, &c) {
		p.step(out.Position, s, moved)
	}
	for _, code := range slices.Sorted(maps.Keys(moved)) {
		if m := moved[code]; m.From != m.To {
			out.Moves = append(out.Moves, ledger.Move{Code: m.Code, Serving: m.Serving, To: m.To})
		}
	}
	return nil
}

// take keeps the steps of a change in their place, and gives what is to be applied.
func (c *pastChanges) take(past *evidence.Past, change *axispb.RegistryChange) []pastStep {
	first := pastStep{epoch: past.Ref.GetEpoch(), leaf: past.Ref.GetLeafIndex(), at: time.UnixMilli(past.Header.GetTimeMs())}
	var apply []pastStep
	var keys []string
	for _, step := range change.GetChanges() {
		s := first
		s.step = step
		apply = append(apply, s)
		keys = append(keys, touches(step)...)
	}
	from := len(c.steps)
	for from > 0 && first.before(c.steps[from-1]) {
		from--
	}
	for _, s := range c.steps[from:] {
		later := touches(s.step)
		touched := slices.ContainsFunc(later, func(key string) bool { return c.since[key] })
		if intersects(later, keys) && !touched {
			apply = append(apply, s.again()...)
		}
	}
	c.steps = slices.Insert(c.steps, from, apply[:len(change.GetChanges())]...)
	return apply
}

// again is a step as it can be applied a second time: an endpoint is not enrolled
// twice, but takes its codes again.
func (s pastStep) again() []pastStep {
	put := s.step.GetPutEndpoint()
	if put == nil {
		return []pastStep{s}
	}
	var all []pastStep
	for _, code := range put.GetCodes() {
		serve := s
		serve.step = &axispb.Change{Change: &axispb.Change_ServeCode{
			ServeCode: &axispb.ServeCode{Code: code, Endpoint: put.GetName()},
		}}
		all = append(all, serve)
	}
	return all
}

// step applies one step and adds up where codes went.
func (p *projector) step(position uint64, s pastStep, moved map[string]registry.Move) {
	steps := []*axispb.Change{s.step}
	if name := s.step.GetPutEndpoint().GetName(); name != "" {
		steps = append(steps, p.usedUp(name)...)
	}
	effects := p.registry.Apply(position, s.at, &axispb.RegistryChange{Version: 1, Changes: steps})
	p.revoked = append(append(p.revoked, effects.Revoked...), effects.Reissued...)
	for _, m := range effects.Moved {
		if was, ok := moved[m.Code]; ok {
			m.From = was.From
		}
		moved[m.Code] = m
	}
}

// usedUp uses the invitation of an endpoint whose enrolment came back. That it was
// used was an operators' record, which nobody was given.
func (p *projector) usedUp(name string) []*axispb.Change {
	var all []*axispb.Change
	for _, inv := range p.registry.Invitations() {
		if inv.Endpoint == name && !inv.Used {
			all = append(all, &axispb.Change{Change: &axispb.Change_UseInvitation{
				UseInvitation: &axispb.UseInvitation{SecretHash: inv.Hash[:]},
			}})
		}
	}
	return all
}
