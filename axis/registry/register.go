package registry

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"docaxis/agency"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const (
	// maxCodes bounds the agencies that one endpoint may come to serve by its own
	// requests: a province with all its communes and their offices has some 2,000.
	maxCodes = 5000
	// refusalHolds is how long an operator's refusal answers the same request.
	refusalHolds = 7 * 24 * time.Hour
)

// Registration is what a request of an endpoint comes to.
type Registration struct {
	// Steps make it so; none where it is so already, and then Position is the record
	// that changed the agency last.
	Steps    []*axispb.Change
	Position uint64
	// Held: an operator has to decide on it. Ask is then what they decide on, and
	// Request the id under which the very same waits already, if it does.
	Held    bool
	Ask     *axispb.AgencyRequest
	Request string
	// Waiting requests of the endpoint.
	Waiting int
}

// Register judges what an endpoint asks of the registry, by the registry and the
// policies now; at is the journal time. The error is permanent and fit for the
// endpoint's clerk.
func (s *State) Register(ask *axispb.AgencyRequest, at time.Time) (Registration, *reason.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.tables.registrar(ask.GetEndpoint(), at)
	j, refused := r.judge(ask)
	if refused != nil || len(j.steps) == 0 {
		return Registration{Position: j.position}, refused
	}
	holds := resolve(s.tables.policies[j.above], s.tables.policies[""])
	if !holds.Registrations {
		return Registration{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRATION_FORBIDDEN, j.code)
	}
	if !holds.Held {
		return Registration{Steps: j.steps}, nil
	}
	out := Registration{Held: true, Waiting: s.tables.openRequests[ask.GetEndpoint()], Ask: j.ask(ask.GetEndpoint())}
	last := s.tables.requests[s.tables.asked[about{ask.GetEndpoint(), j.code}]]
	switch {
	case last == nil || !last.asks(out.Ask):
	case last.Open():
		out.Request, out.Position = last.ID, last.Position
	case !last.SettledAt.IsZero() && !last.Approved && at.Sub(last.SettledAt) < refusalHolds:
		return out, reason.Permanent(axispb.ReasonCode_REASON_REGISTRATION_REFUSED, j.code, reason.Time(last.SettledAt), last.Why)
	}
	return out, nil
}

// Approval gives the steps of a request that an operator approves; none where what it
// asks for is so already. It is judged again: the registry has moved on since.
func (s *State) Approval(id string, at time.Time) ([]*axispb.Change, *reason.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.tables.draft(0, at)
	if err := d.checkSettle(&axispb.SettleRequest{Id: id}); err != nil {
		return nil, refusal(err)
	}
	req := s.tables.requests[id]
	ask := &axispb.AgencyRequest{Put: req.Put}
	if req.Put == nil {
		ask.Close = req.Code
	}
	j, refused := s.tables.registrar(req.Endpoint, at).judge(ask)
	return j.steps, refused
}

func refusal(err error) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, err.Error())
}

// registrar judges what one endpoint asks.
type registrar struct {
	*tables
	draft    *draft
	endpoint string
	at       time.Time
}

func (t *tables) registrar(endpoint string, at time.Time) registrar {
	return registrar{tables: t, draft: t.draft(0, at), endpoint: endpoint, at: at}
}

// judged is a request that may be carried out.
type judged struct {
	code string
	// above is whose policy holds.
	above    string
	put      *axispb.Agency // with all that the agency has; nil where it is closed
	steps    []*axispb.Change
	position uint64
}

// ask is the request as it is kept: in the registry's own spelling, with everything
// that approval would put.
func (j judged) ask(endpoint string) *axispb.AgencyRequest {
	if j.put == nil {
		return &axispb.AgencyRequest{Endpoint: endpoint, Close: j.code}
	}
	return &axispb.AgencyRequest{Endpoint: endpoint, Put: j.put}
}

func (r registrar) judge(ask *axispb.AgencyRequest) (judged, *reason.Error) {
	if e := r.endpoints[r.endpoint]; e == nil || e.Revoked {
		return judged{}, reason.Permanent(axispb.ReasonCode_REASON_ENDPOINT_REVOKED, r.endpoint)
	}
	if (ask.GetPut() == nil) == (ask.GetClose() == "") {
		return judged{}, reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "register: one agency to put, or one to close")
	}
	if ask.GetPut() == nil {
		return r.closing(ask.GetClose())
	}
	code, err := agency.Parse(ask.GetPut().GetCode())
	if err != nil {
		return judged{}, reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, clipped(ask.GetPut().GetCode()))
	}
	var (
		j       judged
		refused *reason.Error
	)
	if a := r.find(string(code)); a != nil {
		j, refused = r.changing(a, ask.GetPut())
	} else {
		j, refused = r.adding(code, ask.GetPut())
	}
	if refused != nil || len(j.steps) == 0 {
		return j, refused
	}
	if err := r.draft.checkAgency(j.put); err != nil {
		return j, refusal(err)
	}
	return j, nil
}

