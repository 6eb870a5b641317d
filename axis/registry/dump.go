package registry

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Dump writes everything that the registry holds as text, in a fixed order: two
// registries made from the same changes have the same.
func (s *State) Dump() string {
	var b strings.Builder
	for _, a := range s.Agencies() {
		fmt.Fprintf(&b, "agency %s %q aliases %q parent %q level %d from %s closed %s successors %q endpoint %q contacts %q position %d\n",
			a.Code, a.Name, a.Aliases, a.Parent, a.Level, stamp(a.ValidFrom), stamp(a.ClosedAt), a.Successors, a.Endpoint,
			[]string{a.Mail, a.Phone, a.Fax}, a.Position)
	}
	for _, e := range s.Endpoints() {
		fmt.Fprintf(&b, "endpoint %s certificates %s terms %s codes %q enrolled %s revoked %v %s position %d\n",
			e.Name, digests(e.Certificates), terms(e.Terms), e.Codes, stamp(e.EnrolledAt), e.Revoked, stamp(e.RevokedAt), e.Position)
	}
	for _, l := range s.seals() {
		fmt.Fprintf(&b, "seal %s %x chain %s delegated %v from %s until %s retired %s position %d\n",
			l.Code, l.Digest, digests(l.Chain), l.Delegated, stamp(l.From), stamp(l.Until), stamp(l.RetiredAt), l.Position)
	}
	for _, i := range s.Invitations() {
		fmt.Fprintf(&b, "invitation %x endpoint %q codes %q expires %s used %v reissue %v replaced %v position %d\n",
			i.Hash, i.Endpoint, i.Codes, stamp(i.Expires), i.Used, i.Reissue, i.Replaced, i.Position)
	}
	for _, p := range s.Policies() {
		fmt.Fprintf(&b, "policy %q delegated %d retention %d security %q registrations %d held %d hours %d %d files %d %d position %d\n",
			p.Code, p.DelegatedSeals, p.RetentionDays, p.Security, p.Registrations, p.RegistrationsHeld, p.ConsignHours, p.HandoverHours,
			p.SentFiles, p.ReceivedFiles, p.Position)
	}
	for _, r := range s.Requests(false) {
		fmt.Fprintf(&b, "request %s endpoint %q code %q put %v asked %s replaced %v settled %s %v by %q %q position %d\n",
			r.ID, r.Endpoint, r.Code, r.Put != nil, stamp(r.AskedAt), r.Replaced, stamp(r.SettledAt), r.Approved, r.By, r.Why, r.Position)
	}
	return b.String()
}

func (s *State) seals() []Seal {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Seal
	for _, l := range s.tables.seals {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b Seal) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	return all
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func digests(ders [][]byte) string {
	var all []string
	for _, der := range ders {
		all = append(all, fmt.Sprintf("%x", sha256.Sum256(der)))
	}
	return "[" + strings.Join(all, " ") + "]"
}

func terms(all []Term) string {
	var b strings.Builder
	for _, t := range all {
		fmt.Fprintf(&b, "(%d %s %s)", t.Position, stamp(t.From), stamp(t.Ended))
	}
	return b.String()
}

// Invariants says what in the registry contradicts itself; nil for every registry
// that Apply made.
func (s *State) Invariants() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := &s.tables
	return errors.Join(t.checkNames(), t.checkTree(), t.checkEndpoints(), t.checkSeals(), t.checkInvitations(), t.checkPolicies(), t.checkRequests())
}

func (t *tables) checkNames() error {
	want := map[string]string{}
	var errs []error
	for code, a := range t.agencies {
		for _, name := range append([]string{code}, a.Aliases...) {
			if other, twice := want[name]; twice {
				errs = append(errs, fmt.Errorf("%s means both %s and %s", name, other, code))
			}
			want[name] = code
		}
	}
	if !maps.Equal(want, t.names) {
		errs = append(errs, fmt.Errorf("%d names are indexed, the agencies have %d, or they differ", len(t.names), len(want)))
	}
	return errors.Join(errs...)
}

