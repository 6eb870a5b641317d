package pades

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
)

// sameTokens compares two pieces of syntax, whatever white space they have.
func sameTokens(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	la, lb := &lexer{b: a, whole: true}, &lexer{b: b, whole: true}
	for {
		ta, err1 := la.next()
		tb, err2 := lb.next()
		if err1 != nil || err2 != nil || ta.kind != tb.kind {
			return false
		}
		if ta.kind == nothing {
			return true
		}
		ra, rb := a[ta.start:ta.end], b[tb.start:tb.end]
		if !bytes.Equal(ra, rb) && !(ta.kind == name && bytes.Equal(plainName(ra), plainName(rb))) {
			return false
		}
	}
}

// pair is where an entry of a dictionary stands in it.
type pair struct{ key, keyEnd, val, valEnd int32 }

const maxPairs = 8192

// pairs lists the entries of a dictionary by their keys.
func pairs(v value) ([]pair, error) {
	var list []pair
	err := v.scan(func(key token, end int, val value) error {
		if len(list) == maxPairs {
			return fmt.Errorf("%w: a dictionary of more than %d entries", errSyntax, maxPairs)
		}
		list = append(list, pair{int32(key.start), int32(key.end), int32(end - len(val.raw)), int32(end)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b pair) int { return bytes.Compare(a.name(v), b.name(v)) })
	for i := 1; i < len(list); i++ {
		if bytes.Equal(list[i-1].name(v), list[i].name(v)) {
			return nil, fmt.Errorf("%w: %s twice in one dictionary", errSyntax, list[i].name(v))
		}
	}
	return list, nil
}

// name is the entry's key, copied only where it has escapes.
func (p pair) name(v value) []byte {
	raw := v.raw[p.key:p.keyEnd]
	if bytes.IndexByte(raw, '#') < 0 {
		return raw[1:]
	}
	return plainName(raw)
}

// differing are the keys under which two dictionaries do not have the same.
func differing(a, b value) (keys []string, err error) {
	pa, err := pairs(a)
	if err != nil {
		return nil, err
	}
	pb, err := pairs(b)
	if err != nil {
		return nil, err
	}
	for len(pa) > 0 || len(pb) > 0 {
		order := cmp.Compare(len(pb), 0) - cmp.Compare(len(pa), 0)
		if len(pa) > 0 && len(pb) > 0 {
			order = bytes.Compare(pa[0].name(a), pb[0].name(b))
		}
		switch {
		case order < 0:
			keys, pa = append(keys, string(pa[0].name(a))), pa[1:]
		case order > 0:
			keys, pb = append(keys, string(pb[0].name(b))), pb[1:]
		default:
			if !sameTokens(a.raw[pa[0].val:pa[0].valEnd], b.raw[pb[0].val:pb[0].valEnd]) {
				keys = append(keys, string(pa[0].name(a)))
			}
			pa, pb = pa[1:], pb[1:]
		}
	}
	return keys, nil
}

// sameStored compares the stored bytes of two streams.
func (f *file) sameStored(a, b object, la, lb value) (bool, error) {
	if a.stream == 0 || b.stream == 0 {
		return a.stream == b.stream, nil
	}
	ra, _, err1 := f.streamData(a, la)
	rb, _, err2 := f.streamData(b, lb)
	if fatal(err1) {
		return false, err1
	}
	if fatal(err2) {
		return false, err2
	}
	if err1 != nil || err2 != nil || ra.Size() != rb.Size() {
		return false, nil
	}
	if err := f.m.pay(int(2 * ra.Size())); err != nil {
		return false, err
	}
	var ba, bb [4096]byte
	for {
		n, err := io.ReadFull(ra, ba[:])
		if m, _ := io.ReadFull(rb, bb[:]); m != n {
			return false, &readError{io.ErrUnexpectedEOF}
		}
		if !bytes.Equal(ba[:n], bb[:n]) {
			return false, nil
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return true, nil
		default:
			return false, &readError{err}
		}
	}
}

// refs are the objects that an array refers to, in order. ok is false where it
// holds something else.
func refs(v value) (list []int64, ok bool, err error) {
	ok = true
	err = v.elements(func(e value) error {
		if e.kind != reference {
			ok = false
			return nil
		}
		list = append(list, e.n)
		return nil
	})
	return list, ok, err
}
