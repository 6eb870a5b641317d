package journal

import (
	"container/list"
	"sync"
)

// cache keeps the blocks that were used last, because the records of a mailbox page are
// mostly neighbours, and those of a fan-out are one and the same.
type cache struct {
	mu    sync.Mutex
	limit int
	used  int
	order *list.List // of Entry; the last used in front
	byLoc map[Location]*list.Element
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), byLoc: make(map[Location]*list.Element)}
}

// cost of an entry in memory: its bytes once stored and once decoded, and the frame.
func cost(e Entry) int { return 2*len(e.Raw) + 512 + 256*len(e.Block.Records) }

func (c *cache) get(at Location) (Entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byLoc[at]
	if !ok {
		return Entry{}, false
	}
	c.order.MoveToFront(el)
	return el.Value.(Entry), true
}

func (c *cache) add(e Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byLoc[e.Location]; ok || cost(e) > c.limit {
		return
	}
	c.byLoc[e.Location] = c.order.PushFront(e)
	c.used += cost(e)
	for c.used > c.limit {
		oldest := c.order.Back()
		entry := c.order.Remove(oldest).(Entry)
		delete(c.byLoc, entry.Location)
		c.used -= cost(entry)
	}
}
