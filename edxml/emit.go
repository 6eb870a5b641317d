package edxml

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// emitter writes nodes as the systems in the field do: the literal prefix, two blanks
// of indent, CR LF.
type emitter struct {
	w     *bufio.Writer
	depth int
	// space is the default namespace here; bound says whether the prefix is.
	space string
	bound bool
}

func newEmitter(w io.Writer) *emitter {
	return &emitter{w: bufio.NewWriterSize(w, 64<<10), space: Namespace}
}

const declaration = `<?xml version="1.0" encoding="UTF-8"?>`

func (e *emitter) line(parts ...string) {
	for range e.depth {
		e.w.WriteString("  ")
	}
	for _, p := range parts {
		e.w.WriteString(p)
	}
	e.w.WriteString("\r\n")
}

// open writes a start tag on a line of its own; shut its end.
func (e *emitter) open(tag string) {
	e.line("<", tag, ">")
	e.depth++
}

func (e *emitter) shut(name string) {
	e.depth--
	e.line("</", name, ">")
}

func (e *emitter) all(nodes []*node) {
	for _, n := range nodes {
		e.node(n)
	}
}

// node writes an element with all that is in it.
func (e *emitter) node(n *node) {
	name, tag := e.tag(n)
	outer := *e
	e.scope(n)
	switch {
	case len(n.kids) > 0:
		e.open(tag)
		if n.text != "" {
			e.line(escape(n.text))
		}
		e.all(n.kids)
		e.shut(name)
	case n.text != "":
		e.line("<", tag, ">", escape(n.text), "</", name, ">")
	default:
		e.line("<", tag, " />")
	}
	e.space, e.bound = outer.space, outer.bound
}

// tag is the element's qualified name, and the same with what it declares.
func (e *emitter) tag(n *node) (name, tag string) {
	var b strings.Builder
	switch {
	case n.space != "":
		name = n.name
		b.WriteString(name)
		if e.space != n.space {
			b.WriteString(` xmlns="` + escape(n.space) + `"`)
		}
	case n.plain && e.space == Namespace:
		name = n.name
		b.WriteString(name)
	default:
		name = Prefix + ":" + n.name
		b.WriteString(name)
		if !e.bound {
			b.WriteString(` xmlns:` + Prefix + `="` + Namespace + `"`)
		}
	}
	for i, a := range n.attrs {
		writeAttr(&b, i, a)
	}
	return name, b.String()
}

// scope is what holds inside the element.
func (e *emitter) scope(n *node) {
	if n.space != "" {
		e.space = n.space
	} else if !n.plain || e.space != Namespace {
		e.bound = true
	}
}

func writeAttr(b *strings.Builder, i int, a Attr) {
	name := a.Name
	switch {
	case a.Space == "http://www.w3.org/XML/1998/namespace":
		name = "xml:" + name
	case a.Space != "":
		prefix := "a" + string(rune('0'+i%10)) + strings.Repeat("x", i/10)
		b.WriteString(" xmlns:" + prefix + `="` + escape(a.Space) + `"`)
		name = prefix + ":" + name
	}
	b.WriteString(" " + name + `="` + attrEscaper.Replace(escape(a.Value)) + `"`)
}

// escape writes text so that it is read back the same: line ends by reference where a
// reader would change them.
func escape(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#xD;")

// attrEscaper keeps what readers make blanks of in attributes.
var attrEscaper = strings.NewReplacer("\n", "&#xA;", "\t", "&#x9;")

// forbidden finds the first element that no XML can say, or that a reader would refuse
// for its length.
func forbidden(n *node) *Refusal {
	if !isName(n.name) {
		return refuse(ForbiddenCharacter, n.path(), n.name)
	}
	for _, a := range n.attrs {
		if !isName(a.Name) || !sayable(a.Value) || !sayable(a.Space) {
			return refuse(ForbiddenCharacter, n.path()+"/@"+a.Name, a.Value)
		}
	}
	switch {
	case !sayable(n.text) || !sayable(n.space):
		return refuse(ForbiddenCharacter, n.path(), n.text)
	case len(n.text) > Limits{}.withDefaults().Field:
		return refuse(FieldTooLong, n.path(), n.text)
	}
	for _, k := range n.kids {
		if r := forbidden(k); r != nil {
			return r
		}
	}
	return nil
}

func sayable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}

func isName(s string) bool {
	for i, r := range s {
		if !(unicode.IsLetter(r) || r == '_' || i > 0 && (unicode.IsDigit(r) || r == '-' || r == '.')) {
			return false
		}
	}
	return s != ""
}
