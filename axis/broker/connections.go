package broker

import (
	"errors"
	"slices"
	"sync"
	"time"
)

var errBarred = errors.New("kept out for a while because of its flood of requests")

// errCutMeanwhile: somebody was cut since the decision began; decide again.
var errCutMeanwhile = errors.New("cut meanwhile")

// sweepAfter log-ins, connections that ended are forgotten.
const sweepAfter = 1024

// connections knows the connections of each endpoint and invitation, oldest
// first. The server tells nobody when one ends, so ended ones stay here until
// somebody looks.
//
// A third connection of one name cuts the oldest instead of being refused: an
// endpoint whose line broke comes back while the server still believes in the
// old connections, and must get in. Two copies of one endpoint therefore cut each
// other; their evidence counters give them away (docs/design.md D12).
type connections struct {
	// alive asks the server; set before the first log-in.
	alive func(id uint64) bool
	now   func() time.Time

	mu     sync.Mutex // guards what follows; the server's lock is taken inside it
	byName map[string][]uint64
	byID   map[uint64]string
	barred map[string]time.Time // until when
	cut    uint64               // how often somebody was cut
	since  int                  // log-ins since the last sweep
}

func newConnections(now func() time.Time) *connections {
	return &connections{
		now:    now,
		byName: make(map[string][]uint64),
		byID:   make(map[uint64]string),
		barred: make(map[string]time.Time),
	}
}

// cuts is to be read before a decision and given to add after it.
func (c *connections) cuts() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// add makes a connection known and names those that must go for it. An id comes
// once only: a second log-in on one connection is refused.
func (c *connections) add(name string, id, cuts uint64) (old []uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut != cuts {
		return nil, errCutMeanwhile
	}
	if _, known := c.byID[id]; known {
		return nil, errTwice
	}
	if c.now().Before(c.barred[name]) {
		return nil, errBarred
	}
	if c.since++; c.since >= sweepAfter {
		c.sweep()
	}
	c.prune(name)
	ids := append(c.byName[name], id)
	c.byID[id] = name
	if n := len(ids) - maxPerEndpoint; n > 0 {
		old, ids = slices.Clone(ids[:n]), slices.Clone(ids[n:])
		c.forget(old)
	}
	c.byName[name] = ids
	return old, nil
}

// remove forgets the connections of a name and gives their ids.
func (c *connections) remove(name string) []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut++
	ids := c.byName[name]
	delete(c.byName, name)
	c.forget(ids)
	return ids
}

// bar refuses a name for a while.
func (c *connections) bar(name string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.barred[name] = until
}

// has reports whether a name has an open connection.
func (c *connections) has(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prune(name)
	return len(c.byName[name]) > 0
}

// names lists those with an open connection that pass keep, sorted.
func (c *connections) names(keep func(string) bool) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	var names []string
	for name := range c.byName {
		if keep(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *connections) sweep() {
	c.since = 0
	for name := range c.byName {
		c.prune(name)
	}
	for name, until := range c.barred {
		if !c.now().Before(until) {
			delete(c.barred, name)
		}
	}
}

// prune forgets the connections of a name that ended.
func (c *connections) prune(name string) {
	var live []uint64
	for _, id := range c.byName[name] {
		if c.alive(id) {
			live = append(live, id)
		} else {
			delete(c.byID, id)
		}
	}
	if len(live) == 0 {
		delete(c.byName, name)
		return
	}
	c.byName[name] = live
}

func (c *connections) forget(ids []uint64) {
	for _, id := range ids {
		delete(c.byID, id)
	}
}
