package pades

import (
	"errors"
	"fmt"
)

// kind is what a token or value is (ISO 32000-1 clause 7.2 and 7.3).
type kind byte

const (
	null kind = iota
	boolean
	integer
	number
	name
	text // a literal string
	hex  // a hexadecimal string
	array
	dictionary
	reference

	// Only tokens are these.
	arrayEnd
	dictionaryEnd
	word
	nothing // the end of what there is
)

var (
	// errShort: what is at hand ends within a token; there may be more.
	errShort  = errors.New("ends within an object")
	errSyntax = errors.New("is not PDF syntax")
)

// token is a piece of the lexer's bytes; n is the value of an integer.
type token struct {
	kind       kind
	start, end int
	n          int64
}

// lexer cuts bytes into tokens. Where whole is false, more bytes may follow those
// at hand, so a token that touches their end is not taken for complete.
type lexer struct {
	b     []byte
	pos   int
	whole bool
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isRegular(c byte) bool { return !isSpace(c) && !isDelimiter(c) }

// short is the error, or the end, at the end of what is at hand.
func (l *lexer) short() error {
	if l.whole {
		return fmt.Errorf("%w: it ends too early", errSyntax)
	}
	return errShort
}

// space passes over white space and comments.
func (l *lexer) space() {
	for l.pos < len(l.b) {
		switch c := l.b[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.b) && l.b[l.pos] != '\n' && l.b[l.pos] != '\r' {
				l.pos++
			}
		default:
			return
		}
	}
}

func (l *lexer) next() (token, error) {
	l.space()
	if l.pos == len(l.b) {
		if l.whole {
			return token{kind: nothing, start: l.pos, end: l.pos}, nil
		}
		return token{}, errShort
	}
	switch c := l.b[l.pos]; c {
	case '/':
		return l.regular(l.pos+1, name)
	case '(':
		return l.literal()
	case '[':
		return l.take(array, 1)
	case ']':
		return l.take(arrayEnd, 1)
	case '<':
		return l.angle()
	case '>':
		return l.closing()
	case ')', '{', '}':
		return token{}, fmt.Errorf("%w: %q", errSyntax, c)
	}
	return l.regular(l.pos, word)
}

func (l *lexer) take(k kind, n int) (token, error) {
	t := token{kind: k, start: l.pos, end: l.pos + n}
	l.pos += n
	return t, nil
}

func (l *lexer) angle() (token, error) {
	if l.pos+1 == len(l.b) {
		return token{}, l.short()
	}
	if l.b[l.pos+1] == '<' {
		return l.take(dictionary, 2)
	}
	for i := l.pos + 1; i < len(l.b); i++ {
		switch c := l.b[i]; {
		case c == '>':
			return l.take(hex, i+1-l.pos)
		case !isSpace(c) && hexDigit(c) < 0:
			return token{}, fmt.Errorf("%w: %q in a hexadecimal string", errSyntax, c)
		}
	}
	return token{}, l.short()
}

func (l *lexer) closing() (token, error) {
	if l.pos+1 == len(l.b) {
		return token{}, l.short()
	}
	if l.b[l.pos+1] != '>' {
		return token{}, fmt.Errorf("%w: '>'", errSyntax)
	}
	return l.take(dictionaryEnd, 2)
}

// literal takes a string in balanced parentheses (clause 7.3.4.2).
func (l *lexer) literal() (token, error) {
	depth := 0
	for i := l.pos; i < len(l.b); i++ {
		switch l.b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return l.take(text, i+1-l.pos)
			}
		}
	}
	return token{}, l.short()
}

// regular takes a name, number or keyword: regular characters from the given
// place on.
func (l *lexer) regular(from int, k kind) (token, error) {
	end := from
	for end < len(l.b) && isRegular(l.b[end]) {
		end++
	}
	if end == len(l.b) && !l.whole {
		return token{}, errShort
	}
	t := token{kind: k, start: l.pos, end: end}
	l.pos = end
	if k == word {
		t.classify(l.b[t.start:end])
	}
	return t, nil
}

// classify tells numbers and the three constants from other words.
func (t *token) classify(b []byte) {
	switch string(b) {
	case "null":
		t.kind = null
		return
	case "true", "false":
		t.kind = boolean
		return
	}
	digits, points, i := 0, 0, 0
	if b[0] == '+' || b[0] == '-' {
		i++
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			digits++
			if points == 0 && digits <= 18 {
				t.n = t.n*10 + int64(c-'0')
			}
		case c == '.':
			points++
		default:
			return
		}
	}
	if b[0] == '-' {
		t.n = -t.n
	}
	switch {
	case digits == 0 || points > 1:
	case points == 0 && digits <= 18:
		t.kind = integer
	default:
		t.kind = number
	}
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
