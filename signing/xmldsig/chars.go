package xmldsig

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// checkEncoding makes sure that the whole file is made of characters of XML in UTF-8.
func checkEncoding(src []byte) error {
	for _, begin := range []string{"\xff\xfe", "\xfe\xff", "<\x00", "\x00<"} {
		if bytes.HasPrefix(src, []byte(begin)) {
			return excessive("the file is in UTF-16; only UTF-8 is checked")
		}
	}
	return checkCharacters(src)
}

// prolog reads what only the beginning may have: a mark of byte order and the
// declaration.
func (s *scanner) prolog() error {
	if bytes.HasPrefix(s.src, []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
	if !bytes.HasPrefix(s.src[s.pos:], []byte("<?xml")) || s.pos+5 == len(s.src) || !isBlank(s.src[s.pos+5]) {
		return nil
	}
	n := bytes.Index(s.src[s.pos:], []byte("?>"))
	if n < 0 {
		return malformed(s.pos, "the file ends early")
	}
	declaration := string(s.src[s.pos+5 : s.pos+n])
	s.pos += n + 2
	return checkDeclaration(declaration)
}

// checkDeclaration takes version, encoding and standalone, in that order.
func checkDeclaration(text string) error {
	for _, part := range []struct {
		name     string
		required bool
		takes    func(string) bool
	}{
		{"version", true, func(v string) bool { return v == "1.0" }},
		{"encoding", false, func(v string) bool { return strings.EqualFold(v, "UTF-8") || strings.EqualFold(v, "US-ASCII") }},
		{"standalone", false, func(v string) bool { return v == "yes" || v == "no" }},
	} {
		rest := strings.TrimLeft(text, blanks)
		if !strings.HasPrefix(rest, part.name) {
			if part.required {
				return malformed(0, "the declaration names no version")
			}
			continue
		}
		rest = strings.TrimLeft(rest[len(part.name):], blanks)
		rest, equals := strings.CutPrefix(rest, "=")
		rest = strings.TrimLeft(rest, blanks)
		if !equals || len(rest) < 2 || rest[0] != '"' && rest[0] != '\'' {
			return malformed(0, "the declaration cannot be read")
		}
		value, after, found := strings.Cut(rest[1:], rest[:1])
		if !found {
			return malformed(0, "the declaration cannot be read")
		}
		if !part.takes(value) {
			return excessive("the file declares %s %s; version 1.0 in UTF-8 is checked", part.name, short(value))
		}
		text = after
	}
	if strings.TrimLeft(text, blanks) != "" {
		return malformed(0, "the declaration cannot be read")
	}
	return nil
}

// checkCharacters makes sure of Char (XML 1.0 section 2.2) throughout.
func checkCharacters(b []byte) error {
	for i := 0; i < len(b); {
		if c := b[i]; c < utf8.RuneSelf {
			if c < ' ' && !isBlank(c) {
				return malformed(i, "character %#x may not be in XML", c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 || !isChar(r) {
			return malformed(i, "no character of XML in UTF-8")
		}
		i += n
	}
	return nil
}

func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

// checkReferences makes sure that every & begins a reference to a character or one of
// the five that need no declaration.
func checkReferences(b []byte, at int) error {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '&')
		if n < 0 {
			return nil
		}
		i += n
		_, size := readReference(b[i:])
		if size == 0 {
			return malformed(at+i, "& begins no reference that is known here")
		}
		i += size
	}
}

// maxReference is the longest reference that is read: &#x10FFFF; with zeros to spare.
const maxReference = 16

// readReference reads a reference; a size of 0 is none.
func readReference(b []byte) (r rune, size int) {
	n := bytes.IndexByte(b[:min(len(b), maxReference)], ';')
	if n < 2 {
		return 0, 0
	}
	name := b[1:n]
	switch string(name) {
	case "lt":
		return '<', n + 1
	case "gt":
		return '>', n + 1
	case "amp":
		return '&', n + 1
	case "quot":
		return '"', n + 1
	case "apos":
		return '\'', n + 1
	}
	if name[0] != '#' {
		return 0, 0
	}
	r, ok := readNumber(name[1:])
	if !ok || !isChar(r) {
		return 0, 0
	}
	return r, n + 1
}

func readNumber(b []byte) (n rune, ok bool) {
	base, digits := rune(10), b
	if len(b) > 0 && b[0] == 'x' {
		base, digits = 16, b[1:]
	}
	for _, c := range digits {
		var d rune
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c >= 'a' && c <= 'f':
			d = rune(c-'a') + 10
		case base == 16 && c >= 'A' && c <= 'F':
			d = rune(c-'A') + 10
		default:
			return 0, false
		}
		if n = n*base + d; n > utf8.MaxRune {
			return 0, false
		}
	}
	return n, len(digits) > 0
}

// decodeAttribute is the value of an attribute (XML 1.0 section 3.3.3, CDATA).
func decodeAttribute(raw []byte) []byte {
	if !bytes.ContainsAny(raw, "&\t\r\n") {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&':
			r, n := readReference(raw[i:])
			out, i = utf8.AppendRune(out, r), i+n
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			i++ // the line feed stands for both
		case isBlank(c):
			out, i = append(out, ' '), i+1
		default:
			out, i = append(out, c), i+1
		}
	}
	return out
}

// decodeText appends what a text says (XML 1.0 section 2.11).
func decodeText(out, raw []byte, marked bool) []byte {
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&' && !marked:
			r, n := readReference(raw[i:])
			out, i = utf8.AppendRune(out, r), i+n
		case c == '\r':
			out, i = append(out, '\n'), i+1
			if i < len(raw) && raw[i] == '\n' {
				i++
			}
		default:
			out, i = append(out, c), i+1
		}
	}
	return out
}

// readName reads a Name (XML 1.0 section 2.3); colons are looked at by isQName.
func readName(b []byte) (name []byte, n int) {
	for n < len(b) {
		if c := b[n]; c < utf8.RuneSelf {
			if !isNameByte(c) || n == 0 && (c == '-' || c == '.' || c >= '0' && c <= '9') {
				break
			}
			n++
			continue
		}
		r, size := utf8.DecodeRune(b[n:])
		if !isNameRune(r, n == 0) {
			break
		}
		n += size
	}
	return b[:n], n
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == ':' || c == '-' || c == '.'
}

func isNameRune(r rune, first bool) bool {
	for _, span := range [][2]rune{
		{0xc0, 0xd6},
		{0xd8, 0xf6},
		{0xf8, 0x2ff},
		{0x370, 0x37d},
		{0x37f, 0x1fff},
		{0x200c, 0x200d},
		{0x2070, 0x218f},
		{0x2c00, 0x2fef},
		{0x3001, 0xd7ff},
		{0xf900, 0xfdcf},
		{0xfdf0, 0xfffd},
		{0x10000, 0xeffff},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return !first && (r == 0xb7 || r >= 0x300 && r <= 0x36f || r >= 0x203f && r <= 0x2040)
}

// isQName asks that a name has at most one colon, with something on both sides
// (Namespaces in XML 1.0 section 4).
func isQName(name []byte) bool {
	prefix, local, colon := bytes.Cut(name, []byte(":"))
	if !colon {
		return true
	}
	if len(prefix) == 0 || bytes.IndexByte(local, ':') >= 0 {
		return false
	}
	_, n := readName(local)
	return n == len(local) && n > 0
}

func split(name []byte) (prefix, local []byte) {
	before, after, colon := bytes.Cut(name, []byte(":"))
	if !colon {
		return nil, name
	}
	return before, after
}
