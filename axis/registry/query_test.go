package registry_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func TestRoute(t *testing.T) {
	w := nghean(t)
	tomorrow := noon.Add(24 * time.Hour)
	w.do(noon,
		put("H01", "A", "", province), put("H02", "B", "", province), put("H03", "C", "", province),
		put("H04", "D", "", province), put("H05", "E", "", province), put("H06", "F", "", province),
		putAgency(&axispb.Agency{Code: "H07", Name: "G", Level: province, ValidFromMs: tomorrow.UnixMilli()}),
		serve("H06", "vinh"), serve("H07", "vinh"), serve("H01", "vinh"),
	)
	w.do(noon, closing("H01", "H02"), closing("H02", "H41"), closing("H03"), closing("H04", "H41", "H06"), closing("H05", "H03"))
	w.do(noon, put("H08", "H", "", province), closing("H08", "H07"))
	w.do(noon, revoke("ndan"))

	tests := []struct {
		code  string
		at    time.Time
		route registry.Route
		why   axispb.ReasonCode
		args  []string
	}{
		{code: "H41", route: registry.Route{Serving: "H41", Endpoint: "vinh"}},
		{code: "000.00.00.H41", route: registry.Route{Serving: "H41", Endpoint: "vinh"}},
		{code: "00.00.H41", route: registry.Route{Serving: "H41", Endpoint: "vinh"}},
		{code: "000.05.11.H41", route: registry.Route{Serving: "H41.11.05", Endpoint: "vinh"}},
		{code: "H01", route: registry.Route{Serving: "H41", Endpoint: "vinh", Routed: true}},
		{code: "H01", at: noon.Add(-time.Millisecond), route: registry.Route{Serving: "H01", Endpoint: "vinh"}},
		{code: "H07", at: tomorrow, route: registry.Route{Serving: "H07", Endpoint: "vinh"}},
		{code: "H08", at: tomorrow, route: registry.Route{Serving: "H07", Endpoint: "vinh", Routed: true}},

		{code: "H99", why: axispb.ReasonCode_REASON_UNKNOWN_CODE, args: []string{"H99"}},
		{code: "000.00.00.H01", why: axispb.ReasonCode_REASON_UNKNOWN_CODE, args: []string{"000.00.00.H01"}},
		{code: "h41", why: axispb.ReasonCode_REASON_BAD_CODE, args: []string{"h41"}},
		{code: "", why: axispb.ReasonCode_REASON_BAD_CODE, args: []string{""}},
		{code: "H03", why: axispb.ReasonCode_REASON_CLOSED_CODE, args: []string{"H03"}},
		{code: "H05", why: axispb.ReasonCode_REASON_CLOSED_CODE, args: []string{"H05"}},
		{code: "H04", why: axispb.ReasonCode_REASON_SEVERAL_SUCCESSORS, args: []string{"H04", "H41, H06"}},
		{code: "H41.12", why: axispb.ReasonCode_REASON_NOT_SERVED, args: []string{"H41.12", "Ủy ban nhân dân huyện Thanh Chương"}},
		{code: "H41.11", why: axispb.ReasonCode_REASON_NOT_SERVED, args: []string{"H41.11", "Ủy ban nhân dân huyện Nam Đàn"}},
		{code: "H07", why: axispb.ReasonCode_REASON_NOT_SERVED, args: []string{"H07", "G (≥ 2026-03-03)"}},
	}
	for _, tt := range tests {
		if tt.at.IsZero() {
			tt.at = noon
		}
		got, refused := w.Route(tt.code, tt.at)
		if refused != nil {
			if refused.Reason.Code != tt.why || !cmp.Equal(refused.Reason.Args, tt.args) || refused.Temporary() {
				t.Errorf("Route(%q) is refused: %v; want %v %q", tt.code, refused.Reason, tt.why, tt.args)
			}
			continue
		}
		tt.route.Code = tt.code
		if got != tt.route || tt.why != 0 {
			t.Errorf("Route(%q) = %+v; want %+v %v", tt.code, got, tt.route, tt.why)
		}
	}
}

