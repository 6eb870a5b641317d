package endpoint

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"docaxis/internal/envelope"
)

const (
	// rememberedEnvelopes of at most rememberedSize each are those that the pools have
	// under way, and their labels: up to 4 MiB, taken apart.
	rememberedEnvelopes = 64
	rememberedSize      = 16 << 10
)

// envelopes are the last ones that were made, that arrived or that were read, by digest:
// on its way a document's envelope is needed three times at each end. Nobody changes
// them, and no entry names one before it is durable.
type envelopes struct {
	mu   sync.Mutex
	by   map[[sha256.Size]byte]*envelope.Envelope
	next int // of last, where the oldest is
	last [rememberedEnvelopes][sha256.Size]byte
}

func (r *envelopes) find(digest [sha256.Size]byte) *envelope.Envelope {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by[digest]
}

func (r *envelopes) remember(digest [sha256.Size]byte, e *envelope.Envelope) {
	if len(e.Raw) > rememberedSize {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[digest] != nil {
		return
	}
	if r.by == nil {
		r.by = make(map[[sha256.Size]byte]*envelope.Envelope, rememberedEnvelopes)
	}
	delete(r.by, r.last[r.next])
	r.by[digest], r.last[r.next] = e, digest
	r.next = (r.next + 1) % len(r.last)
}

// envelope is an envelope that this endpoint keeps.
func (a *Agent) envelope(digest []byte) (*envelope.Envelope, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("digest of an envelope has %d bytes", len(digest))
	}
	key := [sha256.Size]byte(digest)
	if e := a.recent.find(key); e != nil {
		return e, nil
	}
	raw, err := a.files.Read(key, envelope.MaxSize)
	if err != nil {
		return nil, err
	}
	e, err := envelope.Parse(raw)
	if err == nil {
		a.recent.remember(key, e)
	}
	return e, err
}
