// Package padestest makes PDF files for tests: small documents, revision by revision,
// signed or spoiled in every way. It knows nothing of the package that it tests.
package padestest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"slices"
)

// Writer writes the syntax of a PDF. Objects go into the revision that is open; Table
// or Stream ends it.
type Writer struct {
	B []byte
	// Plain leaves object streams as they are, so that a test can change what is in them.
	Plain bool
	// Prev is where the newest cross-reference is, 0 without any.
	Prev int64

	offsets map[int]int64
	freed   []int
	packed  []packedObject
	size    int
}

type packedObject struct {
	num  int
	body string
}

// NewWriter begins a file with its header.
func NewWriter() *Writer {
	return &Writer{B: []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), offsets: make(map[int]int64), size: 1}
}

func (w *Writer) printf(format string, args ...any) { w.B = fmt.Appendf(w.B, format, args...) }

// Put writes an object and gives the offset of its body.
func (w *Writer) Put(num int, body string) int64 {
	w.At(num, int64(len(w.B)))
	w.printf("%d 0 obj\n", num)
	at := int64(len(w.B))
	w.printf("%s\nendobj\n", body)
	return at
}

// At says that an object stands at an offset, whatever is there.
func (w *Writer) At(num int, offset int64) {
	w.offsets[num] = offset
	w.size = max(w.size, num+1)
}

// PutStream writes a stream object; dict is what stands in its dictionary beside
// Length.
func (w *Writer) PutStream(num int, dict string, data []byte) {
	w.Put(num, fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(data), data))
}

// Pack keeps an object for the object stream of this revision.
func (w *Writer) Pack(num int, body string) {
	w.packed = append(w.packed, packedObject{num, body})
	w.size = max(w.size, num+1)
}

// Free deletes an object.
func (w *Writer) Free(num int) { w.freed = append(w.freed, num) }

// Table ends the revision with a cross-reference table.
func (w *Writer) Table(trailer string) {
	at := int64(len(w.B))
	w.rows()
	w.printf("trailer\n<<%s/Size %d%s>>\n", trailer, w.size, w.prev())
	w.tail(at)
}

// Rows writes a cross-reference table without its trailer.
func (w *Writer) rows() {
	w.printf("xref\n")
	if w.Prev == 0 {
		w.printf("0 1\n%010d %05d f\r\n", 0, 65535)
	}
	for _, num := range w.numbers() {
		w.printf("%d 1\n%010d %05d n\r\n", num, w.offsets[num], 0)
	}
	for _, num := range w.freed {
		w.printf("%d 1\n%010d %05d f\r\n", num, 0, 1)
	}
}

// Hybrid ends the revision with a table, and with a stream that knows the packed
// objects: the stream has the number num, the object stream num+1. hidden are
// further rows of the stream, as it would be read: number and offset.
func (w *Writer) Hybrid(num int, trailer string, hidden map[int]int64) {
	list := w.packInto(num + 1)
	for _, r := range list {
		w.freed = append(w.freed, r.num) // for those who read the table alone
	}
	for n, at := range hidden {
		list = append(list, row{n, 1, at, 0})
	}
	stream := int64(len(w.B))
	w.crossReference(num, "", list)
	w.At(num, stream)
	at := int64(len(w.B))
	w.rows()
	w.printf("trailer\n<<%s/Size %d/XRefStm %d%s>>\n", trailer, w.size, stream, w.prev())
	w.tail(at)
}

func (w *Writer) prev() string {
	if w.Prev == 0 {
		return ""
	}
	return fmt.Sprintf("/Prev %d", w.Prev)
}

func (w *Writer) numbers() []int {
	var list []int
	for num := range w.offsets {
		list = append(list, num)
	}
	slices.Sort(list)
	return list
}

// row is one of a cross-reference stream.
type row struct {
	num, kind int
	at        int64
	n         int
}

// packInto writes the packed objects as an object stream.
func (w *Writer) packInto(num int) (list []row) {
	if len(w.packed) == 0 {
		return nil
	}
	var head, body bytes.Buffer
	for i, p := range w.packed {
		fmt.Fprintf(&head, "%d %d ", p.num, body.Len())
		fmt.Fprintf(&body, "%s ", p.body)
		list = append(list, row{p.num, 2, int64(num), i})
	}
	data, filter := append(head.Bytes(), body.Bytes()...), ""
	if !w.Plain {
		data, filter = Deflate(data), "/Filter/FlateDecode"
	}
	w.PutStream(num, fmt.Sprintf("/Type/ObjStm/N %d/First %d%s", len(w.packed), head.Len(), filter), data)
	return list
}

// Stream ends the revision with a cross-reference stream of the number num; packed
// objects go into an object stream of the number num+1.
func (w *Writer) Stream(num int, trailer string) {
	list := w.packInto(num + 1)
	at := int64(len(w.B))
	w.At(num, at)
	for _, n := range w.numbers() {
		list = append(list, row{n, 1, w.offsets[n], 0})
	}
	for _, n := range w.freed {
		list = append(list, row{n, 0, 0, 1})
	}
	w.crossReference(num, trailer+w.prev(), list)
	w.tail(at)
}

// crossReference writes a cross-reference stream, packed with PNG's predictor "up",
// as other programs do.
func (w *Writer) crossReference(num int, trailer string, list []row) {
	slices.SortFunc(list, func(a, b row) int { return a.num - b.num })
	var index string
	var data []byte
	last := make([]byte, 7)
	for _, r := range list {
		index += fmt.Sprintf("%d 1 ", r.num)
		fields := []byte{byte(r.kind), byte(r.at >> 24), byte(r.at >> 16), byte(r.at >> 8), byte(r.at), byte(r.n >> 8), byte(r.n)}
		data = append(data, 2)
		for i := range fields {
			data = append(data, fields[i]-last[i])
		}
		last = fields
	}
	packed := Deflate(data)
	w.printf("%d 0 obj\n<</Type/XRef%s/Size %d/W[1 4 2]/Index[%s]/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 7>>/Length %d>>\nstream\n",
		num, trailer, max(w.size, num+1), index, len(packed))
	w.B = append(w.B, packed...)
	w.printf("\nendstream\nendobj\n")
}

func (w *Writer) tail(at int64) {
	w.printf("startxref\n%d\n%%%%EOF\n", at)
	w.Prev, w.offsets, w.freed, w.packed = at, make(map[int]int64), nil, nil
}

// Deflate packs data as FlateDecode has it.
func Deflate(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}
