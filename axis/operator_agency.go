package axis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// ImportAgencies puts the agencies of a CSV file into the registry, leaving out
// those that are in it already as they are.
func (h *Hub) ImportAgencies(ctx context.Context, req operator.Import) (operator.Imported, error) {
	agencies, err := registry.ParseCSV(strings.NewReader(req.CSV))
	if err != nil {
		return operator.Imported{}, err
	}
	var (
		out operator.Imported
		put []*axispb.Agency
	)
	for _, a := range agencies {
		known, ok := h.registry.Agency(a.GetCode())
		keepContacts(a, known)
		switch {
		case !ok:
			out.Added++
		case same(known, a):
			out.Same++
			continue
		default:
			out.Changed++
		}
		put = append(put, a)
	}
	for _, c := range registry.Batches(put, req.Actor, req.Reason) {
		if _, err := h.intake.Change(ctx, "", c); err != nil {
			return operator.Imported{}, err
		}
	}
	return out, nil
}

// keepContacts leaves what the list does not say of how to reach an agency as it is.
func keepContacts(a *axispb.Agency, known registry.Agency) {
	a.Mail = cmp.Or(a.GetMail(), known.Mail)
	a.Phone = cmp.Or(a.GetPhone(), known.Phone)
	a.Fax = cmp.Or(a.GetFax(), known.Fax)
}

func same(a registry.Agency, b *axispb.Agency) bool {
	from := int64(0)
	if !a.ValidFrom.IsZero() {
		from = a.ValidFrom.UnixMilli()
	}
	aliases := slices.Clone(b.GetAliases())
	slices.Sort(aliases)
	have := slices.Clone(a.Aliases)
	slices.Sort(have)
	return a.Code == b.GetCode() && a.Name == b.GetName() && a.Parent == b.GetParent() && a.Level == b.GetLevel() &&
		from == b.GetValidFromMs() && slices.Equal(have, aliases) &&
		a.Mail == b.GetMail() && a.Phone == b.GetPhone() && a.Fax == b.GetFax()
}

// levelWord is a level as the list of agencies writes it.
func levelWord(l axispb.Level) string {
	return strings.ToLower(strings.TrimPrefix(l.String(), "LEVEL_"))
}

func levelOf(word string) (axispb.Level, error) {
	l, ok := axispb.Level_value["LEVEL_"+strings.ToUpper(word)]
	if !ok || l == 0 {
		return 0, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT,
			fmt.Sprintf("%q is no level; write ministry, province, district, commune or unit", word))
	}
	return axispb.Level(l), nil
}

// ListAgencies lists the agencies that a filter finds.
func (h *Hub) ListAgencies(_ context.Context, f operator.AgencyFilter) (operator.AgencyList, error) {
	search := strings.ToLower(f.Search)
	out := operator.AgencyList{Agencies: []operator.AgencyLine{}}
	for _, a := range h.registry.Agencies() {
		if f.Parent != "" && a.Parent != f.Parent || !mentions(a, search) {
			continue
		}
		line := h.agencyLine(a)
		if f.Unserved && (line.Served || line.ClosedMS != 0) {
			continue
		}
		if out.Total++; f.Limit <= 0 || len(out.Agencies) < f.Limit {
			out.Agencies = append(out.Agencies, line)
		}
	}
	return out, nil
}

// mentions reports whether a text, in small letters, is part of a code or the name.
func mentions(a registry.Agency, search string) bool {
	if search == "" || strings.Contains(strings.ToLower(a.Name), search) {
		return true
	}
	return slices.ContainsFunc(append([]string{a.Code}, a.Aliases...), func(code string) bool {
		return strings.Contains(strings.ToLower(code), search)
	})
}

