package registry_test

import (
	"strings"
	"testing"
	"time"

	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func TestCheckRefuses(t *testing.T) {
	w := nghean(t)
	seal, other := certificate(t, "seal"), certificate(t, "other")
	w.do(noon, admit(&axispb.Seal{Code: "H41", Certificate: seal}), revoke("ndan"))
	w.do(noon, admit(&axispb.Seal{Code: "H41", Certificate: other}))
	w.do(noon, retire("H41", hash(string(other))))
	w.do(noon, invite("open", "tchg", noon.Add(time.Hour)), invite("used", "qlyn", noon.Add(time.Hour)), invite("over", "dcha", noon.Add(time.Minute)))
	w.do(noon, use("used"))
	w.do(noon, put("H42", "Ủy ban nhân dân tỉnh Ninh Bình", "", province), closing("H42", "H41"))
	vinh, _ := w.Endpoint("vinh")
	before := w.Dump()
	at := noon.Add(2 * time.Minute)
	in := at.Add(time.Hour)

	tests := []struct {
		name, what string
		steps      []*axispb.Change
	}{
		{"nothing", "no step", nil},
		{"an empty step", "says nothing", []*axispb.Change{{}}},
		{"mixed audiences", "two changes", []*axispb.Change{invite("x", "x", in), put("H43", "A", "", province)}},
		{"too large", "split it", []*axispb.Change{put("H43", strings.Repeat("a", registry.MaxChange), "", province)}},

		{"no code", "it is empty", []*axispb.Change{put("", "A", "", province)}},
		{"a small letter", "write H43", []*axispb.Change{put("h43", "A", "", province)}},
		{"a short form", "write 000.28.22.H17", []*axispb.Change{put("28.22.H17", "A", "", province)}},
		{"no name", "no name", []*axispb.Change{put("H43", " ", "", province)}},
		{"a name of two lines", "line break", []*axispb.Change{put("H43", "A\nB", "", province)}},
		{"a name not in NFC", "NFC", []*axispb.Change{put("H43", "Nghe\u0323\u0302 An", "", province)}},
		{"a name that is not UTF-8", "UTF-8", []*axispb.Change{put("H43", "\xff", "", province)}},
		{"a long name", "shorten", []*axispb.Change{put("H43", strings.Repeat("a", 501), "", province)}},
		{"no level", "no level", []*axispb.Change{put("H43", "A", "", 0)}},
		{"an unknown level", "no level", []*axispb.Change{put("H43", "A", "", 77)}},
		{"before 1970", "1970", []*axispb.Change{putAgency(&axispb.Agency{Code: "H43", Name: "A", Level: province, ValidFromMs: -1})}},
		{"unknown parent", "add the agency first", []*axispb.Change{put("H43.01", "A", "H43", district)}},
		{"child before parent", "step 1 of 2", []*axispb.Change{put("H43.01", "A", "H43", district), put("H43", "B", "", province)}},
		{"its own parent", "below itself", []*axispb.Change{put("H41", "A", "H41", province)}},
		{"a loop of parents", "below itself", []*axispb.Change{put("H41", "A", "H41.11.05", province)}},
		{"alias is another's", "H41", []*axispb.Change{put("H43", "A", "", province, "000.00.00.H41")}},
		{"alias is another's code", "H41.11", []*axispb.Change{put("H43", "A", "", province, "H41.11")}},
		{"code is another's alias", "alias of", []*axispb.Change{put("000.00.00.H41", "A", "", province)}},
		{"alias twice", "named twice", []*axispb.Change{put("H43", "A", "", province, "000.00.00.H43", "000.00.00.H43")}},
		{"alias is its code", "named twice", []*axispb.Change{put("H43", "A", "", province, "H43")}},
		{"alias is no code", "alias", []*axispb.Change{put("H43", "A", "", province, "cũ")}},

		{"closing the unknown", "H99", []*axispb.Change{closing("H99")}},
		{"unknown successor", "H99", []*axispb.Change{closing("H41", "H99")}},
		{"its own successor", "lead back", []*axispb.Change{closing("H41", "000.00.00.H41")}},
		{"a loop of successors", "lead back", []*axispb.Change{closing("H41", "H42")}},
		{"successor twice", "twice", []*axispb.Change{closing("H42", "H41", "000.00.00.H41")}},

		{"serving the unknown", "H99", []*axispb.Change{serve("H99", "vinh")}},
		{"serving by the unknown", "enrol it first", []*axispb.Change{serve("H41", "hue")}},
		{"serving by the revoked", "revoked", []*axispb.Change{serve("H41", "ndan")}},
		{"revoked in the same change", "revoked", []*axispb.Change{revoke("vinh"), serve("H41", "vinh")}},

		{"seal for the unknown", "H99", []*axispb.Change{admit(&axispb.Seal{Code: "H99", Certificate: seal})}},
		{"seal that is no certificate", "no X.509", []*axispb.Change{admit(&axispb.Seal{Code: "H41", Certificate: []byte("x")})}},
		{"seal that is huge", "more than any", []*axispb.Change{admit(&axispb.Seal{Code: "H41", Certificate: make([]byte, 65<<10)})}},
		{"chain that is none", "chain", []*axispb.Change{admit(&axispb.Seal{Code: "H41", Certificate: seal, Chain: [][]byte{{1}}})}},
		{"long chain", "9 certificates", []*axispb.Change{admit(&axispb.Seal{Code: "H41", Certificate: seal, Chain: make([][]byte, 9)})}},
		{"seal from too early", "begin later", []*axispb.Change{admit(&axispb.Seal{Code: "H41", Certificate: seal, ValidFromMs: 1})}},
		{"seal until too late", "end earlier", []*axispb.Change{admit(&axispb.Seal{Code: "H41", Certificate: seal, ValidUntilMs: noon.AddDate(9, 0, 0).UnixMilli()})}},
		{"seal that ends first", "before it begins", []*axispb.Change{admit(&axispb.Seal{Code: "H41", Certificate: seal, ValidFromMs: 2e12, ValidUntilMs: 1e12})}},
		{"retiring an unknown seal", "look the digest up", []*axispb.Change{retire("H41", hash("?"))}},
		{"retiring without a digest", "look the digest up", []*axispb.Change{retire("H41", nil)}},
		{"retiring another's seal", "look the digest up", []*axispb.Change{retire("H41.11", hash(string(seal)))}},
		{"retiring twice", "already", []*axispb.Change{retire("H41", hash(string(other)))}},

		{"invitation with a name in use", "choose another", []*axispb.Change{invite("x", "vinh", in)}},
		{"invitation with a revoked name", "choose another", []*axispb.Change{invite("x", "ndan", in)}},
		{"invitation with an invited name", "is open until", []*axispb.Change{invite("x", "tchg", in)}},
		{"invited twice at once", "is open until", []*axispb.Change{invite("x", "hue", in), invite("y", "hue", in)}},
		{"invitation with a known hash", "anew", []*axispb.Change{invite("used", "hue", in)}},
		{"invitation without a hash", "anew", []*axispb.Change{{Change: &axispb.Change_Invite{Invite: &axispb.Invitation{Endpoint: "hue"}}}}},
		{"invitation that is over", "later end", []*axispb.Change{invite("x", "hue", at)}},
		{"invitation for an unknown code", "H99", []*axispb.Change{invite("x", "hue", in, "H99")}},
		{"use of the unknown", "no such", []*axispb.Change{use("?")}},
		{"use of the used", "already", []*axispb.Change{use("used")}},
		{"used twice at once", "already", []*axispb.Change{use("open"), use("open")}},
		{"use of the expired", "was over", []*axispb.Change{use("over")}},

		{"endpoint without a name", "no name", []*axispb.Change{enrol("", certificate(t, ""))}},
		{"endpoint with capitals", "lower-case", []*axispb.Change{enrol("Hue", certificate(t, "Hue"))}},
		{"endpoint with a dot", "lower-case", []*axispb.Change{enrol("hue.>", certificate(t, "hue.>"))}},
		{"endpoint with a long name", "40", []*axispb.Change{enrol(strings.Repeat("a", 41), certificate(t, "a"))}},
		{"endpoint called axis", "own", []*axispb.Change{enrol("axis", certificate(t, "axis"))}},
		{"endpoint revoked", "revoked", []*axispb.Change{enrol("ndan", certificate(t, "ndan"))}},
		{"endpoint without a certificate", "no X.509", []*axispb.Change{enrol("hue", nil)}},
		{"certificate to another name", "made out to", []*axispb.Change{enrol("hue", certificate(t, "vinh"))}},
		{"certificate known", "issue a new one", []*axispb.Change{enrol("vinh", vinh.Certificates[0])}},
		{"endpoint with an unknown code", "H99", []*axispb.Change{enrol("hue", certificate(t, "hue"), "H99")}},
		{"endpoint with a code twice", "twice", []*axispb.Change{enrol("hue", certificate(t, "hue"), "H41", "000.00.00.H41")}},
		{"revoking the unknown", "no endpoint", []*axispb.Change{revoke("hue")}},
		{"revoking twice", "already", []*axispb.Change{revoke("ndan")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := w.Check(change(tt.steps...), at)
			if !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) || reason.IsTemporary(err) {
				t.Fatalf("Check = %v; want a permanent conflict", err)
			}
			if what := reason.Of(err).Args[0]; !strings.Contains(what, tt.what) || len(what) > 1000 {
				t.Errorf("it says %.1000q; want %q in it", what, tt.what)
			}
			// A conflict that reached the journal all the same breaks nothing.
			s := registry.NewState()
			s.Apply(1, noon, change(put("H41", "A", "", province, "000.00.00.H41")))
			s.Apply(2, at, change(tt.steps...))
			if err := s.Invariants(); err != nil {
				t.Error(err)
			}
		})
	}
	if after := w.Dump(); after != before {
		t.Error("a check changed the registry")
	}
}

