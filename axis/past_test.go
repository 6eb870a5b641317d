package axis

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis/intake"
	"docaxis/axis/ledger"
	"docaxis/axis/registry"
	"docaxis/proto/axispb"
)

// lostChange is a registry change that an earlier epoch had at a leaf, as an endpoint
// gives it back.
func lostChange(t *testing.T, leaf uint64, steps ...*axispb.Change) []byte {
	t.Helper()
	marshal := func(m proto.Message) []byte {
		raw, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	body := marshal(&axispb.RegistryChange{Version: 1, Actor: "test", Changes: steps})
	r, err := intake.NewRecord(zeros{}, 1, axispb.Kind_KIND_REGISTRY, time.UnixMilli(int64(leaf)), body, &axispb.Decision{})
	if err != nil {
		t.Fatal(err)
	}
	receipt := marshal(&axispb.Receipt{Version: 1, LeafIndex: leaf, Header: r.Header, Decision: r.Decision, Checkpoint: []byte("note")})
	return marshal(&axispb.Recovered{
		Version: 1, Record: r, Receipt: receipt, Original: &axispb.RecordRef{Epoch: 1, LeafIndex: leaf},
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func named(code, name string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_PutAgency{
		PutAgency: &axispb.Agency{Code: code, Name: name, Level: axispb.Level_LEVEL_PROVINCE},
	}}
}

func servedBy(code, endpoint string) *axispb.Change {
	return &axispb.Change{Change: &axispb.Change_ServeCode{ServeCode: &axispb.ServeCode{Code: code, Endpoint: endpoint}}}
}

// Whoever gives lost registry changes back chooses the order, and gains nothing by it:
// whatever the order, the registry is as it was.
func TestLostRegistryChangesTakeTheirOldPlace(t *testing.T) {
	lost := [][]byte{
		lostChange(t, 10, named("H41", "một")),
		lostChange(t, 11, servedBy("H41", "second")),
		lostChange(t, 12, named("H41", "hai")),
		lostChange(t, 13, servedBy("H41", "third")),
	}
	orders := 0
	permute(len(lost), func(order []int) {
		orders++
		p := foundedProjector(t)
		for position, i := range order {
			takeBack(t, p, uint64(position), lost[i])
		}
		if a, _ := p.registry.Agency("H41"); a.Name != "hai" || a.Endpoint != "third" {
			t.Errorf("given back as %v: %s is served by %s", order, a.Name, a.Endpoint)
		}
	})
	if orders != 24 {
		t.Fatalf("%d orders", orders)
	}
}

// What an operator decided since the epoch was opened holds against what is older,
// also where that comes in two pieces.
func TestNewDecisionsHoldAgainstLostOnes(t *testing.T) {
	p := foundedProjector(t)
	now := &axispb.RegistryChange{Version: 1, Changes: []*axispb.Change{servedBy("H41", "first")}}
	p.registry.Apply(1, time.UnixMilli(100), now)
	p.past.decided(now)

	older := &axispb.RegistryChange{Version: 1, Changes: []*axispb.Change{servedBy("H41", "second")}}
	if err := p.past.fits(older); err == nil {
		t.Error("a lost change of what was decided anew fits")
	}
	other := &axispb.RegistryChange{Version: 1, Changes: []*axispb.Change{named("H41", "hai")}}
	if err := p.past.fits(other); err != nil {
		t.Errorf("a lost change of something else: %v", err)
	}
	takeBack(t, p, 2, lostChange(t, 12, named("H41", "hai")))
	if a, _ := p.registry.Agency("H41"); a.Name != "hai" || a.Endpoint != "first" {
		t.Errorf("%s is served by %s", a.Name, a.Endpoint)
	}
	p.past.forget()
	if err := p.past.fits(older); err != nil {
		t.Errorf("in a further epoch: %v", err)
	}
}

// foundedProjector has an agency and three endpoints, as a backup would.
func foundedProjector(t *testing.T) *projector {
	t.Helper()
	p := &projector{registry: registry.NewState()}
	founded := &axispb.RegistryChange{Version: 1, Changes: []*axispb.Change{named("H41", "không")}}
	for i, name := range []string{"first", "second", "third"} {
		founded.Changes = append(founded.Changes, &axispb.Change{Change: &axispb.Change_PutEndpoint{
			PutEndpoint: &axispb.Endpoint{Name: name, Certificate: fmt.Append(nil, "certificate ", i)},
		}})
	}
	founded.Changes = append(founded.Changes, servedBy("H41", "first"))
	p.registry.Apply(0, time.UnixMilli(1), founded)
	if a, ok := p.registry.Agency("H41"); !ok || a.Endpoint != "first" {
		t.Fatalf("%+v", a)
	}
	return p
}

func takeBack(t *testing.T, p *projector, position uint64, raw []byte) {
	t.Helper()
	out := &ledger.Record{Position: 100 + position}
	if err := p.recoveredChange(out, raw); err != nil {
		t.Fatal(err)
	}
	if !out.Public {
		t.Error("endpoints are not told")
	}
}

// permute calls f with every order of n things.
func permute(n int, f func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var from func(int)
	from = func(k int) {
		if k == n {
			f(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			from(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	from(0)
}
