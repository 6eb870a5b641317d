package envelope

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"docaxis/internal/reason"
)

// parser reads JSON (RFC 8259) so strictly that no two readers can see two things
// in it: no unknown, repeated or differently cased names, no halves of surrogates,
// no null, no numbers but whole ones. It is driven by what
// is expected, so its depth is that of the format and it builds nothing that is
// not wanted. It keeps the first thing found wrong; after that every method does
// nothing.
type parser struct {
	in  []byte
	pos int
	err *reason.Error
}

// members says how to read each member of an object, by its exact name.
type members map[string]func(path string)

func (p *parser) fail(path, what string) {
	if p.err == nil {
		p.err = badDocument(path, what)
	}
}

// peek skips white space and shows the next byte, 0 at the end.
func (p *parser) peek() byte {
	for ; p.pos < len(p.in); p.pos++ {
		switch c := p.in[p.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (p *parser) accept(c byte) bool {
	if p.err != nil || p.peek() != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) expect(path string, c byte, what string) bool {
	if p.accept(c) {
		return true
	}
	p.fail(path, what)
	return false
}

// end makes sure that nothing follows.
func (p *parser) end(path string) {
	if p.peek(); p.pos < len(p.in) {
		p.fail(path, "something follows the end")
	}
}

func (p *parser) object(path string, known members) {
	if !p.expect(path, '{', "is no object") || p.accept('}') {
		return
	}
	seen := make(map[string]bool, len(known))
	for p.err == nil {
		name := p.text(path)
		p.expect(path, ':', "a colon is missing")
		if p.err != nil {
			return
		}
		at := join(path, name)
		read, ok := known[name]
		switch {
		case !ok:
			p.fail(at, "is not known; names are case-sensitive")
		case seen[name]:
			p.fail(at, "is given twice")
		default:
			seen[name] = true
			read(at)
		}
		if p.accept('}') {
			return
		}
		p.expect(path, ',', "a comma is missing")
	}
}

// join names a member; the whole document is called by its file name.
func join(path, name string) string {
	if path == documentPath {
		return shorten(name)
	}
	return path + "." + shorten(name)
}

func (p *parser) array(path string, limit int, item func(path string)) {
	if !p.expect(path, '[', "is no array") || p.accept(']') {
		return
	}
	for n := 0; p.err == nil; n++ {
		if n == limit {
			p.fail(path, fmt.Sprintf("more than %d", limit))
			return
		}
		item(path + "[" + strconv.Itoa(n) + "]")
		if p.accept(']') {
			return
		}
		p.expect(path, ',', "a comma is missing")
	}
}

// whole reads a number without sign, fraction or exponent.
func (p *parser) whole(path string, limit uint64) uint64 {
	p.peek()
	start := p.pos
	for p.pos < len(p.in) && p.in[p.pos] >= '0' && p.in[p.pos] <= '9' {
		p.pos++
	}
	digits := string(p.in[start:p.pos])
	if len(digits) > 1 && digits[0] == '0' {
		p.fail(path, "is no whole number")
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case p.err != nil:
	case digits == "":
		p.fail(path, "is no whole number")
	case err != nil || n > limit:
		p.fail(path, fmt.Sprintf("is over %d", limit))
	}
	return n
}

// text reads a string. That it is UTF-8 is for validate to see.
func (p *parser) text(path string) string {
	if !p.expect(path, '"', "is no string") {
		return ""
	}
	var out []byte
	for p.err == nil && p.pos < len(p.in) {
		switch c := p.in[p.pos]; {
		case c == '"':
			p.pos++
			return string(out)
		case c == '\\':
			out = utf8.AppendRune(out, p.escape(path))
		case c < ' ':
			p.fail(path, "has a control character")
		default:
			out = append(out, c)
			p.pos++
		}
	}
	p.fail(path, "the string has no end")
	return ""
}

// escape reads a backslash and what follows it.
func (p *parser) escape(path string) rune {
	p.pos++
	if p.pos == len(p.in) {
		return 0
	}
	c := p.in[p.pos]
	p.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		return p.unicode(path)
	}
	p.fail(path, "has an unknown escape")
	return 0
}

// unicode reads the digits behind \u, and the second half where they are the
// first of a pair. A half alone stands for no character; readers differ in what
// they make of it.
func (p *parser) unicode(path string) rune {
	r := p.hex(path)
	if !utf16.IsSurrogate(r) {
		return r
	}
	if p.pos+1 < len(p.in) && p.in[p.pos] == '\\' && p.in[p.pos+1] == 'u' {
		p.pos += 2
		if r = utf16.DecodeRune(r, p.hex(path)); r != utf8.RuneError {
			return r
		}
	}
	p.fail(path, "has half of a surrogate pair")
	return 0
}

func (p *parser) hex(path string) rune {
	if p.pos+4 > len(p.in) {
		p.fail(path, "has an unknown escape")
		return 0
	}
	n, err := strconv.ParseUint(string(p.in[p.pos:p.pos+4]), 16, 16)
	if err != nil {
		p.fail(path, "has an unknown escape")
	}
	p.pos += 4
	return rune(n)
}
