package registry

import (
	"maps"
	"slices"
)

// Predecessors lists the closed agencies whose one heir, at once or through others,
// is the agency.
func (s *State) Predecessors(code string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.tables.find(code)
	if a == nil {
		return nil
	}
	var all []string
	for waiting := []string{a.Code}; len(waiting) > 0 && len(all) < maxSuccession; waiting = waiting[1:] {
		before := slices.Sorted(maps.Keys(s.tables.heirOf[waiting[0]]))
		all, waiting = append(all, before...), append(waiting, before...)
	}
	return all
}

// Names lists every code that means an agency: its own and its aliases, then those of
// its Predecessors. A code that nobody has is its own name.
func (s *State) Names(code string) []string {
	predecessors := s.Predecessors(code)
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.tables.find(code)
	if a == nil {
		return []string{code}
	}
	all := append([]string{a.Code}, a.Aliases...)
	for _, before := range predecessors {
		all = append(append(all, before), s.tables.agencies[before].Aliases...)
	}
	return all
}

// soleHeir is the code of the one that took over from an agency; empty where it is
// open, or several or none did.
func soleHeir(a *Agency) string {
	if a == nil || a.ClosedAt.IsZero() || len(a.Successors) != 1 {
		return ""
	}
	return a.Successors[0]
}

// inherited adds to the codes that moved what waits for closed agencies: those that
// were closed now, and those whose heir is among the moved.
func (d *draft) inherited(moved []Move) []Move {
	closed := set[string]{}
	for code, a := range d.agencies.over {
		if heir := soleHeir(a); heir != "" && heir != soleHeir(d.agencies.base[code]) {
			closed[code] = struct{}{}
		}
	}
	for i, steps := 0, moved; i < len(steps) && i < maxInherited; i++ {
		for code := range d.heirOf[steps[i].Code] {
			if soleHeir(d.agencies.get(code)) == steps[i].Code {
				closed[code] = struct{}{}
				steps = append(steps, Move{Code: code})
			}
		}
	}
	var all []Move
	for _, code := range slices.Sorted(maps.Keys(closed)) {
		if m, ok := d.inheritance(code); ok {
			all = append(all, m)
		}
	}
	return all
}

// maxInherited bounds how many agencies are followed for one change.
const maxInherited = 100_000

// inheritance follows a closed agency to its heir that is open and served by another
// endpoint than its own.
func (d *draft) inheritance(code string) (Move, bool) {
	a := d.agencies.get(code)
	m := Move{Code: code, From: a.Endpoint}
	for range maxSuccession {
		heir := soleHeir(a)
		if heir == "" {
			break
		}
		a = d.agencies.get(heir)
	}
	if a == nil || !a.ClosedAt.IsZero() {
		return m, false
	}
	m.Serving, m.To = a.Code, a.Endpoint
	e := d.endpoints.get(m.To)
	return m, e != nil && !e.Revoked
}
