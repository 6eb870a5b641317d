package inbox

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/proto/axispb"
)

// offered adds a document that is consigned.
func (b *box) offered(id, code string, edit ...func(*axispb.InboxEntry)) *axispb.InboxEntry {
	b.t.Helper()
	e := entry(id, code, edit...)
	b.add(e)
	b.mustMove(e, consigned)
	return e
}

func (b *box) offers(m Message, now time.Time, limit int, codes ...string) (ids []string) {
	b.t.Helper()
	b.do(func(in Inbox) error {
		all, err := in.Offers(codes, m, now, limit)
		for _, e := range all {
			ids = append(ids, e.Id)
		}
		if n := in.CountOffers(codes, m, now); limit > 1000 && n != len(all) {
			b.t.Errorf("%d are counted, %d are listed", n, len(all))
		}
		return err
	})
	return ids
}

func (b *box) wantOffers(what string, got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: listed are %v, not %v", what, got, want)
	}
}

// A list is in the order of urgency and of the journal, over several codes, and has
// what was routed to them; status messages have a list of their own.
func TestOffersAreInOrder(t *testing.T) {
	b := openBox(t)
	urgent, normal := axispb.Lane_LANE_URGENT, axispb.Lane_LANE_NORMAL
	b.offered("c", "H41", at(30, normal))
	b.offered("a", "H42", at(40, urgent))
	b.offered("b", "H42", at(20, normal))
	b.offered("s", "H41", at(5, normal), func(e *axispb.InboxEntry) { e.Kind = kindStatus })
	b.offered("d", "H99", at(35, normal), func(e *axispb.InboxEntry) { e.ServingCode = "H41" })
	b.offered("x", "H43", at(1, normal))
	b.add(entry("coming", "H41", at(2, normal)))
	taken := b.offered("taken", "H41", at(3, normal))
	b.mustMove(taken, handed)
	const all = math.MaxInt
	b.wantOffers("both codes", b.offers(Documents, start, all, "H41", "H42"), "a", "b", "c", "d")
	b.wantOffers("one code", b.offers(Documents, start, all, "H42"), "a", "b")
	b.wantOffers("a page", b.offers(Documents, start, 2, "H41", "H42"), "a", "b")
	b.wantOffers("statuses", b.offers(Statuses, start, all, "H41", "H42"), "s")
	b.wantOffers("no codes", b.offers(Documents, start, all))
	b.wantOffers("no room", b.offers(Documents, start, 0, "H41"))
}

// What is leased or rests is listed from its time on, in its place.
func TestOffersThatComeLater(t *testing.T) {
	b := openBox(t)
	for i, id := range []string{"a", "b", "c"} {
		b.offered(id, "H41", at(uint64(i), axispb.Lane_LANE_NORMAL))
	}
	key := func(id string) Key { return KeyOf(entry(id, "H41")) }
	b.do(func(in Inbox) error {
		return errors.Join(in.Lease(key("a"), start.Add(time.Hour)), in.FailHandover(key("b"), "?", start.Add(time.Minute)))
	})
	list := func(after time.Duration) []string { return b.offers(Documents, start.Add(after), 2000, "H41") }
	b.wantOffers("at first", list(0), "c")
	b.wantOffers("before its time", list(time.Minute-time.Millisecond), "c")
	b.wantOffers("after a rest", list(time.Minute), "b", "c")
	b.wantOffers("after a lease", list(time.Hour), "a", "b", "c")
	b.do(func(in Inbox) error { return in.Relist(key("a")) })
	b.wantOffers("at a person's word", list(0), "a", "c")
	b.mustMove(entry("a", "H41"), handed)
	for name, step := range map[string]func(in Inbox) error{
		"leased":       func(in Inbox) error { return in.Lease(key("a"), start) },
		"failed":       func(in Inbox) error { return in.FailHandover(key("a"), "?", start) },
		"parked":       func(in Inbox) error { return in.ParkDelivery(key("a"), 1, "?", start) },
		"listed again": func(in Inbox) error { return in.Relist(key("a")) },
	} {
		if err := b.try(step); !errors.Is(err, ErrState) {
			t.Errorf("%s once it was taken: %v", name, err)
		}
	}
}

