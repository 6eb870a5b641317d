package signing

import (
	"errors"
	"fmt"
)

const (
	maxDepth    = 32
	maxElements = 100_000
)

// Tags as they stand in DER. Context tags are those of RFC 5652.
const (
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagNull        = 0x05
	tagOID         = 0x06
	tagUTF8String  = 0x0c
	tagGeneralized = 0x18
	tagSequence    = 0x30
	tagSet         = 0x31
	tagContext0    = 0xa0 // constructed
	tagContext1    = 0xa1
	tagKeyID       = 0x80 // [0] IMPLICIT OCTET STRING
	constructed    = 0x20
	classMask      = 0xc0
)

var (
	errTruncated  = errors.New("encoding ends too early")
	errIndefinite = errors.New("indefinite lengths (BER); DER is needed")
	errDepth      = fmt.Errorf("nested more than %d deep", maxDepth)
)

func behindTheEnd(n int) error { return fmt.Errorf("%d bytes behind the end", n) }

// scan walks over a whole encoding before anything is read from it. It refuses
// what DER forbids and what would make reading expensive: deep nesting, a flood
// of elements, bytes behind the end. It has no recursion, so no input can
// exhaust the stack.
func scan(b []byte) error {
	var ends [maxDepth]int
	depth, pos := 0, 0
	for count := 0; ; count++ {
		for depth > 0 && ends[depth-1] == pos {
			depth--
		}
		if depth == 0 && count > 0 {
			break
		}
		if count == maxElements {
			return fmt.Errorf("more than %d elements", maxElements)
		}
		limit := len(b)
		if depth > 0 {
			limit = ends[depth-1]
		}
		tag, head, body, err := header(b[pos:limit])
		if err != nil {
			return fmt.Errorf("at byte %d: %w", pos, err)
		}
		pos += head
		if tag&constructed == 0 {
			pos += body
			continue
		}
		if depth == maxDepth {
			return errDepth
		}
		ends[depth] = pos + body
		depth++
	}
	if pos != len(b) {
		return behindTheEnd(len(b) - pos)
	}
	return nil
}

// header reads a tag and a length, and makes sure that the body is there.
func header(b []byte) (tag byte, head, body int, err error) {
	if len(b) < 2 {
		return 0, 0, 0, errTruncated
	}
	tag = b[0]
	if err := checkTag(tag); err != nil {
		return 0, 0, 0, err
	}
	head, body, err = length(b)
	if err == nil && body > len(b)-head {
		err = errTruncated
	}
	return tag, head, body, err
}

// checkTag refuses tags of several bytes, and forms that DER forbids: strings in
// pieces, sequences that are not constructed.
func checkTag(tag byte) error {
	if tag&0x1f == 0x1f {
		return errors.New("tag of several bytes")
	}
	if tag&classMask != 0 {
		return nil
	}
	isList := tag|constructed == tagSequence || tag|constructed == tagSet
	if isList != (tag&constructed != 0) {
		return fmt.Errorf("tag %#02x does not occur in DER", tag)
	}
	return nil
}

// length reads the definite length, in its shortest form, that follows a tag of
// one byte.
func length(b []byte) (head, body int, err error) {
	first := b[1]
	if first < 0x80 {
		return 2, int(first), nil
	}
	n := int(first & 0x7f)
	switch {
	case n == 0:
		return 0, 0, errIndefinite
	case n > 4:
		return 0, 0, errTruncated // longer than any input
	case len(b) < 2+n:
		return 0, 0, errTruncated
	}
	for _, c := range b[2 : 2+n] {
		body = body<<8 | int(c)
	}
	if b[2] == 0 || body < 0x80 {
		return 0, 0, errors.New("length is not in its shortest form")
	}
	return 2 + n, body, nil
}

// element is a tag with its body; full has its header too.
type element struct {
	tag        byte
	body, full []byte
}

// reader hands out one element after another.
type reader []byte

func (r *reader) empty() bool { return len(*r) == 0 }

func (r *reader) next() (element, error) {
	tag, head, body, err := header(*r)
	if err != nil {
		return element{}, err
	}
	full := (*r)[:head+body]
	*r = (*r)[head+body:]
	return element{tag, full[head:], full}, nil
}

// take reads the next element, which must have the tag.
func (r *reader) take(tag byte, what string) (element, error) {
	e, err := r.next()
	if err != nil {
		return element{}, fmt.Errorf("%s: %w", what, err)
	}
	if e.tag != tag {
		return element{}, fmt.Errorf("%s: tag %#02x instead of %#02x", what, e.tag, tag)
	}
	return e, nil
}

// open is take for what holds other elements.
func (r *reader) open(tag byte, what string) (reader, error) {
	e, err := r.take(tag, what)
	return e.body, err
}

// optional reads the next element if it has the tag.
func (r *reader) optional(tag byte) (element, bool) {
	if r.empty() || (*r)[0] != tag {
		return element{}, false
	}
	e, err := r.next()
	return e, err == nil
}

// end makes sure that nothing follows.
func (r *reader) end(what string) error {
	if r.empty() {
		return nil
	}
	return fmt.Errorf("%s: %d bytes too many", what, len(*r))
}

// headerSize is that of tag and length before a body in DER.
func headerSize(body int) int {
	n := 2
	for b := body; body >= 0x80 && b > 0; b >>= 8 {
		n++
	}
	return n
}

func appendHeader(out []byte, tag byte, body int) []byte {
	if body < 0x80 {
		return append(out, tag, byte(body))
	}
	n := headerSize(body) - 2
	out = append(out, tag, 0x80|byte(n))
	for i := n - 1; i >= 0; i-- {
		out = append(out, byte(body>>(8*i)))
	}
	return out
}

// encode is an element in DER that holds the parts one after the other.
func encode(tag byte, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	out := appendHeader(make([]byte, 0, headerSize(size)+size), tag, size)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
