package pades

import (
	"bytes"
	"compress/zlib"
	"crypto/x509"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
)

const mebi = 1 << 20

// fill repeats a piece up to a size.
func fill(piece string, size int) string { return strings.Repeat(piece, size/len(piece)) }

// unsealed signs without a signer: the value is no signature, and everything else is
// judged.
func unsealed(field string) padestest.Sig {
	return padestest.Sig{Field: field, SubFilter: "ETSI.CAdES.detached", Room: 16, Value: func([]byte) []byte { return nil }}
}

// signedThen is a signed document with a later revision.
func signedThen(before, after func(d *padestest.Doc)) []byte {
	d := padestest.NewDoc()
	if before != nil {
		before(d)
	}
	d.End().Sign(unsealed("A"))
	if after != nil {
		after(d)
		d.End()
	}
	return d.B
}

// rooted is a document whose catalog is written as given.
func rooted(catalog string) []byte {
	d := padestest.NewDoc()
	d.Put(padestest.Catalog, catalog)
	return d.End().B
}

// bomb is n bytes of one kind, packed quickly.
func bomb(n int, c byte) []byte {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	z.Write(bytes.Repeat([]byte{c}, n))
	z.Close()
	return b.Bytes()
}

// swollen is more than a mebibyte may be unpacked to.
const swollen = 14 * mebi

// hostile are files of about a mebibyte, each of which asks for as much as it can.
var hostile = map[string]func() []byte{
	"arrays in arrays":       func() []byte { return rooted(fill("[", mebi)) },
	"dictionaries within":    func() []byte { return rooted(fill("<</A", mebi)) },
	"parentheses":            func() []byte { return rooted(fill("(", mebi)) },
	"an open hexadecimal":    func() []byte { return rooted("<" + fill("00", mebi)) },
	"one comment":            func() []byte { return rooted("<<" + fill("%", mebi) + "\n>>") },
	"many comments":          func() []byte { return rooted("<<" + fill("%\n", mebi) + ">>") },
	"a name of a mebibyte":   func() []byte { return rooted("<</" + fill("#41", mebi) + " 1>>") },
	"keys":                   func() []byte { return rooted("<<" + fill("/A 1", mebi) + ">>") },
	"a field's endless name": func() []byte { return oneField("/T(" + fill("x", mebi) + ")") },
	"a field's UTF-16 name":  func() []byte { return oneField("/T<feff" + fill("1ef0", mebi) + ">") },
	"fields of one number":   func() []byte { return rooted("<</AcroForm<</Fields[" + fill("5 0 R ", mebi) + "]>>>>") },
	"fields that are not there": func() []byte {
		var b strings.Builder
		for i := 0; b.Len() < mebi; i++ {
			fmt.Fprintf(&b, "%d 0 R ", 10+i)
		}
		return rooted("<</AcroForm<</Fields[" + b.String() + "]>>>>")
	},
	"references to references": func() []byte { return rooted("1 0 R") },
	"a deep form":              deepForm,
	"a table of one place":     func() []byte { return onePlace(false) },
	"the same, signed":         func() []byte { return onePlace(true) },
	"an object stream bomb":    func() []byte { return packedBomb() },
	"object streams":           manyStreams,
	"a cross-reference bomb":   crossReferenceBomb,
	"a thousand revisions": func() []byte {
		d := padestest.NewDoc().End()
		for len(d.B) < mebi {
			d.Table(d.Trailer())
		}
		return d.B
	},
	"growing lists of fields": growing,
	"keys of two revisions": func() []byte {
		return signedThen(func(d *padestest.Doc) { d.Root["X"] = "<<" + fill("/A 1", mebi/3) + ">>"; d.PutRoot() },
			func(d *padestest.Doc) { d.Root["X"] = "<<" + fill("/A 2", mebi/3) + ">>"; d.PutRoot() })
	},
	"entries of two catalogs": func() []byte {
		return signedThen(func(d *padestest.Doc) { manyKeys(d, "1"); d.PutRoot() }, func(d *padestest.Doc) { manyKeys(d, "2"); d.PutRoot() })
	},
	"references everywhere": func() []byte {
		return signedThen(func(d *padestest.Doc) { d.Put(d.Take(), "["+fill("4 0 R ", mebi)+"]") }, func(d *padestest.Doc) { d.PutRoot() })
	},
	"one certificate many times": func() []byte {
		return signedThen(func(d *padestest.Doc) {
			num := d.Take()
			d.PutStream(num, "/Filter/FlateDecode", bomb(swollen, 0))
			d.B = append(d.B, fill("%\n", mebi)...)
			d.Root["DSS"] = fmt.Sprintf("<</Certs[%s]>>", fill(fmt.Sprintf("%d 0 R ", num), 4096))
			d.PutRoot()
		}, nil)
	},
	"lists of a store": func() []byte {
		return signedThen(func(d *padestest.Doc) {
			num := d.Take()
			d.PutStream(num, "/Filter/FlateDecode", bomb(mebi, 0))
			d.Root["DSS"] = fmt.Sprintf("<</CRLs[%s]>>", fill(fmt.Sprintf("%d 0 R ", num), mebi/2))
			d.PutRoot()
		}, nil)
	},
	"signatures": func() []byte {
		d := padestest.NewDoc()
		for len(d.B) < mebi/2 {
			d.PutDictionary(d.Take(), unsealed("A"))
			d.Put(d.Take(), fmt.Sprintf("<</FT/Sig/T(A)/V %d 0 R>>", d.Next-2))
			d.Fields = append(d.Fields, d.Next-1)
		}
		d.PutRoot()
		return d.End().B
	},
	"a large value": func() []byte {
		s := unsealed("A")
		s.Room = mebi / 2
		s.Value = func([]byte) []byte { return bytes.Repeat([]byte{0x30, 0x80}, mebi/4) }
		return padestest.NewDoc().End().Sign(s).B
	},
	"annotations of two revisions": func() []byte {
		return signedThen(func(d *padestest.Doc) { d.Leaf["Annots"] = "[" + fill("9 0 R ", mebi/3) + "]"; d.PutPage() },
			func(d *padestest.Doc) { d.Leaf["Annots"] = "[" + fill("8 0 R ", mebi/3) + "]"; d.PutPage() })
	},
	"a circle of pages": func() []byte {
		return signedThen(func(d *padestest.Doc) { d.Put(padestest.Pages, "<</Type/Pages/Kids[2 0 R]/Parent 2 0 R>>") },
			func(d *padestest.Doc) { d.PutPage() })
	},
	"noise": func() []byte {
		b := make([]byte, mebi)
		for i, x := 0, uint32(1); i < len(b); i++ {
			x = x*1664525 + 1013904223
			b[i] = byte(x >> 24)
		}
		return append([]byte("%PDF-1.7\n"), b...)
	},
}

