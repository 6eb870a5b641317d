package journal

import (
	"testing"

	"docaxis/proto/axispb"
)

func TestCacheForgetsTheLeastUsed(t *testing.T) {
	entry := func(seq uint64) Entry {
		return Entry{Block: &axispb.Block{}, Raw: make([]byte, 1000), Location: Location{1, seq}}
	}
	c := newCache(3 * cost(entry(0)))
	for seq := range uint64(3) {
		c.add(entry(seq))
	}
	c.add(entry(0)) // known already
	if _, ok := c.get(Location{1, 0}); !ok {
		t.Error("forgot an entry that fits")
	}
	c.add(entry(3))
	for seq, want := range []bool{true, false, true, true} {
		if _, ok := c.get(Location{1, uint64(seq)}); ok != want {
			t.Errorf("entry %d: %v", seq, ok)
		}
	}
	if c.used > c.limit || c.order.Len() != len(c.byLoc) {
		t.Errorf("%d of %d bytes, %d and %d entries", c.used, c.limit, c.order.Len(), len(c.byLoc))
	}
	c.add(Entry{Block: &axispb.Block{}, Raw: make([]byte, 10_000), Location: Location{1, 9}})
	if c.order.Len() != 3 {
		t.Error("took an entry over its limit")
	}
}

func TestGetUsesTheCache(t *testing.T) {
	j, nc := newJournal(t, Config{})
	e := mustAppend(t, j, "a")
	nc.Close()
	if got, err := j.Get(testContext(t), e.Location); err != nil || got.Digest != e.Digest {
		t.Errorf("get without a server: %v", err)
	}
}
