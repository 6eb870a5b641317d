package link

import (
	"sync"
	"time"

	"docaxis/internal/chunk"
)

const (
	// rangeTime is what a range should take: long enough that the round trip does
	// not count, short enough that an urgent request does not wait long.
	rangeTime  = 2 * time.Second
	firstRange = 64 << 10
)

// pace is how large the next range should be. Ranges move one at a time, but
// their sizes are read from elsewhere too.
type pace struct {
	mu   sync.Mutex
	next uint32
}

func newPace() *pace { return &pace{next: firstRange} }

func (p *pace) size() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// learn takes over what a range of n bytes took. It grows by doubling at most, so
// that one lucky moment does not stop a slow line, and shrinks at once.
func (p *pace) learn(n uint32, took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case n == 0:
		// Nothing was moved.
	case err != nil && took >= rangeTime:
		p.next = max(p.next/2, chunk.MinRange)
	case err != nil:
		// A refusal says nothing about the line.
	case took <= 0:
		p.next = min(p.next*2, chunk.MaxRange)
	default:
		fit := float64(n) * float64(rangeTime) / float64(took)
		p.next = uint32(min(max(fit, chunk.MinRange), chunk.MaxRange, float64(p.next)*2))
	}
}
