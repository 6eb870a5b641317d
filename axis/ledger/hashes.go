package ledger

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// hashesKept bounds the memory that hashes take to about 3 MiB.
const hashesKept = 16 << 10

// hashes remembers stored hashes of the tree that were read lately. A stored hash
// never changes, and every proof of a new leaf needs the same few.
type hashes struct {
	mu       sync.Mutex
	now, old map[int64]tlog.Hash
}

func (h *hashes) get(id int64) (tlog.Hash, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hash, ok := h.now[id]
	if !ok {
		if hash, ok = h.old[id]; ok {
			h.keep(id, hash)
		}
	}
	return hash, ok
}

func (h *hashes) put(id int64, hash tlog.Hash) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keep(id, hash)
}

// keep needs the lock.
func (h *hashes) keep(id int64, hash tlog.Hash) {
	if h.now == nil || len(h.now) >= hashesKept {
		h.old, h.now = h.now, make(map[int64]tlog.Hash)
	}
	h.now[id] = hash
}

const selectHash = `SELECT hash FROM hash WHERE id = ?`

// read gives stored hashes, from the database where they are not remembered.
func (h *hashes) read(ctx context.Context, q querier, ids []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(ids))
	for i, id := range ids {
		hash, ok := h.get(id)
		if !ok {
			var b []byte
			if err := q.QueryRowContext(ctx, selectHash, id).Scan(&b); err != nil {
				return nil, fmt.Errorf("read hash %d of the tree: %w", id, err)
			}
			if len(b) != tlog.HashSize {
				return nil, fmt.Errorf("hash %d of the tree has %d bytes", id, len(b))
			}
			hash = tlog.Hash(b)
			h.put(id, hash)
		}
		all[i] = hash
	}
	return all, nil
}
