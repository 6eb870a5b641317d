package content

import (
	"sync"

	"docaxis/internal/chunk"
)

// verifiedPerGeneration bounds the set to about 4 MiB of memory, and lets it
// cover some 32 to 64 GiB of content.
const verifiedPerGeneration = 32 << 10

// verifiedSet remembers chunks whose bytes on disk were seen to be right since
// the process started. It forgets the older half of what it knows when full.
type verifiedSet struct {
	mu         sync.Mutex
	young, old map[chunk.ID]struct{}
}

func (v *verifiedSet) has(id chunk.ID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, young := v.young[id]
	_, old := v.old[id]
	return young || old
}

func (v *verifiedSet) add(id chunk.ID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.young == nil || len(v.young) >= verifiedPerGeneration {
		v.young, v.old = map[chunk.ID]struct{}{}, v.young
	}
	v.young[id] = struct{}{}
}

func (v *verifiedSet) remove(id chunk.ID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.young, id)
	delete(v.old, id)
}
