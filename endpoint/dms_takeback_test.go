package endpoint

import (
	"testing"

	"docaxis/edxml"
	"docaxis/endpoint/vxp"
	"docaxis/internal/business"
	"docaxis/proto/axispb"
)

// A system asks for a document back by a status 13. Where the other system was given
// nothing, the endpoint there answers for it, and is heard; else the other system
// answers, naming the document as systems do, and what it gave back is gone there.
func TestASystemTakesADocumentBack(t *testing.T) {
	a, b, _ := timed(t, nil)
	a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	b.awaits(vxp.Documents, 1)
	a.post("H41", vxp.Statuses, wordOf(t, "H41", "H42", "one", business.TakeBack))
	d := a.awaits(vxp.Statuses, 1)[0]
	if s := a.status(d.DocID); s.Code != edxml.ChangeAgreed || s.ResponseFor.DocumentID != "one" || s.From.OrganID != "H42" {
		t.Errorf("told is %+v", s)
	}
	a.report(d.DocID, vxp.Done)
	b.awaits(vxp.Documents, 0)
	b.awaits(vxp.Statuses, 0)

	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "two", "H42"))
	taken := b.awaits(vxp.Documents, 1)[0]
	b.fetched(taken.DocID)
	b.report(taken.DocID, vxp.Done)
	a.report(a.awaits(vxp.Statuses, 1)[0].DocID, vxp.Done) // 01
	a.post("H41", vxp.Statuses, wordOf(t, "H41", "H42", "two", business.TakeBack))
	asked := b.awaits(vxp.Statuses, 1)[0]
	if s := b.status(asked.DocID); string(s.Code) != business.TakeBack || s.ResponseFor.DocumentID != "two" {
		t.Errorf("asked is %+v", s)
	}
	b.report(asked.DocID, vxp.Done)
	b.post("H42", vxp.Statuses, wordOf(t, "H42", "H41", "two", business.Agreed))
	answer := a.awaits(vxp.Statuses, 1)[0]
	if s := a.status(answer.DocID); s.Code != edxml.ChangeAgreed || s.ResponseFor.DocumentID != "two" {
		t.Errorf("answered is %+v", s)
	}
	e, err := a.agent.Sent(id)
	if err != nil {
		t.Fatal(err)
	}
	b.until("it is gone", func() bool {
		got := b.received(e.Id, "H42")
		return got.Answered == business.Agreed && got.ReleasedMs != 0 && got.State == axispb.State_STATE_HANDED_OVER
	})
}
