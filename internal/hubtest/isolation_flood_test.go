package hubtest_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

// While an endpoint floods every service with what costs most, no victim's request
// fails.
func TestAFloodHarmsNobodyElse(t *testing.T) {
	s := besiege(t)
	ctx, stop := context.WithCancel(t.Context())
	var (
		floods    sync.WaitGroup
		published atomic.Int64
	)
	for service, req := range s.costly(t) {
		floods.Go(func() { s.flood(ctx, service, req, &published) })
	}
	victim := s.connect(t, s.receiver)
	for i := range 5 {
		id := s.send(t, fmt.Sprintf("trong lũ %d", i), "H41")
		wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
		for range 20 {
			for _, a := range []*axispb.Answer{
				victim.ask(t, bus.Pull, fromTheStart()),
				victim.ask(t, bus.Have, &axispb.HaveRequest{Digests: [][]byte{sum(nil)}}),
				victim.ask(t, bus.Proof, &axispb.ProofRequest{FromSize: 1}),
				victim.ask(t, bus.Get, &axispb.GetRequest{LeafIndex: s.crossed.item.LeafIndex, Digest: s.crossed.digest(), Length: 1}),
				victim.ask(t, bus.Put, &axispb.PutRequest{Digest: sum([]byte{byte(i)}), Size: 1, Data: []byte{byte(i)}}),
			} {
				if a.GetError() != nil {
					t.Errorf("a victim is told %s", said(a))
				}
			}
		}
	}
	until(t, "it was a flood", func() bool { return published.Load() > 1000 })
	stop()
	floods.Wait()
	s.settle(t)
}

// costly are requests that cost the axis much and the attacker little.
func (s *siege) costly(t *testing.T) map[bus.Service][]byte {
	t.Helper()
	all := s.effective(t)
	all[bus.Submit] = wire(t, &axispb.SubmitRequest{Envelope: s.compose(t, s.sender, docTo("H41"))})
	st := s.about(t, s.shared, "H41")
	many := make([][]byte, 100)
	for i := range many {
		many[i] = s.sign(t, st)
	}
	all[bus.Evidence] = wire(t, &axispb.EvidenceRequest{Evidence: many})
	digests := make([][]byte, 4096)
	for i := range digests {
		digests[i] = sum([]byte{byte(i), byte(i >> 8)})
	}
	all[bus.Have] = wire(t, &axispb.HaveRequest{Digests: digests})
	all[bus.Get] = wire(t, &axispb.GetRequest{LeafIndex: s.shared.item.LeafIndex, Digest: s.shared.digest(), Length: 1 << 16})
	all[bus.Proof] = wire(t, &axispb.ProofRequest{FromSize: 1, LeafIndexPlusOne: 1})
	return all
}

// flood publishes as fast as the line takes it, and comes back whenever it is cut.
func (s *siege) flood(ctx context.Context, service bus.Service, req []byte, published *atomic.Int64) {
	for ctx.Err() == nil {
		r, err := s.connectAs(s.attacker.Name, s.me.CA, &s.me.Certificate)
		if err != nil {
			continue
		}
		for err == nil && ctx.Err() == nil {
			err = r.PublishRequest(bus.ServiceSubject(service, s.attacker.Name), bus.InboxPrefix(s.attacker.Name)+".r", req)
			published.Add(1)
		}
		r.Close()
	}
}