func (h *Hub) agencyLine(a registry.Agency) operator.AgencyLine {
	_, refused := h.registry.Route(a.Code, h.now())
	return operator.AgencyLine{
		Code: a.Code, Name: a.Name, Level: levelWord(a.Level), Parent: a.Parent, Aliases: a.Aliases, Endpoint: a.Endpoint,
		Served: refused == nil, ClosedMS: msOf(a.ClosedAt), Successors: a.Successors, Mail: a.Mail, Phone: a.Phone, Fax: a.Fax,
	}
}

// ShowAgency tells all that is known of an agency.
func (h *Hub) ShowAgency(ctx context.Context, code string) (operator.AgencyDetail, error) {
	a, err := h.agency(code)
	if err != nil {
		return operator.AgencyDetail{}, err
	}
	out := operator.AgencyDetail{AgencyLine: h.agencyLine(a), ValidFromMS: msOf(a.ValidFrom)}
	for _, other := range h.registry.Agencies() {
		if other.Parent == a.Code {
			out.Children++
		}
	}
	if out.Seals, err = h.ListSeals(ctx, a.Code); err != nil {
		return out, err
	}
	if out.Policy, err = h.ShowPolicy(ctx, a.Code); err != nil {
		return out, err
	}
	waiting, err := h.ledger.Backlogs(ctx, ledger.Filter{States: unconsigned(), Code: a.Code})
	if err != nil {
		return out, err
	}
	for _, b := range waiting {
		out.Waiting += b.Count
		if out.OldestMS == 0 || b.OldestMS < out.OldestMS {
			out.OldestMS = b.OldestMS
		}
	}
	own := append([]string{a.Code}, a.Aliases...)
	out.History, err = h.history(ctx, h.registry.AgencyHistory(a.Code), func(s operator.Step) bool {
		return slices.Contains(own, s.Code) || s.What == "put_endpoint" && slices.ContainsFunc(s.Codes, func(c string) bool { return slices.Contains(own, c) })
	})
	out.ServedBefore = servedBefore(out.History, a.Endpoint)
	return out, err
}

// agency finds an agency by any of its codes.
func (h *Hub) agency(code string) (registry.Agency, error) {
	a, ok := h.registry.Agency(code)
	if !ok {
		return a, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, code)
	}
	return a, nil
}

// servedBefore reads out of a history, newest first, which endpoints served before
// the one that does now.
func servedBefore(history []operator.Deed, now string) []string {
	var before []string
	for _, d := range slices.Backward(history) {
		for _, s := range d.Steps {
			if s.Endpoint != "" && s.Endpoint != now && !slices.Contains(before, s.Endpoint) {
				before = append(before, s.Endpoint)
			}
		}
	}
	return before
}

// CloseAgencies ends agencies and names their successors, of which some may be made,
// in one change.
func (h *Hub) CloseAgencies(ctx context.Context, req operator.CloseAgencies) (operator.Closed, error) {
	if err := because(req.Why); err != nil {
		return operator.Closed{}, err
	}
	steps, err := h.closing(req)
	if err != nil {
		return operator.Closed{}, err
	}
	leaf, err := h.intake.Change(ctx, "", change(req.Actor, req.Reason, steps...))
	if err != nil {
		return operator.Closed{}, err
	}
	out := operator.Closed{LeafIndex: leaf, Waiting: map[string]uint64{}}
	for _, code := range req.Codes {
		a, _ := h.registry.Agency(code)
		out.Closed = append(out.Closed, h.agencyLine(a))
		waiting, err := h.ledger.Backlogs(ctx, ledger.Filter{States: unconsigned(), Code: a.Code})
		if err != nil {
			return out, err
		}
		for _, b := range waiting {
			out.Waiting[b.Endpoint] += b.Count
		}
	}
	for _, code := range req.Successors {
		a, _ := h.registry.Agency(code)
		out.Successors = append(out.Successors, h.agencyLine(a))
	}
	return out, nil
}

// because refuses what nobody gave a reason for.
func because(w operator.Why) error {
	if strings.TrimSpace(w.Reason) == "" {
		return reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "there is no reason; say why, it is journaled")
	}
	return nil
}

