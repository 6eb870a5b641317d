package hubtest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

// mutations of each service's requests; the seed is fixed, so that what fails once
// fails again.
const (
	mutations = 2000
	atOnce    = 4 // eight would now and then be busy, and in the end cut off
)

// reasonable answers to garbage. Unavailable is none: nothing is wrong with the axis.
var reasonable = []string{
	"carried out", "MALFORMED", "NOT_FOUND", "DIGEST_MISMATCH", "CONTENT_MISSING", "QUOTA", "BUSY",
	// of registrations
	"BAD_CODE", "UNKNOWN_CODE", "PARENT", "NOT_BELOW", "OPERATORS_ONLY", "SERVED_ELSEWHERE", "REGISTRY_CONFLICT",
}

// testGarbage sends requests that were once right to every service: each gets an
// answer with a reason, none stops the axis, and nothing is journaled but
// refusals.
func testGarbage(t *testing.T, s *siege) {
	seeds := s.effective(t)
	seeds[bus.Have] = wire(t, &axispb.HaveRequest{Digests: [][]byte{s.crossed.digest(), sum(nil)}})
	seeds[bus.Get] = wire(t, &axispb.GetRequest{LeafIndex: s.shared.item.LeafIndex, Digest: s.shared.digest(), Length: 9})
	seeds[bus.Proof] = wire(t, &axispb.ProofRequest{FromSize: 1, ToSize: 4, LeafIndexPlusOne: 2})
	seeds[bus.Pull] = wire(t, &axispb.PullRequest{Epoch: 1, SeenSize: 2, ReceiptSize: 2, MaxBytes: 1, Cursors: fromTheStart().Cursors})
	before := s.state(t)
	for service, seed := range seeds {
		said := s.throw(t, service, seed)
		if n := said["MALFORMED"]; n == 0 || n == mutations {
			t.Errorf("%s: the mutations are too mild or too wild: %v", service, said)
		}
		for what, n := range said {
			if !slices.Contains(reasonable, what) {
				t.Errorf("%s: %d times %s", service, n, what)
			}
		}
	}
	s.onlyMine(t, before)
	s.throwStatements(t)
	s.oversize(t)
	id := s.send(t, "năm", "H41")
	wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
	s.settle(t)
}

// onlyMine holds the axis to have changed in nothing but what is the attacker's.
func (s *siege) onlyMine(t *testing.T, before state) {
	t.Helper()
	after := s.state(t)
	number := after.number(s.attacker.Name)
	for _, line := range before.changes(after) {
		own := strings.Contains(line, "H25") || strings.Contains(line, s.attacker.Name)
		follows := strings.HasPrefix(line, "+chunk ") || strings.HasPrefix(line, "+file /chunks/")
		if word := s.explain(line, number); word == line && !own && !follows {
			t.Errorf("changed: %s", line)
		}
	}
}

// throw sends mutations of a request and counts what is answered.
func (s *siege) throw(t *testing.T, service bus.Service, seed []byte) map[string]int {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 11))
	return s.volley(t, service, func() []byte { return mutate(rng, seed) })
}

func (s *siege) volley(t *testing.T, service bus.Service, next func() []byte) map[string]int {
	t.Helper()
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		said = map[string]int{}
	)
	requests := make(chan []byte)
	for range atOnce {
		wg.Go(func() {
			for req := range requests {
				a, err := s.raw.tryAsk(service, req)
				mu.Lock()
				if err != nil {
					said[err.Error()]++
				} else {
					said[word(a)]++
				}
				mu.Unlock()
			}
		})
	}
	for range mutations {
		requests <- next()
	}
	close(requests)
	wg.Wait()
	return said
}

func word(a *axispb.Answer) string {
	if a.GetError() == nil {
		return "carried out"
	}
	return a.GetError().GetCode().String()[len("REASON_"):]
}

// mutate changes a few places of a message, or cuts it up.
func mutate(rng *rand.Rand, seed []byte) []byte {
	b := append([]byte(nil), seed...)
	for range 1 + rng.IntN(4) {
		at := rng.IntN(len(b) + 1)
		switch rng.IntN(7) {
		case 0:
			b = b[:at]
		case 1:
			b = append(b[:at:at], b[min(len(b), at+rng.IntN(40)):]...)
		case 2:
			b = append(b, seed...)
		case 3:
			b = append(b[:at:at], append(protowire.AppendVarint(nil, rng.Uint64()>>rng.IntN(64)), b[at:]...)...)
		case 4:
			b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(1+rng.IntN(20)), protowire.VarintType), rng.Uint64())
		default:
			if at < len(b) {
				b[at] ^= byte(1 + rng.IntN(255))
			}
		}
	}
	return b
}

// throwStatements signs statements whose members are anything: they get past the
// signature, up to whoever decides.
func (s *siege) throwStatements(t *testing.T) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 5))
	base := s.about(t, s.shared, "H41")
	s.attack(t, nil, func() {
		said := s.volley(t, bus.Evidence, func() []byte {
			st := proto.CloneOf(base)
			for range 1 + rng.IntN(3) {
				scramble(rng, st)
			}
			return wire(t, &axispb.EvidenceRequest{Evidence: [][]byte{s.sign(t, st)}})
		})
		if said["carried out"] != mutations {
			t.Errorf("signed statements: %v", said)
		}
	})
}

func scramble(rng *rand.Rand, st *axispb.Statement) {
	any64 := rng.Uint64() >> rng.IntN(64)
	text := []string{"", "H25", "H41", "G22", "\x00", "'; DROP TABLE evidence; --", fmt.Sprint(any64)}[rng.IntN(7)]
	switch rng.IntN(10) {
	case 0:
		st.Counter = any64
	case 1:
		st.TimeMs = int64(any64)
	case 2:
		st.Document.LeafIndex = any64
	case 3:
		st.Document.Epoch = any64
	case 4:
		st.Checkpoint = &axispb.CheckpointRef{Epoch: uint64(rng.IntN(3)), Size: any64, Root: sum(nil)}
	case 5:
		st.Event = axispb.Event(rng.IntN(12) - 1)
	case 6:
		st.Reason = &axispb.Reason{Code: axispb.ReasonCode(rng.IntN(200)), Args: []string{text, text}}
	case 7:
		st.Sender, st.EnvelopeId = text, text
	case 8:
		st.Code = []string{"H41", "G22", "H42", text}[rng.IntN(3)]
	case 9:
		st.BusinessState, st.ConfirmedUnread = text, true
	}
}

// oversize: requests over each service's bounds are refused before they are read,
// and those over the line's bound never arrive.
func (s *siege) oversize(t *testing.T) {
	t.Helper()
	big := make([]byte, bus.MaxPayload-4096)
	for i := range big {
		big[i] = 0x0a // a length, over and over
	}
	s.attack(t, nil, func() {
		for _, service := range bus.Services() {
			if service == bus.Enrol {
				continue
			}
			a := s.raw.askRaw(t, service, big)
			if a.GetError().GetCode() != axispb.ReasonCode_REASON_MALFORMED {
				t.Errorf("%s with 2 MiB: %s", service, said(a))
			}
		}
		over := s.connect(t, s.attacker)
		if err := over.Publish(bus.ServiceSubject(bus.Put, s.attacker.Name), make([]byte, bus.MaxPayload+1)); err == nil {
			t.Error("more than the largest payload is published")
		}
	})
}
