package inbox

import (
	"bytes"

	"go.etcd.io/bbolt"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// timeKey orders what was received by when it came.
func timeKey(e *axispb.InboxEntry, key []byte) []byte {
	return append(boltpb.Uint64(uint64(e.ReceivedMs)), key...)
}

// indexTimes makes that order for a store that was written before there was one.
func indexTimes(tx *bbolt.Tx) error {
	b := In(tx)
	if k, _ := b.times.Cursor().First(); k != nil {
		return nil
	}
	return b.Each(func(e *axispb.InboxEntry) error { return b.times.Put(timeKey(e, KeyOf(e).bytes()), nil) })
}

// Newest lists what was received, newest first, before an entry (nil: from the
// newest), at most limit; with unconfirmed, only what an agency has still to take.
func (b Inbox) Newest(before *axispb.InboxEntry, unconfirmed bool, limit int) ([]*axispb.InboxEntry, error) {
	c := b.times.Cursor()
	k, _ := c.Last()
	if before != nil {
		if k, _ = c.Seek(timeKey(before, KeyOf(before).bytes())); k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
	}
	var all []*axispb.InboxEntry
	for ; k != nil && len(all) < limit; k, _ = c.Prev() {
		e, err := boltpb.Get[axispb.InboxEntry](b.entries, k[8:])
		if err != nil {
			return nil, err
		}
		if !unconfirmed || Unconfirmed(e) {
			all = append(all, e)
		}
	}
	return all, nil
}

// Counts says how many documents are in each state, without reading them.
func (b Inbox) Counts() map[axispb.State]int {
	counts := make(map[axispb.State]int)
	c := b.codes.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if i := bytes.IndexByte(k, 0); i >= 0 && i+1 < len(k) {
			counts[axispb.State(k[i+1])]++
		}
	}
	return counts
}

// UnsentCount is how many statements the axis has not answered.
func (b Inbox) UnsentCount() int { return b.unsent.Stats().KeyN }
