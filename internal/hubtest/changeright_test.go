package hubtest_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	operator "docaxis/axis/admin"
	"docaxis/internal/business"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
	"docaxis/signing"
)

// rights is a world in which endpoints that were properly enrolled, and act for
// several agencies, change what is not theirs: past their own programs, which would
// not send it.
type rights struct {
	*changes
	siege                            *siege
	ministries, provinces, districts *hubtest.Member
	id                               string // of G22's document to H41
}

func newRights(t *testing.T) *rights {
	t.Helper()
	w := world(t, hubtest.Config{Retry: quick})
	r := &rights{siege: &siege{World: w}}
	for _, m := range []struct {
		into  **hubtest.Member
		codes []string
	}{
		{&r.ministries, []string{"G22", "G01"}}, {&r.provinces, []string{"H41", "H42"}}, {&r.districts, []string{"H41.11"}},
	} {
		var err error
		if *m.into, err = w.Join(t.Context(), m.codes...); err != nil {
			t.Fatal(err)
		}
	}
	r.changes = &changes{World: w, t: t, sender: r.ministries, first: r.provinces}
	r.id = r.newFrom("G22", "H41", "H41.11")
	return r
}

// newFrom sends a document of one of the ministries, which are several.
func (r *rights) newFrom(from string, to ...string) string {
	r.t.Helper()
	id := r.tell(r.ministries, envelope.Document{
		ID: newID(r.t), Sender: from, To: to, Kind: envelope.KindDocument, Subject: "Công văn",
	})
	wait(r.t, r.ministries, id, consigned)
	return id
}

// offer gives the axis a change under an agency's own seal.
func (r *rights) offer(m *hubtest.Member, doc envelope.Document) *axispb.SubmitAnswer {
	r.t.Helper()
	key, chain, err := signing.LoadKey(filepath.Join(m.Dir, "seal-"+doc.Sender+".pem"), "")
	if err != nil {
		r.t.Fatal(err)
	}
	raw := r.siege.composeWith(r.t, envelope.Key{Signer: key, Chain: chain}, doc)
	r.siege.raw = r.siege.connect(r.t, m)
	defer r.siege.raw.Close()
	return r.siege.submit(r.t, raw)
}

// Only the sender of a document may take it back or change it, only a recipient may
// tell how it gets on with it or answer: not another recipient, and no other agency of
// the same endpoint, on either side. Whoever has no part in it does not learn that it
// exists. Their own endpoints refuse it at once, the axis if they do not.
func TestOnlyPartiesChangeADocument(t *testing.T) {
	t.Parallel()
	r := newRights(t)
	foreign := []struct {
		who  *hubtest.Member
		from string
		to   string
		what []string
		want axispb.ReasonCode
	}{
		{r.provinces, "H41", "H41.11", asks(), axispb.ReasonCode_REASON_NOT_ITS_SENDER},
		{r.districts, "H41.11", "H41", asks(), axispb.ReasonCode_REASON_NOT_ITS_SENDER},
		{r.ministries, "G01", "H41", asks(), axispb.ReasonCode_REASON_NOT_ITS_SENDER},
		{r.provinces, "H42", "H41", asks(), axispb.ReasonCode_REASON_NOT_ITS_SENDER},
		{r.ministries, "G22", "H41", reports(), axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT},
		{r.ministries, "G01", "G22", reports(), axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT},
		{r.provinces, "H42", "G22", reports(), axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT},
	}
	for _, f := range foreign {
		for _, what := range f.what {
			doc := about(t, f.from, what, "G22", r.id, f.to)
			if _, err := f.who.Agent().Send(t.Context(), draft(doc, nil)); !reason.Is(err, f.want) {
				t.Errorf("%s by %s is not refused at once: %v", what, f.from, err)
			}
			a := r.offer(f.who, doc)
			if a.GetRejection() == nil {
				t.Fatalf("%s by %s is accepted", what, f.from)
			}
			if got := statementOf(t, a.GetRejection()).GetReason().GetCode(); got != f.want {
				t.Errorf("%s by %s: %s, not %s", what, f.from, got, f.want)
			}
		}
	}
	doc := about(t, "G22", business.Replacement, "G22", r.id, "H41")
	other := r.newFrom("G01", "H41")
	doc.References = append(doc.References, envelope.Reference{Sender: "G01", ID: other, Relation: envelope.RelationReplaces})
	if got := statementOf(t, r.offer(r.ministries, doc).GetRejection()).GetReason().GetCode(); got != axispb.ReasonCode_REASON_NOT_ITS_SENDER {
		t.Errorf("replacing another's beside one's own: %s", got)
	}
	only := r.newFrom("G22", "H41.11")
	for _, what := range append(asks(), reports()...) {
		a := r.offer(r.provinces, about(t, "H41", what, "G22", only, "G22"))
		if got := statementOf(t, a.GetRejection()).GetReason().GetCode(); got != axispb.ReasonCode_REASON_UNKNOWN_TARGET {
			t.Errorf("%s of what it has no part in: %s", what, got)
		}
	}
	for _, id := range []string{r.id, other} {
		if e := r.entry(r.provinces, id); e.State != consigned || e.Answered != "" {
			t.Errorf("after all that it is %s, answered %q", e.State, e.Answered)
		}
	}
	r.end()
}

// reports are the states that a recipient tells.
func reports() []string {
	return slices.DeleteFunc(business.States(), business.BySender)
}

// Who took over from an agency may change what that sent, and answers for what it
// received.
func TestAnHeirChangesADocument(t *testing.T) {
	t.Parallel()
	r := newRights(t)
	one, two := r.newFrom("G22", "H41"), r.newFrom("G22", "H41")
	r.close("G22", "G01")
	r.close("H41", "H42")
	update := r.heirAsks(business.Update, one)
	wait(t, r.ministries, update, consigned)
	r.shows(one, "H41", withdrawn, "")
	recall := r.heirAsks(business.Recall, two)
	r.shows(recall, "H42", withdrawn, business.Agreed)
	r.shows(two, "H41", withdrawn, "")
	three := r.newFrom("G01", "H42")
	r.fetch(r.provinces, three)
	ask := r.tell(r.ministries, about(t, "G01", business.TakeBack, "G01", three, "H42"))
	wait(t, r.ministries, ask, consigned)
	answer := r.tell(r.provinces, about(t, "H42", business.Agreed, "G01", three, "G01"))
	wait(t, r.provinces, answer, consigned)
	r.shows(three, "H42", withdrawn, business.Agreed)
	r.end()
}

func (r *rights) heirAsks(what, id string) string {
	r.t.Helper()
	return r.tell(r.ministries, about(r.t, "G01", what, "G22", id, "H42"))
}

func (r *rights) close(code, heir string) {
	r.t.Helper()
	why := operator.Why{Actor: "test", Reason: "merged"}
	if _, err := r.Hub().CloseAgencies(r.t.Context(), operator.CloseAgencies{Why: why, Codes: []string{code}, Successors: []string{heir}}); err != nil {
		r.t.Fatal(err)
	}
	for _, m := range r.Members() {
		eventually(r.t, m.Code+" knows that "+code+" is closed", func() error {
			e, err := m.Agent().Lookup(code)
			if err == nil && e.GetClosedMs() == 0 {
				err = errors.New("it does not")
			}
			return err
		})
	}
}