func TestGroup(t *testing.T) {
	w := nghean(t)
	w.do(noon, put("H42", "Ủy ban nhân dân tỉnh Ninh Bình", "", province), serve("H42", "vinh"), serve("H41.11.06", "vinh"))
	tests := []struct {
		under    string
		level    axispb.Level
		served   []string
		unserved int
	}{
		{"H41", 0, []string{"H41.11", "H41.11.05", "H41.11.06"}, 1},
		{"000.00.00.H41", commune, []string{"H41.11.05", "H41.11.06"}, 0},
		{"H41", district, []string{"H41.11"}, 1},
		{"H41.11.05", 0, nil, 0},
		{"", province, []string{"H41", "H42"}, 0},
		{"", 0, []string{"H41", "H41.11", "H41.11.05", "H41.11.06", "H42"}, 1},
		{"H99", 0, nil, 0},
	}
	check := func(at time.Time) {
		t.Helper()
		for _, tt := range tests {
			routes, unserved := w.Group(tt.under, tt.level, at)
			var codes []string
			for _, r := range routes {
				codes = append(codes, r.Code)
				if alone, refused := w.Route(r.Code, at); refused != nil || alone != r {
					t.Errorf("%s of the group is %+v, alone %+v, %v", r.Code, r, alone, refused)
				}
			}
			if !cmp.Equal(codes, tt.served) || unserved != tt.unserved {
				t.Errorf("Group(%q, %v) = %v and %d; want %v and %d", tt.under, tt.level, codes, unserved, tt.served, tt.unserved)
			}
		}
	}
	check(noon)

	// A closed district is no member; its communes are. One that is not valid yet
	// is no member either.
	later := noon.Add(time.Hour)
	w.do(later, closing("H41.11"), putAgency(&axispb.Agency{
		Code: "H41.13", Name: "Mới", Parent: "H41", Level: district, ValidFromMs: later.AddDate(1, 0, 0).UnixMilli(),
	}))
	tests[0].served, tests[2].served, tests[5].served = []string{"H41.11.05", "H41.11.06"}, nil, []string{"H41", "H41.11.05", "H41.11.06", "H42"}
	check(later)

	// An agency that moves under another leaves the first.
	w.do(later, put("H41.11", "Ủy ban nhân dân huyện Nam Đàn", "H42", district))
	if served, _ := w.Group("H41", commune, later); len(served) != 0 {
		t.Errorf("H41 still has %v", served)
	}
	if served, _ := w.Group("H42", commune, later); len(served) != 2 {
		t.Errorf("H42 has only %v", served)
	}
}

func TestMoves(t *testing.T) {
	w := nghean(t)
	tests := []struct {
		name  string
		steps []*axispb.Change
		want  registry.Effects
	}{
		{"to another", []*axispb.Change{serve("H41.11", "vinh")}, registry.Effects{Moved: []registry.Move{{Code: "H41.11", Serving: "H41.11", From: "ndan", To: "vinh"}}}},
		{"by an alias", []*axispb.Change{serve("000.00.00.H41", "ndan")}, registry.Effects{Moved: []registry.Move{{Code: "H41", Serving: "H41", From: "vinh", To: "ndan"}}}},
		{"to where it is", []*axispb.Change{serve("H41", "ndan")}, registry.Effects{}},
		{"there and back", []*axispb.Change{serve("H41", "vinh"), serve("H41", "ndan")}, registry.Effects{}},
		{"for the first time", []*axispb.Change{serve("H41.12", "ndan")}, registry.Effects{Moved: []registry.Move{{Code: "H41.12", Serving: "H41.12", To: "ndan"}}}},
		{"to nobody", []*axispb.Change{serve("H41.12", "")}, registry.Effects{Moved: []registry.Move{{Code: "H41.12", Serving: "H41.12", From: "ndan"}}}},
		{"by enrolling", []*axispb.Change{enrol("new", certificate(t, "new"), "H41", "H41.12")}, registry.Effects{
			Moved: []registry.Move{{Code: "H41", Serving: "H41", From: "ndan", To: "new"}, {Code: "H41.12", Serving: "H41.12", To: "new"}},
		}},
		{"a name alone", []*axispb.Change{put("H41", "Nghệ An", "", province)}, registry.Effects{}},
		{"revoked", []*axispb.Change{revoke("new")}, registry.Effects{Revoked: []string{"new"}}},
		{"from the revoked", []*axispb.Change{serve("H41", "vinh")}, registry.Effects{Moved: []registry.Move{{Code: "H41", Serving: "H41", From: "new", To: "vinh"}}}},
	}
	for _, tt := range tests {
		if got := w.do(noon, tt.steps...); !cmp.Equal(got, tt.want) {
			t.Errorf("%s: %s", tt.name, cmp.Diff(tt.want, got))
		}
	}
	if a, _ := w.Agency("H41"); a.Endpoint != "vinh" || len(a.Aliases) != 0 {
		t.Errorf("replacing an agency must keep its endpoint and drop its aliases: %+v", a)
	}
	if _, ok := w.Agency("000.00.00.H41"); ok {
		t.Error("a dropped alias still means the agency")
	}
}

