package pades_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

func TestLaterRevisions(t *testing.T) {
	w := newWorld(t)
	all := maps.Clone(laters)
	maps.Copy(all, moreLaters)
	for name, l := range all {
		t.Run(name, func(t *testing.T) {
			d := padestest.NewDoc()
			if l.before != nil {
				l.before(d)
			}
			d.End().Sign(w.by("Person", w.person))
			l.after(d)
			if l.want != pades.ChangeAppended {
				d.End()
			}
			found := w.inspect(d.B)
			if found.Label == pades.Unreadable {
				t.Fatal(found.Trouble)
			}
			mustBe(t, found, l)
		})
	}
}

// mustBe compares what is said of the person's signature with what is expected.
func mustBe(t *testing.T, found *pades.Document, l later) {
	t.Helper()
	i := slices.IndexFunc(found.Signatures, func(s pades.Signature) bool { return s.Field == "Person" })
	if i < 0 {
		t.Fatalf("%s: %d signatures", found.Label, len(found.Signatures))
	}
	s := found.Signatures[i]
	if s.Verdict.SubIndication != l.sub || s.WholeFile {
		t.Errorf("%s (%s), whole %v; changes %v", s.Verdict.SubIndication, s.Verdict.Detail, s.WholeFile, s.Changes)
	}
	if l.want == "" && len(s.Changes) > 0 || l.want != "" && !has(s.Changes, l.want) {
		t.Errorf("changes %v", s.Changes)
	}
	want := pades.Valid
	if l.sub != "" {
		want = pades.Problem
	}
	if found.Label != want {
		t.Errorf("label %s", found.Label)
	}
}

func has(changes []pades.Change, kind pades.ChangeKind) bool {
	for _, c := range changes {
		if c.Kind == kind {
			return true
		}
	}
	return false
}

// An empty field that was in the document may be signed, and shows then who did.
func TestAPreparedFieldIsSigned(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc()
	field, look := d.Take(), d.Take()
	widget := fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(Agency)/Rect[0 0 10 10]/P %d 0 R/AP<</N %d 0 R>>", padestest.Page, look)
	d.Put(field, widget+">>")
	d.PutStream(look, "/Type/XObject/Subtype/Form", nil)
	d.Fields, d.Annots = []int{field}, []int{field}
	d.PutRoot()
	d.PutPage()
	d.End().Sign(w.by("Person", w.person))

	sig, s := d.Take(), w.by("", w.agency)
	s.SubFilter = "ETSI.CAdES.detached"
	d.Put(field, fmt.Sprintf("%s/V %d 0 R>>", widget, sig))
	d.PutStream(look, "/Type/XObject/Subtype/Form", []byte("seal"))
	d.PutDictionary(sig, s)
	d.End().Seal(s)
	found := w.inspect(d.B)
	if found.Label != pades.Valid || len(found.Signatures) != 2 {
		t.Fatalf("%s: %+v", found.Label, found.Signatures)
	}
	for _, s := range found.Signatures {
		if s.Field == "Person" && (len(s.Changes) != 1 || s.Changes[0].Kind != pades.ChangeSignature) {
			t.Errorf("%v", s.Changes)
		}
	}
}

// What a certification permits holds for what comes later, and nothing else does.
func TestCertification(t *testing.T) {
	w := newWorld(t)
	for p := 1; p <= 3; p++ {
		for name, want := range map[string][3]signing.SubIndication{
			"certificates":             {"", "", ""},
			"title of the file":        {"", "", ""},
			"an empty signature field": {signing.SigConstraintsFailure, "", ""},
			"a new field":              {signing.SigConstraintsFailure, "", ""},
			"a comment":                {signing.SigConstraintsFailure, signing.SigConstraintsFailure, ""},
			"text of the page":         {signing.HashFailure, signing.HashFailure, signing.HashFailure},
		} {
			if name == "a new field" {
				// A field's widget is an annotation, too.
				want[1] = signing.SigConstraintsFailure
			}
			t.Run(fmt.Sprint(p, " ", name), func(t *testing.T) {
				s := w.by("Certifier", w.agency)
				s.Extra = fmt.Sprintf("/Reference[<</TransformMethod/DocMDP/TransformParams<</P %d/V/1.2>>>>]", p)
				d := padestest.NewDoc().End()
				d.Root["Perms"] = fmt.Sprintf("<</DocMDP %d 0 R>>", d.Next+1)
				d.Sign(s)
				laters[name].after(d)
				found := w.inspect(d.End().B).Signatures[0]
				if found.Kind != pades.Certification || found.Permission != p {
					t.Errorf("%s, permission %d", found.Kind, found.Permission)
				}
				if found.Verdict.SubIndication != want[p-1] {
					t.Errorf("%s: %s; %v", found.Verdict.SubIndication, found.Verdict.Detail, found.Changes)
				}
			})
		}
	}
}

// Each signature answers for what came after it alone.
func TestASecondSignerSignsTheChange(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End().Sign(w.by("Person", w.person))
	d.PutStream(padestest.Contents, "", []byte("(khac) Tj"))
	d.End().Sign(w.by("Agency", w.agency))
	found := w.inspect(d.B)
	a, b := found.Signatures[0], found.Signatures[1]
	if a.Verdict.SubIndication != signing.HashFailure || !b.Verdict.Passed() || found.Label != pades.Problem {
		t.Errorf("%s, %s, %s", a.Verdict.SubIndication, b.Verdict.SubIndication, found.Label)
	}
	for lang, want := range map[string]string{"vi": "đã bị thay đổi sau khi ký", "en": "was changed after signing"} {
		if s := found.Sentence(lang); !strings.Contains(s, want) || !strings.Contains(s, "Person") {
			t.Errorf("%q", s)
		}
	}
}
