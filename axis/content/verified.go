package content

import (
	"sync"
	"time"

	"docaxis/internal/chunk"
)

const (
	// verifiedPerGeneration bounds the set to about 5 MiB of memory, and lets it
	// cover some 32 to 64 GiB of content.
	verifiedPerGeneration = 32 << 10
	// verifiedFor is how long a chunk is trusted. Disks rot while the axis runs, too: who
	// was given wrong bytes sees it, asks again, and finds them set aside.
	verifiedFor = time.Minute
)

// verifiedSet remembers when chunks were seen to be right. It forgets the older half of
// what it knows when full.
type verifiedSet struct {
	mu         sync.Mutex
	young, old map[chunk.ID]time.Time
}

// has reports whether a chunk was seen to be right within verifiedFor.
func (v *verifiedSet) has(id chunk.ID, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.young[id]
	if !ok {
		at, ok = v.old[id]
	}
	return ok && now.Sub(at).Abs() < verifiedFor
}

func (v *verifiedSet) add(id chunk.ID, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.young == nil || len(v.young) >= verifiedPerGeneration {
		v.young, v.old = map[chunk.ID]time.Time{}, v.young
	}
	v.young[id] = now
}

func (v *verifiedSet) remove(id chunk.ID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.young, id)
	delete(v.old, id)
}
