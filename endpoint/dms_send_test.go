package endpoint

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"testing"

	"docaxis/edxml"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/vxp"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// A package goes from one system to another byte for byte, and the one that sent it
// sees how far it is.
func TestASystemSendsAndAnotherTakes(t *testing.T) {
	a, b := twoSystems(t)
	body := letterOf(t, "H41", "000.00.00.H41,2026/03/02,101/CQA-VP", "H42")
	id := a.post("H41", vxp.Documents, body)
	if rows := a.sentRows(id); len(rows) != 1 || rows[0].To != "H42" || rows[0].SenderDocID != id || rows[0].Notation != "101/CQA-VP" {
		t.Fatalf("sent is %+v", rows)
	}
	waiting := b.awaits(vxp.Documents, 1)
	if d := waiting[0]; d.From != "H41" || d.To != "H42" || d.Status != "initial" || d.StateText != "Chờ nhận" || d.DocID == id {
		t.Errorf("listed is %+v", d)
	}
	if len(b.listed(vxp.Statuses)) != 0 || len(a.listed(vxp.Documents)) != 0 {
		t.Error("listed where it does not belong")
	}
	if got := b.fetched(waiting[0].DocID); !bytes.Equal(got, body) {
		t.Errorf("%d other bytes were fetched", len(got))
	}
	if len(b.awaits(vxp.Documents, 1)) != 1 {
		t.Error("not listed any more once it was fetched")
	}
	b.report(waiting[0].DocID, vxp.Done)
	b.report(waiting[0].DocID, vxp.Done)
	b.awaits(vxp.Documents, 0)
	a.wait(id, axispb.State_STATE_HANDED_OVER)
	rows := a.sentRows(id)
	if r := rows[0]; r.ReceiverDocID != waiting[0].DocID || r.SendStatus != "done" || r.ReceiveStatus != "done" || r.ReceivedAt.IsZero() {
		t.Errorf("in the end it is %+v", r)
	}
	e, err := a.agent.Sent(id)
	if err != nil || e.System != "sys.a" || e.Body != envelope.BodyEdXML || e.DocumentId != "000.00.00.H41,2026/03/02,101/CQA-VP" || e.DuplicateOf != "" {
		t.Errorf("the entry is %v: %v", e, err)
	}
	b.report(waiting[0].DocID, vxp.Fail) // too late, and no error
	if e := b.received(id, "H42"); e.State != axispb.State_STATE_HANDED_OVER || !e.Fetched {
		t.Errorf("received is %v", e)
	}
}

// The same package is one document, however often and in however many requests at once
// it is sent: everybody is given the same DocId.
func TestTheSamePackageIsSentOnce(t *testing.T) {
	a, b := twoSystems(t)
	body := letterOf(t, "H41", "one", "H42")
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Add(1)
		go func() {
			defer all.Done()
			sent, err := a.try("H41", vxp.Documents, body)
			if err != nil {
				t.Error(err)
			}
			ids[i] = sent.DocID
		}()
	}
	all.Wait()
	if len(slices.Compact(slices.Clone(ids))) != 1 {
		t.Fatalf("the same package was given %v", ids)
	}
	a.restart()
	a.synced("H41", "H42")
	if again := a.post("H41", vxp.Documents, body); again != ids[0] {
		t.Errorf("after a restart it is %s, not %s", again, ids[0])
	}
	if byName := a.post("sys.a", vxp.Documents, body); byName != ids[0] {
		t.Errorf("from its system's name it is %s", byName)
	}
	b.awaits(vxp.Documents, 1)
	sent, err := a.agent.Outbox(outbox.Filter{})
	if err != nil || len(sent) != 1 {
		t.Errorf("%d submissions: %v", len(sent), err)
	}
}

