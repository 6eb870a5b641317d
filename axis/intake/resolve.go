package intake

import (
	"errors"
	"time"

	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Router is what resolving recipients needs of the registry.
type Router interface {
	Route(code string, at time.Time) (Route, error)
	Group(under string, level axispb.Level, at time.Time) (served []Route, unserved int)
}

// Resolve turns a document's recipients into mailbox rows, in the order of the
// document, each serving code once. It depends on nothing but the document and
// the registry at a position, so that whoever has both can recompute it.
func Resolve(d *envelope.Document, registry Router, at time.Time) ([]Route, *axispb.DocumentDecision) {
	r := resolver{registry: registry, at: at, taken: map[string]bool{}, decision: &axispb.DocumentDecision{}}
	for _, code := range d.To {
		r.explicit(code)
	}
	for _, g := range d.Groups {
		r.group(g, d.Sender)
	}
	r.decision.Rows = uint32(len(r.rows))
	return r.rows, r.decision
}

type resolver struct {
	registry Router
	at       time.Time
	taken    map[string]bool // serving codes
	rows     []Route
	decision *axispb.DocumentDecision
}

func (r *resolver) explicit(code string) {
	route, err := r.registry.Route(code, r.at)
	if err == nil && r.taken[route.Serving] {
		err = reason.Permanent(axispb.ReasonCode_REASON_DUPLICATE_CODE, code)
	}
	if err != nil {
		r.refuse(code, err)
		return
	}
	r.taken[route.Serving] = true
	r.rows = append(r.rows, route)
	if route.Routed {
		r.decision.Routed = append(r.decision.Routed, &axispb.RoutedCode{Code: code, Successor: route.Serving})
	}
}

// plentyRefused is how many refusals keep the arguments of their sentence: more
// would not fit into a block beside the largest envelope.
const plentyRefused = 200

func (r *resolver) refuse(code string, err error) {
	why := &axispb.Reason{Code: axispb.ReasonCode_REASON_UNKNOWN_CODE, Args: []string{code}}
	var refused *reason.Error
	if errors.As(err, &refused) {
		why = refused.Reason
	}
	if len(r.decision.Refused) >= plentyRefused {
		why = &axispb.Reason{Code: why.Code}
	}
	r.decision.Refused = append(r.decision.Refused, &axispb.RefusedCode{Code: code, Reason: why})
}

// group adds the members that somebody serves, without the sender itself.
func (r *resolver) group(g envelope.Group, sender string) {
	level, _ := g.AxisLevel() // Parse refused what is no level
	served, unserved := r.registry.Group(g.Under, level, r.at)
	resolved := &axispb.ResolvedGroup{Unserved: uint32(unserved)}
	for _, route := range served {
		if route.Serving == sender || r.taken[route.Serving] {
			continue
		}
		r.taken[route.Serving] = true
		r.rows = append(r.rows, route)
		resolved.Served++
	}
	r.decision.Groups = append(r.decision.Groups, resolved)
}
