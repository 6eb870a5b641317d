package outbox

import (
	"slices"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// changeBucket orders changes by what they are about: target's sender 0x00 target's id
// 0x00 id. It never changes.
const changeBucket = "outbox_change"

func changePrefix(sender, id string) []byte {
	return slices.Concat([]byte(sender), []byte{0}, []byte(id), []byte{0})
}

// enterChange puts an entry into that order.
func (o Outbox) enterChange(e *axispb.OutboxEntry) error {
	if e.TargetId == "" {
		return nil
	}
	return o.changes.Put(append(changePrefix(e.TargetSender, e.TargetId), e.Id...), nil)
}

// Asked lists what was asked from here about a document and taken by the axis, oldest
// first.
func (o Outbox) Asked(sender, id string) ([]*axispb.OutboxEntry, error) {
	prefix := changePrefix(sender, id)
	var all []*axispb.OutboxEntry
	for _, k := range boltpb.Keys(o.changes, prefix) {
		e, err := o.Get(string(k[len(prefix):]))
		if err != nil {
			return nil, err
		}
		if e.Asks != "" && e.State == axispb.State_STATE_ACCEPTED {
			all = append(all, e)
		}
	}
	return all, nil
}
