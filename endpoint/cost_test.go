package endpoint

import (
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/proto/axispb"
)

// counts counts what happens at points.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) at(point string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[point]++
	return nil
}

func (c *counts) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.of
	c.of = nil
	return was
}

// counted starts an office whose commits are counted, and which pulls only when it
// has a reason to.
func counted(o *office) *counts {
	c := &counts{}
	o.adjust = func(cfg *Config) {
		cfg.StoreFaults = c.at
		cfg.PullEvery = time.Hour
	}
	o.start()
	return c
}

// A small document costs three commits where it is sent (queued with its first
// attempt, receipt, evidence of the consignment) and three where it is received
// (arrived with its first fetch, consigned, the axis has the evidence).
func TestCommitsOfADocument(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	sending, receiving := counted(from), counted(to)
	from.synced("H41", "H42")
	to.synced("H41", "H42")
	// Labels are committed beside the way, many together.
	defer from.agent.occupy(t)()
	defer to.agent.occupy(t)()
	for round := range 4 {
		quiet(t, to)
		sending.take()
		receiving.take()
		id := from.send(draft("H41", "H42").with(noise(3000)))
		from.wait(id, axispb.State_STATE_CONSIGNED)
		quiet(t, to)
		if round == 0 {
			continue // what the start had to pull may still have been coming
		}
		if n := sending.take()["store.write.before"]; n != 3 {
			t.Errorf("round %d: %d commits at the sender, not 3", round, n)
		}
		if n := receiving.take()["store.write.before"]; n != 3 {
			t.Errorf("round %d: %d commits at the recipient, not 3", round, n)
		}
	}
}

// quiet waits until the axis has everything that an office states.
func quiet(t *testing.T, o *office) {
	t.Helper()
	o.until("everything is stated", func() bool {
		var unsent []inbox.Statement
		err := o.agent.db.View(func(tx *bbolt.Tx) (err error) {
			unsent, err = inbox.In(tx).Unsent(1, 1<<20)
			return err
		})
		return err == nil && len(unsent) == 0
	})
}
