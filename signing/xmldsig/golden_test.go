package xmldsig_test

import (
	"bytes"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/xmldsig"
	dsig "docaxis/signing/xmldsig/xmldsigtest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden: a signature that was made once passes for ever.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	file, o := golden(t)
	if s := only(t, file, o); !s.Verdict.Passed() {
		t.Errorf("%s: %s", s.Verdict.SubIndication, s.Verdict.Detail)
	}
}

// golden is a signed package, and the options by which it passes. Its certificates are
// fixed, so that what one process finds means the same in another.
func golden(t testing.TB) (string, signing.Options) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "signed.xml"))
	if err != nil {
		t.Fatal(err)
	}
	anchors, err := signing.LoadCertificates(filepath.Join("testdata", "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return string(file), signing.Options{At: sealtest.At, Anchors: anchors}
}

func writeGolden(t *testing.T) {
	b := newBench(t)
	for name, content := range map[string][]byte{
		"signed.xml": []byte(must(dsig.Sign(dsig.Package([2]string{"a.txt", "QQ=="}), b.seal.Key, b.seal.Chain[:1]))),
		"root.pem":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.root.Certificate().Raw}),
	} {
		if err := os.WriteFile(filepath.Join("testdata", name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzInspect: whoever passes is the one who signed, and what another reader of XML
// reads in the file is then what was signed.
func FuzzInspect(f *testing.F) {
	file, o := golden(f)
	signed, err := said(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(file))
	b := newBench(f)
	for _, d := range defects() {
		if text := d.file(b); len(text) < 10<<10 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := xmldsig.Inspect(bytes.NewReader(data), int64(len(data)), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Signatures {
			if len(s.Sentence("vi")) > 3000+4*maxCovers || len(s.Verdict.Detail) > 500+maxCovers {
				t.Errorf("%d bytes of sentence, %d of detail", len(s.Sentence("vi")), len(s.Verdict.Detail))
			}
			if !s.Verdict.Passed() {
				continue
			}
			if got, err := said(string(data)); err == nil && got != signed || !s.Whole || s.Verdict.Signer.Subject.CommonName != "Seal" {
				t.Errorf("passed: %v says %q", s.Verdict.Signer.Subject, got)
			}
		}
	})
}

// maxCovers is what the names of 16 references may take.
const maxCovers = 16 * 210

// said is what Go's reader reads outside signatures: elements, attributes and texts.
func said(file string) (string, error) {
	var out strings.Builder
	within := 0
	for d := xml.NewDecoder(strings.NewReader(file)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return strings.Trim(out.String(), "\ufeff \t\r\n"), nil
		}
		if err != nil {
			return "", err
		}
		switch v := token.(type) {
		case xml.StartElement:
			if within > 0 || v.Name.Local == "Signature" {
				within++
				continue
			}
			out.WriteString("<" + v.Name.Local)
			for _, a := range v.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					out.WriteString(" " + a.Name.Local + "=" + a.Value)
				}
			}
		case xml.EndElement:
			if within > 0 {
				within--
				continue
			}
			out.WriteString(">")
		case xml.CharData:
			if within == 0 {
				out.Write(v)
			}
		}
	}
}
