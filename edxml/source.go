package edxml

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// source gives a package's characters as UTF-8, byte by byte, and knows at which
// offset of the file it stands: contents are found again by that. It is an
// io.ByteReader so that encoding/xml reads not a byte more than it needs, which
// lets contents be skipped between two tokens.
type source struct {
	r    io.ReaderAt
	size int64
	unit unit

	buf  []byte
	base int64 // offset of buf[0]
	pos  int   // next in buf

	pending []byte // of a character of UTF-16, not yet given
	char    [utf8.UTFMax]byte

	head    int64 // bytes that may still be given
	failure error // of the file itself
}

// unit is how characters are stored.
type unit int

const (
	utf8Unit unit = iota
	utf16Little
	utf16Big
)

func (u unit) bytes() int64 {
	if u == utf8Unit {
		return 1
	}
	return 2
}

const sourceBuffer = 64 << 10

var errHead = errors.New("edxml: the head is too large")

func newSource(r io.ReaderAt, size, head int64) *source {
	return &source{r: r, size: size, head: head, buf: make([]byte, 0, sourceBuffer)}
}

// offset of the next byte.
func (s *source) offset() int64 { return s.base + int64(s.pos) }

// fill makes at least n bytes available, or as many as there are.
func (s *source) fill(n int) []byte {
	if len(s.buf)-s.pos >= n {
		return s.buf[s.pos:]
	}
	s.base += int64(s.pos)
	rest := copy(s.buf[:cap(s.buf)], s.buf[s.pos:])
	s.buf, s.pos = s.buf[:rest], 0
	want := min(int64(cap(s.buf)-rest), s.size-s.base-int64(rest))
	if want <= 0 {
		return s.buf
	}
	got, err := s.r.ReadAt(s.buf[rest:rest+int(want)], s.base+int64(rest))
	s.buf = s.buf[:rest+got]
	if err != nil && !errors.Is(err, io.EOF) {
		s.failure = err
	} else if int64(got) < want {
		s.failure = io.ErrUnexpectedEOF
	}
	return s.buf
}

// ReadByte gives the next byte of UTF-8.
func (s *source) ReadByte() (byte, error) {
	if s.head <= 0 {
		return 0, errHead
	}
	if len(s.pending) > 0 {
		b := s.pending[0]
		s.pending = s.pending[1:]
		return b, nil
	}
	if s.pos == len(s.buf) {
		s.fill(1)
	}
	if s.pos == len(s.buf) {
		return 0, s.end()
	}
	s.head--
	if s.unit == utf8Unit {
		b := s.buf[s.pos]
		s.pos++
		return b, nil
	}
	return s.readUTF16()
}

// Read is what encoding/xml asks a source to have beside ReadByte.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

func (s *source) end() error {
	if s.failure != nil {
		return s.failure
	}
	return io.EOF
}

func (s *source) readUTF16() (byte, error) {
	b := s.fill(4)
	if len(b) < 2 {
		return 0, io.ErrUnexpectedEOF
	}
	r := rune(s.unit.read(b))
	s.pos += 2
	if utf16.IsSurrogate(r) {
		if len(b) < 4 {
			return 0, io.ErrUnexpectedEOF
		}
		// A lone half becomes U+FFFD, and reading goes on behind it.
		if r = utf16.DecodeRune(r, rune(s.unit.read(b[2:]))); r != utf8.RuneError {
			s.pos += 2
		}
	}
	n := utf8.EncodeRune(s.char[:], r)
	s.pending = s.char[1:n]
	return s.char[0], nil
}

func (u unit) read(b []byte) uint16 {
	if u == utf16Big {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return uint16(b[1])<<8 | uint16(b[0])
}

// skipContent goes to the tag that ends a content and says what it passed over. CDATA
// is passed over, too; any other markup is not content.
func (s *source) skipContent() (span, error) {
	sp := span{from: s.offset()}
	for {
		if err := s.skipTo('<'); err != nil {
			return sp, err
		}
		sp.to = s.offset()
		switch {
		case s.has("</"):
			return sp, nil
		case s.has("<![CDATA["):
			sp.marked = true
			if err := s.skipCDATA(); err != nil {
				return sp, err
			}
		default:
			return sp, errMarkup
		}
	}
}

var errMarkup = errors.New("edxml: markup inside a content")

func (s *source) skipCDATA() error {
	for {
		if err := s.skipTo('>'); err != nil {
			return err
		}
		u := int(s.unit.bytes())
		s.pos += u
		// What stands before the sign is in the buffer unless a fill was between;
		// CDATA in a content is rare enough to read it again.
		back := make([]byte, 3*u)
		if _, err := s.r.ReadAt(back, s.offset()-int64(len(back))); err != nil {
			return err
		}
		if bytes.Equal(back, s.unit.encode("]]>")) {
			return nil
		}
	}
}

// skipTo stops before an ASCII character.
func (s *source) skipTo(c byte) error {
	want := s.unit.encode(string(rune(c)))
	for {
		b := s.fill(len(want))
		if len(b) < len(want) {
			return cmpOr(s.failure, io.ErrUnexpectedEOF)
		}
		if i := indexUnit(b, want); i >= 0 {
			s.pos += i
			return nil
		}
		s.pos += len(b) - len(b)%len(want)
	}
}

func cmpOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// indexUnit finds a character at a multiple of its length.
func indexUnit(b, want []byte) int {
	if len(want) == 1 {
		return bytes.IndexByte(b, want[0])
	}
	for i := 0; i+1 < len(b); i += 2 {
		if b[i] == want[0] && b[i+1] == want[1] {
			return i
		}
	}
	return -1
}

// has says whether text comes next.
func (s *source) has(text string) bool {
	want := s.unit.encode(text)
	return bytes.HasPrefix(s.fill(len(want)), want)
}
