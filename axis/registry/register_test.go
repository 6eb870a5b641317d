package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"docaxis/axis/registry"
	"docaxis/proto/axispb"
)

const (
	ministry = axispb.Level_LEVEL_MINISTRY
)

func asks(endpoint string, a *axispb.Agency) *axispb.AgencyRequest {
	return &axispb.AgencyRequest{Endpoint: endpoint, Put: a}
}

func office(code, parent string) *axispb.Agency {
	return &axispb.Agency{Code: code, Name: "Văn phòng", Parent: parent}
}

// register judges and, where nothing is held, carries out.
func (w *world) register(ask *axispb.AgencyRequest) registry.Registration {
	w.t.Helper()
	got, refused := w.Register(ask, noon)
	if refused != nil {
		w.t.Fatalf("%v: %v", ask, refused)
	}
	if len(got.Steps) > 0 {
		w.do(noon, got.Steps...)
	}
	return got
}

func TestAnEndpointRegistersBelowItsOwn(t *testing.T) {
	w := nghean(t)
	for _, tt := range []struct {
		ask    *axispb.Agency
		code   string
		parent string
		level  axispb.Level
	}{
		{&axispb.Agency{Code: "H41.01", Name: "Văn phòng", Parent: "H41", Mail: "vp@example.vn", Phone: "0238", Fax: "1"}, "H41.01", "H41", unit},
		{office("000.00.02.H41", "000.00.00.H41"), "000.00.02.H41", "H41", unit},
		{office("03.H41", "H41"), "000.00.03.H41", "H41", unit},
		{office("H41.04.X1", "H41"), "H41.04.X1", "H41", unit},
		{&axispb.Agency{Code: "H41.13", Name: "Huyện", Parent: "H41", Level: district}, "H41.13", "H41", district},
		{&axispb.Agency{Code: "H41.13.01", Name: "Xã", Parent: "H41.13", Level: commune}, "H41.13.01", "H41.13", commune},
		// Nobody serves the district above it: the province's endpoint answers for it.
		{office("H41.12.01", "H41.12"), "H41.12.01", "H41.12", unit},
	} {
		got := w.register(asks("vinh", tt.ask))
		a, ok := w.Agency(tt.code)
		if !ok || len(got.Steps) != 2 || a.Code != tt.code || a.Parent != tt.parent || a.Level != tt.level || a.Endpoint != "vinh" ||
			a.Name != tt.ask.GetName() || a.Mail != tt.ask.GetMail() || a.Phone != tt.ask.GetPhone() || a.Fax != tt.ask.GetFax() {
			t.Errorf("%v became %+v", tt.ask, a)
		}
		before := w.Dump()
		if again := w.register(asks("vinh", tt.ask)); len(again.Steps) != 0 || again.Position != a.Position || w.Dump() != before {
			t.Errorf("asking again for %s: %+v", tt.code, again)
		}
	}
}

func TestAnEndpointChangesItsOwn(t *testing.T) {
	w := nghean(t)
	w.register(asks("vinh", office("H41.01", "H41")))
	w.register(asks("vinh", &axispb.Agency{Code: "H41.01", Name: "Văn phòng Ủy ban", Mail: "a@b.vn"}))
	if a, _ := w.Agency("H41.01"); a.Name != "Văn phòng Ủy ban" || a.Mail != "a@b.vn" || a.Parent != "H41" || a.Level != unit || a.Endpoint != "vinh" {
		t.Errorf("%+v", a)
	}
	// By another of its codes, and only how to reach it, since operators named it.
	w.register(asks("vinh", &axispb.Agency{Code: "05.11.H41", Name: "Ủy ban nhân dân xã Kim Liên", Phone: "0238 3"}))
	a, _ := w.Agency("H41.11.05")
	if a.Phone != "0238 3" || len(a.Aliases) != 1 || a.Parent != "H41.11" || a.Level != commune {
		t.Errorf("%+v", a)
	}
	w.register(&axispb.AgencyRequest{Endpoint: "vinh", Close: "H41.01"})
	closed, _ := w.Agency("H41.01")
	if !closed.Closed(noon) || len(closed.Successors) != 0 || closed.Endpoint != "vinh" {
		t.Errorf("%+v", closed)
	}
	if again := w.register(&axispb.AgencyRequest{Endpoint: "vinh", Close: "H41.01"}); len(again.Steps) != 0 || again.Position != closed.Position {
		t.Errorf("closing again: %+v", again)
	}
}

