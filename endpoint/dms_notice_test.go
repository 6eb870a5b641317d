package endpoint

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"docaxis/edxml"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/vxp"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// status fetches and reads a status message.
func (d dms) status(docID string) *edxml.Status {
	d.t.Helper()
	raw := d.fetched(docID)
	p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
	if err != nil || p.Status == nil {
		d.t.Fatalf("%s is no status message: %v", docID, err)
	}
	return p.Status
}

// What a recipient's endpoint states is told to the system that sent the document, in
// the words of its own package; it is taken like any delivery.
func TestASystemIsToldOfTheHandOver(t *testing.T) {
	a, b, _ := timed(t, nil)
	for _, o := range []dms{a, b} {
		code := o.codes[0]
		a.axis.Change(&axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: &axispb.Agency{Code: code, Name: code, Aliases: []string{"000.00.00." + code}}}})
	}
	a.synced("000.00.00.H41", "000.00.00.H42")
	b.synced("000.00.00.H41", "000.00.00.H42")
	const name = "000.00.00.H41,2026/03/02,101/CQA-VP"
	id := a.post("H41", vxp.Documents, letterOf(t, "000.00.00.H41", name, "000.00.00.H42"))
	b.report(b.awaits(vxp.Documents, 1)[0].DocID, vxp.Done)
	d := a.awaits(vxp.Statuses, 1)[0]
	if d.From != "H42" || d.To != "H41" || d.Class != vxp.Statuses || d.DocID == id {
		t.Errorf("listed is %+v", d)
	}
	s := a.status(d.DocID)
	if s.Code != edxml.Arrived || s.From.OrganID != "000.00.00.H42" || s.ResponseFor.OrganID != "000.00.00.H41" ||
		s.ResponseFor.DocumentID != name || s.ResponseFor.PromulgationDate != "2026/03/02" || s.ResponseFor.Code != "101/CQA-VP" {
		t.Errorf("told is %+v", s)
	}
	a.report(d.DocID, vxp.Fail)
	a.awaits(vxp.Statuses, 0)
	a.restart()
	a.report(d.DocID, vxp.Done)
	a.report(d.DocID, vxp.Done)
	a.awaits(vxp.Statuses, 0)
	_, err := b.exchange().Fetch(t.Context(), b.system, d.DocID)
	wantCode(t, "another system's notice", err, axispb.ReasonCode_REASON_NOT_FOUND)
	wantCode(t, "another system's notice", b.exchange().Report(t.Context(), b.system, d.DocID, vxp.Done), axispb.ReasonCode_REASON_NOT_FOUND)
}

// A refusal is told with its reason, and a hand-over after it as well. What a clerk
// sent is told to nobody's system.
func TestASystemIsToldOfRefusals(t *testing.T) {
	a, b, clock := timed(t, nil)
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	b.awaits(vxp.Documents, 1)
	refuse := func(id string) {
		t.Helper()
		if _, err := Clerk(b.agent).Confirm(t.Context(), clerk.Confirm{ID: id, Refuse: "sai thẩm quyền"}); err != nil {
			t.Fatal(err)
		}
	}
	refuse(id)
	d := a.awaits(vxp.Statuses, 1)[0]
	if s := a.status(d.DocID); s.Code != edxml.Refused || !strings.Contains(s.Description, "sai thẩm quyền") {
		t.Errorf("told is %+v", s)
	}
	a.report(d.DocID, vxp.Done)
	clock.pass(time.Hour)
	if _, err := Clerk(b.agent).Confirm(t.Context(), clerk.Confirm{ID: id}); err != nil {
		t.Fatal(err)
	}
	if s := a.status(a.awaits(vxp.Statuses, 1)[0].DocID); s.Code != edxml.Arrived {
		t.Errorf("told is %+v", s)
	}
	own := a.send(draft("H41", "H42"))
	b.awaits(vxp.Documents, 1)
	refuse(own)
	a.until("the clerk knows", func() bool { return a.waitErr(own, axispb.State_STATE_HANDOVER_FAILED) == nil })
	a.awaits(vxp.Statuses, 1)
}

// What the axis refuses, as a whole or for a recipient, is told too; a recall is
// answered and not refused.
func TestASystemIsToldOfTheAxissRefusals(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41").start().synced("H41")
	w.axis.Change(&axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: &axispb.Agency{Code: "H44", Name: "Chưa nối"}}})
	from.synced("H44")
	a := from.has("sys.a", "H41")
	a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H44", "H41"))
	if s := a.status(a.awaits(vxp.Statuses, 1)[0].DocID); s.Code != edxml.Refused || s.From.OrganID != "H44" || s.ResponseFor.DocumentID != "one" {
		t.Errorf("told of a recipient is %+v", s)
	}
	a.report(a.listed(vxp.Statuses)[0].DocID, vxp.Done)
	a.post("H41", vxp.Documents, letterOf(t, "H41", "two", "H44"))
	if s := a.status(a.awaits(vxp.Statuses, 1)[0].DocID); s.Code != edxml.Refused || s.ResponseFor.DocumentID != "two" {
		t.Errorf("told of the whole is %+v", s)
	}
	a.report(a.listed(vxp.Statuses)[0].DocID, vxp.Done)
	a.post("H41", vxp.Documents, packageOf(t, "H41", "three", func(d *edxml.Document) {
		d.Business = edxml.Business{Type: edxml.Recall, DocumentID: "one"}
	}, "H44"))
	if s := a.status(a.awaits(vxp.Statuses, 1)[0].DocID); s.Code != edxml.ChangeDenied {
		t.Errorf("told of a recall is %+v", s)
	}
}

// An endpoint that agrees to a recall for its agency is heard by the system that asked.
func TestASystemIsToldThatARecallWasAgreedTo(t *testing.T) {
	a, b, _ := timed(t, nil)
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	b.awaits(vxp.Documents, 1)
	recall := a.post("H41", vxp.Documents, packageOf(t, "H41", "one", func(d *edxml.Document) { d.Business.Type = edxml.Recall }, "H42"))
	if e, err := a.agent.Sent(recall); err != nil || e.Kind != string(envelope.KindRecall) || e.DuplicateOf != "" {
		t.Fatalf("the recall is %v: %v", e, err)
	}
	d := a.awaits(vxp.Statuses, 1)[0]
	if s := a.status(d.DocID); s.Code != edxml.ChangeAgreed || s.ResponseFor.DocumentID != "one" {
		t.Errorf("told is %+v", s)
	}
	b.awaits(vxp.Documents, 0)
	a.until("the document is withdrawn", func() bool {
		rows := a.sentRows(id)
		return rows[0].ReceiveText == "Đã thu hồi"
	})
	again := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	if again == id {
		t.Error("what was withdrawn cannot be sent again")
	}
	b.awaits(vxp.Documents, 1)
}
