package xmldsig_test

import (
	"bytes"
	"strings"
	"testing"

	"docaxis/signing"
	"docaxis/signing/xmldsig"
	dsig "docaxis/signing/xmldsig/xmldsigtest"
)

// TestSeveralSignatures: each has its own verdict. Who signs after another signs the
// other's signature, too; the first then no longer covers what is there.
func TestSeveralSignatures(t *testing.T) {
	b := newBench(t)
	first := must(b.by(dsig.Whole(unsigned)).Element())
	second := must(dsig.By(b.rsa.Key, b.rsa.Chain[:1], dsig.Whole(with(document, canonical(first)))).Element())
	d := inspect(t, with(document, first+second), b.options())
	if len(d.Signatures) != 2 || d.Signatures[0].Verdict.SubIndication != signing.HashFailure || !d.Signatures[1].Verdict.Passed() {
		t.Errorf("%+v", d)
	}
	head := `<head Id="head">Kính gửi</head>`
	part := must(b.by(dsig.ByID("head", head)).Element())
	whole := must(b.by(dsig.Whole(with(document, canonical(part)))).Element())
	d = inspect(t, with(document, whole+part), b.options())
	if !d.Signatures[0].Verdict.Passed() || d.Signatures[1].Whole || d.Signatures[1].Verdict.SubIndication != signing.SigConstraintsFailure {
		t.Errorf("%+v", d)
	}
	if got := strings.Join(d.Signatures[1].Outside, " "); got != "/doc/Signature /doc/body" {
		t.Errorf("outside is %s", got)
	}
	d = inspect(t, with(document, strings.Repeat("<x>"+part+"</x>", 9)), b.options())
	if len(d.Signatures) != 8 || d.Left != 1 {
		t.Errorf("%d judged, %d left", len(d.Signatures), d.Left)
	}
	d = inspect(t, with(document, strings.Repeat("<x>1</x>", 20)+part), b.options())
	if got := d.Signatures[0].Outside; len(got) != 11 || got[0] != "/doc/x" || got[10] != "…" {
		t.Errorf("outside is %s", got)
	}
	if d = inspect(t, unsigned, b.options()); len(d.Signatures) != 0 {
		t.Errorf("%+v", d)
	}
}

// canonical is a signature's element in canonical form: SignedInfo repeats a namespace.
func canonical(element string) string {
	return strings.Replace(element, `<SignedInfo xmlns="`+dsig.Space+`">`, "<SignedInfo>", 1)
}

// TestPlaceholders: what cannot be a signature is called so, and never passes.
func TestPlaceholders(t *testing.T) {
	b := newBench(t)
	for name, want := range map[string]bool{
		`<Signature xmlns="` + dsig.Space + `"></Signature>`:                                                                        true,
		`<Signature xmlns="` + dsig.Space + `"/>`:                                                                                   true,
		`<Signature xmlns="` + dsig.Space + `"><SignatureValue>QUFBQUFBQUE=</SignatureValue></Signature>`:                           true,
		strings.Replace(must(b.by(dsig.Whole("")).Element()), "<SignatureValue>", "<SignatureValue>!", 1):                           true,
		must((&dsig.Signature{References: []dsig.Reference{dsig.Whole("")}, Key: b.seal.Key, Hash: dsig.Whole("").Hash}).Element()): false,
		must(b.by(dsig.Whole("")).Element()):                                                                                        false,
	} {
		if s := only(t, with(document, name), b.options()); s.Placeholder != want || s.Verdict.Passed() {
			t.Errorf("%.300s: %+v", name, s)
		}
	}
}

// TestWhatIsNotSigned: comments, and how a file spells what it says, are nobody's
// statement; they change nothing, and a reader must not be steered by them.
func TestWhatIsNotSigned(t *testing.T) {
	b := newBench(t)
	file := with(document, must(b.by(dsig.Whole(unsigned)).Element()))
	kept := b.by(dsig.Whole(unsigned))
	kept.References[0].Transforms = dsig.Transform(dsig.Enveloped) + dsig.Transform(dsig.Exclusive+"WithComments")
	if s := only(t, strings.Replace(with(document, must(kept.Element())), "Kính", "Kính<!-- x -->", 1), b.options()); !s.Verdict.Passed() {
		t.Errorf("%s: %s", s.Verdict.SubIndication, s.Verdict.Detail)
	}
	for _, change := range [][2]string{
		{"Kính gửi", "Kính <!-- ai? -->gửi"},
		{"Kính gửi", "K&#237;nh gửi"},
		{"Kính gửi", "<![CDATA[Kính]]> gửi"},
		{`<head Id="head">`, "<head\r\n\tId = 'head' >"},
		{`<head Id="head">`, `<head Id="h&#x65;ad">`},
		{"<doc", "\xef\xbb\xbf<?xml version='1.0' encoding=\"utf-8\" standalone='yes' ?>\r\n<!-- x --><doc"},
		{"</doc>", "</doc>\n<!-- x -->"},
	} {
		if s := only(t, strings.Replace(file, change[0], change[1], 1), b.options()); !s.Verdict.Passed() {
			t.Errorf("%s: %s: %s", change[1], s.Verdict.SubIndication, s.Verdict.Detail)
		}
	}
}

// TestSizes: above the limit nothing is looked at.
func TestSizes(t *testing.T) {
	b := newBench(t)
	doc := strings.Replace(document, "<p>2</p>", strings.Repeat("x", xmldsig.MaxSize-4000), 1)
	file := with(doc, must(b.by(dsig.Whole(without(doc))).Element()))
	file += "<!--" + strings.Repeat(" ", xmldsig.MaxSize-len(file)-7) + "-->"
	if s := only(t, file, b.options()); len(file) != xmldsig.MaxSize || !s.Verdict.Passed() {
		t.Errorf("%d bytes: %s: %s", len(file), s.Verdict.SubIndication, s.Verdict.Detail)
	}
	d, err := xmldsig.Inspect(unread{}, xmldsig.MaxSize+1, b.options())
	if err != nil || d.Signatures[0].Verdict.SubIndication != signing.SigConstraintsFailure || !strings.Contains(d.Signatures[0].Verdict.Detail, "16777217 bytes") {
		t.Errorf("%+v, %v", d, err)
	}
}

type unread struct{ *bytes.Reader }

func (unread) ReadAt([]byte, int64) (int, error) { panic("it is read") }
