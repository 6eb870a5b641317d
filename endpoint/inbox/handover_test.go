package inbox

import (
	"slices"
	"testing"
	"time"

	"docaxis/proto/axispb"
)

func due(seconds int) func(*axispb.InboxEntry) {
	return func(e *axispb.InboxEntry) {
		if seconds > 0 {
			e.HandoverByMs = start.Add(time.Duration(seconds) * time.Second).UnixMilli()
		}
	}
}

// What is due is what is here, was not taken, and has a deadline that has come.
func TestDueHandovers(t *testing.T) {
	b := openBox(t)
	late := func(seconds, limit int) (ids []string) {
		b.do(func(in Inbox) error {
			all, err := in.DueHandovers(start.Add(time.Duration(seconds)*time.Second), limit)
			for _, e := range all {
				ids = append(ids, e.Id)
			}
			return err
		})
		return ids
	}
	all := map[string]*axispb.InboxEntry{}
	for id, seconds := range map[string]int{"a": 30, "b": 10, "c": 20, "never": 0, "fetching": 1, "taken": 1, "refused": 1, "second": 1} {
		all[id] = entry(id, "H41", due(seconds))
		b.add(all[id])
		if id != "fetching" {
			b.mustMove(all[id], consigned)
		}
	}
	b.mustMove(all["taken"], handed)
	b.mustMove(all["refused"], refused)
	b.do(func(in Inbox) error { return in.MarkSecond(KeyOf(all["second"])) })
	for _, tt := range []struct {
		seconds, limit int
		want           []string
	}{
		{9, 9, nil}, {10, 9, []string{"b"}}, {25, 9, []string{"b", "c"}}, {1000, 9, []string{"b", "c", "a"}}, {1000, 2, []string{"b", "c"}},
	} {
		if got := late(tt.seconds, tt.limit); !slices.Equal(got, tt.want) {
			t.Errorf("after %d s, %d at most: %v, not %v", tt.seconds, tt.limit, got, tt.want)
		}
	}
	b.mustMove(all["b"], refused)
	if got := late(15, 9); got != nil {
		t.Errorf("stated already: %v", got)
	}
	if err := b.check(); err != nil {
		t.Error(err)
	}
}
