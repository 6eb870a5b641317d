package xmldsig

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"unicode/utf8"
)

// method is a way of canonicalisation.
type method struct {
	exclusive, comments bool
	// newer is Canonical XML 1.1.
	newer bool
	// prefixes are treated as inclusive in an exclusive one; "" is the default's.
	prefixes []string
}

// part is what is canonicalised: the whole document, or one element, without another
// where one is left out.
type part struct {
	at    span
	whole bool
	// but is left out; empty where nothing is.
	but span
}

func (p part) takes(t *token) bool {
	at := span{t.from, t.to}
	return p.at.has(at) && (p.but.to == 0 || !p.but.has(at))
}

// canonicaliser writes the canonical form of a part (Canonical XML 1.0 and 1.1,
// Exclusive XML Canonicalization 1.0), as the file is read.
type canonicaliser struct {
	method
	part
	s        *scanner
	out      *bufio.Writer
	depth    int        // of elements that were written and are open
	ended    bool       // the root was written
	rendered namespaces // what the open elements were written with, where exclusive
	shown    []binding
	attrs    []attribute
	around   inherited
}

// canonicalise writes the canonical form of a part.
func (d *document) canonicalise(p part, m method, w io.Writer) error {
	if err := d.meter.spend(p.at.to); err != nil {
		return err
	}
	c := &canonicaliser{method: m, part: p, s: newScanner(d.src), out: bufio.NewWriterSize(metered{w, d.meter}, 4<<10)}
	for {
		t, err := c.s.next()
		if err != nil {
			return err
		}
		if t.kind == done || t.from >= p.at.to {
			return c.out.Flush()
		}
		if !p.takes(t) {
			c.around.pass(t)
			continue
		}
		if err := c.write(t); err != nil {
			return err
		}
	}
}

func (c *canonicaliser) write(t *token) error {
	switch t.kind {
	case start:
		return c.start(t)
	case end:
		c.end(t)
	case text:
		if c.depth > 0 { // nothing but blanks stands around the root
			writeText(c.out, t.body, false)
		}
	case cdata:
		writeText(c.out, t.body, true)
	case comment:
		if c.comments {
			c.apart("<!--", nil, t.body, "-->")
		}
	case instruction:
		c.apart("<?", t.local, t.body, "?>")
	}
	return nil
}

// apart writes what may stand beside the root, on a line of its own there.
func (c *canonicaliser) apart(opening string, name, body []byte, closing string) {
	if c.depth == 0 && c.ended {
		c.out.WriteByte('\n')
	}
	c.out.WriteString(opening)
	c.out.Write(name)
	if name != nil && len(body) > 0 {
		c.out.WriteByte(' ')
	}
	writeLines(c.out, body)
	c.out.WriteString(closing)
	if c.depth == 0 && !c.ended {
		c.out.WriteByte('\n')
	}
}

func (c *canonicaliser) start(t *token) error {
	c.out.WriteByte('<')
	writeQName(c.out, t.prefix, t.local)
	for _, b := range c.namespaces(t) {
		c.out.WriteString(" xmlns")
		if len(b.prefix) > 0 {
			c.out.WriteByte(':')
			c.out.Write(b.prefix)
		}
		c.out.WriteString(`="`)
		writeAttribute(c.out, b.uri)
		c.out.WriteByte('"')
	}
	attrs, err := c.attributes(t)
	if err != nil {
		return err
	}
	for _, a := range attrs {
		c.out.WriteByte(' ')
		writeQName(c.out, a.prefix, a.local)
		c.out.WriteString(`="`)
		writeAttribute(c.out, decodeAttribute(a.raw))
		c.out.WriteByte('"')
	}
	c.depth++
	return c.out.WriteByte('>') // or what was wrong with any writing before
}

func (c *canonicaliser) end(t *token) {
	c.out.WriteString("</")
	writeQName(c.out, t.prefix, t.local)
	c.out.WriteByte('>')
	if c.exclusive {
		c.rendered.pop()
	}
	c.depth--
	c.ended = c.depth == 0
}

// namespaces are the declarations that an element is written with, in order of their
// prefixes.
func (c *canonicaliser) namespaces(t *token) []binding {
	c.shown = c.shown[:0]
	switch {
	case c.exclusive:
		c.used(t)
	case c.depth == 0:
		for i, b := range c.s.names.all {
			if !binds(c.s.names.all[i+1:], b.prefix) {
				c.show(b, nil)
			}
		}
	default:
		for _, b := range c.s.names.own() {
			c.show(b, c.s.names.outer())
		}
	}
	slices.SortFunc(c.shown, func(a, b binding) int { return bytes.Compare(a.prefix, b.prefix) })
	return c.shown
}

// binds reports whether a prefix is among the bindings.
func binds(all []binding, prefix []byte) bool {
	return slices.ContainsFunc(all, func(b binding) bool { return bytes.Equal(b.prefix, prefix) })
}