// closing makes the steps: successors first, so that the closing finds them.
func (h *Hub) closing(req operator.CloseAgencies) ([]*axispb.Change, error) {
	if len(req.Codes) == 0 {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "no agency is named; name those that end")
	}
	first, err := h.agency(req.Codes[0])
	if err != nil {
		return nil, err
	}
	var steps []*axispb.Change
	for _, n := range req.New {
		made, err := h.successor(n, first, req)
		if err != nil {
			return nil, err
		}
		steps = append(steps, made...)
	}
	for _, code := range req.Codes {
		steps = append(steps, &axispb.Change{Change: &axispb.Change_CloseAgency{
			CloseAgency: &axispb.CloseAgency{Code: code, Successors: req.Successors},
		}})
	}
	return steps, nil
}

// successor makes an agency that takes over, and lets somebody serve it.
func (h *Hub) successor(n operator.NewAgency, from registry.Agency, req operator.CloseAgencies) ([]*axispb.Change, error) {
	if _, there := h.registry.Agency(n.Code); there {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT,
			fmt.Sprintf("agency %s exists already; leave its name out, or choose another code", n.Code))
	}
	if !slices.Contains(req.Successors, n.Code) {
		return nil, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT,
			fmt.Sprintf("%s is named and takes over from nobody; write it with --into", n.Code))
	}
	level := from.Level
	if n.Level != "" {
		var err error
		if level, err = levelOf(n.Level); err != nil {
			return nil, err
		}
	}
	parent := n.Parent
	if parent == "" {
		parent = from.Parent
	}
	steps := []*axispb.Change{{Change: &axispb.Change_PutAgency{
		PutAgency: &axispb.Agency{Code: n.Code, Name: n.Name, Parent: parent, Level: level},
	}}}
	endpoint := n.Endpoint
	if endpoint == "" {
		endpoint = h.commonEndpoint(req.Codes)
	}
	if endpoint != "" {
		steps = append(steps, serving(n.Code, endpoint))
	}
	return steps, nil
}

func serving(code, endpoint string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_ServeCode{ServeCode: &axispb.ServeCode{Code: code, Endpoint: endpoint}}}
}

// commonEndpoint is the one that serves all of the codes; empty where several do, or
// it is revoked.
func (h *Hub) commonEndpoint(codes []string) string {
	common := ""
	for i, code := range codes {
		a, _ := h.registry.Agency(code)
		if i > 0 && a.Endpoint != common {
			return ""
		}
		common = a.Endpoint
	}
	if h.isRevoked(common) {
		return ""
	}
	return common
}

// MoveAgencies gives codes to an endpoint in one change. What waits for them and
// nobody consigned goes along.
func (h *Hub) MoveAgencies(ctx context.Context, req operator.MoveAgencies) (operator.Moved, error) {
	if err := because(req.Why); err != nil {
		return operator.Moved{}, err
	}
	if len(req.Codes) == 0 || req.Endpoint == "" {
		return operator.Moved{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "name the codes, and the endpoint that is to serve them")
	}
	steps := make([]*axispb.Change, len(req.Codes))
	for i, code := range req.Codes {
		steps[i] = serving(code, req.Endpoint)
	}
	leaf, err := h.intake.Change(ctx, "", change(req.Actor, req.Reason, steps...))
	if err != nil {
		return operator.Moved{}, err
	}
	out := operator.Moved{LeafIndex: leaf, Endpoint: req.Endpoint}
	for _, code := range req.Codes {
		a, _ := h.registry.Agency(code)
		out.Codes = append(out.Codes, a.Code)
		waiting, err2 := h.ledger.Backlogs(ctx, ledger.Filter{States: unconsigned(), Code: a.Code, Endpoint: req.Endpoint})
		err = errors.Join(err, err2)
		for _, b := range waiting {
			out.Waiting += b.Count
		}
	}
	return out, err
}
