package xmldsig

import "docaxis/signing"

// Limits of one Signature element; a real one has some 40 elements and 4 to 12 KB.
const (
	maxSignature = signing.MaxSize
	maxElements  = 4000
)

// element is a part of a Signature element.
type element struct {
	space, local string
	attrs        []attributeOf
	text         string // of its own, comments left out
	kids         []*element
	at           span
}

type attributeOf struct{ space, local, value string }

// attr is the value of an attribute without a namespace.
func (e *element) attr(local string) (value string, ok bool) {
	for _, a := range e.attrs {
		if a.space == "" && a.local == local {
			return a.value, true
		}
	}
	return "", false
}

// all are the children of a name.
func (e *element) all(space, local string) (found []*element) {
	if e == nil {
		return nil
	}
	for _, k := range e.kids {
		if k.space == space && k.local == local {
			found = append(found, k)
		}
	}
	return found
}

// one is the only child of a name; nil where there is none, or several.
func (e *element) one(space, local string) *element {
	if found := e.all(space, local); len(found) == 1 {
		return found[0]
	}
	return nil
}

// walk visits the element and everything in it, until one says no.
func (e *element) walk(do func(*element) bool) bool {
	if !do(e) {
		return false
	}
	for _, k := range e.kids {
		if !k.walk(do) {
			return false
		}
	}
	return true
}

// builder makes the tree of one Signature element, as the file is read.
type builder struct {
	path  string
	at    span
	open  []*element
	texts [][]byte
	count int
	err   error // why it is not read further
	root  *element
}

// take is given every token from the element's start to its end; it reports whether
// that was the end.
func (b *builder) take(t *token, depth int) (ended bool) {
	b.at.to = t.to
	ended = t.kind == end && depth == 0
	if b.err == nil && (t.to-b.at.from > maxSignature || b.count == maxElements) {
		b.err = excessive("the Signature element has more than %d bytes or %d elements", maxSignature, maxElements)
	}
	if b.err != nil {
		return ended
	}
	switch t.kind {
	case start:
		b.begin(t)
	case end:
		b.close(t)
	case text, cdata:
		top := len(b.texts) - 1
		b.texts[top] = decodeText(b.texts[top], t.body, t.kind == cdata)
	}
	return ended
}

func (b *builder) begin(t *token) {
	b.count++
	e := &element{space: string(t.space), local: string(t.local), at: span{from: t.from}}
	for _, a := range t.attrs {
		e.attrs = append(e.attrs, attributeOf{string(a.space), string(a.local), string(decodeAttribute(a.raw))})
	}
	if b.root == nil {
		b.root = e
	} else {
		top := b.open[len(b.open)-1]
		top.kids = append(top.kids, e)
	}
	b.open, b.texts = append(b.open, e), append(b.texts, nil)
}

func (b *builder) close(t *token) {
	top := len(b.open) - 1
	b.open[top].at.to = t.to
	b.open[top].text = string(b.texts[top])
	b.open, b.texts = b.open[:top], b.texts[:top]
}
