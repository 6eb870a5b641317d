package signing

import (
	"errors"
	"fmt"
)

// toDER gives the encoding with definite and shortest lengths and strings in one
// piece: what ITU-T X.690 allows in BER and forbids in DER. An encoding that is
// DER already is given back as it is. The signed attributes are signed as DER
// however they were sent (RFC 5652 section 5.4), so that nothing signed changes.
// What DER asks for beyond that (the order of sets, values of defaults) decides
// nothing here and stays as it was.
func toDER(b []byte) ([]byte, error) {
	if scan(b) == nil {
		return b, nil
	}
	w := berWalk{in: b}
	if err := w.run(); err != nil {
		return nil, err
	}
	if w.pos != len(b) {
		return nil, behindTheEnd(len(b) - w.pos)
	}
	return w.der(), nil
}

// berNode is one element of an encoding in BER.
type berNode struct {
	tag byte
	// parent is the index of what holds it, -1 for the outermost.
	parent int
	// body is where the body of a primitive one lies in the input.
	body [2]int
	// size is that of its body in DER; for a constructed one it is known only
	// after its children.
	size int
	// piece: it is a part of a string, and gives its body alone.
	piece bool
}

// berOpen is a constructed element whose end has not been reached.
type berOpen struct {
	node int
	// limit is where it must end at the latest; indefinite ones end at their
	// end-of-contents.
	limit      int
	indefinite bool
}

// berWalk lists the elements of one encoding from its outermost on. It keeps its
// own stack, so that no depth of nesting costs more than the limit allows.
type berWalk struct {
	in    []byte
	pos   int
	nodes []berNode
	open  []berOpen
}

// run walks to the end of the outermost element.
func (w *berWalk) run() error {
	for count := 0; ; count++ {
		for len(w.open) > 0 && w.ended() {
			w.open = w.open[:len(w.open)-1]
		}
		if len(w.open) == 0 && len(w.nodes) > 0 {
			return nil
		}
		if count == maxElements {
			return fmt.Errorf("more than %d elements", maxElements)
		}
		if err := w.step(); err != nil {
			return fmt.Errorf("at byte %d: %w", w.pos, err)
		}
	}
}

// ended reports whether the innermost open element is complete, and passes over
// its end-of-contents.
func (w *berWalk) ended() bool {
	top := w.open[len(w.open)-1]
	if !top.indefinite {
		return w.pos == top.limit
	}
	if top.limit-w.pos < 2 || w.in[w.pos] != 0 || w.in[w.pos+1] != 0 {
		return false
	}
	w.pos += 2
	return true
}

// step reads one header, and the body of a primitive element.
func (w *berWalk) step() error {
	limit, parent, piece := len(w.in), -1, false
	if n := len(w.open); n > 0 {
		limit, parent = w.open[n-1].limit, w.open[n-1].node
		piece = w.nodes[parent].tag == tagOctetString
	}
	tag, head, body, err := berHeader(w.in[w.pos:limit])
	if err != nil {
		return err
	}
	if piece && tag&^constructed != tagOctetString {
		return fmt.Errorf("tag %#02x inside a string in pieces", tag)
	}
	node := berNode{tag: tag, parent: parent, piece: piece}
	w.pos += head
	if tag&constructed == 0 {
		node.body, node.size = [2]int{w.pos, w.pos + body}, body
		w.nodes = append(w.nodes, node)
		w.pos += body
		return nil
	}
	if tag&classMask == 0 && tag&^constructed == tagOctetString {
		node.tag = tagOctetString
	}
	if len(w.open) == maxDepth {
		return errDepth
	}
	opened := berOpen{node: len(w.nodes), limit: limit, indefinite: body < 0}
	if body >= 0 {
		opened.limit = w.pos + body
	}
	w.nodes, w.open = append(w.nodes, node), append(w.open, opened)
	return nil
}

// berHeader reads a tag and a length in any form; body is -1 for an indefinite
// one.
func berHeader(b []byte) (tag byte, head, body int, err error) {
	if len(b) < 2 {
		return 0, 0, 0, errTruncated
	}
	tag = b[0]
	if tag == 0 {
		return 0, 0, 0, errors.New("an end where nothing was open")
	}
	if tag != constructed|tagOctetString {
		if err := checkTag(tag); err != nil {
			return 0, 0, 0, err
		}
	}
	head, body, err = berLength(b)
	if err != nil {
		return 0, 0, 0, err
	}
	if body < 0 && tag&constructed == 0 {
		return 0, 0, 0, errors.New("indefinite length of what has no parts")
	}
	if body > len(b)-head {
		return 0, 0, 0, errTruncated
	}
	return tag, head, body, nil
}

func berLength(b []byte) (head, body int, err error) {
	n := int(b[1] & 0x7f)
	switch {
	case b[1] < 0x80:
		return 2, n, nil
	case n == 0:
		return 2, -1, nil
	case n > 8, len(b) < 2+n:
		return 0, 0, errTruncated
	}
	for _, c := range b[2 : 2+n] {
		if body = body<<8 | int(c); body > len(b) {
			return 0, 0, errTruncated
		}
	}
	return 2 + n, body, nil
}

// der writes the elements again. Children stand behind their parents in the list,
// so one pass from the back knows every size, and one from the front writes.
func (w *berWalk) der() []byte {
	for i := len(w.nodes) - 1; i > 0; i-- {
		n := w.nodes[i]
		size := n.size
		if !n.piece {
			size += headerSize(n.size)
		}
		w.nodes[n.parent].size += size
	}
	out := make([]byte, 0, headerSize(w.nodes[0].size)+w.nodes[0].size)
	for _, n := range w.nodes {
		if !n.piece {
			out = appendHeader(out, n.tag, n.size)
		}
		out = append(out, w.in[n.body[0]:n.body[1]]...)
	}
	return out
}

// Unpad cuts zeros off that follow a signature, as in the place that a PDF keeps
// free for one (ISO 32000-1 section 12.8.1). Anything else behind it stays, for
// Verify to refuse.
func Unpad(signature []byte) []byte {
	w := berWalk{in: signature}
	if w.run() != nil {
		return signature
	}
	for _, c := range signature[w.pos:] {
		if c != 0 {
			return signature
		}
	}
	return signature[:w.pos]
}
