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

// wideRange is the time within which a range of the largest size is moved on a line that
// is fast: what may be under way there, two of them, takes a tenth of rangeTime
// (docs/decisions/0085-two-ranges-on-a-fast-line.md).
const wideRange = 100 * time.Millisecond

// pace is how large the next range should be, and whether it may go beside another.
type pace struct {
	mu   sync.Mutex
	next uint32
	fast bool
}

func (p *pace) wide() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fast
}

// rangeParts may be under way: on a fast line a range takes one for each partSize that
// it may have, so that two of the largest or four small ones go side by side; on any
// other it takes all.
const (
	rangeParts = 4
	partSize   = 2 * chunk.MaxRange / rangeParts
)

// parts is how many parts a range of at most limit bytes takes.
func (p *pace) parts(limit uint32) int64 {
	if !p.wide() {
		return rangeParts
	}
	return int64(max(1, (min(limit, chunk.MaxRange)+partSize-1)/partSize))
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
	switch {
	case err != nil, p.next < chunk.MaxRange, took > wideRange:
		p.fast = false
	case n > 0 && took*time.Duration(chunk.MaxRange/n) <= wideRange:
		p.fast = true
	case n == chunk.MaxRange:
		p.fast = false
	}
	// Else it was a small range, for which the way there and back counts.
}