// show adds a declaration, unless the same holds around the element already.
func (c *canonicaliser) show(b binding, around []binding) {
	if string(b.prefix) == "xml" {
		return
	}
	if uri, ok := find(around, b.prefix); ok && bytes.Equal(uri, b.uri) {
		return
	}
	c.shown = append(c.shown, b)
}

// used adds the declarations of prefixes that the element visibly uses, or that are to
// be treated as inclusive (Exclusive XML Canonicalization section 3).
func (c *canonicaliser) used(t *token) {
	c.rendered.push()
	add := func(prefix []byte) {
		uri, ok := c.s.names.lookup(prefix)
		if !ok || string(prefix) == "xml" {
			return
		}
		before := len(c.shown)
		c.show(binding{prefix, uri}, c.rendered.all)
		c.rendered.all = append(c.rendered.all, c.shown[before:]...)
	}
	add(t.prefix)
	for _, a := range t.attrs {
		if len(a.prefix) > 0 {
			add(a.prefix)
		}
	}
	for _, p := range c.prefixes {
		add([]byte(p))
	}
}

// attributes are those that an element is written with, in order.
func (c *canonicaliser) attributes(t *token) ([]attribute, error) {
	c.attrs = append(c.attrs[:0], t.attrs...)
	if c.depth == 0 && !c.whole && !c.exclusive {
		var err error
		if c.attrs, err = c.around.add(c.attrs, c.newer); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.attrs, func(a, b attribute) int {
		if n := bytes.Compare(a.space, b.space); n != 0 {
			return n
		}
		return bytes.Compare(a.local, b.local)
	})
	return c.attrs, nil
}

// inherited are the attributes of xml: of the elements around a part, which its first
// element is written with, too (Canonical XML 1.0 section 2.4, 1.1 section 2.4).
type inherited struct {
	attrs []attribute
	marks []int
}

// pass takes an element that is not written.
func (h *inherited) pass(t *token) {
	switch t.kind {
	case start:
		h.marks = append(h.marks, len(h.attrs))
		for _, a := range t.attrs {
			if string(a.prefix) == "xml" {
				h.attrs = append(h.attrs, a)
			}
		}
	case end:
		top := len(h.marks) - 1
		h.attrs, h.marks = h.attrs[:h.marks[top]], h.marks[:top]
	}
}

// add gives an element those that it has not itself.
func (h *inherited) add(own []attribute, newer bool) ([]attribute, error) {
	for _, a := range slices.Backward(h.attrs) {
		if newer && string(a.local) == "base" {
			return nil, excessive("xml:base around a signed part is not checked with Canonical XML 1.1")
		}
		if newer && string(a.local) == "id" {
			continue
		}
		has := func(o attribute) bool { return bytes.Equal(o.space, a.space) && bytes.Equal(o.local, a.local) }
		if !slices.ContainsFunc(own, has) {
			own = append(own, a)
		}
	}
	return own, nil
}

func writeQName(w *bufio.Writer, prefix, local []byte) {
	if len(prefix) > 0 {
		w.Write(prefix)
		w.WriteByte(':')
	}
	w.Write(local)
}

// writeText writes a text as it stands in canonical form; marked is one in a CDATA
// section.
func writeText(w *bufio.Writer, raw []byte, marked bool) {
	from := 0
	for i := 0; i < len(raw); {
		r, n := rune(raw[i]), 1
		switch {
		case r == '&' && !marked:
			r, n = readReference(raw[i:])
		case r == '\r':
			if r = '\n'; i+1 < len(raw) && raw[i+1] == '\n' {
				n = 2
			}
		case r != '&' && r != '<' && r != '>':
			i++
			continue
		}
		w.Write(raw[from:i])
		switch r {
		case '&':
			w.WriteString("&amp;")
		case '<':
			w.WriteString("&lt;")
		case '>':
			w.WriteString("&gt;")
		case '\r':
			w.WriteString("&#xD;")
		default:
			w.WriteRune(r)
		}
		i += n
		from = i
	}
	w.Write(raw[from:])
}

// writeAttribute writes the value of an attribute.
func writeAttribute(w *bufio.Writer, value []byte) {
	from := 0
	for i, b := range value {
		if b >= utf8.RuneSelf {
			continue
		}
		said := ""
		switch b {
		case '&':
			said = "&amp;"
		case '<':
			said = "&lt;"
		case '"':
			said = "&quot;"
		case '\t':
			said = "&#x9;"
		case '\n':
			said = "&#xA;"
		case '\r':
			said = "&#xD;"
		default:
			continue
		}
		w.Write(value[from:i])
		w.WriteString(said)
		from = i + 1
	}
	w.Write(value[from:])
}

// writeLines writes a comment or an instruction.
func writeLines(w *bufio.Writer, raw []byte) {
	for i, b := range raw {
		switch {
		case b != '\r':
			w.WriteByte(b)
		case i+1 == len(raw) || raw[i+1] != '\n':
			w.WriteByte('\n')
		}
	}
}
