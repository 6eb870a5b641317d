package auditor_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"docaxis/auditor"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
	dsig "docaxis/signing/xmldsig/xmldsigtest"
)

// signedPackage is a package with an XML signature by the seal over all of it.
func (w *world) signedPackage(files map[string][]byte) string {
	w.t.Helper()
	var list [][2]string
	for name, b := range files {
		list = append(list, [2]string{name, base64.StdEncoding.EncodeToString(b)})
	}
	signed, err := dsig.Sign(dsig.Package(list...), w.seal.Key, w.seal.Chain[:1])
	w.must(err)
	return signed
}

// TestXMLSignatures: a signature of a package is judged, and what it covers needs none of
// its own.
func TestXMLSignatures(t *testing.T) {
	w := newWorld(t)
	files := map[string][]byte{"a.txt": []byte("Kính gửi")}
	good := w.signedPackage(files)
	unsigned := strings.ReplaceAll(dsig.Package([2]string{"a.txt", "QQ=="}), dsig.Mark, "")
	part, err := dsig.By(w.seal.Key, w.seal.Chain[:1], dsig.ByID("f", `<edXML:From xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016" Id="f"></edXML:From>`)).Element()
	w.must(err)
	partly := strings.Replace(strings.Replace(dsig.Package(), "<edXML:From>", `<edXML:From Id="f"></edXML:From><edXML:From>`, 1), dsig.Mark, part, 1)
	pinned := w.options()
	pinned.Anchors = w.seal.Chain[:1]
	strange := w.options()
	strange.Anchors = nil
	empty := `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"></Signature>`
	for _, tt := range []struct {
		name    string
		raw     string
		options auditor.Options
		result  auditor.Result
		sub     signing.SubIndication
		within  auditor.Result
	}{
		{"passed", good, pinned, auditor.Passed, "", auditor.Passed},
		{"nothing known of revocation", good, w.options(), auditor.Indeterminate, signing.TryLater, auditor.Indeterminate},
		{"a stranger", good, strange, auditor.Indeterminate, signing.NoCertificateChainFound, auditor.Indeterminate},
		{"a header that was changed", strings.Replace(good, "V/v thử", "V/v thật", 1), pinned, auditor.Failed, signing.HashFailure, auditor.Indeterminate},
		{"a file that was changed", strings.Replace(good, "S8OtbmggZ+G7rWk=", "S8OtbmggZ+G7rWo=", 1), pinned, auditor.Failed, signing.HashFailure, auditor.Indeterminate},
		{"a comment", strings.Replace(good, "V/v", "V<!-- x -->/v", 1), pinned, auditor.Passed, "", auditor.Passed},
		{"a part alone", partly, pinned, auditor.Indeterminate, signing.SigConstraintsFailure, ""},
		{"an altered PDF that was signed so", w.signedPackage(map[string][]byte{"a.pdf": w.altered()}), pinned, auditor.Failed, "", auditor.Failed},
		{"an unsigned PDF", w.signedPackage(map[string][]byte{"a.pdf": padestest.NewDoc().End().B}), pinned, auditor.Passed, "", auditor.Passed},
		{"a placeholder before it", strings.Replace(good, "</edXML:MessageHeader>", "</edXML:MessageHeader>"+empty, 1), pinned, auditor.Failed, signing.HashFailure, auditor.Indeterminate},
		{"a placeholder that was signed, too", w.signedBy(strings.Replace(dsig.Package(), dsig.Mark, empty+dsig.Mark, 1)), pinned, auditor.Passed, "", ""},
		{"no signature", unsigned, pinned, auditor.Indeterminate, "none", auditor.Indeterminate},
		{"an envelope within the signature", strings.Replace(good, "</KeyInfo>", "</KeyInfo><Object><edXMLEnvelope></edXMLEnvelope></Object>", 1), pinned, auditor.Indeterminate, signing.SigConstraintsFailure, auditor.Indeterminate},
		{"too large", w.signedPackage(map[string][]byte{"a.txt": make([]byte, 13<<20)}), pinned, auditor.Indeterminate, signing.SigConstraintsFailure, auditor.Indeterminate},
	} {
		f := w.verify(w.put("a.edxml", []byte(tt.raw)), tt.options)
		sub := signing.SubIndication("none")
		for _, s := range f.Signatures {
			if !s.Placeholder {
				sub = s.SubIndication
				if s.For != auditor.ForXMLDSig || s.Covers.Sentence == "" {
					t.Errorf("%s: %+v", tt.name, s)
				}
			}
		}
		within := auditor.Result("")
		for _, one := range f.Within {
			within = auditor.Worst(within, one.Result)
		}
		if f.Result != tt.result || sub != tt.sub || within != tt.within {
			t.Errorf("%s: %s, %s, within %s: %s", tt.name, f.Result, sub, within, f.Sentence)
		}
	}
	f := w.verify(w.put("a.edxml", []byte(partly)), pinned)
	if c := f.Signatures[0].Covers.Sentence; !strings.Contains(c, "/edXML/edXML:edXMLEnvelope/edXML:edXMLHeader/edXML:MessageHeader/edXML:From; not ") || !strings.Contains(c, "/edXML/AttachmentEncoded") {
		t.Error(c)
	}
	if f = w.verify(w.put("a.edxml", []byte(good)), pinned); len(f.Signatures) != 1 || f.Signatures[0].Signer == nil || f.Signatures[0].Signer.Name != sealName || f.Signatures[0].Covers.Bytes != int64(len(good)) {
		t.Errorf("%+v", f)
	}
}

func (w *world) signedBy(doc string) string {
	w.t.Helper()
	signed, err := dsig.Sign(doc, w.seal.Key, w.seal.Chain[:1])
	w.must(err)
	return signed
}