// What an endpoint must not come to by asking: each is refused with a reason, and
// nothing changes.
func TestRegistrationsRefused(t *testing.T) {
	const (
		elsewhere  = axispb.ReasonCode_REASON_SERVED_ELSEWHERE
		parent     = axispb.ReasonCode_REASON_PARENT
		notBelow   = axispb.ReasonCode_REASON_NOT_BELOW
		operators  = axispb.ReasonCode_REASON_OPERATORS_ONLY
		conflict   = axispb.ReasonCode_REASON_REGISTRY_CONFLICT
		badCode    = axispb.ReasonCode_REASON_BAD_CODE
		unknown    = axispb.ReasonCode_REASON_UNKNOWN_CODE
		children   = axispb.ReasonCode_REASON_AGENCIES_BELOW
		malformed  = axispb.ReasonCode_REASON_MALFORMED
		revokedEnd = axispb.ReasonCode_REASON_ENDPOINT_REVOKED
	)
	w := nghean(t)
	w.do(noon,
		put("H42", "Ủy ban nhân dân tỉnh khác", "", province, "000.00.00.H42"), put("G22", "Văn phòng Chính phủ", "", ministry),
		enrol("hue", certificate(t, "hue"), "H42"), enrol("gov", certificate(t, "gov"), "G22"), enrol("gone", certificate(t, "gone")),
		put("H41.20", "Đơn vị", "H41", unit), serve("H41.20", "vinh"), put("H41.20.01", "Phòng", "H41.20", unit), serve("H41.20.01", "vinh"),
		put("H41.21", "Đã đóng", "H41", unit), serve("H41.21", "vinh"), closing("H41.21"),
		put("H41.22", "Chưa ai phục vụ", "H41", unit),
		put("H41.30", "Chưa có hiệu lực", "H41", unit), serve("H41.30", "vinh"),
	)
	w.do(noon, revoke("gone"))
	w.do(noon, putAgency(&axispb.Agency{Code: "H41.30", Name: "Chưa có hiệu lực", Parent: "H41", Level: unit, ValidFromMs: noon.Add(time.Hour).UnixMilli()}))
	with := func(change func(*axispb.Agency)) *axispb.Agency {
		a := office("H41.99", "H41")
		change(a)
		return a
	}
	kimLien := func(change func(*axispb.Agency)) *axispb.Agency {
		a := &axispb.Agency{Code: "H41.11.05", Name: "Ủy ban nhân dân xã Kim Liên"}
		change(a)
		return a
	}
	for _, tt := range []struct {
		name string
		ask  *axispb.AgencyRequest
		want axispb.ReasonCode
	}{
		{"an agency of another endpoint", asks("vinh", office("H42", "H41")), elsewhere},
		{"one in its other spelling", asks("vinh", office("000.00.00.H42", "H41")), elsewhere},
		{"one in its short spelling", asks("vinh", office("00.H42", "H41")), elsewhere},
		{"below another endpoint's", asks("vinh", office("H42.01", "H42")), parent},
		{"below nobody", asks("vinh", office("H43", "")), parent},
		{"below the unknown", asks("vinh", office("H43.01", "H43")), parent},
		{"below the closed", asks("vinh", office("H41.21.01", "H41.21")), parent},
		{"below what is not valid yet", asks("vinh", office("H41.30.01", "H41.30")), parent},
		{"below a served one from above", asks("vinh", office("H41.11.09", "H41.11")), parent},
		{"past a served one from above", asks("vinh", office("H41.11.09", "H41")), elsewhere},
		{"past a served one, the other way round", asks("vinh", office("000.09.11.H41", "H41")), elsewhere},
		{"a top code", asks("vinh", office("H43", "H41")), notBelow},
		{"another's code space", asks("vinh", office("H42.01", "H41")), notBelow},
		{"another's code space, the other way round", asks("vinh", office("000.00.01.H42", "H41")), notBelow},
		{"itself below itself", asks("vinh", office("H41.99", "H41.99")), parent},
		{"a code that only begins so", asks("vinh", office("H41A", "H41")), badCode},
		{"the parent in the other spelling", asks("vinh", office("H41.00", "H41")), conflict},
		{"one that is there in the other spelling", asks("vinh", office("000.00.20.H41", "H41")), conflict},
		{"no code", asks("vinh", office("", "H41")), badCode},
		{"no code at all", asks("vinh", office("h41.x\x00", "H41")), badCode},
		{"a huge code", asks("vinh", office("H41."+strings.Repeat("9", 1<<13), "H41")), badCode},
		{"a huge parent", asks("vinh", office("H41.99", strings.Repeat("H", 1<<13))), parent},
		{"no name", asks("vinh", with(func(a *axispb.Agency) { a.Name = " " })), conflict},
		{"a huge name", asks("vinh", with(func(a *axispb.Agency) { a.Name = strings.Repeat("ệ", 501) })), conflict},
		{"a name of two lines", asks("vinh", with(func(a *axispb.Agency) { a.Name = "a\nb" })), conflict},
		{"a name that is no text", asks("vinh", with(func(a *axispb.Agency) { a.Name = "\xff" })), conflict},
		{"a huge address", asks("vinh", with(func(a *axispb.Agency) { a.Mail = strings.Repeat("a", 255) })), conflict},
		{"a telephone of two lines", asks("vinh", with(func(a *axispb.Agency) { a.Phone = "1\n2" })), conflict},
		{"an alias", asks("vinh", with(func(a *axispb.Agency) { a.Aliases = []string{"H43"} })), operators},
		{"another's alias", asks("vinh", with(func(a *axispb.Agency) { a.Aliases = []string{"H42"} })), operators},
		{"an alias for its own", asks("vinh", kimLien(func(a *axispb.Agency) { a.Aliases = []string{"H43"} })), operators},
		{"a first day", asks("vinh", with(func(a *axispb.Agency) { a.ValidFromMs = 1 })), operators},
		{"a ministry below a province", asks("vinh", with(func(a *axispb.Agency) { a.Level = ministry })), operators},
		{"a province below a province", asks("vinh", with(func(a *axispb.Agency) { a.Level = province })), operators},
		{"a level that is none", asks("vinh", with(func(a *axispb.Agency) { a.Level = 77 })), operators},
		{"a commune below a ministry", asks("gov", &axispb.Agency{Code: "G22.01", Name: "Xã", Parent: "G22", Level: commune}), operators},
		{"a commune below a commune", asks("vinh", &axispb.Agency{Code: "H41.11.05.01", Name: "Xã", Parent: "H41.11.05", Level: commune}), operators},
		{"a new name for what operators named", asks("vinh", kimLien(func(a *axispb.Agency) { a.Name = "Bộ Công an" })), operators},
		{"another parent", asks("vinh", kimLien(func(a *axispb.Agency) { a.Parent = "H41" })), operators},
		{"a parent for the top", asks("hue", &axispb.Agency{Code: "H42", Name: "Ủy ban nhân dân tỉnh khác", Parent: "H41"}), operators},
		{"another level", asks("vinh", kimLien(func(a *axispb.Agency) { a.Level = unit })), operators},
		{"one that nobody serves", asks("vinh", office("H41.22", "H41")), operators},
		{"one that is closed", asks("vinh", &axispb.Agency{Code: "H41.21", Name: "Đã đóng"}), conflict},
		{"closing another's", &axispb.AgencyRequest{Endpoint: "vinh", Close: "H42"}, elsewhere},
		{"closing the top", &axispb.AgencyRequest{Endpoint: "vinh", Close: "H41"}, operators},
		{"closing what operators put below another", &axispb.AgencyRequest{Endpoint: "vinh", Close: "H41.11.05"}, operators},
		{"closing one with others below", &axispb.AgencyRequest{Endpoint: "vinh", Close: "H41.20"}, children},
		{"closing the unknown", &axispb.AgencyRequest{Endpoint: "vinh", Close: "H77"}, unknown},
		{"closing no code", &axispb.AgencyRequest{Endpoint: "vinh", Close: strings.Repeat("x", 1<<13)}, badCode},
		{"nothing", &axispb.AgencyRequest{Endpoint: "vinh"}, malformed},
		{"both", &axispb.AgencyRequest{Endpoint: "vinh", Put: office("H41.99", "H41"), Close: "H41.20"}, malformed},
		{"by the revoked", asks("gone", office("H41.99", "H41")), revokedEnd},
		{"by nobody", asks("", office("H41.22.01", "H41.22")), revokedEnd},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, refused := w.Register(tt.ask, noon)
			if refused == nil || refused.Reason.GetCode() != tt.want || refused.Temporary() || len(got.Steps) != 0 {
				t.Errorf("%v, %v; want %s", got.Steps, refused, tt.want)
			}
			if refused != nil && len(refused.Error()) > 2000 {
				t.Errorf("the reason has %d bytes", len(refused.Error()))
			}
		})
	}
}

