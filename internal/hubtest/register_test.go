package hubtest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	operator "docaxis/axis/admin"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/bus"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func registering(code, parent string) *axispb.RegisterRequest {
	return &axispb.RegisterRequest{Put: &axispb.Agency{Code: code, Name: "Đơn vị " + code, Parent: parent, Mail: "vt@example.vn"}}
}

// register asks until the axis answers.
func register(t *testing.T, m *hubtest.Member, req *axispb.RegisterRequest) (held string, err error) {
	t.Helper()
	eventually(t, "register", func() error {
		held, err = m.Agent().Register(t.Context(), req)
		if reason.IsTemporary(err) {
			return err
		}
		return nil
	})
	return held, err
}

func size(t *testing.T, w *hubtest.World) uint64 {
	t.Helper()
	s, err := w.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Size
}

// knows waits until an endpoint's directory says something of an agency.
func knows(t *testing.T, m *hubtest.Member, code string, holds func(*axispb.AgencyEntry) bool) {
	t.Helper()
	eventually(t, m.Code+" knows of "+code, func() error {
		e, err := m.Agent().Lookup(code)
		if err == nil && (e == nil || !holds(e)) {
			err = fmt.Errorf("has %v", e)
		}
		return err
	})
}

// An endpoint registers an agency below its own, receives for it, renames it and closes
// it: everybody's directory follows, repetitions make no record, and what waits when it
// closes still arrives.
func TestAnEndpointRegistersAnAgency(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Retry: quick}, "G22", "H41")
	m, sender := w.Member("H41"), w.Member("G22")
	add := registering("000.00.09.H41", "000.00.00.H41")
	if held, err := register(t, m, add); held != "" || err != nil {
		t.Fatalf("%q, %v", held, err)
	}
	knows(t, sender, "000.00.09.H41", func(e *axispb.AgencyEntry) bool {
		return e.GetEndpoint() == m.Name && e.GetAgency().GetMail() == "vt@example.vn" && e.GetAgency().GetParent() == "H41"
	})
	before := size(t, w)
	for range 3 {
		if _, err := register(t, m, add); err != nil {
			t.Fatal(err)
		}
	}
	if now := size(t, w); now != before {
		t.Errorf("repetitions made %d records", now-before)
	}
	id := send(t, sender, clerk.Draft{To: []string{"000.00.09.H41"}})
	wait(t, sender, id, axispb.State_STATE_CONSIGNED)

	renamed := registering("000.00.09.H41", "")
	renamed.Put.Name, renamed.Put.Phone = "Đơn vị mới", "0238 1"
	if _, err := register(t, m, renamed); err != nil {
		t.Fatal(err)
	}
	knows(t, sender, "000.00.09.H41", func(e *axispb.AgencyEntry) bool {
		return e.GetAgency().GetName() == "Đơn vị mới" && e.GetAgency().GetPhone() == "0238 1" && e.GetEndpoint() == m.Name
	})

	// It closes while a document waits for it.
	stop(t, m)
	waiting := send(t, sender, clerk.Draft{To: []string{"000.00.09.H41"}})
	wait(t, sender, waiting, axispb.State_STATE_ACCEPTED)
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	end := &axispb.RegisterRequest{Close: "000.00.09.H41"}
	for range 2 {
		if _, err := register(t, m, end); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, sender, waiting, axispb.State_STATE_CONSIGNED)
	knows(t, sender, "000.00.09.H41", func(e *axispb.AgencyEntry) bool { return e.GetClosedMs() != 0 })
	if why := rejectedFor(t, w, sender, send(t, sender, clerk.Draft{To: []string{"000.00.09.H41"}})); why != "NO_RECIPIENT" && why != "CLOSED_CODE" {
		t.Errorf("to the closed one: %s", why)
	}
	a, err := w.Hub().ShowAgency(t.Context(), "000.00.09.H41")
	if err != nil || len(a.History) != 3 || a.History[0].Actor != m.Name || a.History[0].Steps[0].What != "close_agency" {
		t.Errorf("history %+v, %v", a.History, err)
	}
	sum := dump(t, w)
	stopped(t, w, func(string) error { return nil })
	if dump(t, w) != sum {
		t.Error("a restart has another ledger")
	}
	check(t, w)
}

