package edxml_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"docaxis/edxml"
	"docaxis/internal/vectors"
)

// pieces is a file made of parts, one of which is a text repeated: it is never stored.
type pieces struct {
	head, text, tail []byte
	times            int64
}

func (p *pieces) size() int64 {
	return int64(len(p.head)) + int64(len(p.text))*p.times + int64(len(p.tail))
}

func (p *pieces) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		part := p.part(off + int64(n))
		if len(part) == 0 {
			return n, io.EOF
		}
		n += copy(b[n:], part)
	}
	return n, nil
}

// part is what lies at an offset, to the end of its piece.
func (p *pieces) part(off int64) []byte {
	middle := int64(len(p.text)) * p.times
	switch off -= int64(len(p.head)); {
	case off < 0:
		return p.head[int64(len(p.head))+off:]
	case off < middle:
		return p.text[off%int64(len(p.text)):]
	case off-middle < int64(len(p.tail)):
		return p.tail[off-middle:]
	default:
		return nil
	}
}

// large is the base vector with another content, repeated.
func large(t *testing.T, text string, times int64) *pieces {
	t.Helper()
	raw := vectors.EdXML("variants/base.edxml")
	const tag = `_2016">JVBERi`
	from := bytes.Index(raw, []byte(tag)) + len(`_2016">`)
	to := from + bytes.IndexByte(raw[from:], '<')
	return &pieces{head: raw[:from], text: []byte(text), tail: raw[to:], times: times}
}

// noise is base64 that does not pack.
func noise(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range n {
		b.WriteByte(letters[r.IntN(64)])
	}
	return b.String()
}

// allocated is how many bytes f allocates in all, freed ones included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// flat is what any step may allocate, whatever the size of the package.
const flat = 2 << 20

// A package of 500 MiB is opened, checked, split into files and composed in memory
// that does not depend on its size.
func TestALargePackageTakesFlatMemory(t *testing.T) {
	text := noise(64 << 10)
	file := large(t, text, largeContent/3*4/int64(len(text)))
	var p *edxml.Package
	step := func(name string, f func()) {
		if n := allocated(f); n > flat {
			t.Errorf("%s allocates %d bytes", name, n)
		}
	}
	step("opening", func() {
		var err error
		if p, err = edxml.Open(file, file.size(), edxml.Limits{}); err != nil {
			t.Fatal(err)
		}
	})
	step("checking", func() {
		report, err := edxml.Check(file, file.size(), edxml.Limits{}, march())
		if err != nil || !report.Conforms() {
			t.Errorf("%+v %v", report.Findings, err)
		}
	})
	var split int64
	step("splitting", func() {
		c, err := p.Attachments[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if split, err = io.Copy(io.Discard, c); err != nil {
			t.Fatal(err)
		}
	})
	if split < largeContent-1<<20 {
		t.Errorf("%d bytes", split)
	}
	var out comparing
	out.want = file
	step("composing", func() {
		if err := edxml.WriteDocument(&out, p.Document, filesOf(p)...); err != nil {
			t.Fatal(err)
		}
	})
	if out.at != file.size() {
		t.Errorf("%d bytes composed, not %d", out.at, file.size())
	}
}

// comparing is a writer that expects the bytes of a file.
type comparing struct {
	want io.ReaderAt
	at   int64
	buf  [64 << 10]byte
}

func (c *comparing) Write(b []byte) (int, error) {
	for n := 0; n < len(b); {
		part := b[n:min(len(b), n+len(c.buf))]
		if _, err := c.want.ReadAt(c.buf[:len(part)], c.at); err != nil {
			return n, err
		}
		if !bytes.Equal(part, c.buf[:len(part)]) {
			return n, errors.New("another byte")
		}
		n += len(part)
		c.at += int64(len(part))
	}
	return len(b), nil
}

// endless gives noise and sums it.
type endless struct {
	text string
	left int64
	sum  hash.Hash
}

func (e *endless) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(int64(len(b)), e.left)], e.text)
	e.left -= int64(n)
	e.sum.Write(b[:n])
	return n, nil
}

func (e *endless) Close() error { return nil }

// A file that is packed on writing is packed and unpacked as it streams by.
func TestALargePackedFileTakesFlatMemory(t *testing.T) {
	p := open(t, vectors.EdXML("variants/base.edxml"), edxml.Limits{})
	body := &endless{text: noise(64 << 10), left: 24 << 20, sum: sha256.New()}
	var b bytes.Buffer
	b.Grow(48 << 20)
	file := edxml.File{Name: "Bảng số liệu.xlsx", Open: func() (io.ReadCloser, error) { return body, nil }}
	if n := allocated(func() {
		if err := edxml.WriteDocument(&b, p.Document, file); err != nil {
			t.Fatal(err)
		}
	}); n > flat {
		t.Errorf("packing allocates %d bytes", n)
	}
	again := open(t, b.Bytes(), edxml.Limits{})
	if a := again.Attachments[0]; !a.Packed || a.Name != file.Name || a.ContentType != "application/zip" {
		t.Errorf("%+v", a)
	}
	sum := sha256.New()
	if n := allocated(func() {
		c, err := again.Attachments[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(sum, c); err != nil {
			t.Fatal(err)
		}
	}); n > flat {
		t.Errorf("unpacking allocates %d bytes", n)
	}
	if !bytes.Equal(sum.Sum(nil), body.sum.Sum(nil)) {
		t.Error("another file came out")
	}
}

// Small packages are most of all packages: what one costs is known and kept.
func TestAllocationsOfASmallPackage(t *testing.T) {
	raw := vectors.EdXML("new-1-attachment.edxml")
	p := open(t, raw, edxml.Limits{})
	for _, tt := range []struct {
		name string
		most float64
		f    func()
	}{
		{"opening", 1300, func() { open(t, raw, edxml.Limits{}) }},
		{"composing", 500, func() { compose(t, p) }},
	} {
		if n := testing.AllocsPerRun(20, tt.f); n > tt.most {
			t.Errorf("%s makes %v allocations, more than %v", tt.name, n, tt.most)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	file := large(&testing.T{}, noise(64<<10), 200)
	b.SetBytes(file.size())
	b.ReportAllocs()
	for b.Loop() {
		p, err := edxml.Open(file, file.size(), edxml.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		c, err := p.Attachments[0].Open()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	file := large(&testing.T{}, noise(64<<10), 200)
	p, err := edxml.Open(file, file.size(), edxml.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(file.size())
	b.ReportAllocs()
	for b.Loop() {
		body := io.NopCloser(io.NewSectionReader(file, 0, file.size()/4*3))
		f := edxml.File{Name: "a.pdf", Open: func() (io.ReadCloser, error) { return body, nil }}
		if err := edxml.WriteDocument(io.Discard, p.Document, f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenSmall(b *testing.B) {
	raw := vectors.EdXML("new-1-attachment.edxml")
	b.ReportAllocs()
	for b.Loop() {
		open(b, raw, edxml.Limits{})
	}
}

func BenchmarkComposeSmall(b *testing.B) {
	p := open(b, vectors.EdXML("new-1-attachment.edxml"), edxml.Limits{})
	b.ReportAllocs()
	for b.Loop() {
		compose(b, p)
	}
}
