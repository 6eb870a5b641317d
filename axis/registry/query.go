package registry

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"docaxis/agency"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// maxSuccession bounds how many successions a route follows; Check admits no
// loop, but a journal written under other rules might have one.
const maxSuccession = 64

// Agency finds an agency by its code or an alias, of either grammar.
func (s *State) Agency(code string) (Agency, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.tables.find(code); a != nil {
		return *a, true
	}
	return Agency{}, false
}

// find takes the text as it stands first: it nearly always is canonical.
func (t *tables) find(code string) *Agency {
	if a := t.agencies[t.names[code]]; a != nil {
		return a
	}
	c, err := agency.Parse(code)
	if err != nil {
		return nil
	}
	return t.agencies[t.names[string(c)]]
}

// Route says where what is sent to a code goes at a time. The reason is permanent
// and fit for the sender: the code is no code, is unknown, is closed without one
// successor, or nobody serves its agency then.
func (s *State) Route(code string, at time.Time) (Route, *reason.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.tables.find(code)
	if a == nil {
		return Route{}, unknownCode(code)
	}
	a, routed, refused := s.tables.successor(a, code, at)
	if refused != nil {
		return Route{}, refused
	}
	if at.Before(a.ValidFrom) {
		return Route{}, reason.Permanent(axispb.ReasonCode_REASON_NOT_SERVED, code, a.Name+" (≥ "+a.ValidFrom.In(vietnam()).Format(time.DateOnly)+")")
	}
	endpoint := s.tables.served(a)
	if endpoint == "" {
		return Route{}, reason.Permanent(axispb.ReasonCode_REASON_NOT_SERVED, code, a.Name)
	}
	return Route{Code: code, Serving: a.Code, Endpoint: endpoint, Routed: routed}, nil
}

func unknownCode(code string) *reason.Error {
	_, err := agency.Parse(code)
	var syntax *agency.SyntaxError
	if errors.As(err, &syntax) {
		return reason.Permanent(axispb.ReasonCode_REASON_BAD_CODE, syntax.Text)
	}
	return reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_CODE, code)
}

// successor follows closed agencies to the one that took over.
func (t *tables) successor(a *Agency, named string, at time.Time) (_ *Agency, routed bool, _ *reason.Error) {
	for range maxSuccession {
		if !a.Closed(at) {
			return a, routed, nil
		}
		switch len(a.Successors) {
		case 0:
			return nil, false, reason.Permanent(axispb.ReasonCode_REASON_CLOSED_CODE, named)
		case 1:
			a, routed = t.agencies[a.Successors[0]], true
		default:
			return nil, false, reason.Permanent(axispb.ReasonCode_REASON_SEVERAL_SUCCESSORS, named, strings.Join(a.Successors, ", "))
		}
	}
	return nil, false, reason.Permanent(axispb.ReasonCode_REASON_CLOSED_CODE, named)
}

// Group lists the agencies under one, at every depth and without itself, that are
// open at a time and of the level: those served, by code, and the number of those
// that nobody serves. An empty under means all agencies, an unspecified level any;
// under an unknown code there is nobody.
func (s *State) Group(under string, level axispb.Level, at time.Time) (served []Route, unserved int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for a := range s.tables.below(under) {
		if !a.Open(at) || level != axispb.Level_LEVEL_UNSPECIFIED && a.Level != level {
			continue
		}
		if endpoint := s.tables.served(a); endpoint != "" {
			served = append(served, Route{Code: a.Code, Serving: a.Code, Endpoint: endpoint})
		} else {
			unserved++
		}
	}
	slices.SortFunc(served, func(a, b Route) int { return cmp.Compare(a.Code, b.Code) })
	return served, unserved
}

// below walks the agencies under one, in no order.
func (t *tables) below(under string) iter.Seq[*Agency] {
	if under == "" {
		return maps.Values(t.agencies)
	}
	return func(yield func(*Agency) bool) {
		top := t.find(under)
		if top == nil {
			return
		}
		for waiting := []string{top.Code}; len(waiting) > 0; {
			next := waiting[len(waiting)-1]
			waiting = waiting[:len(waiting)-1]
			for code := range t.children[next] {
				if !yield(t.agencies[code]) {
					return
				}
				waiting = append(waiting, code)
			}
		}
	}
}

// Serves reports whether an endpoint serves a code or alias now.
func (s *State) Serves(endpoint, code string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.tables.find(code)
	return a != nil && endpoint != "" && s.tables.served(a) == endpoint
}

// Endpoint finds an endpoint by its name, revoked or not.
func (s *State) Endpoint(name string) (Endpoint, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.tables.endpoints[name]; e != nil {
		return s.tables.endpoint(e), true
	}
	return Endpoint{}, false
}

