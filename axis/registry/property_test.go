package registry_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"docaxis/axis/registry"
	"docaxis/proto/axispb"
)

// pools are small on purpose: steps must collide.
var (
	codePool     = []string{"H41", "H41.11", "H41.11.05", "H42", "000.00.00.H41", "000.00.00.H42", "H99", "h41", ""}
	endpointPool = []string{"vinh", "ndan", "hue", "axis", ""}
	secretPool   = []string{"a", "b", "c"}
)

// history draws changes, most of which hold together, some of which do not.
func history(rt *rapid.T, certificates map[string][][]byte) ([]*axispb.RegistryChange, []time.Time) {
	var (
		code     = rapid.SampledFrom(codePool)
		codes    = rapid.SliceOfN(code, 0, 3)
		endpoint = rapid.SampledFrom(endpointPool)
		secret   = rapid.SampledFrom(secretPool)
		at       = noon
		times    []time.Time
	)
	step := rapid.Custom(func(rt *rapid.T) *axispb.Change {
		cert := rapid.SampledFrom(certificates[rapid.SampledFrom([]string{"vinh", "ndan", "hue"}).Draw(rt, "holder")]).Draw(rt, "certificate")
		digest := sha256.Sum256(cert)
		switch rapid.IntRange(0, 12).Draw(rt, "kind") {
		case 0, 1:
			return put(code.Draw(rt, "code"), "A", code.Draw(rt, "parent"), axispb.Level(rapid.IntRange(0, 5).Draw(rt, "level")), codes.Draw(rt, "aliases")...)
		case 2:
			return closing(code.Draw(rt, "code"), codes.Draw(rt, "successors")...)
		case 3:
			return serve(code.Draw(rt, "code"), endpoint.Draw(rt, "endpoint"))
		case 4:
			return admit(&axispb.Seal{Code: code.Draw(rt, "code"), Certificate: cert})
		case 5:
			return retire(code.Draw(rt, "code"), digest[:])
		case 6:
			if rapid.Bool().Draw(rt, "reissue") {
				return inviteAgain(secret.Draw(rt, "secret"), endpoint.Draw(rt, "endpoint"), noon.Add(time.Hour))
			}
			return invite(secret.Draw(rt, "secret"), endpoint.Draw(rt, "endpoint"), noon.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "until"))*time.Second), codes.Draw(rt, "codes")...)
		case 7:
			return use(secret.Draw(rt, "secret"))
		case 8:
			if rapid.Bool().Draw(rt, "reissued") {
				return reissue(endpoint.Draw(rt, "endpoint"), cert)
			}
			return enrol(endpoint.Draw(rt, "endpoint"), cert, codes.Draw(rt, "codes")...)
		case 11:
			return asking(&axispb.AgencyRequest{
				Id: strings.Repeat(rapid.SampledFrom([]string{"1", "2", "3", "x"}).Draw(rt, "id"), 32), Endpoint: endpoint.Draw(rt, "endpoint"),
				Close: code.Draw(rt, "code"),
			})
		case 12:
			return settling(strings.Repeat(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "id"), 32), rapid.Bool().Draw(rt, "approved"))
		case 9:
			return policy(&axispb.Policy{Code: code.Draw(rt, "code"), DelegatedSeals: axispb.Permission(rapid.IntRange(0, 3).Draw(rt, "delegated"))})
		default:
			return revoke(endpoint.Draw(rt, "endpoint"))
		}
	})
	changes := []*axispb.RegistryChange{change(put("H41", "A", "", province, "000.00.00.H41"), put("H42", "B", "", province))}
	times = append(times, at)
	for range rapid.IntRange(1, 40).Draw(rt, "length") {
		changes = append(changes, change(rapid.SliceOfN(step, 1, 4).Draw(rt, "steps")...))
		at = at.Add(time.Duration(rapid.IntRange(0, 2_000_000).Draw(rt, "µs")) * time.Microsecond)
		times = append(times, at)
	}
	return changes, times
}

