package registry

import (
	"slices"
)

// history has, for what a change touched, the positions of the records that did. Who
// did it and why stands in those records.
type history map[string][]uint64

func (h history) add(kind, name string, position uint64) {
	key := kind + "/" + name
	if all := h[key]; len(all) == 0 || all[len(all)-1] != position {
		h[key] = append(all, position)
	}
}

// remember notes what a draft that is about to be committed changes.
func (h history) remember(d *draft) {
	for code := range d.agencies.over {
		h.add("agency", code, d.position)
	}
	for key := range d.seals.over {
		h.add("seal", key.code, d.position)
	}
	for code := range d.policies.over {
		h.add("policy", code, d.position)
	}
	for name := range d.endpoints.over {
		h.add("endpoint", name, d.position)
	}
	for hash, i := range d.invitations.over {
		if d.invitations.base[hash] == nil {
			h.add("endpoint", i.Endpoint, d.position)
		}
	}
}

func (s *State) positions(kind, name string) []uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.tables.history[kind+"/"+name])
}

// EndpointHistory gives the positions of the records about an endpoint and the
// invitations for it, oldest first.
func (s *State) EndpointHistory(name string) []uint64 { return s.positions("endpoint", name) }

// AgencyHistory gives the positions of the records that changed an agency, its
// endpoint, its seals or its policy, oldest first. The code is the agency's own.
func (s *State) AgencyHistory(code string) []uint64 {
	all := slices.Concat(s.positions("agency", code), s.positions("seal", code), s.positions("policy", code))
	slices.Sort(all)
	return slices.Compact(all)
}

// SealHistory gives the positions of the records about the seals of an agency,
// oldest first.
func (s *State) SealHistory(code string) []uint64 { return s.positions("seal", code) }

// PolicyHistory gives the positions of the records about the policy of an agency or,
// with an empty code, about the one for everybody, oldest first.
func (s *State) PolicyHistory(code string) []uint64 { return s.positions("policy", code) }
