package pades_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"docaxis/signing"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// TestHybrid: objects that only the stream of a hybrid file knows are found, and
// what old readers would see otherwise is refused.
func TestHybrid(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc()
	info := d.Take()
	d.Pack(info, "<</Hidden true>>")
	d.Leaf["PieceInfo"] = fmt.Sprintf("%d 0 R", info)
	d.PutPage()
	d.Next += 2
	plain := d.Clone()
	d.Hybrid(d.Next-2, d.Trailer(), nil)
	if found := w.inspect(d.Sign(w.by("Person", w.person)).B); found.Label != pades.Valid {
		t.Errorf("%s: %s %+v", found.Label, found.Trouble, found.Signatures)
	}
	plain.Hybrid(plain.Next-2, plain.Trailer(), map[int]int64{padestest.Contents: 20})
	if found := w.inspect(plain.Sign(w.by("Person", w.person)).B); found.Label != pades.Unreadable || !strings.Contains(found.Trouble, "contradict") {
		t.Errorf("%s: %s", found.Label, found.Trouble)
	}
}

// TestPackedSignature: a signature dictionary in an object stream cannot have
// signed its own bytes.
func TestPackedSignature(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc()
	d.Streams = true
	field, sig := d.Take(), d.Take()
	d.Pack(field, fmt.Sprintf("<</FT/Sig/T(A)/V %d 0 R>>", sig))
	d.Pack(sig, "<</SubFilter/ETSI.CAdES.detached/ByteRange[0 9 20 9]/Contents<3000>>>")
	d.Fields = []int{field}
	d.PutRoot()
	d.Next++
	d.Stream(d.Next-1, d.Trailer())
	mustBeRefused(t, w.inspect(d.B))
}

// TestPackedDocument: everything but streams in an object stream, as Word and others
// write it; and what such an object becomes later.
func TestPackedDocument(t *testing.T) {
	w := newWorld(t)
	d := packed()
	d.Sign(w.by("Person", w.person))
	if found := w.inspect(d.B); found.Label != pades.Valid {
		t.Fatalf("%s: %s %+v", found.Label, found.Trouble, found.Signatures)
	}
	for name, change := range map[string]func(d *padestest.Doc){
		"object": func(d *padestest.Doc) { d.Put(padestest.Font, "<</Type/Font>>") },
		"object stream": func(d *padestest.Doc) {
			d.PutStream(padestest.FirstFree+1, "/Type/ObjStm/N 1/First 4", []byte("5 0 <<>>"))
		},
		"packed object": func(d *padestest.Doc) { d.Pack(padestest.Font, "<</Type/Font>>"); d.Next++ },
	} {
		c := d.Clone()
		change(c)
		found := w.inspect(c.End().B)
		if found.Label != pades.Problem || found.Signatures[0].Verdict.SubIndication != signing.HashFailure {
			t.Errorf("%s: %s, %s", name, found.Label, found.Trouble)
		}
	}
}

func packed() *padestest.Doc { return packing(false) }

