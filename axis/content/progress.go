package content

import (
	"hash"
	"sync"
	"time"
)

// underWay bounds the uploads that are remembered, to some 500 KiB.
const underWay = 2048

// progress is how far an upload has come whose part this process began: its row and
// its file need not be looked at for each range, and its bytes not be read again.
type progress struct {
	size, held, start int64
	sum               hash.Hash // of what is held
	until             time.Time // the row is there until then
}

// counts reports whether what is remembered is of the upload that a range is of, and
// its row still there.
func (p *progress) counts(up upload, now time.Time) bool {
	return p != nil && up.size == p.size && now.Before(p.until)
}

// next reports whether a range is the next one. Of two that an endpoint has under way
// the second may come first.
func (p *progress) next(up upload) bool { return up.offset == p.held && len(up.data) > 0 }

// progresses is the uploads under way, by the path of their part; whoever holds that
// path's lock may take one out and put it back.
type progresses struct {
	mu  sync.Mutex
	all map[string]*progress
}

// take takes an upload out; nil where it is not known. Whoever fails does not put it
// back, and the disk is asked next time.
func (p *progresses) take(part string) *progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.all[part]
	delete(p.all, part)
	return one
}

// put remembers an upload, and forgets any other where there are too many.
func (p *progresses) put(part string, one *progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[string]*progress{}
	}
	if len(p.all) >= underWay {
		for other := range p.all {
			delete(p.all, other)
			break
		}
	}
	p.all[part] = one
}
