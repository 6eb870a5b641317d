package inspect_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"docaxis/edxml"
	"docaxis/internal/inspect"
	"docaxis/internal/lang"
	"docaxis/internal/sealtest"
	"docaxis/internal/vectors"
	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// signed is a PDF, and the options by which it is valid.
func signed(t *testing.T) ([]byte, inspect.Options) {
	root := sealtest.Root(t, "Root")
	seal := sealtest.New(t, root, "Ủy ban nhân dân xã Thử")
	d := padestest.NewDoc().End().Sign(padestest.Sig{Field: "A", Value: func(content []byte) []byte {
		der, err := signing.Sign(content, seal.Key, seal.Chain)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}})
	return d.B, inspect.Options{
		Signing: signing.Options{At: sealtest.At, Anchors: []*x509.Certificate{root.Certificate()}},
		Folder:  t.TempDir(),
	}
}

func look(t *testing.T, name, mediaType string, b []byte, o inspect.Options) inspect.Finding {
	t.Helper()
	f, err := inspect.File(name, mediaType, bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []lang.Language{lang.Vietnamese, lang.English} {
		if f.Sentence(l) == "" {
			t.Errorf("%s: nothing to say", name)
		}
	}
	return f
}

func TestKinds(t *testing.T) {
	b, o := signed(t)
	for _, tt := range []struct {
		name, mediaType string
		content         []byte
		kind            inspect.Kind
		label           pades.Label
	}{
		{"a.pdf", "application/pdf", b, inspect.PDF, pades.Valid},
		{"a.doc", "", b, inspect.PDF, pades.Valid},
		{"A.PDF", "", []byte("word"), inspect.PDF, pades.Unreadable},
		{"a", "Application/PDF; version=1.7", nil, inspect.PDF, pades.Unreadable},
		{"a.docx", "", []byte("PK"), inspect.Other, ""},
		{"a.edxml", "", []byte("<x"), inspect.EdXML, ""},
	} {
		f := look(t, tt.name, tt.mediaType, tt.content, o)
		if f.Kind != tt.kind || tt.label == "" != (f.PDF == nil) || f.PDF != nil && f.PDF.Label != tt.label {
			t.Errorf("%s: %+v", tt.name, f)
		}
		if tt.kind == inspect.EdXML && f.Refused == nil {
			t.Error("a broken package was read")
		}
	}
}

// TestPackages: the files in a package are labelled one by one, and nothing of them is
// left behind.
func TestPackages(t *testing.T) {
	b, o := signed(t)
	from := vectors.EdXML("variants/wrapped-base64.edxml")
	p, err := edxml.Open(bytes.NewReader(from), int64(len(from)), edxml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	pdf := func(name string) edxml.File {
		return edxml.File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
	}
	word := edxml.File{Name: "a.docx", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("word")), nil }}
	if err := edxml.WriteDocument(&out, p.Document, pdf("a.pdf"), word, pdf("b.pdf")); err != nil {
		t.Fatal(err)
	}
	f := look(t, "goi.edxml", "", out.Bytes(), o)
	if f.Refused != nil || len(f.Within) != 3 || f.Placeholder {
		t.Fatalf("%+v", f)
	}
	for i, want := range []pades.Label{pades.Valid, "", pades.Valid} {
		if got := f.Within[i]; want == "" && got.PDF != nil || want != "" && (got.PDF == nil || got.PDF.Label != want) {
			t.Errorf("%s: %+v", got.Name, got)
		}
	}
	if left, err := os.ReadDir(o.Folder); err != nil || len(left) > 0 {
		t.Errorf("%d files left, %v", len(left), err)
	}
	dressed := bytes.Replace(out.Bytes(), []byte("</edXML:MessageHeader>"),
		[]byte(`</edXML:MessageHeader><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>`), 1)
	if f := look(t, "goi.edxml", "", dressed, o); !f.Placeholder || !strings.Contains(f.Sentence(lang.Vietnamese), "XML-DSig") {
		t.Errorf("%+v", f)
	}
	o.Folder = t.TempDir() + "/missing"
	if _, err := inspect.File("a.edxml", "", bytes.NewReader(out.Bytes()), int64(out.Len()), o); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