// adding judges an agency that is not there yet.
func (r registrar) adding(code agency.Code, p *axispb.Agency) (judged, *reason.Error) {
	parent, refused := r.parentOf(p.GetParent())
	if refused != nil {
		return judged{}, refused
	}
	if !standsBelow(code, parent) {
		return judged{}, reason.Permanent(axispb.ReasonCode_REASON_NOT_BELOW, string(code), parent.Code)
	}
	if refused := r.free(code, parent); refused != nil {
		return judged{}, refused
	}
	level := p.GetLevel()
	if level == axispb.Level_LEVEL_UNSPECIFIED {
		level = axispb.Level_LEVEL_UNIT
	}
	switch {
	case len(p.GetAliases()) > 0:
		return judged{}, operatorsOnly(string(code), "its other codes")
	case p.GetValidFromMs() != 0:
		return judged{}, operatorsOnly(string(code), "its first day")
	case !levelBelow(level, parent.Level):
		return judged{}, operatorsOnly(string(code), "the level")
	case len(r.codes[r.endpoint]) >= maxCodes:
		return judged{}, refusal(fmt.Errorf("the endpoint serves %d agencies already; ask the operator of the axis", maxCodes))
	}
	put := &axispb.Agency{
		Code: string(code), Name: p.GetName(), Parent: parent.Code, Level: level,
		Mail: p.GetMail(), Phone: p.GetPhone(), Fax: p.GetFax(),
	}
	return judged{code: put.Code, above: parent.Code, put: put, steps: []*axispb.Change{
		putStep(put),
		{Change: &axispb.Change_ServeCode{ServeCode: &axispb.ServeCode{Code: put.Code, Endpoint: r.endpoint}}},
	}}, nil
}

func putStep(a *axispb.Agency) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: a}}
}

// parentOf finds the agency above a new one: open, and the endpoint's to register
// below.
func (r registrar) parentOf(code string) (*Agency, *reason.Error) {
	a := r.find(code)
	if a == nil || !a.Open(r.at) || !r.answersFor(a) {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_PARENT, clipped(code))
	}
	return a, nil
}

// answersFor reports whether the endpoint serves an agency or, where nobody does, the
// first one above it that somebody serves.
func (r registrar) answersFor(a *Agency) bool {
	for range maxDepth + 1 {
		if a == nil || a.Endpoint != "" {
			break
		}
		a = r.agencies[a.Parent]
	}
	return a != nil && a.Endpoint == r.endpoint
}

// free refuses a code that means, in another spelling, an agency that is there, or
// that stands by its code below one that another endpoint serves.
func (r registrar) free(code agency.Code, parent *Agency) *reason.Error {
	for _, same := range spellings(code)[1:] {
		if a := r.find(string(same)); a != nil {
			return refusal(fmt.Errorf("code %s is %s in the other form, and that is %s; use that code, or have the operator add the other one to it",
				code, same, r.draft.name(a.Code)))
		}
	}
	for _, spelling := range spellings(code) {
		for above, ok := spelling.Parent(); ok; above, ok = above.Parent() {
			a := r.find(string(above))
			if a == nil || !standsBelow(above, parent) {
				continue
			}
			if a.Endpoint != "" && a.Endpoint != r.endpoint {
				return reason.Permanent(axispb.ReasonCode_REASON_SERVED_ELSEWHERE, a.Code, a.Name)
			}
		}
	}
	return nil
}

// changing judges what an endpoint says of an agency that is there.
func (r registrar) changing(a *Agency, p *axispb.Agency) (judged, *reason.Error) {
	if refused := r.own(a); refused != nil {
		return judged{}, refused
	}
	if a.Closed(r.at) {
		return judged{}, refusal(fmt.Errorf("%s was closed at %s; choose another code", r.draft.name(a.Code), day(a.ClosedAt)))
	}
	above := r.agencies[a.Parent]
	put := &axispb.Agency{
		Code: a.Code, Name: p.GetName(), Aliases: a.Aliases, Parent: a.Parent, Level: a.Level,
		Mail: p.GetMail(), Phone: p.GetPhone(), Fax: p.GetFax(),
	}
	if !a.ValidFrom.IsZero() {
		put.ValidFromMs = a.ValidFrom.UnixMilli()
	}
	switch {
	case p.GetParent() != "" && (above == nil || r.find(p.GetParent()) != above):
		return judged{}, operatorsOnly(a.Code, "the agency above it")
	case p.GetLevel() != axispb.Level_LEVEL_UNSPECIFIED && p.GetLevel() != a.Level:
		return judged{}, operatorsOnly(a.Code, "the level")
	case p.GetValidFromMs() != 0 && p.GetValidFromMs() != put.ValidFromMs:
		return judged{}, operatorsOnly(a.Code, "its first day")
	case !r.hasCodes(a, p.GetAliases()):
		return judged{}, operatorsOnly(a.Code, "its other codes")
	case p.GetName() != a.Name && !r.below(above):
		return judged{}, operatorsOnly(a.Code, "the name")
	}
	j := judged{code: a.Code, above: a.Parent, put: put, position: a.Position}
	if j.above == "" {
		j.above = a.Code
	}
	if p.GetName() != a.Name || p.GetMail() != a.Mail || p.GetPhone() != a.Phone || p.GetFax() != a.Fax {
		j.steps = []*axispb.Change{putStep(put)}
	}
	return j, nil
}