func holders(t *testing.T) map[string][][]byte {
	all := map[string][][]byte{}
	for _, name := range []string{"vinh", "ndan", "hue"} {
		all[name] = [][]byte{certificate(t, name), certificate(t, name)}
	}
	return all
}

func TestCheckedChangesKeepTheInvariants(t *testing.T) {
	certificates := holders(t)
	rapid.Check(t, func(rt *rapid.T) {
		changes, times := history(rt, certificates)
		s := registry.NewState()
		var journal []*axispb.RegistryChange
		var stamps []time.Time
		for i, c := range changes {
			before := s.Dump()
			err := s.Check(c, times[i])
			if s.Dump() != before {
				rt.Fatal("a check changed the registry")
			}
			if err != nil {
				continue
			}
			s.Apply(uint64(len(journal)), times[i], c)
			journal, stamps = append(journal, c), append(stamps, times[i])
			if err := s.Invariants(); err != nil {
				rt.Fatalf("after %v: %v", c, err)
			}
		}
		if rebuilt := rebuild(rt, journal, stamps); rebuilt != s.Dump() {
			rt.Fatalf("the registry\n%s\nwas rebuilt as\n%s", s.Dump(), rebuilt)
		}
	})
}

// rebuild goes by the marshalled changes, as a start does.
func rebuild(rt *rapid.T, journal []*axispb.RegistryChange, stamps []time.Time) string {
	s := registry.NewState()
	for i, c := range journal {
		raw, err := proto.Marshal(c)
		if err != nil {
			rt.Fatal(err)
		}
		again := &axispb.RegistryChange{}
		if err := proto.Unmarshal(raw, again); err != nil {
			rt.Fatal(err)
		}
		s.Apply(uint64(i), time.UnixMilli(stamps[i].UnixMilli()), again)
	}
	return s.Dump()
}

// A step counts the same whether it comes in one change with others or alone, so
// Check may judge step by step.
func TestOneChangeIsItsStepsInOrder(t *testing.T) {
	certificates := holders(t)
	rapid.Check(t, func(rt *rapid.T) {
		changes, times := history(rt, certificates)
		whole, apart := registry.NewState(), registry.NewState()
		for i, c := range changes {
			if whole.Check(c, times[i]) != nil {
				continue
			}
			whole.Apply(7, times[i], c)
			for _, step := range c.GetChanges() {
				if err := apart.Check(change(step), times[i]); err != nil {
					rt.Fatalf("%v passes with others and not alone: %v", step, err)
				}
				apart.Apply(7, times[i], change(step))
			}
			if whole.Dump() != apart.Dump() {
				rt.Fatalf("together\n%s\napart\n%s", whole.Dump(), apart.Dump())
			}
		}
	})
}

// A journal written under other rules is read without harm.
func TestUncheckedChangesKeepTheInvariants(t *testing.T) {
	certificates := holders(t)
	rapid.Check(t, func(rt *rapid.T) {
		changes, times := history(rt, certificates)
		s := registry.NewState()
		for i, c := range changes {
			s.Apply(uint64(i), times[i], c)
			if err := s.Invariants(); err != nil {
				rt.Fatalf("after %v: %v", c, err)
			}
			for _, code := range codePool {
				_, _ = s.Route(code, times[i])
				s.Group(code, 0, times[i])
			}
		}
	})
}

// The moves add up to who serves what.
func TestMovesAddUp(t *testing.T) {
	certificates := holders(t)
	rapid.Check(t, func(rt *rapid.T) {
		changes, times := history(rt, certificates)
		s, served := registry.NewState(), map[string]string{}
		for i, c := range changes {
			if s.Check(c, times[i]) != nil {
				continue
			}
			for _, m := range s.Apply(uint64(i), times[i], c).Moved {
				if served[m.Code] != m.From || m.From == m.To {
					rt.Fatalf("%+v, and it was with %q", m, served[m.Code])
				}
				served[m.Code] = m.To
			}
		}
		for _, a := range s.Agencies() {
			if a.Endpoint != served[a.Code] {
				rt.Fatalf("%s is with %q; the moves say %q", a.Code, a.Endpoint, served[a.Code])
			}
		}
	})
}