// With a policy that holds registrations, an operator decides on each: the endpoint
// gets the same id until then, and the operator's reason after a refusal.
func TestRegistrationsAreHeldForAnOperator(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Retry: quick}, "G22", "H41")
	m := w.Member("H41")
	word := "held"
	set(t, w, operator.SetPolicy{Code: "H41", Registrations: &word})
	first, err := register(t, m, registering("H41.90", "H41"))
	if err != nil || len(first) != 32 {
		t.Fatalf("%q, %v", first, err)
	}
	before := size(t, w)
	stopped(t, w, func(string) error { return nil })
	if again, err := register(t, m, registering("H41.90", "000.00.00.H41")); again != first || err != nil || size(t, w) != before {
		t.Errorf("asked again: %q, %v", again, err)
	}
	second, err := register(t, m, registering("H41.91", "H41"))
	if err != nil || second == first {
		t.Fatalf("%q, %v", second, err)
	}
	all, err := w.Hub().ListRequests(t.Context(), false)
	if err != nil || len(all) != 2 || all[0].ID != first || all[0].What != "add" || all[0].Endpoint != m.Name || all[0].Name != "Đơn vị H41.90" || all[0].State != "open" {
		t.Fatalf("%+v, %v", all, err)
	}
	if s, err := w.Hub().Status(t.Context()); err != nil || s.Requests != 2 {
		t.Errorf("the status counts %d requests, %v", s.Requests, err)
	}
	if _, err := w.Hub().ShowAgency(t.Context(), "H41.90"); !reason.Is(err, axispb.ReasonCode_REASON_NOT_FOUND) {
		t.Errorf("it is there before it is approved: %v", err)
	}

	settle := func(id string, approve bool) (operator.AgencyRequest, error) {
		return w.Hub().SettleRequest(t.Context(), operator.Settle{Why: lan, ID: id, Approve: approve})
	}
	if _, err := w.Hub().SettleRequest(t.Context(), operator.Settle{Why: operator.Why{Actor: "lan"}, ID: first}); err == nil {
		t.Error("decided without a reason")
	}
	done, err := settle(first[:6], true)
	if err != nil || done.State != "approved" || done.By != "lan" || done.Why != lan.Reason || done.SettledMS == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := settle(first, false); !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) {
		t.Errorf("decided twice: %v", err)
	}
	if held, err := register(t, m, registering("H41.90", "H41")); held != "" || err != nil {
		t.Errorf("asked after the approval: %q, %v", held, err)
	}
	knows(t, w.Member("G22"), "H41.90", func(e *axispb.AgencyEntry) bool { return e.GetEndpoint() == m.Name })
	if _, err := settle(second, false); err != nil {
		t.Fatal(err)
	}
	_, err = register(t, m, registering("H41.91", "H41"))
	if !reason.Is(err, axispb.ReasonCode_REASON_REGISTRATION_REFUSED) || !strings.Contains(reason.Sentence(reason.Of(err), reason.Vietnamese), lan.Reason) {
		t.Errorf("asked after the refusal: %v", err)
	}
	deeds, err := w.Hub().Deeds(t.Context(), 0, 4)
	if err != nil || deeds[0].Steps[0].What != "settle_request" || deeds[0].Actor != "lan" || deeds[2].Steps[0].What != "put_agency" || deeds[2].Actor != "lan" {
		t.Errorf("%+v, %v", deeds, err)
	}

	word = "forbidden"
	set(t, w, operator.SetPolicy{Registrations: &word})
	word = "inherit"
	set(t, w, operator.SetPolicy{Code: "H41", Registrations: &word})
	if _, err := register(t, m, registering("H41.92", "H41")); !reason.Is(err, axispb.ReasonCode_REASON_REGISTRATION_FORBIDDEN) {
		t.Errorf("forbidden: %v", err)
	}
	check(t, w)
}

