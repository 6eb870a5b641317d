package xmldsig

import (
	"errors"
	"fmt"
	"io"

	"docaxis/signing"
)

// MaxSize is the largest file that is looked at, in bytes. A signature of a larger one
// is INDETERMINATE.
const MaxSize = 16 << 20

// Signature is one signature of an XML file.
type Signature struct {
	// Path is where its element stands; empty where the file cannot be looked at.
	Path string
	// Placeholder: it cannot be a signature and was not meant as one: it has no value,
	// or one that is too short for any key. The verdict fails, and counts for nothing.
	Placeholder bool
	// Covers are the paths of what its references are to, "/" for the whole document,
	// as far as they are in the file and were compared.
	Covers []string
	// Whole: it covers everything but itself. Outside names what it does not cover
	// where it covers a part; "…" stands for more.
	Whole   bool
	Outside []string
	Verdict signing.Verdict
}

// Document is what is known about a file.
type Document struct {
	Signatures []Signature
	// Left is how many more signatures the file has, beyond those that are judged.
	Left int
}

// Inspect reads an XML file of size bytes and judges every signature in it by the
// options, of which DER, Unbound and Timestamping mean nothing here: time-stamps
// within are not looked at. A file that cannot be read, or is too large, has one
// Signature that says so. The error is about the call (signing.ErrNoTime,
// signing.ErrTwoTrusts) or the reader, never about the file.
func Inspect(r io.ReaderAt, size int64, o signing.Options) (*Document, error) {
	if o.At.IsZero() {
		return nil, signing.ErrNoTime
	}
	if size > MaxSize {
		return unreadable(o, excessive("the file has %d bytes; at most %d are checked", size, MaxSize)), nil
	}
	src := make([]byte, size)
	if n, err := r.ReadAt(src, 0); int64(n) < size {
		return nil, fmt.Errorf("xmldsig: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	d := &document{src: src, meter: newMeter(len(src))}
	if err := d.read(); err != nil {
		return unreadable(o, err), nil
	}
	return d.all(o)
}

func unreadable(o signing.Options, err error) *Document {
	return &Document{Signatures: []Signature{{Verdict: failed(o, err)}}}
}

// all judges one signature after the other.
func (d *document) all(o signing.Options) (*Document, error) {
	out := &Document{Left: d.left}
	places, err := d.wanted()
	if err != nil {
		return unreadable(o, err), nil
	}
	for _, b := range d.found {
		s, err := d.judge(b, places, o)
		if err != nil {
			return nil, err
		}
		out.Signatures = append(out.Signatures, s)
	}
	return out, nil
}

// wanted finds what the signatures refer to by Id.
func (d *document) wanted() (map[string]*place, error) {
	wanted := map[string]*place{}
	for _, b := range d.found {
		if b.err != nil {
			continue
		}
		s, err := readSigned(b.root)
		if err != nil {
			continue // judge says so
		}
		for _, r := range s.references {
			if id, ok := r.identifier(); ok {
				wanted[id] = new(place)
			}
		}
	}
	return wanted, d.places(wanted)
}
