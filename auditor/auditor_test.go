package auditor_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"docaxis/auditor"
	"docaxis/internal/vectors"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
	"docaxis/signing/signingtest"
)

// answer is what a test expects of a file: its kind and result, and the first
// signature's sub-indication where it has one.
type answer struct {
	kind   auditor.Kind
	result auditor.Result
	sub    signing.SubIndication
}

func (w *world) want(name string, f auditor.File, want answer) {
	w.t.Helper()
	got := answer{kind: f.Kind, result: f.Result}
	for _, s := range f.Signatures {
		if got.sub == "" && !s.Placeholder {
			got.sub = s.SubIndication
		}
	}
	if got != want {
		w.t.Errorf("%s: %+v, not %+v: %s", name, got, want, f.Sentence)
	}
}

func TestDetachedSignatures(t *testing.T) {
	w := newWorld(t)
	content := []byte("Nội dung công văn.\n")
	der := w.sign(content)
	named := w.options()
	named.Anchors = []*x509.Certificate{w.seal.Certificate()}
	stranger := w.options()
	stranger.Anchors = nil
	late := named
	late.At = until.AddDate(1, 0, 0)
	for _, tt := range []struct {
		name          string
		raw, content  []byte
		options       auditor.Options
		want          answer
		wantSignature bool
	}{
		{"passed", der, content, named, answer{auditor.KindCMS, auditor.Passed, ""}, true},
		{"in PEM", pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: der}), content, named, answer{auditor.KindCMS, auditor.Passed, ""}, true},
		{"changed", der, []byte("Nội dung khác.\n"), named, answer{auditor.KindCMS, auditor.Failed, signing.HashFailure}, true},
		{"cut short", der[:len(der)-9], content, named, answer{auditor.KindCMS, auditor.Failed, signing.FormatFailure}, true},
		{"no revocation data", der, content, w.options(), answer{auditor.KindCMS, auditor.Indeterminate, signing.TryLater}, true},
		{"no anchor", der, content, stranger, answer{auditor.KindCMS, auditor.Indeterminate, signing.NoCertificateChainFound}, true},
		{"expired", der, content, late, answer{auditor.KindCMS, auditor.Indeterminate, signing.OutOfBoundsNoPOE}, true},
		{"no content", der, nil, named, answer{auditor.KindCMS, auditor.Unusable, ""}, false},
		{"too large", append(bytes.Clone(der), make([]byte, 2<<20)...), content, named, answer{auditor.KindCMS, auditor.Unusable, ""}, false},
	} {
		w.dir = t.TempDir()
		if tt.content != nil {
			w.put("congvan.txt", tt.content)
		}
		f := w.verify(w.put("congvan.txt.P7S", tt.raw), tt.options)
		w.want(tt.name, f, tt.want)
		if (len(f.Signatures) == 1) != tt.wantSignature {
			t.Errorf("%s: %d signatures", tt.name, len(f.Signatures))
		}
	}
}

func TestContentIsNamed(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.Anchors = []*x509.Certificate{w.seal.Certificate()}
	o.Content = w.put("b.txt", []byte("b"))
	f := w.verify(w.put("a.bin", w.sign([]byte("b"))), o)
	w.want("named", f, answer{auditor.KindCMS, auditor.Passed, ""})
	if c := f.Signatures[0].Covers; c.File != o.Content || c.Bytes != 1 {
		t.Errorf("%+v", c)
	}
	o.Content = w.dir + "/khong-co"
	w.want("absent", w.verify(w.dir+"/a.bin", o), answer{auditor.KindCMS, auditor.Unusable, ""})
	w.want("of a PDF", w.verify(w.put("a.pdf", w.signed()), o), answer{auditor.KindPDF, auditor.Unusable, ""})
	w.want("of a folder", w.verify(w.dir, o), answer{auditor.KindFolder, auditor.Unusable, ""})
}

func TestPDFs(t *testing.T) {
	w := newWorld(t)
	stamped := store(padestest.NewDoc().End().Sign(w.approval()), w.good()).Sign(w.stamp())
	revoked := []signingtest.Revoked{{Certificate: w.seal.Certificate(), At: at.Add(-2 * time.Hour)}}
	named := w.options()
	named.Anchors = []*x509.Certificate{w.seal.Certificate()}
	for _, tt := range []struct {
		name    string
		raw     []byte
		options auditor.Options
		want    answer
	}{
		{"passed", w.signed(), w.options(), answer{auditor.KindPDF, auditor.Passed, ""}},
		{"closed by a timestamp", stamped.B, w.options(), answer{auditor.KindPDF, auditor.Passed, ""}},
		{"by its own certificate", padestest.NewDoc().End().Sign(w.approval()).B, named, answer{auditor.KindPDF, auditor.Passed, ""}},
		{"altered", w.altered(), w.options(), answer{auditor.KindPDF, auditor.Failed, signing.HashFailure}},
		{"no revocation data", padestest.NewDoc().End().Sign(w.approval()).B, w.options(), answer{auditor.KindPDF, auditor.Indeterminate, signing.TryLater}},
		{"revoked", store(padestest.NewDoc().End().Sign(w.approval()), w.list(revoked...)).B, w.options(), answer{auditor.KindPDF, auditor.Indeterminate, signing.RevokedNoPOE}},
		{"unsigned", padestest.NewDoc().End().B, w.options(), answer{auditor.KindPDF, auditor.Indeterminate, ""}},
		{"cut short", w.signed()[:900], w.options(), answer{auditor.KindPDF, auditor.Unusable, ""}},
		{"bytes in front", append([]byte("\x00\x01"), w.signed()...), w.options(), answer{auditor.KindPDF, auditor.Unusable, ""}},
	} {
		w.want(tt.name, w.verify(w.put("a.docx", tt.raw), tt.options), tt.want)
	}
}