// Other bytes under the same name are another document; people are warned of it on both
// sides.
func TestADocumentSentTwiceIsFlagged(t *testing.T) {
	a, b := twoSystems(t)
	first := a.post("H41", vxp.Documents, letterOf(t, "H41", "one", "H42"))
	b.awaits(vxp.Documents, 1)
	second := a.post("H41", vxp.Documents, packageOf(t, "H41", "one", func(d *edxml.Document) { d.Subject = "Khác" }, "H42"))
	b.awaits(vxp.Documents, 2)
	register := a.post("H41", vxp.Documents, packageOf(t, "H41", "two", func(d *edxml.Document) { d.Promulgation.Date = "2026/12/30" }, "H42"))
	b.awaits(vxp.Documents, 3)
	other := a.post("H41", vxp.Documents, packageOf(t, "H41", "three", func(d *edxml.Document) { d.Number.Number = "7" }, "H42"))
	b.awaits(vxp.Documents, 4)
	for id, twin := range map[string]string{first: "", second: first, register: second, other: ""} {
		e, err := a.agent.Sent(id)
		if err != nil || e.DuplicateOf != twin {
			t.Errorf("sent %s is a duplicate of %q, not %q: %v", id, e.GetDuplicateOf(), twin, err)
		}
		delivery := ""
		if twin != "" {
			delivery = inbox.DeliveryOf(b.received(twin, "H42"))
		}
		if got := b.received(id, "H42").DuplicateOf; got != delivery {
			t.Errorf("received %s is a duplicate of %q, not %q", id, got, delivery)
		}
		for _, o := range []dms{a, b} {
			if stories, err := Clerk(o.agent).Show(t.Context(), id); err != nil || stories[0].DuplicateOf != twin {
				t.Errorf("%s shows %s as a duplicate of %q: %v", o.name, id, stories[0].DuplicateOf, err)
			}
		}
	}
}

// An answer is kept for 400 days; then the same package is another document.
func TestAnswersAreKeptForSoLong(t *testing.T) {
	w := newWorld(t)
	clock := &watch{}
	o := w.office("from", "H41")
	o.now = clock.now
	o.start().synced("H41")
	a := o.has("sys.a", "H41")
	body := letterOf(t, "H41", "one", "H41")
	id := a.post("H41", vxp.Documents, body)
	o.wait(id, axispb.State_STATE_ACCEPTED)
	clock.pass(399 * day)
	if again := a.post("H41", vxp.Documents, body); again != id {
		t.Errorf("after 399 days it is %s, not %s", again, id)
	}
	clock.pass(2 * day)
	if again := a.post("H41", vxp.Documents, body); again == id {
		t.Error("after 401 days it is still the same")
	}
}

