package endpoint

import (
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/store"
	"docaxis/proto/axispb"
)

// What an axis could be given back is kept for 90 days of journal time and no longer,
// so that it takes a bounded room; what it says stays in the directory.
func TestRegistryRecordsAreKeptForNinetyDays(t *testing.T) {
	w, _, to := pair(t)
	put := func(code string) {
		t.Helper()
		w.axis.Change(&axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: &axispb.Agency{Code: code, Name: "Cơ quan " + code}}})
		to.synced(code)
	}
	first := len(keptTimes(t, to))
	if first == 0 {
		t.Fatal("nothing is kept of what was pulled")
	}
	w.axis.Advance(89 * 24 * time.Hour)
	put("H50")
	if n := len(keptTimes(t, to)); n != first+1 {
		t.Errorf("after 89 days %d records are kept, not %d", n, first+1)
	}
	w.axis.Advance(2 * 24 * time.Hour)
	put("H51")
	kept := keptTimes(t, to)
	if len(kept) != 2 || kept[1].Sub(kept[0]) < 2*24*time.Hour {
		t.Errorf("after 91 days these are kept: %v", kept)
	}
	to.synced("H42", "H50")
}

// keptTimes lists the journal times of the registry records that an endpoint keeps.
func keptTimes(t *testing.T, o *office) (all []time.Time) {
	t.Helper()
	err := o.agent.db.View(func(tx *bbolt.Tx) error {
		return store.EachRegistry(tx, func(_ *axispb.RecordRef, e *axispb.RegistryEntry) error {
			h := new(axispb.RecordHeader)
			if err := proto.Unmarshal(e.GetRecord().GetHeader(), h); err != nil {
				return err
			}
			all = append(all, journalTime(h))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