// What waits for an operator goes to operators alone.
func TestRequestsAreNobodyElses(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Retry: quick}, "H41", "H42")
	word := "held"
	set(t, w, operator.SetPolicy{Registrations: &word})
	for i := range 100 {
		if _, err := register(t, w.Member("H41"), registering(fmt.Sprintf("H41.%d", 100+i), "H41")); err != nil {
			t.Fatal(err)
		}
	}
	// The hundred and first does not wait, nor does it hinder another endpoint's.
	if _, err := register(t, w.Member("H41"), registering("H41.999", "H41")); !reason.Is(err, axispb.ReasonCode_REASON_FORBIDDEN) {
		t.Errorf("the hundred and first: %v", err)
	}
	if held, err := register(t, w.Member("H42"), registering("H42.01", "H42")); held == "" || err != nil {
		t.Errorf("another endpoint's: %q, %v", held, err)
	}
	eventually(t, "H42 has heard all that it may", func() error {
		e, err := w.Member("H42").Agent().Lookup("H42")
		if err == nil && e == nil {
			err = errors.New("nothing")
		}
		return err
	})
	for _, code := range []string{"H41", "H42"} {
		s, err := w.Member(code).Agent().Status()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Progress.GetCursors() {
			if c.GetLane() == axispb.Lane_LANE_REGISTRY && c.GetPosition() > size(t, w)-101 {
				t.Errorf("%s was given a record from %d on", code, c.GetPosition())
			}
		}
	}
}

// testRegistrations: the attacker asks for what is others', and for more than is its
// own to have; nothing is journaled.
func testRegistrations(t *testing.T, s *siege) {
	put := func(code, parent string, change ...func(*axispb.Agency)) *axispb.RegisterRequest {
		r := registering(code, parent)
		for _, f := range change {
			f(r.Put)
		}
		return r
	}
	s.attack(t, nil, func() {
		for _, req := range []*axispb.RegisterRequest{
			put("H41", ""), put("000.00.00.H41", ""), put("H41", "H25"), put("H41.01", "H41"), put("H41.01", "H25"), put("000.00.01.H41", "H25"),
			put("H99", "H25"), put("H99", ""), put("H25.00", "H25"), put("H25.01", "H25.01"), put("h25.01", "H25"), put("H25.01", "H99"),
			put("H25.01", "H25", func(a *axispb.Agency) { a.Aliases = []string{"H41"} }),
			put("H25.01", "H25", func(a *axispb.Agency) { a.Aliases = []string{"H99"} }),
			put("H25.01", "H25", func(a *axispb.Agency) { a.Level = axispb.Level_LEVEL_MINISTRY }),
			put("H25.01", "H25", func(a *axispb.Agency) { a.Name = strings.Repeat("a", 10_000) }),
			put("H25.01", "H25", func(a *axispb.Agency) { a.Mail = strings.Repeat("a", 1<<20) }),
			put("H25", ""),
			{Close: "H41"},
			{Close: "H25"},
			{Close: "H99"},
			{Close: "x\x00"},
			{},
			{Close: "H25", Put: registering("H25.01", "H25").Put},
		} {
			if a := s.raw.ask(t, bus.Register, req); a.GetError() == nil || a.GetTemporary() {
				t.Errorf("%.200v: %s", req, said(a))
			} else if slices.Contains([]axispb.ReasonCode{axispb.ReasonCode_REASON_UNSPECIFIED, axispb.ReasonCode_REASON_UNAVAILABLE}, a.GetError().GetCode()) {
				t.Errorf("%.200v: %s", req, said(a))
			}
		}
	})
}
