package pades

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// file reads a PDF. The bytes themselves stay where they are; what is kept is
// the list of objects, and object streams as long as they are few.
type file struct {
	r    io.ReaderAt
	size int64
	m    *meter

	window   []byte // the last bytes read, from windowAt on
	windowAt int64

	entries   []entry    // of all cross-reference sections, by number and revision
	byRev     [][]int32  // indexes into entries
	revisions []revision // oldest first
	encrypted bool
	// trailing is where something stands behind the last %%EOF, 0 where nothing does.
	trailing int64

	unpack  unpacker
	streams map[place]*objectStream
	kept    int // bytes in streams
}

// readError is a failure of the file's reader, which says nothing about the PDF.
type readError struct{ err error }

func (e *readError) Error() string { return "pades: reading: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// read gives up to n bytes at off, fewer only before limit. They are good until
// the next read.
func (f *file) read(off, limit int64, n int) ([]byte, error) {
	limit = min(limit, f.size)
	if off < 0 || off >= limit {
		return nil, fmt.Errorf("%w: offset %d is outside", errSyntax, off)
	}
	n = int(min(int64(n), limit-off))
	if off >= f.windowAt && off+int64(n) <= f.windowAt+int64(len(f.window)) {
		return f.window[off-f.windowAt:][:n], nil
	}
	const block = 16 << 10
	want := int(min(int64(max(n, block)), f.size-off))
	if cap(f.window) < want {
		f.window = make([]byte, want)
	}
	f.window, f.windowAt = f.window[:want], off
	if got, err := f.r.ReadAt(f.window, off); got < want {
		f.window = f.window[:0]
		return nil, &readError{fmt.Errorf("%d of %d bytes at %d: %w", got, want, off, errors.Join(err, io.ErrUnexpectedEOF))}
	}
	return f.window[:n], nil
}

// object is an indirect object. stream is where its data begins, 0 without any.
type object struct {
	value
	num, generation int64
	stream          int64
	limit           int64 // what belongs to its revision ends here
	end             int64 // behind endobj, or behind the keyword stream
}

// parse reads syntax at off with do, giving it as many bytes as it needs. What do
// keeps of the bytes it must copy.
func (f *file) parse(off, limit int64, do func(l *lexer) error) error {
	for n := 1 << 10; ; n *= 4 {
		b, err := f.read(off, limit, n)
		if err != nil {
			return err
		}
		l := &lexer{b: b, whole: off+int64(len(b)) >= min(limit, f.size)}
		err = do(l)
		used := l.pos
		if errors.Is(err, errShort) {
			used = len(b)
		}
		if e := f.m.pay(used); e != nil {
			return e
		}
		if !errors.Is(err, errShort) {
			return err
		}
		if n >= maxObject {
			return fmt.Errorf("%w: one object of more than %d bytes", errSyntax, n)
		}
	}
}

// valueAt reads a value that is no indirect object, such as a trailer, and says
// where it ends.
func (f *file) valueAt(off, limit int64) (v value, end int64, err error) {
	err = f.parse(off, limit, func(l *lexer) error {
		var ok bool
		if v, ok, err = l.value(off, f.m); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: nothing at %d", errSyntax, off)
		}
		end = off + int64(l.pos)
		v.raw = bytes.Clone(v.raw)
		return nil
	})
	return v, end, err
}

// objectAt reads "12 0 obj … endobj" (ISO 32000-1 clause 7.3.10).
func (f *file) objectAt(off, limit int64) (o object, err error) {
	err = f.parse(off, limit, func(l *lexer) error {
		o = object{limit: limit}
		if err := o.header(l); err != nil {
			return err
		}
		var ok bool
		if o.value, ok, err = l.value(off, f.m); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: object %d is empty", errSyntax, o.num)
		}
		raw := o.raw
		if err := o.finish(l, off); err != nil {
			return err
		}
		o.raw = bytes.Clone(raw)
		return nil
	})
	return o, err
}

func (o *object) header(l *lexer) error {
	for i, into := range []*int64{&o.num, &o.generation} {
		t, err := l.next()
		if err != nil {
			return err
		}
		if t.kind != integer || t.n < 0 || i == 0 && t.start != 0 {
			return fmt.Errorf("%w: no object where one should begin", errSyntax)
		}
		*into = t.n
	}
	return l.keyword("obj")
}

func (l *lexer) keyword(want string) error {
	t, err := l.next()
	if err != nil {
		return err
	}
	if t.kind != word || string(l.b[t.start:t.end]) != want {
		return fmt.Errorf("%w: %q is missing", errSyntax, want)
	}
	return nil
}

// finish reads what follows the value: endobj or the beginning of a stream.
func (o *object) finish(l *lexer, off int64) error {
	t, err := l.next()
	if err != nil {
		return err
	}
	after := string(l.b[t.start:t.end])
	o.end = off + int64(t.end)
	if t.kind == word && after == "endobj" {
		return nil
	}
	if t.kind != word || after != "stream" || o.kind != dictionary {
		return fmt.Errorf("%w: object %d does not end", errSyntax, o.num)
	}
	if t.end+2 > len(l.b) {
		return l.short()
	}
	switch {
	case l.b[t.end] == '\n':
		o.stream = off + int64(t.end) + 1
	case l.b[t.end] == '\r' && l.b[t.end+1] == '\n':
		o.stream = off + int64(t.end) + 2
	default:
		return fmt.Errorf("%w: no line end after stream", errSyntax)
	}
	return nil
}