// EndpointByCertificate finds the endpoint that a certificate lets in. The reason
// is permanent: nobody was given the certificate, its endpoint is revoked, or was
// re-issued since and the certificate ended. In the latter two cases the endpoint is
// returned beside it.
func (s *State) EndpointByCertificate(der []byte) (Endpoint, *reason.Error) {
	digest := sha256.Sum256(der)
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.tables.endpoints[s.tables.holders[digest]]
	if e == nil {
		return Endpoint{}, reason.Permanent(axispb.ReasonCode_REASON_NOT_FOUND, "SHA-256 "+hex.EncodeToString(digest[:]))
	}
	found := s.tables.endpoint(e)
	if e.Revoked {
		return found, reason.Permanent(axispb.ReasonCode_REASON_ENDPOINT_REVOKED, e.Name)
	}
	for i, c := range e.Certificates {
		if ended := e.Terms[i].Ended; bytes.Equal(c, der) && !ended.IsZero() {
			return found, reason.Permanent(axispb.ReasonCode_REASON_CERTIFICATE_ENDED, e.Name, reason.Time(ended))
		}
	}
	return found, nil
}

// Seal finds the seal of an agency by the SHA-256 of its certificate and says why
// it does not hold at a time, or why the policy that holds now forbids it. The subject in REASON_SEAL_NOT_ADMITTED is the
// digest: the certificate itself is not known here.
func (s *State) Seal(code string, certDigest [32]byte, at time.Time) (Seal, *reason.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var (
		seal *Seal
		own  *PolicyWord
	)
	if a := s.tables.find(code); a != nil {
		seal, own = s.tables.seals[sealKey{a.Code, certDigest}], s.tables.policies[a.Code]
	}
	switch {
	case seal == nil:
		return Seal{}, reason.Permanent(axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED, code, "SHA-256 "+hex.EncodeToString(certDigest[:]))
	case !seal.RetiredAt.IsZero() && !at.Before(seal.RetiredAt):
		return Seal{}, reason.Permanent(axispb.ReasonCode_REASON_SEAL_RETIRED, code, reason.Time(seal.RetiredAt))
	case at.Before(seal.From) || at.After(seal.Until):
		return Seal{}, reason.Permanent(axispb.ReasonCode_REASON_SEAL_NOT_VALID, code, reason.Time(seal.From), reason.Time(seal.Until))
	case seal.Delegated && !resolve(own, s.tables.policies[""]).DelegatedSeals:
		return Seal{}, reason.Permanent(axispb.ReasonCode_REASON_SEAL_DELEGATED, code)
	}
	return *seal, nil
}

// Seals lists every seal ever admitted for an agency, oldest first.
func (s *State) Seals(code string) []Seal {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.tables.find(code)
	if a == nil {
		return nil
	}
	var seals []Seal
	for key := range s.tables.sealsOf[a.Code] {
		seals = append(seals, *s.tables.seals[key])
	}
	slices.SortFunc(seals, func(a, b Seal) int {
		return cmp.Or(a.From.Compare(b.From), slices.Compare(a.Digest[:], b.Digest[:]))
	})
	return seals
}

// Invitation finds an invitation by the SHA-256 of its secret and says why it
// cannot be used at a time. A used or expired one is returned beside the reason.
func (s *State) Invitation(secretHash []byte, at time.Time) (Invitation, *reason.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var i *Invitation
	if len(secretHash) == sha256.Size {
		i = s.tables.invitations[[32]byte(secretHash)]
	}
	switch {
	case i == nil:
		return Invitation{}, reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID)
	case i.Used, i.Replaced:
		return *i, reason.Permanent(axispb.ReasonCode_REASON_INVITATION_INVALID)
	case !at.Before(i.Expires):
		return *i, reason.Permanent(axispb.ReasonCode_REASON_INVITATION_EXPIRED, reason.Time(i.Expires))
	}
	return *i, nil
}

// Agencies lists all agencies by code.
func (s *State) Agencies() []Agency {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Agency, 0, len(s.tables.agencies))
	for _, code := range slices.Sorted(maps.Keys(s.tables.agencies)) {
		all = append(all, *s.tables.agencies[code])
	}
	return all
}

// Endpoints lists all endpoints by name, the revoked ones among them.
func (s *State) Endpoints() []Endpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Endpoint, 0, len(s.tables.endpoints))
	for _, name := range slices.Sorted(maps.Keys(s.tables.endpoints)) {
		all = append(all, s.tables.endpoint(s.tables.endpoints[name]))
	}
	return all
}

// Invitations lists all invitations by the name they give, for operators alone.
func (s *State) Invitations() []Invitation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Invitation, 0, len(s.tables.invitations))
	for _, i := range s.tables.invitations {
		all = append(all, *i)
	}
	slices.SortFunc(all, func(a, b Invitation) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Position, b.Position), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return all
}

// vietnam is the zone that dates without a time are meant in.
func vietnam() *time.Location { return time.FixedZone("UTC+7", 7*60*60) }