func packing(plain bool) *padestest.Doc {
	d := &padestest.Doc{Writer: padestest.NewWriter(), Root: map[string]string{}, Leaf: map[string]string{}, Next: padestest.FirstFree, Streams: true}
	d.Plain = plain
	d.Pack(padestest.Catalog, "<</Type/Catalog/Pages 2 0 R>>")
	d.Pack(padestest.Pages, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	d.Pack(padestest.Page, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>")
	d.Pack(padestest.Font, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	d.Pack(padestest.Info, "<</Title(x)>>")
	d.PutStream(padestest.Contents, "/Filter/FlateDecode", padestest.Deflate([]byte("BT ET")))
	d.Next += 2
	d.Stream(d.Next-2, d.Trailer())
	return d
}

// TestLinearised: the two sections of a linearised file are one revision, and stand
// the wrong way round; nothing else may.
func TestLinearised(t *testing.T) {
	w := newWorld(t)
	for name, lin := range map[string]bool{"linearised": true, "out of order": false} {
		t.Run(name, func(t *testing.T) {
			d := &padestest.Doc{Writer: linearised(lin), Root: map[string]string{}, Leaf: map[string]string{}, Next: 8}
			found := w.inspect(d.Sign(w.by("Person", w.person)).B)
			if lin && (found.Label != pades.Valid || found.Revisions != 2) || !lin && found.Label != pades.Unreadable {
				t.Errorf("%s: %s, %d revisions, %+v", found.Label, found.Trouble, found.Revisions, found.Signatures)
			}
		})
	}
}

// linearised writes objects 1 to 7 with the first page's section in front.
func linearised(really bool) *padestest.Writer {
	first := "<</Linearized 1/L 9999/O 3/E 1/N 1/T 1/H[1 1]>>"
	if !really {
		first = "<</L 9999>>"
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	at := map[int]int{}
	object := func(num int, body string) {
		at[num] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", num, body)
	}
	object(7, first)
	section := b.Len()
	table := func(nums []int) (s string) {
		for _, n := range nums {
			s += fmt.Sprintf("%d 1\n%010d 00000 n\r\n", n, at[n])
		}
		return s
	}
	front := []int{7, 1, 3}
	tail := "trailer\n<</Root 1 0 R/Size 8/Prev %010d>>\nstartxref\n0\n%%%%EOF\n"
	b.Write(make([]byte, len("xref\n"+table(front)+fmt.Sprintf(tail, 0))))
	object(1, "<</Type/Catalog/Pages 2 0 R>>")
	object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 1 1]/Contents 4 0 R>>")
	object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object(4, "<</Length 1>>\nstream\nx\nendstream")
	object(5, "<</Type/Font>>")
	object(6, "<<>>")
	main := b.Len()
	b.WriteString("xref\n0 1\n0000000000 65535 f\r\n" + table([]int{2, 4, 5, 6}))
	fmt.Fprintf(&b, "trailer\n<</Size 7>>\nstartxref\n%d\n%%%%EOF\n", section)
	copy(b.Bytes()[section:], "xref\n"+table(front)+fmt.Sprintf(tail, main))
	w := padestest.NewWriter()
	w.B, w.Prev = b.Bytes(), int64(section)
	return w
}

func TestEncrypted(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc()
	d.Table(d.Trailer() + "/Encrypt<</Filter/Standard/V 2>>")
	found := w.inspect(d.B)
	if found.Label != pades.Unreadable || !found.Encrypted {
		t.Errorf("%+v", found)
	}
	if !strings.Contains(found.Sentence("vi"), "mã hóa") || !strings.Contains(found.Sentence("en"), "encrypted") {
		t.Error(found.Sentence("vi"), found.Sentence("en"))
	}
}

func TestUnsigned(t *testing.T) {
	w := newWorld(t)
	found := w.inspect(padestest.NewDoc().End().B)
	if found.Label != pades.Unsigned || found.Label.Words("vi") != "không có chữ ký số (để tham khảo)" {
		t.Errorf("%+v", found)
	}
	for _, lang := range []string{"vi", "en"} {
		if found.Sentence(lang) == "" {
			t.Error(lang)
		}
	}
}

// TestBroken: files that another program might mend by guessing are not read.
func TestBroken(t *testing.T) {
	w := newWorld(t)
	good := string(padestest.NewDoc().End().Sign(w.by("Person", w.person)).B)
	edit := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, tt := range map[string]struct{ file, trouble string }{
		"empty":                       {"", "outside"},
		"no PDF":                      {"PK\x03\x04" + good, "begin"},
		"bytes before it":             {"\n" + good, "begin"},
		"no end":                      {good[:len(good)-7], "end"},
		"end elsewhere":               {good + "startxref\n5\n%%EOF\n", ""},
		"pointer outside":             {good + "startxref\n99999999\n%%EOF\n", "outside"},
		"catalog missing":             {edit("/Root 1 0 R/Info", "/Boot 1 0 R/Info"), ""},
		"a loop":                      {loop(), "circle"},
		"a field in a circle":         {circle(), "twice"},
		"fields below fields":         {deep(), "deep"},
		"an object of another number": {other(), "stands where 1 should"},
		"a packed object of another number": {
			strings.Replace(packedPlain(), "1 0 2 30 ", "7 0 2 30 ", 1), "not in object stream",
		},
		"packed objects that overlap": {strings.Replace(packedPlain(), "1 0 2 30 ", "1 9 2 00 ", 1), "not in order"},
	} {
		t.Run(name, func(t *testing.T) {
			found := w.inspect([]byte(tt.file))
			if found.Label == pades.Valid {
				t.Fatalf("%+v", found)
			}
			if tt.trouble != "" && (found.Label != pades.Unreadable || !strings.Contains(found.Trouble, tt.trouble)) {
				t.Errorf("%s: %s", found.Label, found.Trouble)
			}
		})
	}
}

func loop() string {
	s := "%PDF-1.4\n"
	return s + fmt.Sprintf("xref\n0 0\ntrailer\n<</Prev %d>>\nstartxref\n%d\n%%%%EOF\n", len(s), len(s))
}

func packedPlain() string {
	d := packing(true)
	return string(d.B)
}

func deep() string {
	d := padestest.NewDoc()
	d.Fields = []int{d.Next}
	for range 40 {
		d.Put(d.Take(), fmt.Sprintf("<</T(a)/Kids[%d 0 R]>>", d.Next))
	}
	d.PutRoot()
	return string(d.End().B)
}

// other has a table that shows another object in place of the catalog.
func other() string {
	d := padestest.NewDoc()
	d.At(padestest.Catalog, int64(len(d.B)))
	d.B = append(d.B, "2 0 obj\n<</Type/Catalog>>\nendobj\n"...)
	return string(d.End().B)
}

func circle() string {
	d := padestest.NewDoc()
	num := d.Take()
	d.Put(num, fmt.Sprintf("<</T(a)/Kids[%d 0 R]>>", num))
	d.Fields = []int{num}
	d.PutRoot()
	return string(d.End().B)
}

// TestBehindTheRevision: an object whose place is said to be behind what was signed
// could be written after signing.
func TestBehindTheRevision(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc()
	const room = 60_000
	d.At(padestest.Contents, room)
	d.End().Sign(w.by("Person", w.person))
	if found := w.inspect(d.B); found.Label != pades.Unreadable || !strings.Contains(found.Trouble, "behind the end") {
		t.Errorf("%s: %s", found.Label, found.Trouble)
	}
	b := append(d.B, bytes.Repeat([]byte(" "), room-len(d.B))...)
	b = append(b, "4 0 obj\n<</Length 1>>\nstream\nx\nendstream\nendobj\n"...)
	if found := w.inspect(b); found.Label != pades.Unreadable {
		t.Errorf("%s", found.Label)
	}
}

// TestAnOpenEnd: an object that does not end within its revision is not ended by what
// somebody writes later.
func TestAnOpenEnd(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc()
	d.End()
	s := w.by("Person", w.person)
	s.SubFilter = "ETSI.CAdES.detached"
	d.PutSignature(s)
	d.At(padestest.Contents, int64(len(d.B)))
	d.B = append(d.B, "4 0 obj\n(\n"...)
	d.End().Seal(s)
	d.B = append(d.B, ") endobj\n"...)
	d.End()
	found := w.inspect(d.B)
	if found.Label == pades.Unreadable || len(found.Signatures) != 1 {
		t.Fatalf("%s: %s", found.Label, found.Trouble)
	}
	d.PutStream(padestest.Contents, "", []byte("x"))
	if found = w.inspect(d.End().B); found.Label != pades.Problem {
		t.Errorf("%s: %v", found.Label, found.Signatures[0].Changes)
	}
}

// TestASkippedRevision: a chain that leaves out what was signed shows a document that
// nobody signed.
func TestASkippedRevision(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End()
	prev := d.Prev
	d.Sign(w.by("Person", w.person))
	d.Prev = prev
	d.Put(padestest.FirstFree, fmt.Sprintf("<</FT/Sig/T(Person)/V %d 0 R>>", padestest.FirstFree+1))
	d.At(padestest.FirstFree+1, int64(bytes.Index(d.B, []byte("8 0 obj"))))
	d.PutRoot()
	found := w.inspect(d.End().B)
	if found.Label != pades.Problem || found.Signatures[0].Verdict.SubIndication != signing.FormatFailure {
		t.Errorf("%s: %+v", found.Label, found.Signatures)
	}
}

// TestAnOldSectionAtTheEnd: bytes behind the end that point to an older section make
// no revision, and are seen.
func TestAnOldSectionAtTheEnd(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc().End().Sign(w.by("Person", w.person))
	at := d.Prev
	d.B = fmt.Appendf(d.B, "1 0 obj\n<<>>\nendobj\nstartxref\n%d\n%%%%EOF\n", at)
	found := w.inspect(d.B)
	if found.Label != pades.Problem || !has(found.Signatures[0].Changes, pades.ChangeAppended) {
		t.Errorf("%s: %+v", found.Label, found.Signatures)
	}
}

// failing is a file that cannot be read from some byte on.
type failing struct {
	*bytes.Reader
	from int64
	err  error
}

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.from {
		return 0, f.err
	}
	return f.Reader.ReadAt(b, off)
}

// holed is a file that ends early for who reads some bytes of it.
type holed struct {
	*bytes.Reader
	at int64
}

func (h holed) ReadAt(b []byte, off int64) (int, error) {
	if off <= h.at && h.at < off+int64(len(b)) {
		n, _ := h.Reader.ReadAt(b[:h.at-off], off)
		return n, io.EOF
	}
	return h.Reader.ReadAt(b, off)
}

// TestAFileThatShrinks: what is missing of the signed bytes is no end of them.
func TestAFileThatShrinks(t *testing.T) {
	w := newWorld(t)
	d := padestest.NewDoc()
	d.PutStream(d.Take(), "/Subtype/Image", make([]byte, 100_000))
	b := d.End().Sign(w.by("Person", w.person)).B
	if found := w.inspect(b); found.Label != pades.Valid {
		t.Fatalf("%s", found.Label)
	}
	_, err := pades.Inspect(holed{bytes.NewReader(b), 50_000}, int64(len(b)), w.options())
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// TestTheReaderFails: a failing disk is no fault of the document.
func TestTheReaderFails(t *testing.T) {
	w := newWorld(t)
	b := w.signedTwice(false).B
	broken := errors.New("disk")
	for from := 0; from < len(b); from += 997 {
		_, err := pades.Inspect(failing{bytes.NewReader(b), int64(from), broken}, int64(len(b)), w.options())
		if !errors.Is(err, broken) {
			t.Fatalf("from byte %d: %v", from, err)
		}
	}
	if _, err := pades.Inspect(bytes.NewReader(b[:len(b)-9]), int64(len(b)), w.options()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shorter than said: %v", err)
	}
	o := w.options()
	o.At = time.Time{}
	if _, err := pades.Inspect(bytes.NewReader(b), int64(len(b)), o); !errors.Is(err, signing.ErrNoTime) {
		t.Errorf("no time: %v", err)
	}
}
