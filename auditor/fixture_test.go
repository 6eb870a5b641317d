package auditor_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docaxis/auditor"
	"docaxis/edxml"
	"docaxis/internal/lang"
	"docaxis/internal/vectors"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
	"docaxis/signing/signingtest"
)

var (
	from  = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	until = time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC)
	at    = time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
)

const sealName = "Ủy ban nhân dân xã Thử"

// world is an authority with a seal, and a folder.
type world struct {
	t          *testing.T
	dir        string
	root, seal signingtest.Identity
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	var err error
	w.root, err = signingtest.NewRoot("Gốc thử", from, until)
	w.must(err)
	w.seal, err = w.root.Issue(sealName, nil, nil)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(name string, b []byte) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path, b, 0o600))
	return path
}

func (w *world) sign(content []byte) []byte {
	w.t.Helper()
	der, err := signing.Sign(content, w.seal.Key, w.seal.Chain)
	w.must(err)
	return der
}

func (w *world) approval() padestest.Sig { return padestest.Sig{Field: "A", Value: w.sign} }

// good is a list that revokes nobody; revoked one that does.
func (w *world) good() []byte { return w.list() }

func (w *world) list(revoked ...signingtest.Revoked) []byte {
	w.t.Helper()
	der, err := w.root.CRL(at.Add(-time.Hour), at.Add(time.Hour), revoked, nil)
	w.must(err)
	return der
}

// store adds a list to a PDF.
func store(d *padestest.Doc, list []byte) *padestest.Doc {
	num := d.Take()
	d.PutStream(num, "/Filter/FlateDecode", padestest.Deflate(list))
	d.Root["DSS"] = fmt.Sprintf("<</CRLs%s>>", padestest.Refs([]int{num}))
	d.PutRoot()
	return d.End()
}

// signed is a PDF that passes, revocation data included.
func (w *world) signed() []byte {
	return store(padestest.NewDoc().End().Sign(w.approval()), w.good()).B
}

func (w *world) altered() []byte {
	b := w.signed()
	return bytes.Replace(b, []byte("(Noi dung)"), []byte("(Nai dung)"), 1)
}

// stamp is a document timestamp by an authority of the root's.
func (w *world) stamp() padestest.Sig {
	a, err := w.root.NewTimestampAuthority("Giờ thử", func() time.Time { return at })
	w.must(err)
	return padestest.Sig{Field: "Time", SubFilter: "ETSI.RFC3161", Value: func(content []byte) []byte {
		digest := sha256.Sum256(content)
		request, err := signing.TimestampRequest(crypto.SHA256, digest[:], nil)
		w.must(err)
		token, err := signing.ReadTimestampResponse(a.Respond(request))
		w.must(err)
		return token
	}}
}

// pack makes a package with files in it.
func (w *world) pack(files map[string][]byte) []byte {
	w.t.Helper()
	raw := vectors.EdXML("variants/wrapped-base64.edxml")
	p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
	w.must(err)
	var list []edxml.File
	for name, b := range files {
		list = append(list, edxml.File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }})
	}
	var out bytes.Buffer
	w.must(edxml.WriteDocument(&out, p.Document, list...))
	return out.Bytes()
}

// with puts a Signature element into a package.
func with(pack []byte, inside string) []byte {
	return bytes.Replace(pack, []byte("</edXML:MessageHeader>"),
		[]byte(`</edXML:MessageHeader><Signature xmlns="http://www.w3.org/2000/09/xmldsig#">`+inside+`</Signature>`), 1)
}

// proofs copies the worked example of docs/evidence.md, a real set of proofs, under the
// names that the axis gives.
func (w *world) proofs(folder string) (dir string, anchors []*x509.Certificate) {
	w.t.Helper()
	names := map[string]string{
		"ca.crt": "ca.crt", "epoch": "epoch-1", "envelope": "000003-envelope", "receipt": "000003-envelope.receipt",
		"evidence": "000006-evidence-ContentConsignment", "evidence.receipt": "000006-evidence-ContentConsignment.receipt",
	}
	for old, name := range names {
		w.put(filepath.Join(folder, name), w.example(old))
	}
	w.put(filepath.Join(folder, "README.md"), []byte("# How to verify / Cách kiểm tra\n"))
	return filepath.Join(w.dir, folder), []*x509.Certificate{w.certificate("ca.crt"), w.certificate("seal.crt")}
}

func (w *world) example(name string) []byte {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "internal", "evidence", "testdata", "page", name))
	w.must(err)
	return b
}

func (w *world) certificate(name string) *x509.Certificate {
	w.t.Helper()
	block, _ := pem.Decode(w.example(name))
	c, err := x509.ParseCertificate(block.Bytes)
	w.must(err)
	return c
}

func (w *world) options() auditor.Options {
	return auditor.Options{
		At: at, Source: signing.TimeGiven, Anchors: []*x509.Certificate{w.root.Certificate()},
		Lang: lang.English, Folder: w.t.TempDir(),
	}
}

// verify judges one file, in both languages, which must agree.
func (w *world) verify(path string, o auditor.Options) auditor.File {
	w.t.Helper()
	report := auditor.Verify([]string{path}, o)
	o.Lang = lang.Vietnamese
	again := auditor.Verify([]string{path}, o)
	if len(report.Files) != 1 || report.Result != again.Result || report.Result != report.Files[0].Result {
		w.t.Fatalf("%+v, %+v", report, again)
	}
	w.spoken(report.Files[0], again.Files[0])
	return report.Files[0]
}

// spoken makes sure that every sentence is there in both languages.
func (w *world) spoken(en, vi auditor.File) {
	w.t.Helper()
	if en.Sentence == "" || vi.Sentence == "" || en.Sentence == vi.Sentence {
		w.t.Errorf("%s: %q, %q", en.File, en.Sentence, vi.Sentence)
	}
	for i := range en.Signatures {
		e, v := en.Signatures[i], vi.Signatures[i]
		if e.Sentence == "" || v.Sentence == "" || e.Sentence == v.Sentence || e.Covers.Sentence == "" && e.SubIndication != signing.FormatFailure {
			w.t.Errorf("%s, %s: %q, %q, %q", en.File, e.For, e.Sentence, v.Sentence, e.Covers.Sentence)
		}
	}
	for i := range en.Within {
		w.spoken(en.Within[i], vi.Within[i])
	}
}
