package asic_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"docaxis/signing/asic"
)

func reference(uri, mimeType string) asic.Reference {
	return asic.Reference{URI: uri, MimeType: mimeType, Digest: sha256.Sum256([]byte(uri))}
}

func sample() asic.Manifest {
	return asic.Manifest{References: []asic.Reference{
		reference("document.json", "application/json"),
		reference("files/001.pdf", "application/pdf"),
		reference("files/002.bin", ""),
	}}
}

func compose(t testing.TB, m asic.Manifest) string {
	t.Helper()
	raw, err := asic.Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestComposeGolden: what is signed must not change from one version to the next.
func TestComposeGolden(t *testing.T) {
	want, err := os.ReadFile("testdata/ASiCManifest001.xml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), compose(t, sample())); diff != "" {
		t.Error(diff)
	}
}

func TestParseWhatComposeWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := asic.Manifest{References: []asic.Reference{{URI: "document.json"}}}
		for i := range rapid.IntRange(0, 20).Draw(t, "files") {
			ext := rapid.StringMatching(`[a-z0-9]{1,8}`).Draw(t, "ext")
			m.References = append(m.References, asic.Reference{
				URI:      fmt.Sprintf("files/%03d.%s", i+1, ext),
				MimeType: rapid.StringMatching(`([a-z]{1,9}/[a-z+.-]{1,9}(; [a-z]=[a-z]{3})?)?`).Draw(t, "type"),
				Digest:   [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest")),
			})
		}
		raw, err := asic.Compose(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := asic.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestForeignForms: what others may write and means the same.
func TestForeignForms(t *testing.T) {
	plain := compose(t, sample())
	tests := map[string]string{
		"prefix": strings.NewReplacer(
			"<ASiCManifest xmlns=", "<asic:ASiCManifest xmlns:asic=", "</ASiCManifest", "</asic:ASiCManifest",
			"<SigReference", "<asic:SigReference", "<DataObject", "<asic:DataObject", "</DataObject", "</asic:DataObject",
		).Replace(plain),
		"no declaration": plain[strings.Index(plain, "\n")+1:],
		"layout":         strings.ReplaceAll(plain, "><", ">\r\n\t<"),
		"empty tags":     strings.ReplaceAll(plain, `sha256"/>`, `sha256"></ds:DigestMethod>`),
		"quotes":         strings.ReplaceAll(plain, `URI="files/001.pdf"`, `URI='files/001.pdf'`),
		"base64 lines":   strings.ReplaceAll(strings.ReplaceAll(plain, "<ds:DigestValue>", "<ds:DigestValue>\n  "), "</ds:DigestValue>", "\n</ds:DigestValue>"),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			if raw == plain {
				t.Fatal("nothing was changed")
			}
			m, err := asic.Parse([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sample(), m); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	plain := compose(t, sample())
	replace := func(old, new string) string {
		t.Helper()
		if !strings.Contains(plain, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(plain, old, new, 1)
	}
	many := func(n int) string {
		i := strings.Index(plain, "<DataObject")
		e := strings.Index(plain, "</ASiC")
		return plain[:i] + strings.Repeat(`<DataObjectReference URI="x"/>`, n) + plain[e:]
	}
	tests := []struct{ name, raw, want string }{
		{"empty", "", "well-formed"},
		{"too large", strings.Repeat(" ", asic.MaxManifest+1), "at most"},
		{"DOCTYPE", replace("<ASiCManifest", "<!DOCTYPE a [<!ENTITY x 'y'>]><ASiCManifest"), "DOCTYPE"},
		{"entity", replace("files/001.pdf", "&x;"), "well-formed"},
		{"comment", replace("<SigReference", "<!-- --><SigReference"), "comment"},
		{"comment in a digest", replace("</ds:DigestValue>", "<!-- --></ds:DigestValue>"), "comment"},
		{"instruction", replace("<SigReference", "<?go on?><SigReference"), "instruction"},
		{"second declaration", replace("<ASiCManifest", "<?xml version='1.0'?><ASiCManifest"), "instruction"},
		{"other encoding", replace("UTF-8", "ISO-8859-1"), "well-formed"},
		{"bad UTF-8", replace("files/001.pdf", "files/001.\xff"), "well-formed"},
		{"text", replace("<SigReference", "x<SigReference"), "text"},
		{"text behind", plain + "x", "follows"},
		{"second root", plain + "<ASiCManifest/>", "follows"},
		{"not closed", plain[:len(plain)-10], "well-formed"},
		{"unknown element", replace("<SigReference", "<Other/><SigReference"), `"Other" instead of SigReference`},
		{"unknown element at the end", replace("</ASiCManifest", "<ASiCManifestExtensions/></ASiCManifest"), "instead of DataObjectReference"},
		{"element in an element", replace(`signature"/>`, `signature"><Other/></SigReference>`), "stands inside another"},
		{"extra element in a reference", replace("</DataObjectReference>", "<Other/></DataObjectReference>"), "stands inside another"},
		{"other namespace", replace("02918/v1.2.1#", "02918/v1.1.1#"), "instead of ASiCManifest"},
		{"digest method of no namespace", replace("ds:DigestMethod", "DigestMethod"), `"DigestMethod" instead of`},
		{"no SigReference", replace("<SigReference URI=\"META-INF/signature001.p7s\" MimeType=\"application/pkcs7-signature\"/>", ""), "instead of SigReference"},
		{"second SigReference", replace("<DataObject", `<SigReference URI="META-INF/signature001.p7s" MimeType="application/pkcs7-signature"/><DataObject`), "instead of DataObjectReference"},
		{"other signature", replace("signature001", "signature002"), "SigReference is not to"},
		{"other type of signature", replace("pkcs7-signature", "octet-stream"), "SigReference is not to"},
		{"unknown attribute", replace(`<DataObjectReference `, `<DataObjectReference Rootfile="true" `), `"Rootfile" is unknown`},
		{"attribute twice", replace(`<DataObjectReference `, `<DataObjectReference URI="files/009.pdf" `), "given twice"},
		{"attribute in a namespace", replace(`<DataObjectReference `, `<DataObjectReference ds:URI="files/009.pdf" `), "unknown"},
		{"no URI", replace(`URI="files/001.pdf"`, ""), "neither"},
		{"SHA-1", replace("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"), "digest method"},
		{"short digest", replace("<ds:DigestValue>", "<ds:DigestValue>AAAA"), "no SHA-256"},
		{"digest missing", replace("<ds:DigestValue>", "<ds:DigestValue></ds:DigestValue><ds:DigestValue>"), "no text"},
		{"listed twice", replace("files/002.bin", "files/001.pdf"), "listed twice"},
		{"nothing listed", many(0), "nothing is listed"},
		{"too many, all bad", many(2000), "is missing"},
		{"climbing name", replace("files/001.pdf", "files/../../x"), "neither"},
		{"absolute name", replace("files/001.pdf", "/etc/passwd"), "neither"},
		{"folder", replace("files/001.pdf", "files/a/001.pdf"), "neither"},
		{"upper case", replace("files/001.pdf", "files/001.PDF"), "neither"},
		{"no extension", replace("files/001.pdf", "files/001"), "neither"},
		{"long extension", replace("files/001.pdf", "files/001.abcdefghi"), "neither"},
		{"number 0", replace("files/001.pdf", "files/000.pdf"), "no number"},
		{"no number", replace("files/001.pdf", "files/0x1.pdf"), "no number"},
		{"file in META-INF", replace("files/001.pdf", "META-INF/manifest.xml"), "neither"},
		{"MIME type", replace("application/pdf", "application/&quot;pdf"), "MIME type"},
		{"long MIME type", replace("application/pdf", strings.Repeat("a", 128)), "MIME type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := asic.Parse([]byte(tt.raw))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTooManyFiles(t *testing.T) {
	var m asic.Manifest
	for i := range asic.MaxFiles {
		m.References = append(m.References, reference(asic.FileName(i+1, "a.pdf"), ""))
	}
	m.References = append(m.References, reference("document.json", ""))
	if _, err := asic.Parse([]byte(compose(t, m))); err != nil {
		t.Errorf("%d files: %v", asic.MaxFiles, err)
	}
	raw := strings.Replace(compose(t, m), "</ASiC", strings.Repeat(`<DataObjectReference URI="files/001.x"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</ds:DigestValue></DataObjectReference>`, 2)+"</ASiC", 1)
	if _, err := asic.Parse([]byte(raw)); err == nil || !strings.Contains(err.Error(), "more than 999 files") {
		t.Errorf("got %v", err)
	}
}

func TestComposeRefuses(t *testing.T) {
	for _, m := range []asic.Manifest{
		{},
		{References: []asic.Reference{reference("../x", "")}},
		{References: []asic.Reference{reference("files/001.pdf", `a"b`)}},
		{References: []asic.Reference{reference("document.json", ""), reference("document.json", "")}},
	} {
		if raw, err := asic.Compose(m); err == nil {
			t.Errorf("composed %s", raw)
		}
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"Công văn.PDF":      "files/007.pdf",
		"a.tar.gz":          "files/007.gz",
		"no extension":      "files/007.bin",
		"bad.đuôi":          "files/007.bin",
		"long.abcdefghi":    "files/007.bin",
		"dot.":              "files/007.bin",
		"../../etc/x.d/abc": "files/007.bin",
		"":                  "files/007.bin",
	} {
		if got := asic.FileName(7, name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// FuzzParse: what is accepted can be composed again and means the same.
func FuzzParse(f *testing.F) {
	plain := compose(f, sample())
	f.Add([]byte(plain))
	f.Add([]byte(strings.ReplaceAll(plain, "><", "> <")))
	f.Add([]byte(strings.Replace(plain, "<ASiC", "<!DOCTYPE a><ASiC", 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := asic.Parse(raw)
		if err != nil {
			return
		}
		again, err := asic.Compose(m)
		if err != nil {
			t.Fatal(err)
		}
		second, err := asic.Parse(again)
		if err != nil || !cmp.Equal(m, second) {
			t.Fatalf("%v: %s", err, cmp.Diff(m, second))
		}
		if third, _ := asic.Compose(second); !bytes.Equal(again, third) {
			t.Fatal("composed differently")
		}
	})
}
