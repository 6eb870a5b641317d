package xmldsig_test

import (
	"crypto"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"docaxis/signing"
	dsig "docaxis/signing/xmldsig/xmldsigtest"
)

// worst is a file of about a given size that asks for as much work as its kind can, and
// how many elements are in it.
type worst struct {
	name string
	make func(b *bench, size int) (file string, elements int)
	want signing.SubIndication
}

// around has something in a document with a signature over all of it, which is given in
// canonical form, too.
func around(each, canonical string, n int) func(b *bench, size int) (string, int) {
	return func(b *bench, size int) (string, int) {
		count := size / len(each)
		doc := func(s string) string {
			return `<doc xmlns:a="urn:a">` + strings.Repeat(s, count) + dsig.Mark + "</doc>"
		}
		s := b.by(dsig.Whole(without(doc(canonical))))
		s.References[0].Transforms = dsig.Transform(dsig.Enveloped) + dsig.Transform(dsig.C14N)
		return with(doc(each), must(s.Element())), count * n
	}
}

func worstFiles() []worst {
	const long = 60 << 10
	return []worst{
		{"small elements", around("<a/>", "<a></a>", 1), ""},
		{"small elements with attributes", around(`<a id=""/>`, `<a id=""></a>`, 1), ""},
		{"small elements with namespaces", around(`<a xmlns="u"/>`, `<a xmlns="u"></a>`, 1), ""},
		{"attributes of xml", around(`<a xml:a="&#9;"/>`, `<a xml:a="&#x9;"></a>`, 1), ""},
		{"references to characters", around("&#13;", "&#xD;", 0), ""},
		{"greater signs", around(">", "&gt;", 0), ""},
		{"lines", around("\r\n", "\n", 0), ""},
		{"marked sections", around("<![CDATA[&]]>", "&amp;", 0), ""},
		{"comments", around("<!---->", "", 0), ""},
		{"instructions", around("<?a?>", "<?a?>", 0), ""},
		{"nested", func(b *bench, size int) (string, int) {
			each := strings.Repeat("<a>", 90) + strings.Repeat("</a>", 90)
			return around(each, each, 90)(b, size)
		}, ""},
		{"a long namespace shown again and again", func(b *bench, size int) (string, int) {
			n := (size - long) / 6
			s := b.by(dsig.Whole("x"))
			return `<doc xmlns:a="` + strings.Repeat("u", long) + `">` + strings.Repeat("<a:a/>", n) + must(s.Element()) + "</doc>", n
		}, signing.SigConstraintsFailure},
		{"references to everything", func(b *bench, size int) (string, int) {
			doc := "<doc>" + strings.Repeat("<a></a>", size/7) + dsig.Mark + "</doc>"
			s := b.by(dsig.Whole(without(doc)))
			for len(s.References) < 16 {
				s.References = append(s.References, s.References[0])
			}
			one := must(s.Element())
			return with(doc, strings.Repeat(one, 8)), size / 7
		}, signing.HashFailure},
		{"signatures of parts", func(b *bench, size int) (string, int) {
			doc := "<doc><p Id=\"p\"></p>" + strings.Repeat("<a><b></b></a>", size/14) + dsig.Mark + "</doc>"
			s := b.by(dsig.ByID("p", `<p Id="p"></p>`))
			return with(doc, strings.Repeat(must(s.Element()), 8)), size / 7
		}, signing.SigConstraintsFailure},
		{"a large signature", func(b *bench, size int) (string, int) {
			s := b.by(dsig.Whole(unsigned))
			s.Objects = "<Object>" + strings.Repeat("<KeyName>AAAA</KeyName>", 3900) + strings.Repeat("x", size-100<<10) + "</Object>"
			return with(document, must(s.Element())), 3900
		}, ""},
		{"large values", func(b *bench, size int) (string, int) {
			s := b.by(dsig.Whole(unsigned))
			s.KeyInfo = "<KeyInfo><X509Data>" + dsig.Certificates(s.Chain) + "<X509Certificate>" + strings.Repeat("AAAA", size/8) + "</X509Certificate></X509Data></KeyInfo>"
			s.Text = func(t string) string {
				return strings.Replace(t, "<SignatureValue>", "<SignatureValue>"+strings.Repeat("AAAA", size/8), 1)
			}
			return with(document, must(s.Element())), 20
		}, signing.SigCryptoFailure},
		{"many certificates", func(b *bench, size int) (string, int) {
			s := b.by(dsig.Whole(unsigned))
			each := dsig.Certificates(b.other.Chain[:1])
			n := min(size/len(each), 3900)
			s.KeyInfo = "<KeyInfo><X509Data>" + strings.Repeat(each, n) + "</X509Data></KeyInfo>"
			return with(document, must(s.Element())), n
		}, signing.SigCryptoFailure},
		{"a long name", func(_ *bench, size int) (string, int) { return "<" + strings.Repeat("a", size) + "/>", 1 }, "none"},
		{"long names nested", func(_ *bench, size int) (string, int) {
			out := ""
			for range 90 {
				out += "<" + strings.Repeat("a", size/90) + ">"
			}
			return out, 90
		}, signing.FormatFailure},
		{"a long Id", func(b *bench, size int) (string, int) {
			id := strings.Repeat("a", size/3)
			return `<doc Id="` + id + `">` + must(b.by(dsig.ByID(id, "")).Element()) + "</doc>", 12
		}, signing.HashFailure},
		{"a long address", func(b *bench, size int) (string, int) {
			s := b.by(dsig.Reference{Attributes: ` URI="` + strings.Repeat("a", size/2) + `"`, DigestBy: dsig.SHA256, Hash: crypto.SHA256})
			return with(document, must(s.Element())), 15
		}, signing.SignedDataNotFound},
		{"zeros", func(_ *bench, size int) (string, int) { return strings.Repeat("\x00", size), 0 }, signing.FormatFailure},
		{"less signs", func(_ *bench, size int) (string, int) { return strings.Repeat("<", size), 0 }, signing.FormatFailure},
		{"deeper and deeper", func(_ *bench, size int) (string, int) { return strings.Repeat("<a>", size/3), size / 3 }, signing.SigConstraintsFailure},
	}
}

// TestWorstCases: a file of 1 MiB, whatever is in it, costs at most 64 MiB in all, and
// one of four times the size at most four times as much.
func TestWorstCases(t *testing.T) {
	b := newBench(t)
	for _, w := range worstFiles() {
		t.Run(w.name, func(t *testing.T) {
			small, big := w.cost(t, b, 240<<10), w.cost(t, b, 960<<10)
			if big > 64<<20 {
				t.Errorf("%d bytes allocated", big)
			}
			if big > 5*small+1<<20 {
				t.Errorf("%d bytes allocated for four times what took %d", big, small)
			}
		})
	}
}

// cost is what looking at a file allocates, in bytes.
func (w worst) cost(t *testing.T, b *bench, size int) uint64 {
	t.Helper()
	file, elements := w.make(b, size)
	if len(file) < size/2 || len(file) > 1<<20+200<<10 {
		t.Fatalf("%d bytes instead of %d", len(file), size)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := inspectQuietly(t, file, b.options())
	runtime.ReadMemStats(&after)
	cost := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes, %d elements: %d bytes allocated", len(file), elements, cost)
	got := signing.SubIndication("none")
	if len(d.Signatures) > 0 {
		got = d.Signatures[len(d.Signatures)-1].Verdict.SubIndication
	}
	if got != w.want {
		t.Errorf("%s, want %s (%s)", got, w.want, fmt.Sprint(d.Signatures[0].Verdict.Detail))
	}
	return cost
}
