package edxml_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"docaxis/edxml"
	"docaxis/internal/vectors"
)

// entry is what the page says of a rule.
type entry struct{ id, text, wrong, right string }

func page(t *testing.T) (entries []entry) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", "conformance.vi.md"))
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile("(?s)### `([a-z0-9-]+)`\n\n(.*?)\n\n```diff\n-(.*?)\n\\+(.*?)\n```")
	for _, m := range form.FindAllStringSubmatch(string(raw), -1) {
		entries = append(entries, entry{m[1], m[2], strings.TrimPrefix(m[3], " "), strings.TrimPrefix(m[4], " ")})
	}
	return entries
}

// The page explains every rule, in the words of the program, and no other.
func TestThePageHasEveryRule(t *testing.T) {
	severities := map[edxml.Severity]string{edxml.Error: "Lỗi", edxml.Warning: "Cảnh báo", edxml.Tolerated: "Được chấp nhận"}
	var want, got []string
	for _, r := range edxml.Rules() {
		want = append(want, fmt.Sprintf("%s: **%s.** %s %s", r.ID, severities[r.Severity], r.What[0], r.Mend[0]))
	}
	for _, e := range page(t) {
		got = append(got, e.id+": "+e.text)
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("not on the page: %s", w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d on the page, %d rules", len(got), len(want))
	}
}

func TestEveryRuleSpeaksBothLanguages(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range edxml.Rules() {
		for _, s := range []string{r.What[0], r.What[1], r.Mend[0], r.Mend[1]} {
			if s == "" || !strings.HasSuffix(s, ".") {
				t.Errorf("%s: %q is no sentence", r.ID, s)
			}
		}
		if seen[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		seen[r.ID] = true
	}
}

// Every example is found: the wrong line put for the right one into a reference file,
// or, where no line can show it, a package made here.
func TestEveryExampleIsFound(t *testing.T) {
	made := made(t)
	for _, e := range page(t) {
		t.Run(e.id, func(t *testing.T) {
			if m, ok := made[e.id]; ok {
				report, err := edxml.Check(bytes.NewReader(m.raw), int64(len(m.raw)), m.limits, march())
				if err != nil || !slices.Contains(rulesOf(report), e.id) {
					t.Errorf("%q %v", rulesOf(report), err)
				}
				return
			}
			if !foundInSome(t, e) {
				t.Error("no reference file with the wrong line shows it")
			}
		})
	}
}

func foundInSome(t *testing.T, e entry) bool {
	t.Helper()
	files, err := vectors.EdXMLFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw := string(vectors.EdXML(f.Name))
		if strings.Contains(raw, e.right) {
			raw = strings.ReplaceAll(raw, e.right, e.wrong)
		} else if e.wrong == "" || !strings.Contains(raw, e.wrong) {
			continue
		}
		for _, found := range check(t, []byte(raw)).Findings {
			if found.Rule == e.id {
				return true
			}
		}
	}
	return false
}

type madePackage struct {
	raw    []byte
	limits edxml.Limits
}

// made has the packages that show what no single line can.
func made(t *testing.T) map[string]madePackage {
	t.Helper()
	base := vectors.EdXML("variants/base.edxml")
	limited := func(l edxml.Limits) madePackage { return madePackage{base, l} }
	with := func(raw []byte) madePackage { return madePackage{raw: raw} }
	variant := func(name string) madePackage { return with(vectors.EdXML("variants/" + name)) }
	replaced := func(old, to string) madePackage {
		if !bytes.Contains(base, []byte(old)) {
			t.Fatalf("no %q", old)
		}
		return with(bytes.ReplaceAll(base, []byte(old), []byte(to)))
	}
	soap := `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header><MessageHeader><From><OrganId>H41</OrganId></From></MessageHeader></soap:Header></soap:Envelope>`
	return map[string]madePackage{
		"recipient-missing":        variant("no-To.edxml"),
		"content-empty":            with(withContent(t, "")),
		"too-large":                limited(edxml.Limits{Size: 100}),
		"head-too-large":           limited(edxml.Limits{Head: 1000}),
		"too-deep":                 limited(edxml.Limits{Depth: 3}),
		"too-many-elements":        limited(edxml.Limits{Elements: 10}),
		"too-many-attachments":     {vectors.EdXML("new-3-attachments-signed.edxml"), edxml.Limits{Attachments: 2}},
		"field-over-limit":         replaced("V/v kết nối", strings.Repeat("V", 70000)),
		"content-too-large":        limited(edxml.Limits{Content: 10}),
		"unpacks-too-large":        with(withContent(t, packed(t, strings.Repeat(" ", 12<<20)))),
		"several-entries":          with(withContent(t, packed(t, "a", "b"))),
		"bad-archive":              with(withContent(t, packed(t, "abcdef")[:60])),
		"byte-order-mark":          variant("bom.edxml"),
		"several-byte-order-marks": variant("double-bom.edxml"),
		"blank-before-declaration": variant("leading-newline.edxml"),
		"utf-16":                   variant("utf16.edxml"),
		"root-name":                variant("soap-like-root.edxml"),
		"soap-envelope":            with([]byte(soap)),
		"no-namespace":             variant("no-ns.edxml"),
		"element-order":            variant("reordered.edxml"),
		"wrapped-base64":           variant("wrapped-base64.edxml"),
		"content-in-cdata":         with(marked(t)),
		"text-not-nfc":             replaced("V/v kết nối", "V/v ke\u0302\u0301t nối"),
	}
}

// withContent is the base vector with a packed file of these bytes.
func withContent(t testing.TB, content string) []byte {
	t.Helper()
	raw := string(vectors.EdXML("variants/base.edxml"))
	raw = strings.ReplaceAll(raw, "cong-van.pdf", "cong-van.txt")
	raw = strings.ReplaceAll(raw, "application/pdf", "application/zip")
	from := strings.Index(raw, "JVBERi")
	to := from + strings.IndexByte(raw[from:], '<')
	return []byte(raw[:from] + base64.StdEncoding.EncodeToString([]byte(content)) + raw[to:])
}

func marked(t testing.TB) []byte {
	t.Helper()
	raw := string(vectors.EdXML("variants/base.edxml"))
	from := strings.Index(raw, "JVBERi")
	to := from + strings.IndexByte(raw[from:], '<')
	return []byte(raw[:from] + "<![CDATA[" + raw[from:to] + "]]>" + raw[to:])
}

// packed is an archive of texts.
func packed(t testing.TB, texts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range texts {
		w, err := z.Create(fmt.Sprintf("%d.txt", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
