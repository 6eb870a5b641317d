package inbox

import (
	"encoding/binary"
	"time"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// The index inbox_handover has, by when they must be handed over, the documents that
// are here whole and that their DMS has still to take: what is due is what stands first.

// handoverPlaces lists where an entry stands in inbox_handover. A second copy is not
// this endpoint's to hand over; one whose files are still looked at is not the DMS's
// to take.
func (b Inbox) handoverPlaces(e *axispb.InboxEntry, key []byte) []place {
	if e.State != axispb.State_STATE_CONSIGNED || e.HandoverByMs <= 0 || e.SecondCopy || Looking(e) {
		return nil
	}
	return []place{{b.handovers, append(boltpb.Uint64(uint64(e.HandoverByMs)), key...), nil}}
}

// DueHandovers lists the documents that were to be handed over by now and were not,
// longest due first, at most limit.
func (b Inbox) DueHandovers(now time.Time, limit int) (all []*axispb.InboxEntry, err error) {
	c := b.handovers.Cursor()
	for k, _ := c.First(); k != nil && len(all) < limit; k, _ = c.Next() {
		if int64(binary.BigEndian.Uint64(k)) > now.UnixMilli() {
			break
		}
		e, err := boltpb.Get[axispb.InboxEntry](b.entries, k[8:])
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}