func oneField(entries string) []byte {
	d := padestest.NewDoc()
	num := d.Take()
	d.Put(num, "<</FT/Sig"+entries+"/V(x)>>")
	d.Fields = []int{num}
	d.PutRoot()
	return d.End().B
}

func manyKeys(d *padestest.Doc, value string) {
	for i := range maxPairs - 10 {
		d.Root[fmt.Sprintf("K%d", i)] = value
	}
}

func deepForm() []byte {
	d := padestest.NewDoc()
	d.Fields = []int{d.Next}
	for len(d.B) < mebi/2 {
		d.Put(d.Take(), fmt.Sprintf("<</T(a)/Kids[%d 0 R]>>", d.Next))
	}
	d.PutRoot()
	return d.End().B
}

// onePlace has very many numbers for one large object.
func onePlace(signed bool) []byte {
	d := padestest.NewDoc()
	at := int64(len(d.B))
	d.Put(d.Take(), "["+fill("[] ", mebi/3)+"]")
	for len(d.B)+28*d.Next < mebi {
		d.At(d.Take(), at)
	}
	d.End()
	if signed {
		d.Sign(unsealed("A"))
		d.PutRoot()
		d.End()
	}
	return d.B
}

// packedBomb has its catalog in an object stream that swells a thousandfold.
func packedBomb() []byte {
	d := padestest.NewDoc()
	d.Streams = true
	d.B = append(d.B, fill("%\n", mebi)...)
	d.PutStream(d.Take(), "/Type/ObjStm/N 1/First 4/Filter/FlateDecode", bomb(swollen, ' '))
	b := d.End().B
	return bytes.Replace(b, []byte("/Root 1 0 R"), []byte("/Root 8 0 R"), 1)
}

// manyStreams has a mebibyte of the smallest object streams, all of which a change makes
// the reader look at.
func manyStreams() []byte {
	d := padestest.NewDoc()
	d.Streams = true
	packed := bomb(4096, ' ')
	for len(d.B) < mebi {
		d.PutStream(d.Take(), "/Type/ObjStm/N 0/First 0/Filter/FlateDecode", packed)
		d.Pack(d.Take(), "<<>>")
	}
	d.Next += 2
	d.Stream(d.Next-2, d.Trailer())
	d.Sign(unsealed("A"))
	d.PutRoot()
	return d.End().B
}

