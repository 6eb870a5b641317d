package pades_test

import (
	"fmt"
	"strings"
	"testing"

	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// formed has a form whose dictionary and list of fields are objects of their own.
func formed(d *padestest.Doc) {
	form, list := d.Take(), d.Take()
	d.Put(form, fmt.Sprintf("<</SigFlags 3/Fields %d 0 R/DR<</Font<</F1 %d 0 R>>>>>>", list, padestest.Font))
	d.Put(list, "[]")
	d.Root["AcroForm"] = fmt.Sprintf("%d 0 R", form)
	d.PutRoot()
}

// listed puts the fields of a formed document into its list.
func listed(d *padestest.Doc) { d.Put(second, padestest.Refs(d.Fields)) }

func resources(dr string) func(*padestest.Doc) {
	return func(d *padestest.Doc) { d.Put(first, fmt.Sprintf("<</SigFlags 3/Fields %d 0 R/DR%s>>", second, dr)) }
}

// formLaters are done to a document with a form, whose list is kept by hand.
var formLaters = map[string]later{
	"flags": {after: func(d *padestest.Doc) {
		d.Put(first, fmt.Sprintf("<</SigFlags 1/Fields %d 0 R/DR<</Font<</F1 5 0 R>>>>>>", second))
	}},
	"more resources": {after: func(d *padestest.Doc) {
		num := d.Take()
		d.Put(num, "<</Type/Font>>")
		resources(fmt.Sprintf("<</Font<</F2 %d 0 R/F1 5 0 R>>>>", num))(d)
	}},
	"other resources": {after: resources("<</Font<</F1 6 0 R>>>>"), want: pades.ChangeForm, sub: signing.SigConstraintsFailure},
	"resources gone":  {after: resources("<<>>"), want: pades.ChangeForm, sub: signing.SigConstraintsFailure},
	"looks to be made anew": {
		after: resources("<</Font<</F1 5 0 R>>>>/NeedAppearances true"),
		want:  pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"calculations": {after: resources("<</Font<</F1 5 0 R>>>>/CO[7 0 R]"), want: pades.ChangeContent, sub: signing.HashFailure},
	"another signature": {after: func(d *padestest.Doc) {
		num, sig := d.Take(), d.Take()
		d.Put(num, fmt.Sprintf("<</FT/Sig/T(B)/V %d 0 R>>", sig))
		d.Put(sig, "<</SubFilter/adbe.pkcs7.sha1>>")
		d.Fields = append(d.Fields, num)
		listed(d)
	}, want: pades.ChangeSignature},
	"the list emptied": {after: func(d *padestest.Doc) { d.Put(second, "[]") }},
}

func TestLaterForms(t *testing.T) {
	w := newWorld(t)
	for name, l := range formLaters {
		t.Run(name, func(t *testing.T) {
			d := padestest.NewDoc()
			formed(d)
			d.End()
			// A form that is an object of its own has its list written beside it.
			s := w.by("Person", w.person)
			s.SubFilter = "ETSI.CAdES.detached"
			d.PutSignature(s)
			d.PutRoot()
			listed(d)
			d.End().Seal(s)
			if found := w.inspect(d.B); found.Label != pades.Valid {
				t.Fatalf("%s: %s %+v", found.Label, found.Trouble, found.Signatures)
			}
			l.after(d)
			found := w.inspect(d.End().B)
			if name == "the list emptied" {
				if found.Label != pades.Unsigned {
					t.Errorf("%s", found.Label)
				}
				return
			}
			s0 := found.Signatures[0]
			if s0.Verdict.SubIndication != l.sub || l.want == "" && len(s0.Changes) > 0 || l.want != "" && !has(s0.Changes, l.want) {
				t.Errorf("%s (%s): %v", s0.Verdict.SubIndication, s0.Verdict.Detail, s0.Changes)
			}
		})
	}
}

// dressed adds a signature field with more than it needs.
func dressed(entries string) func(*padestest.Doc) {
	return func(d *padestest.Doc) {
		num := d.Take()
		d.Put(num, "<</Type/Annot/FT/Sig/T(New)/Rect[0 0 500 800]"+entries+">>")
		d.Fields, d.Annots = append(d.Fields, num), append(d.Annots, num)
		d.PutRoot()
		d.PutPage()
	}
}

// moreLaters are done to any signed document, as those in laters.
var moreLaters = map[string]later{
	"permissions": {
		before: func(d *padestest.Doc) { d.Root["Perms"] = "<</DocMDP 9 0 R>>"; d.PutRoot() },
		after:  func(d *padestest.Doc) { d.Root["Perms"] = "<<>>"; d.PutRoot() },
		want:   pades.ChangeContent, sub: signing.HashFailure,
	},
	"a description that is a script": {
		before: func(d *padestest.Doc) {
			num := d.Take()
			d.PutStream(num, "/Type/Metadata/Subtype/XML", []byte("a"))
			d.Root["Metadata"], d.Root["AA"] = fmt.Sprintf("%d 0 R", num), fmt.Sprintf("%d 0 R", num)
			d.PutRoot()
		},
		after: func(d *padestest.Doc) { d.PutStream(first, "/Type/Metadata/Subtype/XML", []byte("b")) },
		want:  pades.ChangeContent, sub: signing.HashFailure,
	},
	"every annotation removed": {
		after: func(d *padestest.Doc) { d.Annots = nil; d.PutPage() },
		want:  pades.ChangeAnnotation, sub: signing.SigConstraintsFailure,
	},
	"tags": {
		after: func(d *padestest.Doc) { d.Root["MarkInfo"] = "<</Marked true>>"; d.PutRoot() },
		want:  pades.ChangeStructure, sub: signing.SigConstraintsFailure,
	},
	"version": {after: func(d *padestest.Doc) { d.Root["Version"] = "/2.0"; d.PutRoot() }},
	"a prepared field that moves": {
		before: emptyField,
		after: func(d *padestest.Doc) {
			d.Put(first, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Later)/Rect[0 0 500 800]/V<</SubFilter/adbe.pkcs7.sha1>>/P 3 0 R>>")
		},
		want: pades.ChangeContent, sub: signing.HashFailure,
	},
	"a prepared field that gets a look": {
		before: emptyField,
		after: func(d *padestest.Doc) {
			num := d.Take()
			d.PutStream(num, "/Subtype/Form", []byte("x"))
			d.Put(first, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(Later)/Rect[0 0 10 10]/P 3 0 R/AP<</N %d 0 R>>>>", num))
		},
		want: pades.ChangeContent, sub: signing.HashFailure,
	},
	"the field of a signature": {
		after: func(d *padestest.Doc) {
			d.Put(first, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(Person)/Rect[100 100 270 130]/F 132/P 3 0 R/V %d 0 R/AP<</N 4 0 R>>>>", second))
		},
		want: pades.ChangeContent, sub: signing.HashFailure,
	},
	"a comment dressed as a field": {
		after: dressed("/Subtype/FreeText/Contents(Khac)/DA(/F1 40 Tf)"),
		want:  pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"a square dressed as a field": {
		after: dressed("/Subtype/Square"),
		want:  pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"a field with a script": {
		after: dressed("/Subtype/Widget/AA<</PO<</S/JavaScript/JS(x)>>>>"),
		want:  pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"a field with a background": {
		after: dressed("/Subtype/Widget/MK<</BG[1 1 1]>>"),
		want:  pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"a field with a comment below it": {
		after: func(d *padestest.Doc) {
			kid := d.Take()
			d.Put(kid, "<</Subtype/FreeText/Rect[0 0 500 800]/Contents(Khac)>>")
			d.Annots = append(d.Annots, kid)
			dressed(fmt.Sprintf("/Kids[%d 0 R]", kid))(d)
		},
		want: pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"a place to sign": {
		after: func(d *padestest.Doc) {
			kid := d.Take()
			d.Put(kid, "<</Type/Annot/Subtype/Widget/Rect[0 0 500 800]/F 4>>")
			d.Annots = append(d.Annots, kid)
			dressed(fmt.Sprintf("/Kids[%d 0 R]", kid))(d)
		},
		want: pades.ChangeSignature,
	},
	"a field below another": {
		before: func(d *padestest.Doc) {
			d.Put(d.Take(), "<</T(Group)/Kids[]>>")
			d.Fields = []int{first}
			d.PutRoot()
		},
		after: func(d *padestest.Doc) {
			num := d.Take()
			d.Put(num, fmt.Sprintf("<</T(Below)/FT/Sig/Parent %d 0 R>>", first))
			d.Put(first, fmt.Sprintf("<</T(Group)/Kids[%d 0 R]>>", num))
		},
		want: pades.ChangeSignature,
	},
	"an annotation that was a font": {
		after: func(d *padestest.Doc) { d.Annots = append(d.Annots, padestest.Font); d.PutPage() },
		want:  pades.ChangeAnnotation, sub: signing.SigConstraintsFailure,
	},
	"an object that became a field": {
		before: func(d *padestest.Doc) {
			num := d.Take()
			d.Put(num, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Was)/Rect[0 0 500 800]/V<</SubFilter/adbe.pkcs7.sha1>>>>")
		},
		after: func(d *padestest.Doc) { d.Fields = append(d.Fields, first); d.PutRoot() },
		want:  pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"script that is a look": {
		before: func(d *padestest.Doc) {
			num, script := d.Take(), d.Take()
			d.Put(num, fmt.Sprintf("<</FT/Sig/T(Later)/A<</S/JavaScript/JS %d 0 R>>>>", script))
			d.PutStream(script, "", []byte("harmless()"))
			d.Fields = []int{num}
			d.PutRoot()
		},
		after: func(d *padestest.Doc) {
			d.Put(first, fmt.Sprintf("<</FT/Sig/T(Later)/A<</S/JavaScript/JS %d 0 R>>/V<</SubFilter/adbe.pkcs7.sha1>>>>", second))
			d.PutStream(second, "", []byte("harmful()"))
		},
		want: pades.ChangeContent, sub: signing.HashFailure,
	},
	"a store that shares its list": {
		before: func(d *padestest.Doc) {
			shared := d.Take()
			d.Put(shared, fmt.Sprintf("[%d 0 R]", padestest.Font))
			d.Root["DSS"], d.Leaf["PieceInfo"] = fmt.Sprintf("<</VRI<</X %d 0 R>>>>", shared), fmt.Sprintf("%d 0 R", shared)
			d.PutPage()
			d.PutRoot()
		},
		after: put(first, "[]"),
		want:  pades.ChangeContent, sub: signing.HashFailure,
	},
	"an unreadable object in place of one": {
		after: func(d *padestest.Doc) { d.At(padestest.Font, int64(len(d.B))); d.B = append(d.B, "5 0 obj )"...) },
		want:  pades.ChangeContent, sub: signing.HashFailure,
	},
}

// TestAFieldThatCameLater: a dictionary that was no field's when its revision was written
// did not sign that revision, whatever its value says.
func TestAFieldThatCameLater(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End()
	s := w.by("Person", w.person)
	s.SubFilter = "ETSI.CAdES.detached"
	sig := d.Take()
	d.PutDictionary(sig, s)
	d.End().Seal(s)
	num := d.Take()
	d.Put(num, fmt.Sprintf("<</FT/Sig/T(Person)/V %d 0 R>>", sig))
	d.Fields = []int{num}
	d.PutRoot()
	mustBeRefused(t, w.inspect(d.End().B))
}

// TestAnotherCatalog: a trailer that names another root shows another document.
func TestAnotherCatalog(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End().Sign(w.by("Person", w.person))
	root := d.Take()
	d.Put(root, fmt.Sprintf("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%d 0 R]>>>>", first))
	d.Table(fmt.Sprintf("/Root %d 0 R", root))
	found := w.inspect(d.B)
	if found.Label != pades.Problem || found.Signatures[0].Verdict.SubIndication != signing.HashFailure {
		t.Errorf("%s: %+v", found.Label, found.Signatures)
	}
}

// TestASectionThatSaysTwoThings about one object is none.
func TestASectionThatSaysTwoThings(t *testing.T) {
	w := newWorld(t)
	b := string(padestest.NewDoc().End().B)
	i := strings.Index(b, "xref\n") + len("xref\n")
	row := "4 1\n0000000015 00000 n\r\n"
	if found := w.inspect([]byte(b[:i] + row + b[i:])); found.Label != pades.Unreadable || !strings.Contains(found.Trouble, "twice") {
		t.Errorf("%s: %s", found.Label, found.Trouble)
	}
}

// TestAPointerElsewhere: where the end of a revision pointed to another section than
// the chain does now, its reader saw another document.
func TestAPointerElsewhere(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End()
	old := d.Prev
	s := w.by("Person", w.person)
	s.SubFilter = "ETSI.CAdES.detached"
	d.PutSignature(s)
	d.End()
	at := strings.LastIndex(string(d.B), "startxref")
	d.B = fmt.Appendf(d.B[:at:at], "startxref\n%d\n%%%%EOF\n", old)
	d.Seal(s)
	d.PutRoot()
	found := w.inspect(d.End().B)
	if found.Label != pades.Problem || found.Signatures[0].Verdict.SubIndication != signing.FormatFailure {
		t.Errorf("%s: %+v", found.Label, found.Signatures)
	}
}
