package outbox

import (
	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// Filter narrows a list. Zero values do not narrow.
type Filter struct {
	Sender string
	State  axispb.State
	// Before is the id at which the last page ended.
	Before string
	// Limit is the length of the page; 0 means 100.
	Limit int
}

// List gives submissions, newest first.
func (o Outbox) List(f Filter) ([]*axispb.OutboxEntry, error) {
	if f.Limit == 0 {
		f.Limit = 100
	}
	var all []*axispb.OutboxEntry
	c := o.entries.Cursor()
	k, v := c.Last()
	if f.Before != "" {
		if k, v = c.Seek([]byte(f.Before)); k == nil {
			k, v = c.Last()
		}
	}
	for ; k != nil && len(all) < f.Limit; k, v = c.Prev() {
		if f.Before != "" && string(k) >= f.Before {
			continue
		}
		e, err := boltpb.Decode[axispb.OutboxEntry](v)
		if err != nil {
			return nil, err
		}
		if f.matches(e) {
			all = append(all, e)
		}
	}
	return all, nil
}

func (f Filter) matches(e *axispb.OutboxEntry) bool {
	return (f.Sender == "" || e.Sender == f.Sender) &&
		(f.State == axispb.State_STATE_UNSPECIFIED || e.State == f.State)
}

// Counts says how many submissions are in each state.
func (o Outbox) Counts() (map[axispb.State]int, error) {
	counts := make(map[axispb.State]int)
	err := o.Each(func(e *axispb.OutboxEntry) error {
		counts[e.State]++
		return nil
	})
	return counts, err
}
