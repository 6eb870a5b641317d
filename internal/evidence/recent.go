package evidence

import (
	"crypto/sha256"
	"sync"
)

// recent remembers what verified, by the digest of its exact bytes: the same
// certificate signs thousands of statements, and one checkpoint covers a page of
// records. Only what is true for ever may be put here. It holds between limit and
// twice that many of those used last.
type recent[V any] struct {
	limit int

	mu       sync.Mutex
	now, old map[[sha256.Size]byte]V
}

func newRecent[V any](limit int) *recent[V] {
	return &recent[V]{limit: limit, now: make(map[[sha256.Size]byte]V)}
}

func (r *recent[V]) get(key [sha256.Size]byte) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.now[key]
	if ok {
		return v, true
	}
	if v, ok = r.old[key]; ok {
		r.keep(key, v)
	}
	return v, ok
}

func (r *recent[V]) put(key [sha256.Size]byte, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(key, v)
}

// keep needs the lock.
func (r *recent[V]) keep(key [sha256.Size]byte, v V) {
	if len(r.now) >= r.limit {
		r.old, r.now = r.now, make(map[[sha256.Size]byte]V)
	}
	r.now[key] = v
}
