package endpoint

import (
	"slices"
	"testing"

	"docaxis/endpoint/vxp"
	"docaxis/proto/axispb"
)

// A system registers agencies below its own, and acts for them from then on; what is
// another's it cannot have. The directory says who serves whom.
func TestASystemRegistersAgencies(t *testing.T) {
	w := newWorld(t)
	o := w.office("from", "H41", "H42").start().synced("H41", "H42")
	a, b := o.has("sys.a", "H41"), o.has("sys.b", "H42")
	ask := func(d dms, r vxp.Registration) error {
		held, err := d.exchange().Register(t.Context(), d.system, r)
		if held {
			t.Errorf("%s is held", r.Code)
		}
		return err
	}
	unit := vxp.Registration{Code: "H41.05", Parent: "H41", Name: "Phòng Tổng hợp", Mail: "th@example.vn"}
	for range 2 {
		if err := ask(a, unit); err != nil {
			t.Fatal(err)
		}
	}
	o.synced("H41.05")
	if err := ask(a, vxp.Registration{Code: "H41.06", Name: "Không nêu cấp trên"}); err != nil {
		t.Errorf("a parent by the code: %v", err)
	}
	o.synced("H41.06")
	wantCode(t, "below another's", ask(b, vxp.Registration{Code: "H41.07", Parent: "H41", Name: "x"}), axispb.ReasonCode_REASON_OTHER_SYSTEM)
	wantCode(t, "another system's", ask(b, unit), axispb.ReasonCode_REASON_OTHER_SYSTEM)
	wantCode(t, "no code", ask(a, vxp.Registration{Code: "phòng", Name: "x"}), axispb.ReasonCode_REASON_BAD_CODE)

	var entry vxp.Agency
	o.until("it is served", func() bool {
		all, err := a.exchange().Agencies(t.Context(), a.system)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(e vxp.Agency) bool { return e.Code == "H41.05" })
		entry = all[i]
		return entry.System != ""
	})
	if entry.System != "sys.a" || entry.Parent != "H41" || entry.Name != unit.Name || entry.Mail != unit.Mail || entry.Version < 1 || entry.Changed.IsZero() || entry.Closed {
		t.Errorf("the directory has %+v", entry)
	}
	a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H41.05"))
	a.awaits(vxp.Documents, 1)

	_, err := b.exchange().Close(t.Context(), b.system, "H41.05")
	wantCode(t, "closing another's", err, axispb.ReasonCode_REASON_OTHER_SYSTEM)
	for range 2 {
		if held, err := a.exchange().Close(t.Context(), a.system, "H41.05"); err != nil || held {
			t.Fatal(held, err)
		}
	}
	o.until("it is closed", func() bool {
		e, err := o.agent.Lookup("H41.05")
		return err == nil && e.ClosedMs != 0
	})
}
