package edxml_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"docaxis/edxml"
	"docaxis/internal/vectors"
)

// base is the base vector with some text replaced.
func base(t testing.TB, pairs ...string) []byte {
	t.Helper()
	raw := string(vectors.EdXML("variants/base.edxml"))
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(raw, pairs[i]) {
			t.Fatalf("no %q", pairs[i])
		}
		raw = strings.ReplaceAll(raw, pairs[i], pairs[i+1])
	}
	return []byte(raw)
}

// refusal opens bytes and reads what is in them until something is refused.
func refusal(t testing.TB, raw []byte, limits edxml.Limits) *edxml.Refusal {
	t.Helper()
	p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), limits)
	if err == nil {
		for _, a := range p.Attachments {
			var c *edxml.Content
			if c, err = a.Open(); err == nil {
				_, err = io.Copy(io.Discard, c)
			}
			if err != nil {
				break
			}
		}
	}
	var r *edxml.Refusal
	if err != nil && !errors.As(err, &r) {
		t.Fatalf("no refusal: %v", err)
	}
	return r
}

func TestHostilePackagesAreRefused(t *testing.T) {
	deep := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	bomb := `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>`
	for _, tt := range []struct {
		name   string
		raw    []byte
		limits edxml.Limits
		reason edxml.Reason
		path   string
	}{
		{"DOCTYPE", base(t, "<edXML xmlns", "<!DOCTYPE edXML>\n<edXML xmlns"), edxml.Limits{}, edxml.Doctype, "/"},
		{"entities that grow", base(t, "<edXML xmlns", bomb+"<edXML xmlns", "V/v", "&b;"), edxml.Limits{}, edxml.Doctype, "/"},
		{"a DOCTYPE inside", base(t, "<edXML:Subject>", "<!DOCTYPE a><edXML:Subject>"), edxml.Limits{}, edxml.Doctype, "edXMLHeader"},
		{"an entity of HTML", base(t, "V/v", "&nbsp;"), edxml.Limits{}, edxml.UnknownEntity, "MessageHeader/edXML:Subject"},
		{"depth", base(t, "<edXML:Subject>", deep+"<edXML:Subject>"), edxml.Limits{}, edxml.TooDeep, "/"},
		{"short elements", base(t, "<edXML:Subject>", strings.Repeat("<a/>", 2000)+"<edXML:Subject>"), edxml.Limits{}, edxml.TooManyElements, "/"},
		{"attributes", base(t, "<edXML:Subject>", "<edXML:Subject "+many(65, `xmlns:a%d="b" `)+">"), edxml.Limits{}, edxml.TooManyElements, "Subject"},
		{"text between elements", base(t, "<edXML:Subject>", strings.Repeat("text between elements<abcdefghijkl/>", 500)+"<edXML:Subject>"), edxml.Limits{}, edxml.FieldTooLong, "MessageHeader"},
		{"elements", base(t, "<edXML:Subject>", strings.Repeat("<a/>", 300)+"<edXML:Subject>"), edxml.Limits{Elements: 300}, edxml.TooManyElements, "/"},
		{"a long head", base(t, "<edXML:Subject>", strings.Repeat("<!-- -->", 1000)+"<edXML:Subject>"), edxml.Limits{Head: 5000}, edxml.HeadTooLarge, ""},
		{"a long field", base(t, "V/v", strings.Repeat("v", 1<<17)), edxml.Limits{}, edxml.FieldTooLong, "Subject"},
		{"a long field in parts", base(t, "V/v", strings.Repeat("v<!---->", 1<<16)), edxml.Limits{}, edxml.FieldTooLong, "Subject"},
		{"a long attribute", base(t, "<edXML:Subject>", `<edXML:Subject a="`+strings.Repeat("v", 1<<17)+`">`), edxml.Limits{}, edxml.FieldTooLong, "Subject/@a"},
		{"an attribute twice", base(t, "<edXML:Subject>", `<edXML:Subject a="" a="">`), edxml.Limits{}, edxml.NotWellFormed, "Subject"},
		{"crossed tags", base(t, "</edXML:Subject>", "</edXML:Content>"), edxml.Limits{}, edxml.NotWellFormed, "Subject"},
		{"a second root", append(base(t), "<a/>"...), edxml.Limits{}, edxml.NotWellFormed, ""},
		{"text behind the root", append(base(t), "a"...), edxml.Limits{}, edxml.NotWellFormed, ""},
		{"stray characters in front", append([]byte("abcd"), base(t)...), edxml.Limits{}, edxml.NotWellFormed, ""},
		{"half a package", base(t)[:3000], edxml.Limits{}, edxml.NotWellFormed, ""},
		{"half a content", base(t)[:5000], edxml.Limits{}, edxml.NotWellFormed, "ContentTransferEncoded"},
		{"nothing", nil, edxml.Limits{}, edxml.NotWellFormed, "/"},
		{"another encoding", base(t, "UTF-8", "windows-1258"), edxml.Limits{}, edxml.UnknownEncoding, "/"},
		{"bytes that are no UTF-8", base(t, "V/v", "V\xff"), edxml.Limits{}, edxml.ForbiddenCharacter, "Subject"},
		{"a large file", base(t), edxml.Limits{Size: 1000}, edxml.TooLarge, "/"},
		{"ids twice", bytes.ReplaceAll(vectors.EdXML("new-3-attachments-signed.edxml"), []byte("cid:A2"), []byte("cid:A1")), edxml.Limits{}, edxml.RepeatedContentID, "/ContentId"},
		{"a name up", base(t, "<AttachmentName>", "<AttachmentName>../"), edxml.Limits{}, edxml.NameLeavesFolder, "Attachment/AttachmentName"},
		{"a name up in Windows", base(t, "<AttachmentName>", `<AttachmentName>a\..\..\`), edxml.Limits{}, edxml.NameLeavesFolder, "Attachment/AttachmentName"},
		{"a name that is the folder", base(t, "<AttachmentName>cong-van.pdf", `<AttachmentName>a/.`), edxml.Limits{}, edxml.NameLeavesFolder, "Attachment/AttachmentName"},
		{"not in the manifest", base(t, "<ContentId>cid:A1", "<ContentId>cid:A9"), edxml.Limits{}, edxml.NotInManifest, "Attachment/ContentId"},
		{"markup in a content", base(t, "JVBERi", "JV<x/>BERi"), edxml.Limits{}, edxml.MarkupInContent, "ContentTransferEncoded"},
		{"a comment in a content", base(t, "JVBERi", "JV<!-- -->BERi"), edxml.Limits{}, edxml.MarkupInContent, "ContentTransferEncoded"},
		{"an entity in a content", base(t, "JVBERi", "JV&amp;BERi"), edxml.Limits{}, edxml.BadBase64, "ContentTransferEncoded"},
		{"padding within", base(t, "JVBERi0x", "JVBERg==JVBERi0x"), edxml.Limits{}, edxml.BadBase64, "ContentTransferEncoded"},
		{"one letter too many", base(t, "JVBERi0x", "JVBERi0xA"), edxml.Limits{}, edxml.BadBase64, "ContentTransferEncoded"},
		{"letters of another alphabet", base(t, "JVBERi0x", "JVBER_0-"), edxml.Limits{}, edxml.BadBase64, "ContentTransferEncoded"},
		{"several entries", withContent(t, packed(t, "a", "b")), edxml.Limits{}, edxml.SeveralEntries, "ContentTransferEncoded"},
		{"no entry", withContent(t, packed(t)), edxml.Limits{}, edxml.SeveralEntries, "ContentTransferEncoded"},
		{"a bomb", withContent(t, packed(t, strings.Repeat("\x00", 12<<20))), edxml.Limits{}, edxml.RatioTooHigh, "ContentTransferEncoded"},
		{"an absolute limit", withContent(t, packed(t, strings.Repeat("ab", 5000))), edxml.Limits{Content: 9999}, edxml.ContentTooLarge, "ContentTransferEncoded"},
		{"a damaged entry", withContent(t, damaged(t)), edxml.Limits{}, edxml.BadArchive, "ContentTransferEncoded"},
		{"a torn archive", withContent(t, packed(t, "abc")[:70]), edxml.Limits{}, edxml.BadArchive, "ContentTransferEncoded"},
		{"an entry up", withContent(t, strings.ReplaceAll(packed(t, "abc"), "0.txt", "../.a")), edxml.Limits{}, edxml.BadArchive, "ContentTransferEncoded"},
		{"an entry with two names", withContent(t, strings.Replace(packed(t, "abc"), "0.txt", "1.txt", 1)), edxml.Limits{}, edxml.BadArchive, "ContentTransferEncoded"},
		{"an encrypted entry", withContent(t, encrypted(t)), edxml.Limits{}, edxml.BadArchive, "ContentTransferEncoded"},
		{"a second archive behind", withContent(t, packed(t, "abc")+strings.Repeat("x", 200_000)), edxml.Limits{}, edxml.BadArchive, "ContentTransferEncoded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := refusal(t, tt.raw, tt.limits)
			if r == nil {
				t.Fatal("not refused")
			}
			if r.Reason != tt.reason || !strings.Contains(strings.ReplaceAll(r.Path, "edXML:", ""), strings.ReplaceAll(tt.path, "edXML:", "")) {
				t.Errorf("%s at %q: %v", r.Reason, r.Path, r)
			}
			if vi := r.Say(edxml.Vietnamese); vi == r.Error() || strings.Contains(vi, string(r.Reason)) {
				t.Errorf("in Vietnamese: %s", vi)
			}
			if len(r.Found) > 400 {
				t.Errorf("%d bytes are shown", len(r.Found))
			}
		})
	}
}

func damaged(t testing.TB) string {
	raw := []byte(packed(t, "abcdefghijkl"))
	at := bytes.Index(raw, []byte("PK\x07\x08"))
	raw[at+4] ^= 1
	return string(raw)
}

func encrypted(t testing.TB) string {
	raw := []byte(packed(t, "abc"))
	raw[6] |= 1
	return string(raw)
}

// The archives of other writers: stored, sizes in front, no signature before the
// descriptor, sizes of 8 bytes.
func TestArchivesOfOtherWriters(t *testing.T) {
	const text = "xin chào"
	deflated := packed(t, text)
	sig := strings.Index(deflated, "PK\x07\x08")
	bare := deflated[:sig] + deflated[sig+4:]
	wide := deflated[:sig] + deflated[sig:sig+8] + wideSize(deflated[sig+8:]) + wideSize(deflated[sig+12:]) + deflated[sig+16:]
	for name, archive := range map[string]string{"streamed": deflated, "no signature": bare, "wide": wide, "stored": stored(text)} {
		t.Run(name, func(t *testing.T) {
			p := open(t, withContent(t, archive), edxml.Limits{})
			if got := contentOf(t, p.Attachments[0]); string(got) != text {
				t.Errorf("%q", got)
			}
		})
	}
}

func wideSize(s string) string { return s[:4] + "\x00\x00\x00\x00" }

// stored is an archive as the simplest writers make it.
func stored(text string) string {
	sum, n := crc32.ChecksumIEEE([]byte(text)), len(text)
	fields := fmt.Sprintf("%s%s%s", le(sum), le(uint32(n)), le(uint32(n)))
	local := "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00" + fields + "\x05\x00\x00\x00a.txt" + text
	central := "PK\x01\x02\x14\x00\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00" + fields + "\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00a.txt"
	return local + central + "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00" + le(uint32(len(central))) + le(uint32(len(local))) + "\x00\x00"
}

func le(n uint32) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) }

// What base64 looks like in the field, and what is said of it.
func TestContentsAsTheyAreSent(t *testing.T) {
	want := contentOf(t, open(t, base(t), edxml.Limits{}).Attachments[0])
	text := base64.StdEncoding.EncodeToString(want)
	lines := func(end string) string {
		var b strings.Builder
		for i := 0; i < len(text); i += 76 {
			b.WriteString(text[i:min(i+76, len(text))] + end)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, sent string
		kind       edxml.ToleranceKind
	}{
		{"one line", text, ""},
		{"blanks around", "\r\n   " + text + "\r\n  ", ""},
		{"lines of CR LF", lines("\r\n"), edxml.WrappedBase64},
		{"lines with references", lines("&#13;\n"), edxml.WrappedBase64},
		{"lines with references in hex", lines("&#xD;\n"), edxml.WrappedBase64},
		{"tabs", lines("\n\t\t"), edxml.WrappedBase64},
		{"no padding", strings.TrimRight(text, "="), edxml.MissingPadding},
		{"CDATA", "<![CDATA[" + text + "]]>", edxml.MarkedContent},
		{"CDATA in parts", "\n<![CDATA[" + text[:40] + "]]><![CDATA[" + text[40:] + "]]>\n", edxml.MarkedContent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := open(t, base(t, text, tt.sent), edxml.Limits{})
			c, err := p.Attachments[0].Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			switch said := c.Tolerances(); {
			case tt.kind == "" && len(said) > 0, tt.kind != "" && (len(said) != 1 || said[0].Kind != tt.kind):
				t.Errorf("%+v", said)
			}
		})
	}
}

// A reader that fails is no fault of the package: the caller is to try again.
func TestAFailingDiskIsNoRefusal(t *testing.T) {
	raw := base(t)
	for _, at := range []int64{0, 2000, 5000} {
		_, err := edxml.Open(failing{bytes.NewReader(raw), at}, int64(len(raw)), edxml.Limits{})
		var r *edxml.Refusal
		if !errors.Is(err, errDisk) || errors.As(err, &r) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	// A file that is shorter than was said is one that was cut meanwhile.
	_, err := edxml.Open(bytes.NewReader(raw), int64(len(raw))+10, edxml.Limits{})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

var errDisk = errors.New("disk")

type failing struct {
	r  io.ReaderAt
	at int64
}

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.at {
		n, _ := f.r.ReadAt(b[:max(0, f.at-off)], off)
		return n, errDisk
	}
	return f.r.ReadAt(b, off)
}

// A hostile head costs no more than a small multiple of its size.
func TestAHostileHeadCostsLittle(t *testing.T) {
	for name, filler := range map[string]string{
		"elements":      strings.Repeat("<a/>", 100_000),
		"recipients":    strings.Repeat("<edXML:To><edXML:OrganId>x</edXML:OrganId></edXML:To>", 20_000),
		"prefixes":      strings.Repeat("<b:c/>", 60_000),
		"nesting":       strings.Repeat(strings.Repeat("<a>", 20)+strings.Repeat("</a>", 20), 3000),
		"long elements": strings.Repeat("<abcdefghijkl/>", 30_000),
	} {
		raw := base(t, "<edXML:Subject>", filler+"<edXML:Subject>")
		n := allocated(func() {
			if _, err := edxml.Check(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{}, march()); err != nil {
				t.Error(err)
			}
		})
		if most := uint64(60*len(raw) + flat); n > most {
			t.Errorf("%s: %d bytes allocated for %d", name, n, len(raw))
		}
	}
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// Padding is the end, also where a block of the reader ends with it.
func TestPaddingAtTheEndOfABlock(t *testing.T) {
	const block = 48<<10 + 4
	for end := block - 8; end <= block+8; end++ {
		text := strings.Repeat("A", end-2) + "==" + strings.Repeat("A", 8)
		r := refusal(t, base(t, contentText(t), text), edxml.Limits{})
		if r == nil || r.Reason != edxml.BadBase64 {
			t.Errorf("padding up to %d: %v", end, r)
		}
		whole := strings.Repeat("A", end/4*4-2) + "=="
		if r := refusal(t, base(t, contentText(t), whole), edxml.Limits{}); r != nil {
			t.Errorf("%d letters: %v", len(whole), r)
		}
	}
}

// contentText is the base64 in the base vector.
func contentText(t testing.TB) string {
	raw := string(base(t))
	from := strings.Index(raw, "JVBERi")
	return raw[from : from+strings.IndexByte(raw[from:], '<')]
}

// Of what occurs thousands of times a hundred are listed, and the rest counted.
func TestManyTolerancesAreCounted(t *testing.T) {
	p := open(t, base(t, "<edXML:Subject>", strings.Repeat("<edXML:LaLungQua/>", 1000)+"<edXML:Subject>"), edxml.Limits{})
	listed, counted := 0, 0
	for _, tolerance := range p.Tolerances {
		listed++
		counted += tolerance.Count
	}
	if listed != 100 || counted != 1000 || len(p.Document.Extra) != 1000 {
		t.Errorf("%d listed, %d counted, %d kept", listed, counted, len(p.Document.Extra))
	}
}
