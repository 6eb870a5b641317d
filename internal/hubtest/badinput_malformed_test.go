package hubtest_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	operator "docaxis/axis/admin"
	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

const (
	// heldMore is how much more memory the axis, with its endpoints in the same
	// process, may hold after all of them, in bytes.
	heldMore = 64 << 20
)

// Whatever comes instead of a request gets an answer with a reason, or what could
// be carried out is; none of it stops the axis or stays in its memory, and a
// neighbour's documents pass meanwhile.
func TestMalformedRequestsAreAnsweredAndForgotten(t *testing.T) {
	s := besiege(t)
	invited := s.invitedRaw(t)
	before := heapInUse()
	seeds := s.effective(t)
	seeds[bus.Have] = wire(t, &axispb.HaveRequest{Digests: [][]byte{s.crossed.digest(), sum(nil)}})
	seeds[bus.Get] = wire(t, &axispb.GetRequest{LeafIndex: s.shared.item.LeafIndex, Digest: s.shared.digest(), Length: 9})
	seeds[bus.Proof] = wire(t, &axispb.ProofRequest{FromSize: 1, ToSize: 4, LeafIndexPlusOne: 2})
	seeds[bus.Enrol] = wire(t, &axispb.EnrolRequest{Csr: []byte("no request")})
	hailed := make(chan struct{})
	go func() {
		defer close(hailed)
		// First, since the axis keeps a line that was made with an invitation for a
		// minute or two only.
		judgeHail(t, bus.Enrol, hail(invited, bus.Enrol, seeds[bus.Enrol]))
		for _, service := range bus.Services() {
			if service != bus.Enrol {
				judgeHail(t, service, hail(s.raw, service, seeds[service]))
			}
		}
	}()
	arrived := s.keepSending(t, hailed)
	s.settle(t)
	s.wellServed(t)
	grown := int64(heapInUse()) - int64(before)
	if grown > heldMore {
		t.Errorf("%d bytes are held", grown)
	}
	t.Logf("%d documents of a neighbour arrived meanwhile; %d KiB more are held", arrived, grown>>10)
}

// keepSending sends a neighbour's documents one after the other, at least one, each
// of which must arrive, until something is over.
func (s *siege) keepSending(t *testing.T, over <-chan struct{}) (arrived int) {
	t.Helper()
	for {
		id := s.send(t, fmt.Sprintf("giữa lúc %d", arrived), "H41")
		wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
		arrived++
		select {
		case <-over:
			return arrived
		default:
		}
	}
}

func judgeHail(t *testing.T, service bus.Service, answers map[string]int) {
	total := 0
	own := map[bus.Service]string{
		bus.Enrol:   "FORBIDDEN",   // for an endpoint other than the invitation's
		bus.Recover: "UNAVAILABLE", // in an epoch that is not the present one: pull first
	}
	for what, n := range answers {
		total += n
		if !slices.Contains(reasonable, what) && what != "INVITATION_INVALID" && what != own[service] {
			t.Errorf("%s: %d times %s", service, n, what)
		}
	}
	if total != malformed || answers["MALFORMED"] == 0 {
		t.Errorf("%s: %d answers of %d: %v", service, total, malformed, answers)
	}
	t.Logf("%s: %v", service, answers)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func (s *siege) invitedRaw(t *testing.T) *raw {
	t.Helper()
	invited, err := s.Hub().Invite(t.Context(), operator.Invite{Why: byTest, Codes: []string{"H42"}})
	if err != nil {
		t.Fatal(err)
	}
	i, err := bus.ParseInvite(invited.Invitation)
	if err != nil {
		t.Fatal(err)
	}
	return s.connectInvited(t, i)
}

// hail sends what is no request, and counts what is answered.
func hail(r *raw, service bus.Service, seed []byte) map[string]int {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		said = map[string]int{}
	)
	requests := make(chan []byte)
	for range atOnce {
		wg.Go(func() {
			for req := range requests {
				a, err := r.tryAsk(service, req)
				what := fmt.Sprint(err)
				if err == nil {
					what = word(a)
				}
				mu.Lock()
				said[what]++
				mu.Unlock()
			}
		})
	}
	rng := rand.New(rand.NewPCG(13, uint64(len(service))))
	for i := range malformed {
		requests <- hailstone(rng, i, seed)
	}
	close(requests)
	wg.Wait()
	return said
}

// hailstone is one of the ways in which a request is none.
func hailstone(rng *rand.Rand, i int, seed []byte) []byte {
	switch i % 5 {
	case 0: // bytes that mean nothing
		b := make([]byte, rng.IntN(300))
		for j := range b {
			b[j] = byte(rng.Uint32())
		}
		return b
	case 1: // cut off
		return seed[:rng.IntN(len(seed)+1)]
	case 2: // right in form, absurd in its values
		return absurd(rng, 1+rng.IntN(6))
	case 3: // with members that nobody knows, one in the other
		return nested(rng, seed, 1+rng.IntN(200))
	default:
		return mutate(rng, seed)
	}
}

// absurd is a message of the members that requests have, with values that no request
// has: sizes without end, negative where nothing is, digests of any length.
func absurd(rng *rand.Rand, members int) (b []byte) {
	numbers := []uint64{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, huge}
	for range members {
		number := protowire.Number(1 + rng.IntN(6))
		if rng.IntN(2) == 0 {
			b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), numbers[rng.IntN(len(numbers))])
			continue
		}
		value := make([]byte, []int{0, 1, 31, 32, 33, 64, 4096}[rng.IntN(7)])
		b = protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
	}
	return b
}

// nested wraps a message into itself, under a member that may be known or not.
func nested(rng *rand.Rand, seed []byte, depth int) []byte {
	number := protowire.Number(1 + rng.IntN(30))
	b := []byte{}
	for range depth {
		b = protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), b)
	}
	if rng.IntN(2) == 0 {
		return append(b, seed...)
	}
	return b
}