func TestEndpointAndItsCertificates(t *testing.T) {
	w := nghean(t)
	second := certificate(t, "vinh")
	w.do(noon.Add(time.Hour), enrol("vinh", second))
	e, refused := w.EndpointByCertificate(second)
	if refused != nil || e.Name != "vinh" || len(e.Certificates) != 2 || !e.EnrolledAt.Equal(noon) || !cmp.Equal(e.Codes, []string{"H41", "H41.11.05"}) {
		t.Errorf("by its second certificate: %+v, %v", e, refused)
	}
	if first, refused := w.EndpointByCertificate(e.Certificates[0]); refused != nil || first.Name != "vinh" {
		t.Error("the first certificate is forgotten")
	}
	if _, refused := w.EndpointByCertificate(certificate(t, "vinh")); !reason.Is(refused, axispb.ReasonCode_REASON_NOT_FOUND) {
		t.Error("a certificate with the right name alone passes")
	}
	for code, want := range map[string]bool{"H41": true, "000.00.00.H41": true, "H41.11": false, "H41.12": false, "H99": false, "": false} {
		if w.Serves("vinh", code) != want {
			t.Errorf("vinh serves %q: %v", code, !want)
		}
	}
	if w.Serves("", "H41.12") {
		t.Error("nobody serves an unserved code")
	}
	w.do(noon, revoke("vinh"))
	if e, refused := w.EndpointByCertificate(second); !reason.Is(refused, axispb.ReasonCode_REASON_ENDPOINT_REVOKED) || !e.Revoked || w.Serves("vinh", "H41") {
		t.Errorf("revoked: %+v, %v", e, refused)
	}
	if all := w.Endpoints(); len(all) != 2 || all[0].Name != "ndan" || all[1].Name != "vinh" {
		t.Errorf("all endpoints: %+v", all)
	}
	if all := w.Agencies(); len(all) != 5 || all[0].Code != "H41" || all[4].Code != "H41.12" {
		t.Errorf("all agencies: %+v", all)
	}
}

func TestSeal(t *testing.T) {
	w := nghean(t)
	der := certificate(t, "seal")
	digest := sha256.Sum256(der)
	from, until, retired := noon.Add(time.Hour), noon.Add(9*time.Hour), noon.Add(5*time.Hour)
	w.do(noon, admit(&axispb.Seal{Code: "000.00.00.H41", Certificate: der, Delegated: true, ValidFromMs: from.UnixMilli(), ValidUntilMs: until.UnixMilli()}))
	w.do(noon, admit(&axispb.Seal{Code: "H41.11", Certificate: der}))
	w.do(retired, retire("H41", digest[:]))

	tests := []struct {
		code string
		at   time.Time
		why  axispb.ReasonCode
	}{
		{"H41", from, 0},
		{"000.00.00.H41", retired.Add(-time.Millisecond), 0},
		{"H41", from.Add(-time.Millisecond), axispb.ReasonCode_REASON_SEAL_NOT_VALID},
		{"H41", retired, axispb.ReasonCode_REASON_SEAL_RETIRED},
		{"H41.11", until.Add(time.Hour), 0},
		{"H41.11", noon.AddDate(1, 0, 0), axispb.ReasonCode_REASON_SEAL_NOT_VALID},
		{"H41.12", from, axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED},
		{"H99", from, axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED},
	}
	for _, tt := range tests {
		seal, refused := w.Seal(tt.code, digest, tt.at)
		if refused == nil {
			if tt.why != 0 || seal.Digest != digest {
				t.Errorf("%s at %s: %+v; want %v", tt.code, tt.at, seal, tt.why)
			}
			continue
		}
		if refused.Reason.Code != tt.why || len(refused.Reason.Args) < 2 || refused.Reason.Args[0] != tt.code {
			t.Errorf("%s at %s: %v; want %v", tt.code, tt.at, refused.Reason, tt.why)
		}
	}
	if seals := w.Seals("000.00.00.H41"); len(seals) != 1 || !seals[0].Delegated || !seals[0].RetiredAt.Equal(retired) {
		t.Errorf("seals of H41: %+v", seals)
	}

	// The operator admits it again: a new window, no longer retired.
	w.do(retired, admit(&axispb.Seal{Code: "H41", Certificate: der}))
	if _, refused := w.Seal("H41", digest, until.Add(time.Hour)); refused != nil {
		t.Errorf("admitted again: %v", refused)
	}
}