// A refused package is told why, and nothing of it is kept.
func TestRefusedPackagesLeaveNothing(t *testing.T) {
	a, b := twoSystems(t)
	other := a.has("sys.other", "H42")
	letter := letterOf(t, "H41", "one", "H42")
	before := a.bodies()
	no := errors.New("it does not match")
	check := func(digest [32]byte) error {
		if digest != sha256.Sum256(letter) {
			t.Error("another digest was checked")
		}
		return no
	}
	_, err := a.exchange().Send(t.Context(), a.system, vxp.Package{From: "H41", Class: vxp.Documents, Body: bytes.NewReader(letter), Check: check})
	if !errors.Is(err, no) {
		t.Errorf("a failed check gives %v", err)
	}
	for name, row := range map[string]struct {
		by    dms
		from  string
		class vxp.Class
		body  []byte
		want  axispb.ReasonCode
	}{
		"of another system": {other, "H41", vxp.Documents, letter, axispb.ReasonCode_REASON_OTHER_SYSTEM},
		"of another agency": {a, "H42", vxp.Documents, letter, axispb.ReasonCode_REASON_OTHER_SYSTEM},
		"another's inside":  {a, "H41", vxp.Documents, letterOf(t, "H42", "x", "H42"), axispb.ReasonCode_REASON_OTHER_SYSTEM},
		"by name, foreign":  {a, "sys.a", vxp.Documents, letterOf(t, "H42", "x", "H42"), axispb.ReasonCode_REASON_OTHER_SYSTEM},
		"no code":           {a, "bộ", vxp.Documents, letter, axispb.ReasonCode_REASON_BAD_CODE},
		"of another class":  {a, "H41", vxp.Statuses, letter, axispb.ReasonCode_REASON_BAD_PACKAGE},
		"not a package":     {a, "H41", vxp.Documents, []byte("<x/>"), axispb.ReasonCode_REASON_BAD_PACKAGE},
		"to nobody known":   {a, "H41", vxp.Documents, letterOf(t, "H41", "x", "H99"), axispb.ReasonCode_REASON_UNKNOWN_CODE},
		"about nothing":     {a, "H41", vxp.Statuses, wordOf(t, "H41", "H42", "none", "03"), axispb.ReasonCode_REASON_UNKNOWN_TARGET},
	} {
		_, err := row.by.try(row.from, row.class, row.body)
		wantCode(t, name, err, row.want)
	}
	if n := a.bodies(); n != before {
		t.Errorf("%d files lie there, %d before", n, before)
	}
	if _, err := b.try("H42", vxp.Documents, letterOf(t, "H42", "x", "H41")); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// A status message finds its document by the name that it has on both sides.
func TestAStatusMessageFindsItsDocument(t *testing.T) {
	a, b := twoSystems(t)
	id := a.post("H41", vxp.Documents, letterOf(t, "H41", "văn bản một", "H42"))
	b.report(b.awaits(vxp.Documents, 1)[0].DocID, vxp.Done)
	word := wordOf(t, "H42", "H41", "văn bản một", "03")
	status := b.post("H42", vxp.Statuses, word)
	waiting := a.awaits(vxp.Statuses, 2) // and that it was handed over
	if got := a.fetched(waiting[0].DocID); !bytes.Equal(got, word) {
		t.Error("the message has other bytes")
	}
	e := a.received(status, "H41")
	if e.TargetId != id || e.TargetSender != "H41" || e.Status != "03" || e.Kind != "status" {
		t.Errorf("it is %v", e)
	}
	a.report(waiting[0].DocID, vxp.Done)
	a.awaits(vxp.Statuses, 1)

	if r := a.sentRows(id)[0]; r.ReceiveStatus != "done" || r.ReceiveText != "Đã tiếp nhận" {
		t.Errorf("the document is shown as %+v", r)
	}
	stories, err := Clerk(a.agent).Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	last := stories[0].Steps[len(stories[0].Steps)-1]
	if last.Business != "03" || last.Issuer != "H42" || last.Code != "H42" || !last.Verified || last.LeafIndex == 0 {
		t.Errorf("its story ends with %+v", last)
	}
}

// A system acts only for the agencies that it was given, and gets no more than theirs;
// two with one agency both see what it has, and the first one takes it.
func TestSystemsSeeTheirAgenciesOnly(t *testing.T) {
	w := newWorld(t)
	o := w.office("both", "H41", "H42", "H43").start().synced("H41", "H42", "H43")
	one, two, three := o.has("one", "H41", "H42"), o.has("two", "H42"), o.has("three", "H43")
	three.post("H43", vxp.Documents, letterOf(t, "H43", "x", "H41", "H42"))
	if n := len(one.awaits(vxp.Documents, 2)); n != 2 {
		t.Errorf("one lists %d", n)
	}
	shared := two.awaits(vxp.Documents, 1)[0]
	own := one.listed(vxp.Documents)
	foreign := own[slices.IndexFunc(own, func(d vxp.Delivery) bool { return d.DocID != shared.DocID })].DocID
	for _, bad := range []string{foreign, "none", ""} {
		_, err := two.exchange().Fetch(t.Context(), "two", bad)
		wantCode(t, "fetch", err, axispb.ReasonCode_REASON_NOT_FOUND)
		wantCode(t, "report", two.exchange().Report(t.Context(), "two", bad, vxp.Done), axispb.ReasonCode_REASON_NOT_FOUND)
	}
	two.report(shared.DocID, vxp.Done)
	one.awaits(vxp.Documents, 1)
	one.report(shared.DocID, vxp.Done)
	if rows := two.sentRows(""); len(rows) != 0 {
		t.Errorf("two sent %v", rows)
	}
	if rows := three.sentRows("a docId of somebody else"); len(rows) != 2 {
		t.Errorf("three sent %v", rows)
	}
	if _, err := Clerk(o.agent).ChangeSystem(t.Context(), clerk.SystemChange{Do: clerk.SystemDisallow, Name: "one", Codes: []string{"H41"}}); err != nil {
		t.Fatal(err)
	}
	one.awaits(vxp.Documents, 0)
}

// What the axis refused may be sent again as it is, and is then another submission.
func TestARefusedPackageMayBeSentAgain(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41").start().synced("H41")
	w.axis.Change(&axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: &axispb.Agency{Code: "H44", Name: "Chưa nối"}}})
	from.synced("H44")
	a := from.has("sys.a", "H41")
	body := letterOf(t, "H41", "one", "H44")
	id := a.post("H41", vxp.Documents, body)
	a.wait(id, axispb.State_STATE_REJECTED)
	if rows := a.sentRows(id); rows[0].SendStatus != "fail" {
		t.Errorf("it is shown as %+v", rows)
	}
	again := a.post("H41", vxp.Documents, body)
	if again == id {
		t.Fatal("it is the same submission")
	}
	a.wait(again, axispb.State_STATE_REJECTED)
	if e, err := a.agent.Sent(again); err != nil || e.DuplicateOf != "" {
		t.Errorf("it is a duplicate of %s: %v", e.GetDuplicateOf(), err)
	}
}
