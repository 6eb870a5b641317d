package inbox

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/proto/axispb"
)

func bad(position uint64, at time.Time, size int) *axispb.QuarantineEntry {
	return &axispb.QuarantineEntry{
		TimeMs: at.UnixMilli(),
		Item:   &axispb.Item{Lane: axispb.Lane_LANE_NORMAL, Position: position, Record: &axispb.Record{Body: make([]byte, size)}},
	}
}

func (b *box) quarantined() (positions []uint64, total QuarantineTotal) {
	b.t.Helper()
	b.do(func(in Inbox) error {
		all, err := in.Quarantined(1000)
		for _, q := range all {
			positions = append(positions, q.Item.Position)
		}
		var err2 error
		total, err2 = in.QuarantineTotal()
		return errors.Join(err, err2)
	})
	return positions, total
}

// The quarantine has an end, in rows and in bytes: the oldest go, whatever their row.
func TestTheQuarantineIsBounded(t *testing.T) {
	b := openBox(t)
	put := func(q *axispb.QuarantineEntry) (dropped uint64) {
		b.do(func(in Inbox) (err error) {
			dropped, err = in.quarantineWithin(q, 3, 2000)
			return err
		})
		return dropped
	}
	for i, position := range []uint64{9, 5, 7} {
		if n := put(bad(position, start.Add(time.Duration(i)*time.Second), 100)); n != 0 {
			t.Errorf("%d dropped", n)
		}
	}
	if n := put(bad(6, start.Add(time.Minute), 100)); n != 1 {
		t.Errorf("%d dropped where there is one too many", n)
	}
	if got, total := b.quarantined(); !slices.Equal(got, []uint64{5, 6, 7}) || total.Rows != 3 || total.Dropped != 1 {
		t.Errorf("left are %v, %+v", got, total)
	}
	// The same row again replaces what it was.
	if n := put(bad(5, start.Add(time.Hour), 200)); n != 0 {
		t.Errorf("%d dropped for a row that was there", n)
	}
	// A large one takes the place of several, and is kept though it alone is too large.
	if n := put(bad(8, start.Add(2*time.Hour), 5000)); n != 3 {
		t.Errorf("%d dropped for a large one", n)
	}
	if got, total := b.quarantined(); !slices.Equal(got, []uint64{8}) || total.Dropped != 4 || total.Bytes < 5000 {
		t.Errorf("left are %v, %+v", got, total)
	}
}

// A store that was written before there was an order by time, or a count, has both
// after its next start.
func TestIndexesAreMadeForAnOldStore(t *testing.T) {
	b := openBox(t)
	for i := range 3 {
		b.add(entry(fmt.Sprint(i), "H41", came(i)))
		b.do(func(in Inbox) error { _, err := in.Quarantine(bad(uint64(i), start, 10)); return err })
	}
	err := b.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte(timeBucket)), tx.DeleteBucket([]byte(ageBucket)), tx.DeleteBucket([]byte(totalBucket)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.View(Init); err == nil {
		t.Error("a store that lacks something passes as whole")
	}
	if err := b.db.Update(Init); err != nil {
		t.Fatal(err)
	}
	if got := b.newest(nil, false, 10); !slices.Equal(got, []string{"2", "1", "0"}) {
		t.Errorf("by time: %v", got)
	}
	if err := b.db.View(Init); err != nil {
		t.Errorf("a store that lacks nothing is written to: %v", err)
	}
}

func came(second int) func(*axispb.InboxEntry) {
	return func(e *axispb.InboxEntry) { e.ReceivedMs = start.UnixMilli() + int64(second)*1000 }
}

func (b *box) newest(before *axispb.InboxEntry, untaken bool, limit int) (ids []string) {
	b.t.Helper()
	b.do(func(in Inbox) error {
		all, err := in.Newest(before, untaken, limit)
		for _, e := range all {
			ids = append(ids, e.Id)
		}
		return err
	})
	return ids
}

func TestNewestComesInPages(t *testing.T) {
	b := openBox(t)
	var all []*axispb.InboxEntry
	for i := range 5 {
		// Two that came in one moment are two.
		e := entry(fmt.Sprint(i), "H41", came(i/2*2))
		all = append(all, e)
		b.add(e)
	}
	if got := b.newest(nil, false, 2); !slices.Equal(got, []string{"4", "3"}) {
		t.Errorf("first page %v", got)
	}
	if got := b.newest(all[3], false, 2); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("second page %v", got)
	}
	if got := b.newest(all[1], false, 2); !slices.Equal(got, []string{"0"}) {
		t.Errorf("last page %v", got)
	}
	b.mustMove(all[2], consigned)
	if got := b.newest(nil, true, 2); !slices.Equal(got, []string{"2"}) {
		t.Errorf("still to be taken: %v", got)
	}
	b.do(func(in Inbox) error {
		if c := in.Counts(); c[fetching] != 4 || c[consigned] != 1 || len(c) != 2 || in.UnsentCount() != 1 {
			t.Errorf("counts %v, %d unsent", c, in.UnsentCount())
		}
		return nil
	})
}

// A page of a list takes what its own entries take, however long the list is.
func TestAPageCostsNoMoreInALongList(t *testing.T) {
	cost := func(entries int) uint64 {
		b := openBox(t)
		b.do(func(in Inbox) error {
			for i := range entries {
				if _, err := in.Add(entry(fmt.Sprintf("%05d", i), "H41", came(i))); err != nil {
					return err
				}
			}
			return nil
		})
		var before, after runtime.MemStats
		var last *axispb.InboxEntry
		runtime.ReadMemStats(&before)
		b.do(func(in Inbox) error {
			page, err := in.Newest(nil, false, 50)
			if len(page) != 50 {
				t.Errorf("a page of %d", len(page))
			}
			last = page[len(page)-1]
			return err
		})
		if got := b.newest(last, false, 50); len(got) != 50 {
			t.Errorf("a next page of %d", len(got))
		}
		b.do(func(in Inbox) error { in.Counts(); return nil })
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if short, long := cost(100), cost(10_000); long > 2*short+(64<<10) {
		t.Errorf("two pages of 10,000 took %d bytes, of 100 %d", long, short)
	}
}

// Only what nobody needs can be released, and Check sees anything else.
func TestRelease(t *testing.T) {
	b := openBox(t)
	e := entry("a", "H41")
	b.add(e)
	release := func() error { return b.try(func(in Inbox) error { return in.Release(KeyOf(e), start) }) }
	if err := release(); !errors.Is(err, ErrState) {
		t.Errorf("while it is fetched: %v", err)
	}
	b.mustMove(e, consigned)
	if err := release(); !errors.Is(err, ErrState) {
		t.Errorf("before the agency took it: %v", err)
	}
	b.mustMove(e, handed)
	if err := errors.Join(release(), release()); err != nil {
		t.Error(err)
	}
	b.do(func(in Inbox) error {
		got, err := in.Get(KeyOf(e))
		if got.ReleasedMs != start.UnixMilli() {
			t.Errorf("released at %d", got.ReleasedMs)
		}
		return err
	})
	open := entry("b", "H41", func(e *axispb.InboxEntry) { e.ReleasedMs = 1 })
	err := b.db.Update(func(tx *bbolt.Tx) error {
		if _, err := In(tx).Add(open); err != nil {
			return err
		}
		if Check(tx, b.counter) == nil {
			t.Error("Check does not see a document that was released while it is fetched")
		}
		return errCrash
	})
	if !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
}

var errCrash = errors.New("rolled back")
