package link

import (
	"time"

	"docaxis/internal/chunk"
)

// aboardParts are shared by the content inside the submissions under way: all of them are
// what the line moves in about two seconds.
const aboardParts = 1 << 16

// Aboard asks for room for so many bytes of content inside a submission. Where there is
// none, which is false, they are uploaded: a line that is slow takes them range by range.
// done gives the room back, and must be told how the submission ended.
func (l *Link) Aboard(n uint64) (done func(error), ok bool) {
	size := uint64(l.up.size())
	if n > min(size, chunk.MaxAboard) {
		return nil, false
	}
	parts := int64((n*aboardParts + size - 1) / size)
	if !l.aboard.TryAcquire(parts) {
		return nil, false
	}
	start := l.now()
	return func(err error) {
		l.aboard.Release(parts)
		l.up.carried(uint32(n), l.now().Sub(start), err)
	}, true
}

// carried learns from content inside a submission, which took too long for a range: the
// line is slow, or else the next ranges find out that it is not. How long a quick one
// took says little of the line, since the axis wrote a block meanwhile.
func (p *pace) carried(n uint32, took time.Duration, err error) {
	if n == 0 || took < rangeTime {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fit := uint32(float64(n) * float64(rangeTime) / float64(took))
	if err != nil {
		fit = p.next / 2
	}
	p.next = max(min(p.next, fit), chunk.MinRange)
}
