package pades

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// form is where an object lies.
type form byte

const (
	free   form = iota
	plain       // at an offset
	packed      // in an object stream
)

// entry is what one cross-reference section says about one object.
type entry struct {
	at    int64  // offset, or the number of the object stream
	num   uint32 // of the object
	n     uint32 // generation, or index within the object stream
	rev   uint16
	order uint16 // of the section; lower is newer
	form  form
}

// section is one cross-reference section as it is read.
type section struct {
	at, end, full int64
	// pointer is what startxref says behind it: where a reader of that revision began.
	pointer int64
	trailer value
}

// maxNumber is the largest number of an object (clause C.2).
const maxNumber = 8_388_607

// load reads header, end and the chain of cross-reference sections.
func (f *file) load() error {
	head, err := f.read(0, f.size, 8)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(head, []byte("%PDF-1.")) && !bytes.HasPrefix(head, []byte("%PDF-2.")) {
		return errors.New("it does not begin as a PDF does")
	}
	start, err := f.startxref()
	if err != nil {
		return err
	}
	sections, err := f.chain(start)
	if err != nil {
		return err
	}
	if err := f.order(sections); err != nil {
		return err
	}
	if err := f.lookBehind(); err != nil {
		return err
	}
	return f.index()
}

// startxref finds the last pointer to a cross-reference section (clause 7.5.5).
func (f *file) startxref() (int64, error) {
	from := max(0, f.size-2048)
	tail, err := f.read(from, f.size, 2048)
	if err != nil {
		return 0, err
	}
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		return 0, errors.New("its end is missing (no startxref)")
	}
	at, _, _, err := readTail(tail[i:])
	return at, err
}

// readTail reads "startxref 123 %%EOF": the number, and where it ends without and
// with its line end.
func readTail(b []byte) (at int64, end, full int, err error) {
	l := &lexer{b: b, whole: true}
	if err := l.keyword("startxref"); err != nil {
		return 0, 0, 0, err
	}
	t, err := l.next()
	if err != nil || t.kind != integer {
		return 0, 0, 0, errors.New("its end is broken (startxref)")
	}
	end = t.end
	for end < len(b) && isSpace(b[end]) {
		end++
	}
	if !bytes.HasPrefix(b[end:], []byte("%%EOF")) {
		return 0, 0, 0, errors.New("its end is missing (no %%EOF)")
	}
	end += 5
	full = end
	if full < len(b) && b[full] == '\r' {
		full++
	}
	if full < len(b) && b[full] == '\n' {
		full++
	}
	return t.n, end, full, nil
}

// chain reads the sections from the newest to the oldest.
func (f *file) chain(start int64) ([]section, error) {
	var sections []section
	seen := make(map[int64]bool)
	for at := start; ; {
		if seen[at] {
			return nil, errors.New("its cross-reference sections go round in a circle")
		}
		if len(sections) == maxRevisions {
			return nil, fmt.Errorf("it was saved more than %d times", maxRevisions)
		}
		seen[at] = true
		s, err := f.section(at, uint16(len(sections)))
		if err != nil {
			return nil, fmt.Errorf("cross-reference section at %d: %w", at, err)
		}
		sections = append(sections, s)
		prev, err := s.trailer.get("Prev")
		if err != nil {
			return nil, err
		}
		switch prev.kind {
		case null:
			return sections, nil
		case integer:
			at = prev.n
		default:
			return nil, fmt.Errorf("%w: Prev is no number", errSyntax)
		}
	}
}

// section reads one section, a table or a stream, and its tail.
func (f *file) section(at int64, order uint16) (s section, err error) {
	b, err := f.read(at, f.size, 4)
	if err != nil {
		return s, err
	}
	s.at = at
	var end int64
	if string(b) == "xref" {
		s.trailer, end, err = f.table(at+4, order)
	} else {
		s.trailer, end, err = f.crossReferenceStream(at, order)
	}
	if err != nil {
		return s, err
	}
	encrypt, err := s.trailer.get("Encrypt")
	if err != nil {
		return s, err
	}
	f.encrypted = f.encrypted || !encrypt.isNull()
	return s, f.tailOf(&s, end)
}

// tailOf reads the tail of a section, which should follow it. Where it does not,
// the section counts, but no signature can cover its revision.
func (f *file) tailOf(s *section, from int64) error {
	b, err := f.read(from, f.size, 256)
	if err != nil {
		var broken *readError
		if errors.As(err, &broken) {
			return err
		}
		return nil
	}
	if pointer, end, full, err := readTail(b); err == nil {
		s.pointer, s.end, s.full = pointer, from+int64(end), from+int64(full)
	}
	return nil
}

// add takes an entry up.
func (f *file) add(e entry) error {
	if int64(len(f.entries)) >= freeEntries+f.size/entriesPer {
		return ErrTooMuch
	}
	if len(f.entries) == cap(f.entries) {
		f.entries = slices.Grow(f.entries, max(1024, len(f.entries)))
	}
	f.entries = append(f.entries, e)
	return nil
}
