package inbox

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

// What the quarantine holds at most: whoever can make items fail must not be able to
// fill the disk with them.
const (
	quarantineRows  = 10_000
	quarantineBytes = 64 << 20
)

// totalKey is the one key of the bucket of totals.
const totalKey = "total"

// QuarantineTotal is what the quarantine holds, and what it no longer does.
type QuarantineTotal struct {
	Rows, Bytes uint64
	// Dropped counts the items that went because there were too many.
	Dropped uint64
}

// Quarantine keeps an item that failed a check. Where that makes too many, the oldest
// go; dropped says how many.
func (b Inbox) Quarantine(q *axispb.QuarantineEntry) (dropped uint64, err error) {
	return b.quarantineWithin(q, quarantineRows, quarantineBytes)
}

func (b Inbox) quarantineWithin(q *axispb.QuarantineEntry, rows, bytes uint64) (dropped uint64, err error) {
	q.Version = 1
	key := append([]byte{byte(q.Item.GetLane())}, boltpb.Uint64(q.Item.GetPosition())...)
	key = binary.BigEndian.AppendUint32(key, q.Item.GetOrdinal())
	total, err := b.QuarantineTotal()
	if err != nil {
		return 0, err
	}
	if err := b.drop(key, &total); err != nil {
		return 0, err
	}
	raw, err := proto.Marshal(q)
	if err != nil {
		return 0, fmt.Errorf("store quarantined item: %w", err)
	}
	if err := errors.Join(b.quarantine.Put(key, raw), b.age.Put(ageKey(q, key), nil)); err != nil {
		return 0, err
	}
	total.Rows, total.Bytes = total.Rows+1, total.Bytes+uint64(len(raw))
	for total.Rows > rows || total.Bytes > bytes && total.Rows > 1 {
		oldest, _ := b.age.Cursor().First()
		if oldest == nil {
			break
		}
		if err := b.drop(append([]byte(nil), oldest[8:]...), &total); err != nil {
			return dropped, err
		}
		dropped++
	}
	total.Dropped += dropped
	return dropped, b.putTotal(total)
}

// drop takes a row out, where it is there.
func (b Inbox) drop(key []byte, total *QuarantineTotal) error {
	raw := b.quarantine.Get(key)
	if raw == nil {
		return nil
	}
	was, err := boltpb.Decode[axispb.QuarantineEntry](raw)
	if err != nil {
		return err
	}
	total.Rows, total.Bytes = total.Rows-1, total.Bytes-uint64(len(raw))
	return errors.Join(b.age.Delete(ageKey(was, key)), b.quarantine.Delete(key))
}

func ageKey(q *axispb.QuarantineEntry, key []byte) []byte {
	return append(boltpb.Uint64(uint64(q.TimeMs)), key...)
}

// QuarantineTotal counts the quarantine without reading it.
func (b Inbox) QuarantineTotal() (t QuarantineTotal, err error) {
	raw := b.totals.Get([]byte(totalKey))
	if raw == nil {
		return t, nil
	}
	if len(raw) != 24 {
		return t, fmt.Errorf("total of the quarantine has %d bytes", len(raw))
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(raw[8*i:]) }
	return QuarantineTotal{n(0), n(1), n(2)}, nil
}

func (b Inbox) putTotal(t QuarantineTotal) error {
	raw := boltpb.Uint64(t.Rows)
	raw = binary.BigEndian.AppendUint64(raw, t.Bytes)
	return b.totals.Put([]byte(totalKey), binary.BigEndian.AppendUint64(raw, t.Dropped))
}

// Quarantined lists the items that failed a check, at most limit.
func (b Inbox) Quarantined(limit int) ([]*axispb.QuarantineEntry, error) {
	var all []*axispb.QuarantineEntry
	err := boltpb.Each[axispb.QuarantineEntry](b.quarantine, nil, func(_ []byte, q *axispb.QuarantineEntry) (bool, error) {
		all = append(all, q)
		return len(all) < limit, nil
	})
	return all, err
}

// countQuarantine makes the totals and the order by age of a store that was written
// before there were any.
func countQuarantine(tx *bbolt.Tx) error {
	b := In(tx)
	if k, _ := b.quarantine.Cursor().First(); k == nil || b.totals.Get([]byte(totalKey)) != nil {
		return nil
	}
	var total QuarantineTotal
	err := b.quarantine.ForEach(func(k, v []byte) error {
		q, err := boltpb.Decode[axispb.QuarantineEntry](v)
		if err != nil {
			return err
		}
		total.Rows, total.Bytes = total.Rows+1, total.Bytes+uint64(len(v))
		return b.age.Put(ageKey(q, k), nil)
	})
	return errors.Join(err, b.putTotal(total))
}

// checkQuarantine holds the totals and the order by age against what is there.
func (b Inbox) checkQuarantine() error {
	var total QuarantineTotal
	err := b.quarantine.ForEach(func(k, v []byte) error {
		q, err := boltpb.Decode[axispb.QuarantineEntry](v)
		if err == nil && !hasKey(b.age, ageKey(q, k)) {
			err = fmt.Errorf("quarantine: %x is not in the order by age", k)
		}
		total.Rows, total.Bytes = total.Rows+1, total.Bytes+uint64(len(v))
		return err
	})
	said, err2 := b.QuarantineTotal()
	if total.Dropped = said.Dropped; said != total {
		err = errors.Join(err, fmt.Errorf("quarantine: counted as %+v, is %+v", said, total))
	}
	if n := b.age.Stats().KeyN; uint64(n) != total.Rows {
		err = errors.Join(err, fmt.Errorf("quarantine: %d keys by age for %d rows", n, total.Rows))
	}
	return errors.Join(err, err2)
}
