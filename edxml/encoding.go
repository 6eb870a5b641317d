package edxml

import (
	"bytes"
)

// encode writes ASCII as it is stored.
func (u unit) encode(text string) []byte {
	if u == utf8Unit {
		return []byte(text)
	}
	out := make([]byte, 0, 2*len(text))
	for _, c := range []byte(text) {
		if u == utf16Big {
			out = append(out, 0, c)
		} else {
			out = append(out, c, 0)
		}
	}
	return out
}

// start finds the encoding and passes over what stands before the first tag: marks of
// byte order and blanks, which are reported.
func (s *source) start(tolerate func(kind ToleranceKind, found string)) {
	b := s.fill(4)
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{'<', 0}):
		s.unit = utf16Little
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}), bytes.HasPrefix(b, []byte{0, '<'}):
		s.unit = utf16Big
	}
	if s.unit != utf8Unit {
		tolerate(UTF16, "UTF-16")
	}
	marks, blanks := 0, 0
	for s.skipMark() {
		marks++
	}
	for s.skipBlank() {
		blanks++
	}
	if s.unit == utf8Unit && marks == 1 {
		tolerate(ByteOrderMark, "EF BB BF")
	}
	if marks > 1 {
		tolerate(SeveralMarks, "")
	}
	if blanks > 0 {
		tolerate(BlankBeforeDeclaration, "")
	}
}

func (s *source) skipMark() bool {
	mark := map[unit][]byte{utf8Unit: {0xEF, 0xBB, 0xBF}, utf16Little: {0xFF, 0xFE}, utf16Big: {0xFE, 0xFF}}[s.unit]
	if !bytes.HasPrefix(s.fill(len(mark)), mark) {
		return false
	}
	s.pos += len(mark)
	s.head -= int64(len(mark))
	return s.head > 0
}

func (s *source) skipBlank() bool {
	for _, c := range []string{" ", "\t", "\r", "\n"} {
		if s.has(c) {
			s.pos += int(s.unit.bytes())
			s.head -= s.unit.bytes()
			return s.head > 0
		}
	}
	return false
}
