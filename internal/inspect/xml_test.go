package inspect_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"

	"docaxis/edxml"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/internal/sealtest"
	"docaxis/internal/vectors"
	"docaxis/signing"
	dsig "docaxis/signing/xmldsig/xmldsigtest"
)

// signedPackage is a package with an XML signature, and the options by which it passes.
func signedPackage(t *testing.T) (string, inspect.Options) {
	root := sealtest.Root(t, "Root")
	seal := sealtest.New(t, root, "Ủy ban nhân dân xã Thử")
	file, err := dsig.Sign(dsig.Package([2]string{"a.txt", "S8OtbmggZ+G7rWk="}), seal.Key, seal.Chain[:1])
	if err != nil {
		t.Fatal(err)
	}
	return file, inspect.Options{
		Signing: signing.Options{At: sealtest.At, Anchors: []*x509.Certificate{root.Certificate()}}, Folder: t.TempDir(),
	}
}

// TestSignedPackages: whatever passes is read as it was signed, however the file is
// spelt, and whatever reads otherwise does not pass.
func TestSignedPackages(t *testing.T) {
	file, o := signedPackage(t)
	want := read(t, file)
	for _, tt := range []struct {
		name, old, new string
		sub            signing.SubIndication
	}{
		{"as it is", "", "", ""},
		{"a comment in an organisation's code", "000.00.00.X91", "000.00.00.<!-- .X99 -->X91", ""},
		{"a comment between elements", "<edXML:To>", "<!-- <edXML:To/> --><edXML:To>", ""},
		{"a marked section", "V/v", "<![CDATA[V/v]]>", ""},
		{"a reference to a character", "V/v", "&#86;/v", ""},
		{"another text", "V/v", "V/v ", signing.HashFailure},
		{"an instruction", "V/v", "V/<?x?>v", signing.HashFailure},
		{"another recipient", "<edXML:To>", "<edXML:To><edXML:OrganId>000.00.00.X92</edXML:OrganId></edXML:To><edXML:To>", signing.HashFailure},
		{"an envelope in the signature", "</KeyInfo>", "</KeyInfo><Object><edXMLEnvelope><edXMLHeader/></edXMLEnvelope></Object>", signing.SigConstraintsFailure},
		{"an envelope that calls itself a signature's", "</KeyInfo>", "</KeyInfo><Object><Envelope><Header><MessageHeader/></Header></Envelope></Object>", signing.SigConstraintsFailure},
	} {
		raw := strings.Replace(file, tt.old, tt.new, 1)
		f := look(t, "a.edxml", "", []byte(raw), o)
		if f.Refused != nil || len(f.XML) != 1 || f.Placeholder || f.XML[0].Verdict.SubIndication != tt.sub || f.Covered() != (tt.sub == "") {
			t.Errorf("%s: %v, %+v", tt.name, f.Refused, f.XML)
			continue
		}
		if got := read(t, raw); tt.sub == "" && got != want {
			t.Errorf("%s is read as %s, not %s", tt.name, got, want)
		}
		if say := f.Sentence(lang.Vietnamese); !strings.Contains(say, "XML-DSig") {
			t.Error(say)
		}
	}
}

// read is what package edxml reads in a package.
func read(t *testing.T, file string) string {
	t.Helper()
	p, err := edxml.Open(strings.NewReader(file), int64(len(file)), edxml.Limits{Lenient: true})
	if err != nil || p.Document == nil {
		t.Fatal(err)
	}
	d := p.Document
	out := string(d.From.OrganID) + d.From.Name + d.ID + d.Subject
	for _, to := range d.To {
		out += string(to.OrganID)
	}
	for _, a := range p.Attachments {
		out += a.Name
	}
	return out
}

// TestPlaceholders: what the SDK writes is none, however the package is spelt, and is
// not read for it.
func TestPlaceholders(t *testing.T) {
	_, o := signedPackage(t)
	sdk := vectors.EdXML("new-3-attachments-signed.edxml")
	empty := []byte(strings.Replace(dsig.Package(), dsig.Mark, `<Signature xmlns="`+dsig.Space+`"/>`, 1))
	for name, raw := range map[string][]byte{"the SDK's": sdk, "behind a blank": append([]byte("\n"), sdk[bytes.IndexByte(sdk, '\n')+1:]...), "an empty one": empty} {
		if f := look(t, "a.edxml", "", raw, o); f.Refused != nil || !f.Placeholder || len(f.XML) != 0 || f.Covered() {
			t.Errorf("%s: %v %+v", name, f.Refused, f)
		}
	}
	strange, _ := signedPackage(t)
	strange = strings.ReplaceAll(strange, dsig.Space+`">`, `urn:x">`)
	if f := look(t, "a.edxml", "", []byte(strange), o); f.Refused != nil || len(f.XML) != 0 {
		t.Errorf("of another namespace: %v %+v", f.Refused, f)
	}
	strange = strings.ReplaceAll(strange, ` xmlns="urn:x"`, "")
	if f := look(t, "a.edxml", "", []byte(strange), o); f.Refused != nil || !f.Placeholder || len(f.XML) != 0 {
		t.Errorf("of edXML's namespace: %v %+v", f.Refused, f)
	}
	both := strings.Replace(dsig.Package(), dsig.Mark, `<Signature xmlns="`+dsig.Space+`"/>`+dsig.Mark, 1)
	seal := sealtest.New(t, sealtest.Root(t, "Nobody"), "Stranger")
	signed, err := dsig.Sign(both, seal.Key, seal.Chain)
	if err != nil {
		t.Fatal(err)
	}
	f := look(t, "a.edxml", "", []byte(strings.Replace(signed, `#"/>`, `#"></Signature>`, 1)), o)
	if !f.Placeholder || len(f.XML) != 1 || f.XML[0].Verdict.SubIndication != signing.HashFailure {
		t.Errorf("%+v", f)
	}
}
