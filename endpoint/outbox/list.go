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

// Each calls f for every submission until it returns an error.
func (o Outbox) Each(f func(*axispb.OutboxEntry) error) error {
	return boltpb.Each[axispb.OutboxEntry](o.entries, nil, func(_ []byte, e *axispb.OutboxEntry) (bool, error) {
		return true, f(e)
	})
}
