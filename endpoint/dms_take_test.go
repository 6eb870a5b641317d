package endpoint

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"docaxis/edxml"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// timed are the two systems, the recipient's with a clock of its own.
func timed(t *testing.T, adjust func(*Config)) (a, b dms, clock *watch) {
	t.Helper()
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	clock = &watch{}
	to.now, to.adjust = clock.now, adjust
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	return from.has("sys.a", "H41"), to.has("sys.b", "H42"), clock
}

// What a system could not take is listed again after a while, longer each time; after
// too many failures it is not, its sender is told, and a person decides. The system may
// still take it, and that counts.
func TestADeliveryThatFailsIsParked(t *testing.T) {
	limit := 3
	a, b, clock := timed(t, func(c *Config) { c.Settings.VXP.FailLimit = &limit })
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	d := b.awaits(vxp.Documents, 1)[0].DocID
	for _, wait := range []time.Duration{time.Minute, 2 * time.Minute} {
		b.report(d, vxp.Fail)
		b.awaits(vxp.Documents, 0)
		clock.pass(wait - time.Second)
		b.awaits(vxp.Documents, 0)
		clock.pass(2 * time.Second)
		if got := b.awaits(vxp.Documents, 1)[0]; got.Status != "fail" {
			t.Errorf("listed again as %+v", got)
		}
	}
	b.report(d, vxp.Fail)
	clock.pass(24 * time.Hour)
	b.awaits(vxp.Documents, 0)
	e := b.received(id, "H42")
	if e.State != axispb.State_STATE_HANDOVER_FAILED || e.Handing.GetParkedMs() == 0 {
		t.Fatalf("after three failures it is %v", e)
	}
	a.wait(id, axispb.State_STATE_HANDOVER_FAILED)
	if s, err := Clerk(b.agent).Status(t.Context()); err != nil || s.ParkedDeliveries != 1 {
		t.Errorf("status shows %d parked deliveries: %v", s.ParkedDeliveries, err)
	}
	b.report(d, vxp.Fail) // says nothing new

	if err := Clerk(b.agent).Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	b.awaits(vxp.Documents, 1)
	for range limit {
		b.report(d, vxp.Fail)
		clock.pass(time.Hour)
	}
	b.awaits(vxp.Documents, 0)
	b.report(d, vxp.Done)
	a.until("the sender knows", func() bool { return a.waitErr(id, axispb.State_STATE_HANDED_OVER) == nil })
	wantCode(t, "retry of what was taken", Clerk(b.agent).Retry(t.Context(), id), axispb.ReasonCode_REASON_STATE)
}

// What a system says that it works on is not listed until its time is over.
func TestALeaseEnds(t *testing.T) {
	minutes := 30
	a, b, clock := timed(t, func(c *Config) { c.Settings.VXP.LeaseMinutes = &minutes })
	a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	d := b.awaits(vxp.Documents, 1)[0].DocID
	b.report(d, vxp.Processing)
	b.awaits(vxp.Documents, 0)
	if len(b.fetched(d)) == 0 {
		t.Error("it cannot be fetched meanwhile")
	}
	clock.pass(29 * time.Minute)
	b.awaits(vxp.Documents, 0)
	b.halt()
	b.start()
	clock.pass(2 * time.Minute)
	if got := b.awaits(vxp.Documents, 1)[0]; got.DocID != d || got.Status != "processing" {
		t.Errorf("listed again is %+v", got)
	}
	b.report(d, vxp.Processing)
	b.report(d, vxp.Done)
	b.awaits(vxp.Documents, 0)
}

// A clerk's refusal ends the listing, whatever the system said before.
func TestWhatAClerkRefusesIsNotListed(t *testing.T) {
	a, b, clock := timed(t, nil)
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	d := b.awaits(vxp.Documents, 1)[0].DocID
	b.report(d, vxp.Fail)
	refuse := func() {
		t.Helper()
		if _, err := Clerk(b.agent).Confirm(t.Context(), clerk.Confirm{ID: id, Refuse: "sai nơi nhận"}); err != nil {
			t.Fatal(err)
		}
		clock.pass(time.Hour)
		b.awaits(vxp.Documents, 0)
	}
	refuse()
	if err := Clerk(b.agent).Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	b.awaits(vxp.Documents, 1)
	refuse()
}

// A document that was not sent as edXML is composed for a system, with its files.
func TestADocumentOfAClerkIsComposed(t *testing.T) {
	a, b, _ := timed(t, nil)
	body := noise(3000)
	d := draft("H41", "H42").with(body, []byte("%PDF-1.4"))
	d.Document.Number, d.Document.Notation, d.Document.Issued = "15", "UBND-VP", "2026-03-02"
	id := a.send(d)
	delivery := b.awaits(vxp.Documents, 1)[0].DocID
	raw := b.fetched(delivery)
	p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Document.ID != "H41,2026/03/02,15/UBND-VP" || p.Document.To[0].OrganID != "H42" || len(p.Attachments) != 2 {
		t.Fatalf("composed is %+v with %d attachments", p.Document, len(p.Attachments))
	}
	content, err := p.Attachments[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(content); err != nil || !bytes.Equal(got, body) {
		t.Errorf("another content: %v", err)
	}
	temporary := b.bodies()
	b.fetched(delivery)
	if n := b.bodies(); n != temporary {
		t.Errorf("%d files are left of it", n-temporary)
	}
	status := b.post("H42", vxp.Statuses, wordOf(t, "H42", "H41", p.Document.ID, "03"))
	a.awaits(vxp.Statuses, 1)
	if e := a.received(status, "H41"); e.TargetId != id {
		t.Errorf("the answer is about %s, not %s", e.TargetId, id)
	}
}

// What is not here yet, and what was recalled, nobody fetches.
func TestOnlyWhatIsHereIsFetched(t *testing.T) {
	a, b, _ := timed(t, nil)
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	d := b.awaits(vxp.Documents, 1)[0].DocID
	a.send(draft("H41", "H42").about("H41", id, envelope.KindRecall))
	b.awaits(vxp.Documents, 0)
	_, err := b.exchange().Fetch(t.Context(), b.system, d)
	wantCode(t, "fetch of what was recalled", err, axispb.ReasonCode_REASON_NOT_FOUND)
	wantCode(t, "done, of what was recalled", b.exchange().Report(t.Context(), b.system, d, vxp.Done), axispb.ReasonCode_REASON_STATE)
	b.report(d, vxp.Fail)
	b.report(d, vxp.Processing)
	b.awaits(vxp.Documents, 0)
	if _, err := b.exchange().Fetch(t.Context(), "nobody", d); !reason.Is(err, axispb.ReasonCode_REASON_NOT_FOUND) {
		t.Errorf("for an unknown system: %v", err)
	}
	if secrets, err := b.exchange().Secrets("nobody"); err != nil || len(secrets) != 0 {
		t.Errorf("its secrets are %d: %v", len(secrets), err)
	}
	if err := b.exchange().Report(t.Context(), b.system, d, "rejection"); !reason.Is(err, axispb.ReasonCode_REASON_MALFORMED) {
		t.Errorf("another word: %v", err)
	}
	if _, err := b.agent.system(""); err == nil || errors.Is(err, io.EOF) {
		t.Error("a system without a name")
	}
}