func TestRequestsAreHeldAndDecided(t *testing.T) {
	w := nghean(t)
	w.do(noon, policy(&axispb.Policy{Code: "H41", Registrations: allowed, RegistrationsHeld: allowed}))
	ask := asks("vinh", office("02.H41", "000.00.00.H41"))
	got := w.register(ask)
	if !got.Held || got.Request != "" || got.Waiting != 0 || got.Ask.GetPut().GetCode() != "000.00.02.H41" || got.Ask.GetPut().GetParent() != "H41" {
		t.Fatalf("%+v", got)
	}
	id := func(n int) string { return fmt.Sprintf("%032x", n) }
	request := func(n int, a *axispb.AgencyRequest) {
		t.Helper()
		a = proto.Clone(a).(*axispb.AgencyRequest)
		a.Id = id(n)
		w.do(noon, asking(a))
	}
	request(1, got.Ask)
	if again := w.register(ask); !again.Held || again.Request != id(1) || again.Waiting != 1 {
		t.Errorf("asked again: %+v", again)
	}
	// Another word on the same agency takes the place of the first.
	other := asks("vinh", &axispb.Agency{Code: "02.H41", Name: "Văn phòng khác", Parent: "H41"})
	request(2, w.register(other).Ask)
	if r, _ := w.Request(id(1)); !r.Replaced || r.Open() {
		t.Errorf("%+v", r)
	}
	if err := w.Check(change(settling(id(1), true)), noon); err == nil {
		t.Error("a replaced request can be decided")
	}
	w.do(noon, settling(id(2), false))
	if _, refused := w.Register(other, noon); refused == nil || refused.Reason.GetCode() != axispb.ReasonCode_REASON_REGISTRATION_REFUSED ||
		refused.Reason.GetArgs()[2] != "test" {
		t.Errorf("asked again after the refusal: %v", refused)
	}
	if again, refused := w.Register(other, noon.Add(8*24*time.Hour)); refused != nil || !again.Held || again.Request != "" {
		t.Errorf("asked again a week later: %+v, %v", again, refused)
	}
	// Approved, it is carried out by what holds then.
	request(3, w.register(ask).Ask)
	if err := w.Check(change(settling(id(3), true), put("H41.50", "A", "H41", unit)), noon); err == nil {
		t.Error("operators' steps are mixed with public ones")
	}
	steps, refused := w.Approval(id(3), noon)
	if refused != nil || len(steps) != 2 {
		t.Fatalf("%v, %v", steps, refused)
	}
	w.do(noon, steps...)
	if steps, refused := w.Approval(id(3), noon); refused != nil || len(steps) != 0 {
		t.Errorf("what is so already: %v, %v", steps, refused)
	}
	w.do(noon, settling(id(3), true))
	if r, ok := w.Request(id(3)); !ok || !r.Approved || r.By != "op" || r.Why != "test" || len(w.Requests(true)) != 0 || len(w.Requests(false)) != 3 {
		t.Errorf("%+v", r)
	}
	if _, refused := w.Approval(id(3), noon); refused == nil {
		t.Error("a request is decided twice")
	}
	w.do(noon, policy(&axispb.Policy{Registrations: forbidden}), policy(&axispb.Policy{Code: "H41"}))
	if _, refused := w.Register(asks("vinh", office("H41.77", "H41")), noon); refused == nil || refused.Reason.GetCode() != axispb.ReasonCode_REASON_REGISTRATION_FORBIDDEN {
		t.Errorf("the policy forbids it: %v", refused)
	}
}

