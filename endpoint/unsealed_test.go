package endpoint

import (
	"bytes"
	"fmt"
	"testing"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp"
	"docaxis/proto/axispb"
)

// sealless starts an office without its seals; unlock gives them back at the next
// start.
func (o *office) sealless() (unlock func()) {
	o.adjust = func(c *Config) { c.Settings.Seals = nil }
	return func() { o.adjust = nil }
}

// A document of an agency without a seal is safe, waits visibly, and goes once there
// is one and a person says so. A cleanup meanwhile leaves it alone.
func TestADocumentWaitsForASeal(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	unlock := from.sealless()
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	a, b := from.has("sys.a", "H41"), to.has("sys.b", "H42")
	body := letterOf(t, "H41", "one", "H42")
	sent, err := a.try("H41", vxp.Documents, body)
	if err != nil || sent.Waiting == "" || sent.DocID == "" {
		t.Fatalf("answered %+v: %v", sent, err)
	}
	id := sent.DocID
	if again, err := a.try("H41", vxp.Documents, body); err != nil || again != sent {
		t.Errorf("the same again is %+v: %v", again, err)
	}
	wantCode(t, "retry without a seal", Clerk(a.agent).Retry(t.Context(), id), axispb.ReasonCode_REASON_NO_SEAL)
	if rows := a.sentRows(id); len(rows) != 1 || rows[0].SendStatus != "processing" || rows[0].To != "H42" {
		t.Errorf("it is listed as %+v", rows)
	}
	status := func() clerk.Status {
		t.Helper()
		s, err := Clerk(a.agent).Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := status(); s.Unsealed != 1 || s.Sealable != 0 {
		t.Errorf("%d wait for a seal, %d have one", s.Unsealed, s.Sealable)
	}
	if stories, err := Clerk(a.agent).Show(t.Context(), id); err != nil || stories[0].State != "PARKED" || len(stories[0].Files) != 1 {
		t.Errorf("its story is %+v: %v", stories, err)
	}
	if c := a.cleaned(false); len(c.Removed) != 0 {
		t.Errorf("a cleanup removed %s", brief(c))
	}
	unlock()
	a.restart()
	a.synced("H41", "H42")
	if s := status(); s.Unsealed != 1 || s.Sealable != 1 {
		t.Errorf("%d wait for a seal, %d have one", s.Unsealed, s.Sealable)
	}
	if err := Clerk(a.agent).Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	waiting := b.awaits(vxp.Documents, 1)
	if !bytes.Equal(b.fetched(waiting[0].DocID), body) {
		t.Error("other bytes arrived")
	}
	a.wait(id, axispb.State_STATE_CONSIGNED)
	if s := status(); s.Unsealed != 0 {
		t.Errorf("%d still wait", s.Unsealed)
	}
	if c := a.cleaned(false); brief(c) != "[left 0/1]" { // the draft
		t.Errorf("a cleanup removed %s", brief(c))
	}
}

// Whatever step a crash comes at, a system that asks again is answered, and its
// document goes once.
func TestACrashBetweenAnyTwoStepsOfASending(t *testing.T) {
	for _, point := range []string{"seal.before", "seal.after", "outbox.add.before", "outbox.add.after"} {
		for _, sealed := range []bool{true, false} {
			t.Run(fmt.Sprint(point, " ", sealed), func(t *testing.T) {
				w := newWorld(t)
				from, to := w.office("from", "H41"), w.office("to", "H42")
				unlock := func() {}
				if !sealed {
					unlock = from.sealless()
				}
				from.start().synced("H41", "H42")
				to.start().synced("H41", "H42")
				a, b := from.has("sys.a", "H41"), to.has("sys.b", "H42")
				body := letterOf(t, "H41", "one", "H42")
				a.crashed(point, func() error { _, err := a.try("H41", vxp.Documents, body); return err })
				id := a.post("H41", vxp.Documents, body)
				if !sealed {
					unlock()
					a.restart()
					a.synced("H41", "H42")
					a.crashed(point, func() error { return a.agent.Retry(t.Context(), id) })
					if e, err := a.agent.Sent(id); err == nil && len(e.DraftDigest) > 0 {
						if err := a.agent.Retry(t.Context(), id); err != nil {
							t.Fatal(err)
						}
					}
				}
				b.awaits(vxp.Documents, 1)
				a.wait(id, axispb.State_STATE_CONSIGNED)
				if n := w.axis.Documents(); n != 1 {
					t.Errorf("the axis has %d documents", n)
				}
			})
		}
	}
}

// crashed does something that a crash may cut short, and starts again.
func (d dms) crashed(point string, do func() error) {
	d.t.Helper()
	hit := d.faults.crash(point, 1)
	if err := do(); err != nil {
		select {
		case <-hit:
		default:
			d.t.Fatal(err)
		}
	}
	d.restart()
	d.synced("H41", "H42")
}