// hasCodes reports whether the agency has each of the codes already.
func (r registrar) hasCodes(a *Agency, codes []string) bool {
	for _, code := range codes {
		if r.find(code) != a {
			return false
		}
	}
	return true
}

// own refuses an agency that another endpoint serves, or nobody.
func (r registrar) own(a *Agency) *reason.Error {
	switch a.Endpoint {
	case r.endpoint:
		return nil
	case "":
		return operatorsOnly(a.Code, "who serves it")
	}
	return reason.Permanent(axispb.ReasonCode_REASON_SERVED_ELSEWHERE, a.Code, a.Name)
}

// below reports whether an agency with this one above it is the endpoint's to
// register: what it is called, and whether it is there.
func (r registrar) below(above *Agency) bool { return above != nil && r.answersFor(above) }

// closing judges the end of an agency.
func (r registrar) closing(code string) (judged, *reason.Error) {
	a := r.find(code)
	if a == nil {
		return judged{}, unknownCode(clipped(code))
	}
	if refused := r.own(a); refused != nil {
		return judged{}, refused
	}
	j := judged{code: a.Code, above: a.Parent, position: a.Position}
	if a.Closed(r.at) {
		return j, nil
	}
	if !r.below(r.agencies[a.Parent]) {
		return j, operatorsOnly(a.Code, "its closing")
	}
	open := 0
	for child := range r.children[a.Code] {
		if !r.agencies[child].Closed(r.at) {
			open++
		}
	}
	if open > 0 {
		return j, reason.Permanent(axispb.ReasonCode_REASON_AGENCIES_BELOW, a.Code, strconv.Itoa(open))
	}
	j.steps = []*axispb.Change{{Change: &axispb.Change_CloseAgency{CloseAgency: &axispb.CloseAgency{Code: a.Code}}}}
	return j, nil
}

func operatorsOnly(code, what string) *reason.Error {
	return reason.Permanent(axispb.ReasonCode_REASON_OPERATORS_ONLY, code, what)
}

// levelBelow keeps an endpoint from making an agency of a level whose groups are
// addressed over the heads of those above it: below a ministry, a commune or a unit
// there are units alone.
func levelBelow(level, parent axispb.Level) bool {
	switch level {
	case axispb.Level_LEVEL_UNIT:
		return true
	case axispb.Level_LEVEL_DISTRICT:
		return parent == axispb.Level_LEVEL_PROVINCE
	case axispb.Level_LEVEL_COMMUNE:
		return parent == axispb.Level_LEVEL_PROVINCE || parent == axispb.Level_LEVEL_DISTRICT
	}
	return false
}

// standsBelow reports whether a code stands below any of an agency's codes.
func standsBelow(code agency.Code, a *Agency) bool {
	for _, own := range append([]string{a.Code}, a.Aliases...) {
		if codeBelow(code, agency.Code(own)) {
			return true
		}
	}
	return false
}

// codeBelow compares in the form of Decision 20 where both have one, so that either
// may be written in either form.
func codeBelow(code, above agency.Code) bool {
	lower, ok := code.ToQD20()
	upper, ok2 := above.ToQD20()
	if ok && ok2 {
		return strings.HasPrefix(string(lower), string(upper)+".")
	}
	for next, ok := code.Parent(); ok; next, ok = next.Parent() {
		if next == above {
			return true
		}
	}
	return false
}

// spellings are a code as it is written, and the one in the other form that the rule
// makes of it, where there is one.
func spellings(code agency.Code) []agency.Code {
	all := []agency.Code{code}
	if other, ok := code.ToQD20(); ok && other != code {
		return append(all, other)
	}
	groups := strings.Split(string(code), ".")
	if code.Grammar() != agency.QD20 || len(groups) > 4 {
		return all
	}
	full := []string{"000", "00", "00"}
	for i, g := range groups[1:] {
		full[2-i] = g
	}
	old, err := agency.Parse(strings.Join(append(full, groups[0]), "."))
	if err != nil {
		return all
	}
	return append(all, old)
}

// clipped keeps a hostile text from filling an answer.
func clipped(s string) string {
	if len(s) <= agency.MaxLength {
		return s
	}
	return strings.ToValidUTF8(s[:agency.MaxLength], "") + "…"
}