// crossReferenceBomb is a stream of a mebibyte that lists a thousand times as many
// objects.
func crossReferenceBomb() []byte {
	data := bomb(swollen, 0)
	w := padestest.NewWriter()
	w.B = append(w.B, fill("%\n", mebi)...)
	at := len(w.B)
	w.B = fmt.Appendf(w.B, "1 0 obj\n<</Type/XRef/Root 1 0 R/Size %d/W[0 1 0]/Index[%s]/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n",
		maxNumber, fill(fmt.Sprintf("0 %d ", maxNumber), 1000), len(data), data)
	w.B = fmt.Appendf(w.B, "startxref\n%d\n%%%%EOF\n", at)
	return w.B
}

// growing adds a field in each of many revisions, so that every list is as long as all
// that came before.
func growing() []byte {
	d := padestest.NewDoc().End().Sign(unsealed("A"))
	for len(d.B) < mebi/2 {
		num := d.Take()
		d.Put(num, "<</FT/Sig/T(x)>>")
		d.Fields = append(d.Fields, num)
		d.PutRoot()
		d.End()
	}
	return d.B
}

// counting counts what is read of a file.
type counting struct {
	*bytes.Reader
	bytes, calls int64
}

func (c *counting) ReadAt(b []byte, off int64) (int, error) {
	c.bytes, c.calls = c.bytes+int64(len(b)), c.calls+1
	return c.Reader.ReadAt(b, off)
}

// TestHostileFilesAreCheap: at most 64 MiB are allocated for a mebibyte of anything,
// and no byte is read more than a few dozen times.
func TestHostileFilesAreCheap(t *testing.T) {
	for name, make := range hostile {
		t.Run(name, func(t *testing.T) {
			b := make()
			if len(b) > mebi*5/4 {
				t.Fatalf("%d bytes", len(b))
			}
			r := &counting{Reader: bytes.NewReader(b)}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			d, err := Inspect(r, int64(len(b)), signing.Options{At: sealtest.At})
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if d.Label == Valid {
				t.Error("it is valid")
			}
			used := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d KiB allocated, %d KiB in %d reads: %s %s", used>>10, r.bytes>>10, r.calls, d.Label, d.Trouble)
			if used > 64*mebi {
				t.Errorf("%d MiB allocated", used/mebi)
			}
			if r.bytes > 400*mebi || r.calls > 1<<17 {
				t.Errorf("%d MiB in %d reads", r.bytes/mebi, r.calls)
			}
		})
	}
}

// TestManySignatureFields: a hundred thousand signed fields are counted, and not all
// judged.
func TestManySignatureFields(t *testing.T) {
	d := padestest.NewDoc()
	sig := d.Take()
	d.PutDictionary(sig, unsealed("A"))
	const n = 100_000
	for range n {
		num := d.Take()
		d.Put(num, fmt.Sprintf("<</FT/Sig/V %d 0 R>>", sig))
		d.Fields = append(d.Fields, num)
	}
	d.PutRoot()
	b := d.End().B
	r := &counting{Reader: bytes.NewReader(b)}
	found, err := Inspect(r, int64(len(b)), signing.Options{At: sealtest.At})
	if err != nil {
		t.Fatal(err)
	}
	if found.Label != Problem || len(found.Signatures) != maxSignatures || found.Left != n-maxSignatures {
		t.Errorf("%s (%s): %d signatures, %d left", found.Label, found.Trouble, len(found.Signatures), found.Left)
	}
	if r.bytes > 4*int64(len(b)) {
		t.Errorf("%d bytes read of %d", r.bytes, len(b))
	}
}

// TestLargeFilesTakeLittleMemory: what is kept does not grow with the file.
func TestLargeFilesTakeLittleMemory(t *testing.T) {
	d := padestest.NewDoc()
	d.PutStream(d.Take(), "/Subtype/Image", bytes.Repeat([]byte("image"), 5*mebi))
	seal, s := sealtest.New(t, sealtest.Root(t, "Root"), "Seal"), unsealed("A")
	s.Room, s.Value = 4096, func(content []byte) []byte {
		der, err := signing.Sign(content, seal.Key, seal.Chain)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	b := d.End().Sign(s).Sign(s).B
	o := signing.Options{At: sealtest.At, Pinned: []*x509.Certificate{seal.Certificate()}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	found, err := Inspect(bytes.NewReader(b), int64(len(b)), o)
	runtime.ReadMemStats(&after)
	if err != nil || found.Label != Valid || len(found.Signatures) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > mebi {
		t.Errorf("%d KiB for a file of %d MiB", used>>10, len(b)>>20)
	}
}
