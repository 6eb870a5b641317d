package axis

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/intake"
	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// register answers what an endpoint asks about an agency.
func (h *Hub) register(ctx context.Context, endpoint string, req *axispb.RegisterRequest) (*axispb.RegisterAnswer, error) {
	return h.intake.Register(ctx, endpoint, req)
}

// registrar is the registry as a decision about an endpoint's request sees it.
type registrar struct{ *registry.State }

func (r registrar) Register(ask *axispb.AgencyRequest, at time.Time) (intake.Registration, error) {
	got, refused := r.State.Register(ask, at)
	if refused != nil {
		return intake.Registration{}, refused
	}
	return intake.Registration(got), nil
}

func (r registrar) Approval(id string, at time.Time) ([]*axispb.Change, error) {
	steps, refused := r.State.Approval(id, at)
	if refused != nil {
		return nil, refused
	}
	return steps, nil
}

// ListRequests lists what endpoints asked of operators.
func (h *Hub) ListRequests(_ context.Context, all bool) ([]operator.AgencyRequest, error) {
	out := []operator.AgencyRequest{}
	for _, r := range h.registry.Requests(!all) {
		out = append(out, h.requestLine(r))
	}
	return out, nil
}

func (h *Hub) requestLine(r registry.Request) operator.AgencyRequest {
	line := operator.AgencyRequest{
		ID: r.ID, Endpoint: r.Endpoint, What: "close", Code: r.Code, AskedMS: msOf(r.AskedAt), State: requestState(r),
		SettledMS: msOf(r.SettledAt), By: r.By, Why: r.Why, LeafIndex: r.Position,
	}
	a, known := h.registry.Agency(r.Code)
	line.Known = a.Name
	if p := r.Put; p != nil {
		line.What, line.Name, line.Parent, line.Level = "change", p.GetName(), p.GetParent(), levelWord(p.GetLevel())
		line.Mail, line.Phone, line.Fax = p.GetMail(), p.GetPhone(), p.GetFax()
	}
	if !known {
		line.What = "add"
	}
	return line
}

func requestState(r registry.Request) string {
	switch {
	case r.Replaced:
		return "replaced"
	case r.Open():
		return "open"
	case r.Approved:
		return "approved"
	}
	return "refused"
}

// SettleRequest decides on a request, which may be named by the beginning of its id.
func (h *Hub) SettleRequest(ctx context.Context, req operator.Settle) (operator.AgencyRequest, error) {
	if err := because(req.Why); err != nil {
		return operator.AgencyRequest{}, err
	}
	r, err := h.requestBy(strings.ToLower(strings.TrimSpace(req.ID)))
	if err != nil {
		return operator.AgencyRequest{}, err
	}
	if _, err := h.intake.Settle(ctx, r.ID, req.Approve, req.Actor, req.Reason); err != nil {
		return operator.AgencyRequest{}, err
	}
	r, _ = h.registry.Request(r.ID)
	return h.requestLine(r), nil
}

// requestBy finds the one request whose id begins so; an open one first.
func (h *Hub) requestBy(prefix string) (registry.Request, error) {
	for _, open := range []bool{true, false} {
		var found []registry.Request
		for _, r := range h.registry.Requests(open) {
			if prefix != "" && strings.HasPrefix(r.ID, prefix) {
				found = append(found, r)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return registry.Request{}, conflictf("%d requests begin with %q; write more of the id", len(found), prefix)
		}
	}
	return registry.Request{}, conflictf("no request is known as %q; look it up with axis agency requests", prefix)
}

func conflictf(format string, args ...any) error {
	return reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, fmt.Sprintf(format, args...))
}

func requestStep(r *axispb.AgencyRequest) operator.Step {
	return operator.Step{
		What: "request_agency", Code: cmp.Or(r.GetPut().GetCode(), r.GetClose()), Name: r.GetPut().GetName(),
		Endpoint: r.GetEndpoint(), Detail: r.GetId(),
	}
}

func settleStep(s *axispb.SettleRequest) operator.Step {
	word := "refused "
	if s.GetApproved() {
		word = "approved "
	}
	return operator.Step{What: "settle_request", Detail: word + s.GetId()}
}

// registrationsWord is what a policy says of registrations, as operators write it.
func registrationsWord(allowed, held axispb.Permission) string {
	switch {
	case allowed == axispb.Permission_PERMISSION_FORBIDDEN:
		return "forbidden"
	case held == axispb.Permission_PERMISSION_ALLOWED:
		return "held"
	case allowed == axispb.Permission_PERMISSION_ALLOWED || held == axispb.Permission_PERMISSION_FORBIDDEN:
		return "allowed"
	}
	return "inherit"
}

func registrationsHold(p registry.Policy) string {
	switch {
	case !p.Registrations:
		return "forbidden"
	case p.Held:
		return "held"
	}
	return "allowed"
}

// nextRegistrations says of registrations what a request to set a policy does; of
// their holding too, so that one word means the same whatever everybody's policy says.
func nextRegistrations(p *axispb.Policy, req operator.SetPolicy) error {
	if req.Registrations == nil {
		return nil
	}
	const (
		no  = axispb.Permission_PERMISSION_FORBIDDEN
		yes = axispb.Permission_PERMISSION_ALLOWED
	)
	switch *req.Registrations {
	case "allowed":
		p.Registrations, p.RegistrationsHeld = yes, no
	case "held":
		p.Registrations, p.RegistrationsHeld = yes, yes
	case "forbidden":
		p.Registrations, p.RegistrationsHeld = no, no
	case "inherit":
		p.Registrations, p.RegistrationsHeld = 0, 0
	default:
		return conflictf("registrations: write allowed, held, forbidden or inherit")
	}
	return nil
}

func nextHours(p *axispb.Policy, req operator.SetPolicy) error {
	for _, h := range []struct {
		asked *int
		into  *uint32
	}{{req.ConsignHours, &p.ConsignHours}, {req.HandoverHours, &p.HandoverHours}} {
		if h.asked == nil {
			continue
		}
		if *h.asked < 0 {
			return conflictf("a deadline cannot be before the acceptance; write 0 to inherit")
		}
		*h.into = uint32(min(*h.asked, 1<<31))
	}
	return nil
}