func TestCheckRefusesOtherFormats(t *testing.T) {
	c := change(put("H41", "A", "", province))
	c.Version = 2
	if err := registry.NewState().Check(c, noon); !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) {
		t.Errorf("format 2: %v", err)
	}
	c.Version, c.Actor = 1, "a\x1b[31m"
	if err := registry.NewState().Check(c, noon); !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) {
		t.Errorf("an actor with control characters: %v", err)
	}
}

func TestAudience(t *testing.T) {
	tests := []struct {
		change *axispb.RegistryChange
		want   axispb.Audience
	}{
		{change(put("H41", "A", "", province), serve("H41", "")), axispb.Audience_AUDIENCE_PUBLIC},
		{change(revoke("vinh")), axispb.Audience_AUDIENCE_PUBLIC},
		{change(use("x")), axispb.Audience_AUDIENCE_OPERATORS},
		{change(revoke("vinh"), invite("x", "y", noon)), axispb.Audience_AUDIENCE_OPERATORS},
		{change(), axispb.Audience_AUDIENCE_UNSPECIFIED},
		{nil, axispb.Audience_AUDIENCE_UNSPECIFIED},
	}
	for i, tt := range tests {
		if got := registry.Audience(tt.change); got != tt.want {
			t.Errorf("%d: %v; want %v", i, got, tt.want)
		}
	}
}