// TestWhatAPDFTells: who signed, since when it is proven, what it covers, and what was
// done afterwards.
func TestWhatAPDFTells(t *testing.T) {
	w := newWorld(t)
	d := store(padestest.NewDoc().End().Sign(w.approval()), w.good())
	covered := int64(bytes.Index(d.B, []byte("/DSS")))
	o := w.options()
	o.At = at.Add(time.Hour / 2)
	f := w.verify(w.put("a.pdf", d.Sign(w.stamp()).B), o)
	if len(f.Signatures) != 2 {
		t.Fatalf("%+v", f)
	}
	s := f.Signatures[0]
	if s.Name != "A" || s.For != "approval" || s.Signer == nil || s.Signer.Name != sealName || s.Holder != "organisation" || len(s.Chain) != 2 {
		t.Errorf("%+v", s)
	}
	if s.TimeSource != signing.TimeTimestamp || s.Time == nil || s.Time.Before(at) || !s.Time.Before(o.At) || len(s.Revocation) != 1 {
		t.Errorf("%+v", s)
	}
	if c := s.Covers; c.Revision != 2 || c.Revisions != 4 || c.Bytes <= 0 || c.Bytes > covered {
		t.Errorf("%+v", c)
	}
	if len(s.Changes) != 2 || s.Changes[0].Sentence == "" {
		t.Errorf("%+v", s.Changes)
	}
}

func TestPackages(t *testing.T) {
	w := newWorld(t)
	good, bad, bare := w.signed(), w.altered(), padestest.NewDoc().End().B
	value := strings.Repeat("QUJD", 64)
	real := "<SignedInfo><Reference><DigestValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</DigestValue></Reference></SignedInfo><SignatureValue>" + value + "</SignatureValue>"
	only := func(b []byte) []byte { return w.pack(map[string][]byte{"a.pdf": b}) }
	for _, tt := range []struct {
		name string
		raw  []byte
		want answer
	}{
		{"passed", only(good), answer{auditor.KindPackage, auditor.Passed, ""}},
		{"with a placeholder", with(only(good), "<SignatureValue>QUFBQUFBQUE=</SignatureValue>"), answer{auditor.KindPackage, auditor.Passed, ""}},
		{"with an empty placeholder", with(only(good), ""), answer{auditor.KindPackage, auditor.Passed, ""}},
		{"with a digest of zeros", with(only(good), strings.Replace(real, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1)), answer{auditor.KindPackage, auditor.Passed, ""}},
		{"with what is meant as a signature", with(only(good), real), answer{auditor.KindPackage, auditor.Failed, signing.FormatFailure}},
		{"altered", only(bad), answer{auditor.KindPackage, auditor.Failed, ""}},
		{"one of two altered", w.pack(map[string][]byte{"a.pdf": good, "b.pdf": bad}), answer{auditor.KindPackage, auditor.Failed, ""}},
		{"one of two unsigned", w.pack(map[string][]byte{"a.pdf": good, "b.pdf": bare}), answer{auditor.KindPackage, auditor.Indeterminate, ""}},
		{"one is no PDF", w.pack(map[string][]byte{"a.pdf": good, "b.docx": []byte("PK")}), answer{auditor.KindPackage, auditor.Indeterminate, ""}},
		{"a damaged PDF", only([]byte("%PDF-1.7")), answer{auditor.KindPackage, auditor.Unusable, ""}},
		{"a status message", vectors.EdXML("status-03.edxml"), answer{auditor.KindPackage, auditor.Indeterminate, ""}},
		{"a DOCTYPE", vectors.EdXML("variants/doctype.edxml"), answer{auditor.KindPackage, auditor.Unusable, ""}},
		{"no package", []byte("<html></html>"), answer{auditor.KindPackage, auditor.Unusable, ""}},
	} {
		o := w.options()
		f := w.verify(w.put("a.bin", tt.raw), o)
		w.want(tt.name, f, tt.want)
		if left, err := os.ReadDir(o.Folder); err != nil || len(left) > 0 {
			t.Errorf("%s: %d files left, %v", tt.name, len(left), err)
		}
	}
}

func TestWhatCannotBeUsed(t *testing.T) {
	w := newWorld(t)
	w.must(os.Mkdir(w.dir+"/empty", 0o700))
	for name, path := range map[string]string{
		"a text": w.put("a.txt", []byte("Kính gửi")), "nothing": w.put("b.pdf", nil), "noise": w.put("c", bytes.Repeat([]byte{0xf1, 3, 9}, 99)),
		"absent": w.dir + "/khong-co", "a device": os.DevNull,
	} {
		w.want(name, w.verify(path, w.options()), answer{auditor.KindOther, auditor.Unusable, ""})
	}
	w.want("an empty folder", w.verify(w.dir+"/empty", w.options()), answer{auditor.KindFolder, auditor.Unusable, ""})
}

// TestTheWorstCounts: failed, then unusable, then indeterminate, then passed.
func TestTheWorstCounts(t *testing.T) {
	order := []auditor.Result{"", auditor.Passed, auditor.Indeterminate, auditor.Unusable, auditor.Failed}
	for i, a := range order {
		for j, b := range order {
			if got := auditor.Worst(a, b); got != order[max(i, j)] {
				t.Errorf("%q and %q: %q", a, b, got)
			}
		}
	}
	w := newWorld(t)
	good, bad, none := w.put("a.pdf", w.signed()), w.put("b.pdf", w.altered()), w.put("c", []byte("?"))
	report := auditor.Verify([]string{good, none, bad}, w.options())
	if report.Result != auditor.Failed || len(report.Files) != 3 || report.Files[0].Result != auditor.Passed {
		t.Errorf("%+v", report)
	}
}
