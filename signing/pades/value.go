package pades

import (
	"bytes"
	"fmt"
)

// value is an object as it is written. It is read anew each time it is asked for
// something: no tree is built, whose nodes would take many times the memory of
// what they are written as.
type value struct {
	kind kind
	raw  []byte
	// at is where raw begins in the file, -1 within an object stream.
	at int64
	// n is an integer's value, or the number of the object that a reference means.
	n   int64
	gen int64
	m   *meter
}

// value reads the next value; ok is false where a closing bracket or the end
// stands instead.
func (l *lexer) value(at int64, m *meter) (v value, ok bool, err error) {
	t, err := l.next()
	if err != nil {
		return v, false, err
	}
	v = value{kind: t.kind, n: t.n, at: -1, m: m}
	switch t.kind {
	case arrayEnd, dictionaryEnd, nothing:
		l.pos = t.start
		return v, false, nil
	case word:
		return v, false, fmt.Errorf("%w: %.20q", errSyntax, l.b[t.start:t.end])
	case array, dictionary:
		t.end, err = l.skip(t)
	case integer:
		t.end, err = l.reference(&v, t)
	}
	if err != nil {
		return v, false, err
	}
	v.raw = l.b[t.start:t.end:t.end]
	if at >= 0 {
		v.at = at + int64(t.start)
	}
	return v, true, nil
}

// skip passes over an array or dictionary whose opening token was taken. What is
// open is kept in a fixed space: depth is not paid with the stack.
func (l *lexer) skip(open token) (end int, err error) {
	var closers [maxNesting]kind
	depth := 0
	for t := open; ; {
		switch t.kind {
		case array, dictionary:
			if depth == maxNesting {
				return 0, fmt.Errorf("%w: nested more than %d deep", errSyntax, maxNesting)
			}
			closers[depth] = arrayEnd
			if t.kind == dictionary {
				closers[depth] = dictionaryEnd
			}
			depth++
		case arrayEnd, dictionaryEnd:
			if closers[depth-1] != t.kind {
				return 0, fmt.Errorf("%w: brackets do not match", errSyntax)
			}
			if depth--; depth == 0 {
				return t.end, nil
			}
		case nothing:
			return 0, l.short()
		}
		if t, err = l.next(); err != nil {
			return 0, err
		}
	}
}

// reference looks whether an integer begins "12 0 R" (clause 7.3.10).
func (l *lexer) reference(v *value, first token) (end int, err error) {
	gen, err := l.next()
	if err != nil {
		return 0, err
	}
	if gen.kind == integer {
		r, err := l.next()
		if err != nil {
			return 0, err
		}
		if r.kind == word && string(l.b[r.start:r.end]) == "R" && v.n >= 0 && gen.n >= 0 {
			v.kind, v.gen = reference, gen.n
			return r.end, nil
		}
	}
	l.pos = first.end
	return first.end, nil
}

func (v value) isNull() bool { return v.kind == null }

// inner reads what an array or dictionary holds.
func (v value) inner() *lexer {
	n := 1
	if v.kind == dictionary {
		n = 2
	}
	return &lexer{b: v.raw[:len(v.raw)-n], pos: n, whole: true}
}

// get is what a dictionary has under a key; null where it has nothing, and for
// what is no dictionary. A key that stands twice is an error: readers differ in
// which of the two they see.
func (v value) get(key string) (found value, err error) {
	if v.kind != dictionary {
		return value{m: v.m}, nil
	}
	seen := false
	err = v.each(func(k []byte, val value) error {
		if !isName(k, key) {
			return nil
		}
		if seen {
			return fmt.Errorf("%w: %s twice in one dictionary", errSyntax, key)
		}
		seen, found = true, val
		return nil
	})
	if !seen {
		found.m = v.m
	}
	return found, err
}

// each goes over the entries of a dictionary. The key is as it is written.
func (v value) each(do func(key []byte, val value) error) error {
	return v.scan(func(k token, _ int, val value) error { return do(v.raw[k.start:k.end], val) })
}

// scan is each with where the value ends within v.
func (v value) scan(do func(key token, end int, val value) error) error {
	if v.kind != dictionary {
		return nil
	}
	if err := v.m.pay(len(v.raw)); err != nil {
		return err
	}
	for l := v.inner(); ; {
		k, err := l.next()
		if err != nil {
			return err
		}
		if k.kind == nothing {
			return nil
		}
		if k.kind != name {
			return fmt.Errorf("%w: a key is no name", errSyntax)
		}
		val, ok, err := l.value(v.at, v.m)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: a key without a value", errSyntax)
		}
		if err := do(k, l.pos, val); err != nil {
			return err
		}
	}
}

// elements goes over the elements of an array; what is no array has none.
func (v value) elements(do func(value) error) error {
	if v.kind != array {
		return nil
	}
	if err := v.m.pay(len(v.raw)); err != nil {
		return err
	}
	for l := v.inner(); ; {
		e, ok, err := l.value(v.at, v.m)
		if err != nil || !ok {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

// isName compares a name as written, with its slash, with a plain one. Letters
// may be written as #xx (clause 7.3.5).
func isName(raw []byte, plain string) bool {
	if len(raw) == 0 || raw[0] != '/' {
		return false
	}
	if bytes.IndexByte(raw, '#') < 0 {
		return string(raw[1:]) == plain
	}
	return string(plainName(raw)) == plain
}

// plainName is a name without its slash and escapes.
func plainName(raw []byte) []byte {
	var b []byte
	for i := 1; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) && hexDigit(raw[i+1]) >= 0 && hexDigit(raw[i+2]) >= 0 {
			b = append(b, byte(hexDigit(raw[i+1])<<4|hexDigit(raw[i+2])))
			i += 2
			continue
		}
		b = append(b, raw[i])
	}
	return b
}

// is reports whether the value is the name.
func (v value) is(plain string) bool { return v.kind == name && isName(v.raw, plain) }