func TestInvitation(t *testing.T) {
	w := nghean(t)
	expires := noon.Add(time.Hour)
	w.do(noon, invite("a", "tchg", expires, "000.00.00.H41"), invite("b", "qlyn", expires))
	got, refused := w.Invitation(hash("a"), noon)
	if refused != nil || got.Endpoint != "tchg" || !cmp.Equal(got.Codes, []string{"H41"}) {
		t.Errorf("open: %+v, %v", got, refused)
	}
	// As enrolment does it: two records of one block.
	w.do(noon, enrol("tchg", certificate(t, "tchg"), got.Codes...))
	w.do(noon, use("a"))
	if got, refused := w.Invitation(hash("a"), noon); !reason.Is(refused, axispb.ReasonCode_REASON_INVITATION_INVALID) || got.Endpoint != "tchg" {
		t.Errorf("used: %+v, %v", got, refused)
	}
	if _, refused := w.Invitation(hash("b"), expires); !reason.Is(refused, axispb.ReasonCode_REASON_INVITATION_EXPIRED) {
		t.Errorf("expired: %v", refused)
	}
	for _, h := range [][]byte{nil, hash("?"), hash("a")[:31]} {
		if _, refused := w.Invitation(h, noon); !reason.Is(refused, axispb.ReasonCode_REASON_INVITATION_INVALID) {
			t.Errorf("unknown: %v", refused)
		}
	}
	// The name of an invitation that ran out may be given again.
	w.do(expires, invite("c", "qlyn", expires.Add(time.Hour)))
	if all := w.Invitations(); len(all) != 3 || all[2].Endpoint != "tchg" || !all[2].Used {
		t.Errorf("all invitations: %+v", all)
	}
}

func TestCloseAgainPutsSuccessorsRight(t *testing.T) {
	w := nghean(t)
	w.do(noon, closing("H41.11"))
	w.do(noon.Add(time.Hour), closing("H41.11", "H41"))
	a, _ := w.Agency("H41.11")
	if !a.ClosedAt.Equal(noon) || !cmp.Equal(a.Successors, []string{"H41"}) {
		t.Errorf("%+v", a)
	}
}

// TestNation loads as many agencies as the country could have.
func TestNation(t *testing.T) {
	const provinces, districts, communes = 63, 20, 80
	w := newWorld(t)
	var all []*axispb.Agency
	agency := func(code, parent string, level axispb.Level) {
		all = append(all, &axispb.Agency{Code: code, Name: "Ủy ban nhân dân " + code, Parent: parent, Level: level})
	}
	for p := range provinces {
		top := fmt.Sprintf("H%02d", p+1)
		agency(top, "", province)
		for d := range districts {
			mid := fmt.Sprintf("%s.%02d", top, d)
			agency(mid, top, district)
			for c := range communes {
				agency(fmt.Sprintf("%s.%02d", mid, c), mid, commune)
			}
		}
	}
	for _, c := range registry.Batches(all, "op", "import") {
		if err := w.Check(c, noon); err != nil {
			t.Fatal(err)
		}
		w.Apply(1, noon, c)
	}
	if err := w.Invariants(); err != nil {
		t.Fatal(err)
	}
	if _, unserved := w.Group("H41", commune, noon); unserved != districts*communes {
		t.Errorf("H41 has %d communes", unserved)
	}
	if _, unserved := w.Group("", 0, noon); unserved != len(all) || len(all) < 100_000 {
		t.Errorf("%d of %d agencies", unserved, len(all))
	}
}
