package padestest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Numbers of the objects that every Doc has.
const (
	Catalog = iota + 1
	Pages
	Page
	Contents
	Font
	Info
	FirstFree
)

// Doc is a document of one page, with what later revisions must know of it.
type Doc struct {
	*Writer
	// Root and Leaf are entries of the catalog and the page beside the usual ones.
	Root, Leaf map[string]string
	// Fields and Annots are numbers of objects.
	Fields, Annots []int
	// Form is what stands in AcroForm beside Fields.
	Form string
	// Streams: revisions end with cross-reference streams instead of tables.
	Streams bool
	// Type is what signature dictionaries are said to be; by default Sig.
	Type string
	// Next is the number of the next object.
	Next int

	gap    [2]int64 // Contents of the signature that is not made yet
	ranges int64    // where its ByteRange is
}

// NewDoc makes a document whose first revision is not ended yet.
func NewDoc() *Doc {
	d := &Doc{Writer: NewWriter(), Root: make(map[string]string), Leaf: make(map[string]string), Next: FirstFree, Form: "/SigFlags 3"}
	d.Put(Pages, fmt.Sprintf("<</Type/Pages/Kids[%d 0 R]/Count 1>>", Page))
	d.PutStream(Contents, "", []byte("BT /F1 12 Tf 72 720 Td (Noi dung) Tj ET"))
	d.Put(Font, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	d.Put(Info, "<</Title(Quyet dinh)/ModDate(D:20261121090000+07'00')>>")
	d.PutRoot()
	d.PutPage()
	return d
}

// Take gives a new object's number.
func (d *Doc) Take() int {
	d.Next++
	return d.Next - 1
}

func entries(m map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "/%s %s", k, m[k])
	}
	return b.String()
}

// Refs is an array of references.
func Refs(nums []int) string {
	var b strings.Builder
	for _, n := range nums {
		fmt.Fprintf(&b, "%d 0 R ", n)
	}
	return "[" + b.String() + "]"
}

// PutRoot writes the catalog as it is now.
func (d *Doc) PutRoot() {
	form := ""
	if _, apart := d.Root["AcroForm"]; len(d.Fields) > 0 && !apart {
		form = fmt.Sprintf("/AcroForm<<%s/Fields%s>>", d.Form, Refs(d.Fields))
	}
	d.Put(Catalog, fmt.Sprintf("<</Type/Catalog/Pages %d 0 R%s%s>>", Pages, form, entries(d.Root)))
}

// PutPage writes the page as it is now.
func (d *Doc) PutPage() {
	annots := ""
	if _, listed := d.Leaf["Annots"]; len(d.Annots) > 0 && !listed {
		annots = "/Annots" + Refs(d.Annots)
	}
	d.Put(Page, fmt.Sprintf("<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F1 %d 0 R>>>>%s%s>>",
		Pages, Contents, Font, annots, entries(d.Leaf)))
}

// Trailer is what every trailer has.
func (d *Doc) Trailer() string { return fmt.Sprintf("/Root %d 0 R/Info %d 0 R", Catalog, Info) }

// End ends the revision.
func (d *Doc) End() *Doc {
	if d.Streams {
		d.Stream(d.Take(), d.Trailer())
		return d
	}
	d.Table(d.Trailer())
	return d
}

// Sig is how a signature is made.
type Sig struct {
	Field     string
	SubFilter string
	// Extra is what stands in the dictionary beside the usual entries.
	Extra string
	// Value makes the signature's value over what is signed.
	Value func(content []byte) []byte
	// Room is how many bytes Contents has; by default 8192.
	Room int
	// Spoil changes the ranges before they are signed and written.
	Spoil func(r *[4]int64)
	// Dictionary, where it is set, stands for the whole signature dictionary.
	Dictionary string
}

const rangeRoom = 46

// PutSignature writes field, widget, appearance and dictionary into the open
// revision, and what must know of them. End and then Seal follow.
func (d *Doc) PutSignature(s Sig) (field int) {
	field, sig, look := d.Take(), d.Take(), d.Take()
	d.Put(field, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/Rect[100 100 270 130]/F 132/P %d 0 R/V %d 0 R/AP<</N %d 0 R>>>>",
		s.Field, Page, sig, look))
	d.PutStream(look, "/Type/XObject/Subtype/Form/BBox[0 0 170 30]", []byte("0 0 170 30 re S"))
	d.PutDictionary(sig, s)
	d.Fields, d.Annots = append(d.Fields, field), append(d.Annots, field)
	d.PutRoot()
	d.PutPage()
	return field
}

// PutDictionary writes a signature dictionary with room for its ranges and value.
func (d *Doc) PutDictionary(num int, s Sig) {
	if s.Dictionary != "" {
		d.Put(num, s.Dictionary)
		return
	}
	room := s.Room
	if room == 0 {
		room = 8192
	}
	kind := "Sig"
	if d.Type != "" {
		kind = d.Type
	}
	head := fmt.Sprintf("<</Type/%s/Filter/Adobe.PPKLite/SubFilter/%s%s/ByteRange", kind, s.SubFilter, s.Extra)
	body := head + strings.Repeat(" ", rangeRoom) + "/Contents<" + strings.Repeat("0", 2*room) + ">>>"
	at := d.Put(num, body)
	d.ranges = at + int64(len(head))
	d.gap[0] = d.ranges + rangeRoom + int64(len("/Contents"))
	d.gap[1] = d.gap[0] + int64(2*room) + 2
}

// Seal makes the value of the last signature that was written, over the file as it
// is now.
func (d *Doc) Seal(s Sig) *Doc {
	r := [4]int64{0, d.gap[0], d.gap[1], int64(len(d.B)) - d.gap[1]}
	if s.Spoil != nil {
		s.Spoil(&r)
	}
	text := fmt.Sprintf("[%d %d %d %d]", r[0], r[1], r[2], r[3])
	copy(d.B[d.ranges:], text)
	value := fmt.Sprintf("%x", s.Value(d.signed(r)))
	copy(d.B[d.gap[0]+1:d.gap[1]-1], value)
	return d
}

// signed is what the ranges leave, as far as there is any.
func (d *Doc) signed(r [4]int64) []byte {
	part := func(from, n int64) []byte {
		from = min(max(from, 0), int64(len(d.B)))
		return d.B[from:min(max(from+n, from), int64(len(d.B)))]
	}
	return slices.Concat(part(r[0], r[1]), part(r[2], r[3]))
}

// Sign adds a signature in a revision of its own.
func (d *Doc) Sign(s Sig) *Doc {
	if s.SubFilter == "" {
		s.SubFilter = "ETSI.CAdES.detached"
	}
	d.PutSignature(s)
	return d.End().Seal(s)
}

// Clone is a copy that can be changed apart.
func (d *Doc) Clone() *Doc {
	c := *d
	w := *d.Writer
	w.B, w.offsets = bytes.Clone(w.B), maps.Clone(w.offsets)
	c.Writer, c.Root, c.Leaf = &w, maps.Clone(d.Root), maps.Clone(d.Leaf)
	c.Fields, c.Annots = slices.Clone(d.Fields), slices.Clone(d.Annots)
	return &c
}