// A page costs what is on it: of 10,000 that wait, 1,000 are read, and all others may
// be unreadable.
func TestAPageReadsNoMoreThanItLists(t *testing.T) {
	b := openBox(t)
	fill(b, 10_000)
	damaged := 0
	damage := func(tx *bbolt.Tx, value []byte) error {
		bucket := tx.Bucket([]byte(entryBucket))
		c := bucket.Cursor()
		var keys [][]byte
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			keys = append(keys, slices.Clone(k))
		}
		for _, k := range keys[1000:] {
			damaged++
			if err := bucket.Put(k, value); err != nil {
				return err
			}
		}
		return nil
	}
	var ids []string
	err := b.db.Update(func(tx *bbolt.Tx) error {
		if err := damage(tx, []byte("\xff no message")); err != nil {
			return err
		}
		all, err := In(tx).Offers([]string{"H41"}, Documents, start, 1000)
		for _, e := range all {
			ids = append(ids, e.Id)
		}
		if n := In(tx).CountOffers([]string{"H41"}, Documents, start); n != 10_000 {
			t.Errorf("%d are counted", n)
		}
		return errors.Join(err, errUndo)
	})
	if !errors.Is(err, errUndo) || len(ids) != 1000 || ids[0] != "00000" || ids[999] != "00999" || damaged != 9000 {
		t.Errorf("%d listed of which %d are damaged: %v", len(ids), damaged, err)
	}
}

var errUndo = errors.New("undo")

// fill offers n documents, the first one first by its id.
func fill(b *box, n int) {
	b.do(func(in Inbox) error {
		for i := range n {
			e := entry(fmt.Sprintf("%05d", i), "H41", at(uint64(i), axispb.Lane_LANE_NORMAL), func(e *axispb.InboxEntry) {
				e.Subject, e.Receipt = "V/v kết nối, liên thông văn bản", make([]byte, 600)
			})
			if _, err := in.Add(e); err != nil {
				return err
			}
			b.counter++
			if err := in.AddEvidence(b.counter, stating(proves[consigned], b.counter, e), 1); err != nil {
				return err
			}
			if err := in.Move(KeyOf(e), consigned, b.counter, start, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func BenchmarkFirstPage(b *testing.B) {
	x := &box{t: b, db: openBolt(b, b.TempDir())}
	defer x.db.Close()
	fill(x, 10_000)
	for b.Loop() {
		err := x.db.View(func(tx *bbolt.Tx) error {
			all, err := In(tx).Offers([]string{"H41"}, Documents, start, 1000)
			if len(all) != 1000 {
				b.Fatal(len(all))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// What a DMS asks by is found in a store that was written before it could.
func TestAnOlderStoreLearnsNamesAndOffers(t *testing.T) {
	b := openBox(t)
	e := b.offered("a", "H41", func(e *axispb.InboxEntry) { e.DocumentId = "101/CQA" })
	err := b.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{offerBucket, deliveryBucket, nameBucket} {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return Init(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	b.wantOffers("after the start", b.offers(Documents, start, 2000, "H41"), "a")
	b.do(func(in Inbox) error {
		got, err := in.Delivery(DeliveryID(KeyOf(e)))
		if got.GetId() != "a" {
			t.Errorf("its delivery is %v", got)
		}
		named, err2 := in.Named("G22", "101/CQA", "")
		if len(named) != 1 {
			t.Errorf("%d have its name", len(named))
		}
		return errors.Join(err, err2)
	})
	if err := b.db.View(Init); err != nil {
		t.Errorf("a further start writes: %v", err)
	}
}

// The id of a delivery is a UUIDv8 that follows from its key alone.
func TestDeliveryIDs(t *testing.T) {
	key := Key{Sender: "H41", ID: "0190", Code: "H42"}
	id := DeliveryID(key)
	if len(id) != 36 || id[14] != '8' || id != DeliveryID(key) {
		t.Errorf("it is %s", id)
	}
	key.Code = "H43"
	if DeliveryID(key) == id {
		t.Error("another delivery has the same")
	}
}