// Whatever an endpoint asks, in any order: what operators gave others stays theirs, and
// every agency stands below one that its endpoint answers for.
func TestRegistrationsAtRandom(t *testing.T) {
	cert, other := certificate(t, "vinh"), certificate(t, "ndan")
	codes := []string{"H41", "000.00.00.H41", "H41.11", "000.00.11.H41", "H41.11.05", "05.11.H41", "H41.12", "H41.12.01", "H42", "H42.01", "h41", "H41.00", ""}
	rapid.Check(t, func(rt *rapid.T) {
		s := registry.NewState()
		s.Apply(1, noon, change(put("H41", "A", "", province), put("H42", "B", "", province), put("H41.11", "C", "H41", district),
			enrol("vinh", cert, "H41"), enrol("ndan", other, "H42", "H41.11")))
		code := rapid.SampledFrom(codes)
		for i := range rapid.IntRange(1, 30).Draw(rt, "length") {
			ask := &axispb.AgencyRequest{Endpoint: rapid.SampledFrom([]string{"vinh", "ndan"}).Draw(rt, "endpoint")}
			if rapid.IntRange(0, 3).Draw(rt, "kind") == 0 {
				ask.Close = code.Draw(rt, "close")
			} else {
				ask.Put = &axispb.Agency{
					Code: code.Draw(rt, "code"), Name: rapid.SampledFrom([]string{"A", "B", "C"}).Draw(rt, "name"),
					Parent: code.Draw(rt, "parent"), Level: axispb.Level(rapid.IntRange(0, 5).Draw(rt, "level")),
				}
			}
			was := map[string]registry.Agency{}
			for _, a := range s.Agencies() {
				was[a.Code] = a
			}
			got, refused := s.Register(ask, noon)
			if refused != nil || len(got.Steps) == 0 {
				continue
			}
			if err := s.Check(change(got.Steps...), noon); err != nil {
				rt.Fatalf("%v is given and does not hold together: %v", ask, err)
			}
			s.Apply(uint64(i+2), noon, change(got.Steps...))
			for _, a := range s.Agencies() {
				before, known := was[a.Code]
				switch {
				case !known && (a.Endpoint != ask.GetEndpoint() || s.Invariants() != nil):
					rt.Fatalf("%v made %+v", ask, a)
				case known && before.Endpoint != a.Endpoint, known && before.Parent != a.Parent, known && before.Level != a.Level:
					rt.Fatalf("%v made %+v of %+v", ask, a, before)
				case known && before.Endpoint != ask.GetEndpoint() && fmt.Sprint(before) != fmt.Sprint(a):
					rt.Fatalf("%v changed %+v", ask, before)
				}
			}
			if again, refused := s.Register(ask, noon); refused != nil || len(again.Steps) != 0 {
				rt.Fatalf("%v again: %v, %v", ask, again, refused)
			}
		}
	})
}