func (t *tables) checkTree() error {
	var errs []error
	below := map[string]set[string]{}
	for code, a := range t.agencies {
		add(below, a.Parent, code)
		if a.Code != code || a.Parent != "" && t.agencies[a.Parent] == nil || t.loops(a) {
			errs = append(errs, fmt.Errorf("agency %s: wrong key, unknown parent %q or a loop", code, a.Parent))
		}
		for _, successor := range a.Successors {
			if t.agencies[successor] == nil || successor == code || a.ClosedAt.IsZero() {
				errs = append(errs, fmt.Errorf("agency %s: successor %s", code, successor))
			}
		}
	}
	if !maps.EqualFunc(below, t.children, maps.Equal) {
		errs = append(errs, errors.New("the index of children is not what the parents say"))
	}
	return errors.Join(errs...)
}

func (t *tables) loops(a *Agency) bool {
	for range len(t.agencies) + 1 {
		if a == nil || a.Parent == "" {
			return false
		}
		a = t.agencies[a.Parent]
	}
	return true
}

func (t *tables) checkEndpoints() error {
	var errs []error
	holders, codes := map[[32]byte]string{}, map[string]set[string]{}
	for name, e := range t.endpoints {
		for _, der := range e.Certificates {
			holders[sha256.Sum256(der)] = name
		}
		if n := len(e.Terms); n > 0 && !e.Terms[n-1].Ended.IsZero() {
			errs = append(errs, fmt.Errorf("endpoint %s: no certificate of it counts", name))
		}
		if e.Name != name || len(e.Certificates) == 0 || len(e.Certificates) != len(e.Terms) || e.Codes != nil || e.Revoked == e.RevokedAt.IsZero() {
			errs = append(errs, fmt.Errorf("endpoint %s: wrong key, no certificate, or half revoked", name))
		}
	}
	for code, a := range t.agencies {
		if a.Endpoint == "" {
			continue
		}
		add(codes, a.Endpoint, code)
		if t.endpoints[a.Endpoint] == nil {
			errs = append(errs, fmt.Errorf("agency %s: unknown endpoint %s", code, a.Endpoint))
		}
	}
	if !maps.Equal(holders, t.holders) || !maps.EqualFunc(codes, t.codes, maps.Equal) {
		errs = append(errs, errors.New("the indexes of certificates and served codes are not what endpoints and agencies say"))
	}
	return errors.Join(errs...)
}

func (t *tables) checkSeals() error {
	var errs []error
	of := map[string]set[sealKey]{}
	for key, l := range t.seals {
		add(of, key.code, key)
		if l.Code != key.code || l.Digest != key.digest || sha256.Sum256(l.Certificate) != key.digest || t.agencies[key.code] == nil {
			errs = append(errs, fmt.Errorf("seal %x of %s: wrong key or unknown agency", key.digest, key.code))
		}
	}
	if !maps.EqualFunc(of, t.sealsOf, maps.Equal) {
		errs = append(errs, errors.New("the index of seals is not what the seals say"))
	}
	return errors.Join(errs...)
}

func (t *tables) checkInvitations() error {
	var errs []error
	for hash, i := range t.invitations {
		if i.Hash != hash {
			errs = append(errs, fmt.Errorf("invitation %x: wrong key", hash))
		}
		if i.Reissue && t.endpoints[i.Endpoint] == nil || i.Used && i.Replaced {
			errs = append(errs, fmt.Errorf("invitation for %s: re-issues nobody, or was used and replaced", i.Endpoint))
		}
		for _, code := range i.Codes {
			if t.agencies[code] == nil {
				errs = append(errs, fmt.Errorf("invitation for %s: unknown agency %s", i.Endpoint, code))
			}
		}
	}
	for name, hash := range t.invited {
		if i := t.invitations[hash]; i == nil || i.Endpoint != name {
			errs = append(errs, fmt.Errorf("invitation for %s: lost", name))
		}
	}
	return errors.Join(errs...)
}
