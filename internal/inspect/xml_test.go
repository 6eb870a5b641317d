package inspect_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"docaxis/edxml"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/internal/vectors"
	"docaxis/proto/axispb"
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

// TestPackagesAreLabelledByTheirSignatures: a package's own signatures stand in its
// label, what is known of the signer follows, and a policy refuses what failed.
func TestPackagesAreLabelledByTheirSignatures(t *testing.T) {
	w := newWorld(t)
	deaf := w.open(t, inspect.Settings{Revocation: new(bool)})
	good, err := dsig.Sign(dsig.Package([2]string{"a.txt", "S8OtbmggZ+G7rWk="}), w.seal.Key, w.seal.Chain[:1])
	if err != nil {
		t.Fatal(err)
	}
	damaged, err := dsig.Sign(dsig.Package([2]string{"a.pdf", "JVBERi0="}), w.seal.Key, w.seal.Chain[:1])
	if err != nil {
		t.Fatal(err)
	}
	const no, bad = axispb.ReasonCode_REASON_UNSPECIFIED, axispb.ReasonCode_REASON_FILE_PROBLEM
	for _, tt := range []struct {
		what   string
		judge  *inspect.Judge
		raw    string
		label  axispb.Label
		failed bool
		sub    signing.SubIndication
		sound  axispb.ReasonCode
	}{
		{"good", deaf, good, valid, false, "", no},
		{"an authority that does not answer", w.judge, good, problem, false, signing.TryLater, no},
		{"altered", deaf, strings.Replace(good, "V/v", "V/V", 1), problem, true, signing.HashFailure, bad},
		{"broken", deaf, strings.Replace(good, "</SignatureValue>", "</SignatureValue><x/>", 1), problem, true, signing.FormatFailure, bad},
		{"carrying something", deaf, strings.Replace(good, "</KeyInfo>", "</KeyInfo><Object><x/></Object>", 1), problem, false, signing.SigConstraintsFailure, no},
		{"a damaged file that was signed so", deaf, damaged, unreadable, true, "", bad},
	} {
		l, retry := w.label(t, tt.judge, "goi.edxml", []byte(tt.raw), w.now())
		expect(t, tt.what, l, tt.label, tt.failed, false)
		if len(l.Signatures) != 1 || l.Signatures[0].SubIndication != string(tt.sub) || l.Signatures[0].Signer != "Ủy ban nhân dân xã Thử" && tt.sub != signing.FormatFailure ||
			retry.IsZero() != (tt.sub != signing.TryLater) {
			t.Errorf("%s: %v, %v", tt.what, l.Signatures, retry)
		}
		got := tt.judge.Refuses(axispb.FilePolicy_FILE_POLICY_SOUND, "H41", l)
		if got.GetCode() != tt.sound {
			t.Errorf("%s: %v", tt.what, got)
		}
		if got != nil {
			if vi := reason.Sentence(got, lang.Vietnamese); !strings.Contains(vi, "goi.edxml") || strings.Contains(vi, " the ") || strings.Contains(vi, "The ") {
				t.Error(vi)
			}
		}
	}
	w.publish(t, time.Time{})
	w.run(t)
	for deadline := time.Now().Add(20 * time.Second); ; w.forward(time.Minute) {
		l, _ := w.label(t, w.judge, "goi.edxml", []byte(good), w.now())
		if l.Label == valid {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("never valid: %v", l)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
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
