package pades_test

import (
	"bytes"
	"fmt"

	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// later is what somebody does to a signed document.
type later struct {
	// before prepares the first revision, before anybody signs.
	before func(d *padestest.Doc)
	after  func(d *padestest.Doc)
	want   pades.ChangeKind // empty: no change at all
	sub    signing.SubIndication
}

// widget is a visible empty signature field of the first revision.
func emptyField(d *padestest.Doc) {
	num := d.Take()
	d.Put(num, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(Later)/Rect[0 0 10 10]/P %d 0 R>>", padestest.Page))
	d.Fields, d.Annots = append(d.Fields, num), append(d.Annots, num)
	d.PutRoot()
	d.PutPage()
}

const (
	first  = padestest.FirstFree // the first object that a preparation takes
	second = first + 1
)

// onFirst rewrites an object that a preparation made.
func put(num int, body string) func(*padestest.Doc) {
	return func(d *padestest.Doc) { d.Put(num, body) }
}

func note(d *padestest.Doc) {
	num := d.Take()
	d.Put(num, "<</Type/Annot/Subtype/FreeText/Rect[0 0 600 800]/Contents(x)>>")
	d.Annots = append(d.Annots, num)
	d.PutPage()
}

func textField(d *padestest.Doc) {
	num := d.Take()
	d.Put(num, "<</Type/Annot/Subtype/Widget/FT/Tx/T(Text)/Rect[0 0 10 10]/V(a)>>")
	d.Fields, d.Annots = append(d.Fields, num), append(d.Annots, num)
	d.PutRoot()
	d.PutPage()
}

func cert(d *padestest.Doc) (num int) {
	num = d.Take()
	d.PutStream(num, "", []byte("not a certificate"))
	return num
}

var laters = map[string]later{
	// What any signer must expect.
	"certificates": {
		after: func(d *padestest.Doc) {
			d.Root["DSS"] = fmt.Sprintf("<</Certs[%d 0 R]>>", cert(d))
			d.PutRoot()
		},
		want: pades.ChangeValidation,
	},
	"more certificates": {
		before: func(d *padestest.Doc) {
			num, list := d.Take(), d.Take()
			d.Put(num, fmt.Sprintf("<</Certs %d 0 R>>", list))
			d.Put(list, "[]")
			d.Root["DSS"] = fmt.Sprintf("%d 0 R", num)
			d.PutRoot()
		},
		after: func(d *padestest.Doc) { d.Put(second, fmt.Sprintf("[%d 0 R]", cert(d))) },
		want:  pades.ChangeValidation,
	},
	"an empty signature field": {
		after: func(d *padestest.Doc) { emptyField(d) },
		want:  pades.ChangeSignature,
	},
	"title of the file": {after: put(padestest.Info, "<</Title(Khac)>>"), want: pades.ChangeMetadata},
	"description": {
		before: func(d *padestest.Doc) {
			d.PutStream(d.Take(), "/Type/Metadata/Subtype/XML", []byte("<x/>"))
			d.Root["Metadata"] = fmt.Sprintf("%d 0 R", first)
			d.PutRoot()
		},
		after: func(d *padestest.Doc) {
			d.PutStream(first, "/Type/Metadata/Subtype/XML", []byte("<y/>"))
		},
		want: pades.ChangeMetadata,
	},
	"an object written again": {after: func(d *padestest.Doc) {
		d.Put(padestest.Font, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetic#61 >>")
		d.PutStream(padestest.Contents, "", []byte("BT /F1 12 Tf 72 720 Td (Noi dung) Tj ET"))
	}},
	"an object that nobody refers to": {after: func(d *padestest.Doc) { d.Put(d.Take(), "(x)") }},

	// What a person must look at.
	"a comment": {after: note, want: pades.ChangeAnnotation, sub: signing.SigConstraintsFailure},
	"a comment, altered": {
		before: note,
		after:  put(first, "<</Type/Annot/Subtype/FreeText/Rect[0 0 600 800]/Contents(y)>>"),
		want:   pades.ChangeAnnotation, sub: signing.SigConstraintsFailure,
	},
	"a comment, removed": {
		before: note,
		after:  func(d *padestest.Doc) { d.Annots = d.Annots[1:]; d.PutPage() },
		want:   pades.ChangeAnnotation, sub: signing.SigConstraintsFailure,
	},
	"a list of annotations": {
		before: func(d *padestest.Doc) {
			d.Put(d.Take(), "[]")
			d.Leaf["Annots"] = fmt.Sprintf("%d 0 R", first)
			d.PutPage()
			d.Annots = nil
		},
		after: func(d *padestest.Doc) { d.Put(first, "[<</Type/Annot/Subtype/FreeText>>]") },
		want:  pades.ChangeAnnotation, sub: signing.SigConstraintsFailure,
	},
	"a filled field": {
		before: textField,
		after:  put(first, "<</Type/Annot/Subtype/Widget/FT/Tx/T(Text)/Rect[0 0 10 10]/V(b)>>"),
		want:   pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"a new field": {after: textField, want: pades.ChangeForm, sub: signing.SigConstraintsFailure},
	"a field that looks signed": {
		after: func(d *padestest.Doc) {
			num, look := d.Take(), d.Take()
			d.Put(num, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(No)/Rect[0 0 10 10]/AP<</N %d 0 R>>>>", look))
			d.PutStream(look, "/Type/XObject/Subtype/Form", []byte("S"))
			d.Fields, d.Annots = append(d.Fields, num), append(d.Annots, num)
			d.PutRoot()
			d.PutPage()
		},
		want: pades.ChangeForm, sub: signing.SigConstraintsFailure,
	},
	"bytes behind the end": {
		after: func(d *padestest.Doc) { d.B = append(d.B, "5 0 obj (x) endobj\n"...) },
		want:  pades.ChangeAppended, sub: signing.SigConstraintsFailure,
	},

	// What the signer did not sign.
	"text of the page": {
		after: func(d *padestest.Doc) { d.PutStream(padestest.Contents, "", []byte("BT (Khac) Tj ET")) },
		want:  pades.ChangeContent, sub: signing.HashFailure,
	},
	"font":             {after: put(padestest.Font, "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>"), want: pades.ChangeContent, sub: signing.HashFailure},
	"list of pages":    {after: put(padestest.Pages, "<</Type/Pages/Kids[]/Count 0>>"), want: pades.ChangeContent, sub: signing.HashFailure},
	"what opens":       {after: func(d *padestest.Doc) { d.Root["OpenAction"] = "[3 0 R /Fit]"; d.PutRoot() }, want: pades.ChangeContent, sub: signing.HashFailure},
	"size of the page": {after: func(d *padestest.Doc) { d.Leaf["CropBox"] = "[0 0 1 1]"; d.PutPage() }, want: pades.ChangeContent, sub: signing.HashFailure},
	"XFA":              {after: func(d *padestest.Doc) { d.Form += "/XFA(x)"; d.PutRoot() }, want: pades.ChangeContent, sub: signing.HashFailure},
	"a deleted object": {after: func(d *padestest.Doc) { d.Free(padestest.Contents) }, want: pades.ChangeContent, sub: signing.HashFailure},
	"language":         {after: func(d *padestest.Doc) { d.Root["Lang"] = "(vi)"; d.PutRoot() }, want: pades.ChangeContent, sub: signing.HashFailure},
	"a signature gone": {before: emptyField, after: func(d *padestest.Doc) { d.Fields = d.Fields[1:]; d.PutRoot() }, want: pades.ChangeContent, sub: signing.HashFailure},
	"the look of a signature": {
		after: func(d *padestest.Doc) {
			d.PutStream(first+2, "/Type/XObject/Subtype/Form/BBox[0 0 170 30]", []byte("forged"))
		},
		want: pades.ChangeContent, sub: signing.HashFailure,
	},

	// Shadow attacks: the document was prepared before it was signed.
	"a hole that is filled": {
		before: func(d *padestest.Doc) { d.Leaf["Thumb"] = "900 0 R"; d.PutPage() },
		after:  func(d *padestest.Doc) { d.PutStream(900, "/Subtype/Image", []byte("x")) },
		want:   pades.ChangeContent, sub: signing.HashFailure,
	},
	"another version, hidden in what was signed": {
		before: func(d *padestest.Doc) {
			d.PutStream(d.Take(), "", []byte("4 0 obj <</Length 1>> stream\nx\nendstream endobj"))
		},
		after: func(d *padestest.Doc) {
			d.At(padestest.Contents, int64(bytes.Index(d.B, []byte("4 0 obj <</Length 1>>"))))
		},
		want: pades.ChangeContent, sub: signing.HashFailure,
	},
	"a description that is the page's content": {
		before: func(d *padestest.Doc) {
			d.PutStream(padestest.Contents, "/Type/Metadata/Subtype/XML", []byte("(a) Tj"))
			d.Root["Metadata"] = fmt.Sprintf("%d 0 R", padestest.Contents)
			d.PutRoot()
		},
		after: func(d *padestest.Doc) {
			d.PutStream(padestest.Contents, "/Type/Metadata/Subtype/XML", []byte("(b) Tj"))
		},
		want: pades.ChangeContent, sub: signing.HashFailure,
	},
	"a description that is the list of pages": {
		before: func(d *padestest.Doc) {
			d.Put(padestest.Page, "<</Type/Page/MediaBox[0 0 1 1]>>")
			d.Root["Metadata"] = fmt.Sprintf("%d 0 R", padestest.Pages)
			d.PutRoot()
		},
		after: put(padestest.Pages, "<</Type/Pages/Kids[]/Count 0>>"),
		want:  pades.ChangeContent, sub: signing.HashFailure,
	},
	"a title that is a comment": {
		before: func(d *padestest.Doc) { d.Annots = append(d.Annots, padestest.Info); d.PutPage() },
		after:  put(padestest.Info, "<</Title(x)/Subtype/FreeText/Rect[0 0 9 9]>>"),
		want:   pades.ChangeContent, sub: signing.HashFailure,
	},
	"certificates that are the page's font": {
		before: func(d *padestest.Doc) {
			d.Root["DSS"] = fmt.Sprintf("<</VRI %d 0 R>>", padestest.Font)
			d.PutRoot()
		},
		after: put(padestest.Font, "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>"),
		want:  pades.ChangeContent, sub: signing.HashFailure,
	},
	"a page dressed as a field": {
		before: func(d *padestest.Doc) { d.Leaf["FT"] = "/Sig"; d.PutPage() },
		after:  func(d *padestest.Doc) { d.Leaf["V"], d.Leaf["AA"] = "9 0 R", "<<>>"; d.PutPage() },
		want:   pades.ChangeContent, sub: signing.HashFailure,
	},
}
