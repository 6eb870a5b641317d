package edxml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node is an element as it was read, before it has a meaning, or as it will be
// written.
type node struct {
	name   string
	space  string // "" for edXML's own namespace, whatever it was called
	prefix string
	attrs  []Attr
	text   string
	kids   []*node
	parent *node

	content *span // of a ContentTransferEncoded: where it is in the file
	used    bool  // it went into a field
	plain   bool  // it is written without prefix
}

// span is where an encoded content lies in the file.
type span struct {
	from, to int64
	marked   bool // CDATA is inside
}

// Attr is an attribute that has no field.
type Attr struct{ Space, Name, Value string }

// path names the element for people, with an index where it has siblings of its name.
func (n *node) path() string {
	if n == nil {
		return "/"
	}
	name := n.name
	if n.parent != nil {
		if i, many := n.place(); many {
			name = fmt.Sprintf("%s[%d]", name, i)
		}
		return n.parent.path() + "/" + name
	}
	return name
}

func (n *node) place() (index int, many bool) {
	same := 0
	for _, k := range n.parent.kids {
		if k.name == n.name {
			same++
		}
		if k == n {
			index = same
		}
	}
	return index, same > 1
}

// child is the first of that name in edXML's namespace.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name && k.space == "" {
			return k
		}
	}
	return nil
}

// parser builds the tree out of encoding/xml's raw tokens: namespaces are resolved
// here, since packages in the field use prefixes that they never bind.
type parser struct {
	src      *source
	dec      *xml.Decoder
	limits   Limits
	root     *node
	at       *node // the open element
	depth    int
	elements int
	bound    []binding
	marks    []int // len(bound) when each open element began
	text     strings.Builder
	notes    *notes
	encoding *Refusal
}

type binding struct{ prefix, uri string }

func parse(src *source, limits Limits, n *notes) (*node, error) {
	p := &parser{src: src, limits: limits, notes: n}
	src.start(func(kind ToleranceKind, found string) {
		n.add(kind, func() string { return "/" }, found)
	})
	p.dec = xml.NewDecoder(src)
	p.dec.CharsetReader = p.charset
	for {
		token, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) && src.failure == nil {
			return p.end()
		}
		if err != nil {
			return nil, p.refuse(err)
		}
		if err := p.token(token); err != nil {
			return nil, err
		}
	}
}

// charset is asked when the declaration names another encoding than UTF-8. The source
// has decoded UTF-16 already.
func (p *parser) charset(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "utf8":
		return in, nil
	}
	p.encoding = refuse(UnknownEncoding, "/", name)
	return nil, p.encoding
}

// refuse says what an error of the tokeniser means.
func (p *parser) refuse(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case p.encoding != nil:
		return p.encoding
	case errors.Is(err, errHead):
		return refuse(HeadTooLarge, p.at.path(), fmt.Sprintf("> %d", p.limits.Head))
	case p.src.failure != nil:
		return fmt.Errorf("read the package: %w", p.src.failure)
	case errors.As(err, &syntax) && strings.Contains(syntax.Msg, "invalid character entity"):
		return refuse(UnknownEntity, p.at.path(), strings.TrimPrefix(syntax.Msg, "invalid character entity "))
	case errors.As(err, &syntax) && (strings.Contains(syntax.Msg, "illegal character") || strings.Contains(syntax.Msg, "invalid UTF-8")):
		return refuse(ForbiddenCharacter, p.at.path(), fmt.Sprintf("line %d: %s", syntax.Line, syntax.Msg)).because(err)
	case errors.As(err, &syntax):
		return refuse(NotWellFormed, p.at.path(), fmt.Sprintf("line %d: %s", syntax.Line, syntax.Msg)).because(err)
	default:
		return refuse(NotWellFormed, p.at.path(), err.Error()).because(err)
	}
}

func (p *parser) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return p.open(t)
	case xml.EndElement:
		return p.close(t.Name)
	case xml.CharData:
		return p.chars(t)
	case xml.Directive:
		return refuse(Doctype, p.at.path(), string(t))
	default: // comments and processing instructions say nothing
		return nil
	}
}

func (p *parser) chars(t xml.CharData) error {
	if p.at == nil {
		if strings.TrimLeft(string(t), blanks) != "" {
			return refuse(NotWellFormed, "/", string(t))
		}
		return nil
	}
	if p.text.Len()+len(t) > p.limits.Field {
		return refuse(FieldTooLong, p.at.path(), string(t))
	}
	p.text.Write(t)
	return nil
}

const blanks = " \t\r\n"

func (p *parser) open(t xml.StartElement) error {
	if p.at == nil && p.root != nil {
		return refuse(NotWellFormed, t.Name.Local, "a second root")
	}
	n := &node{name: t.Name.Local, prefix: t.Name.Space, parent: p.at}
	if err := p.keepText(); err != nil {
		return err
	}
	if p.at == nil {
		p.root = n
	} else {
		p.at.kids = append(p.at.kids, n)
	}
	p.at = n
	p.depth++
	p.elements++
	switch {
	case p.depth > p.limits.Depth:
		return refuse(TooDeep, "/", fmt.Sprintf("> %d", p.limits.Depth))
	case p.elements > p.limits.Elements, p.elements > fewElements && int64(p.elements)*leastElement > p.limits.Head-p.src.head:
		return refuse(TooManyElements, "/", fmt.Sprintf("> %d", p.limits.Elements))
	}
	if err := p.attributes(n, t.Attr); err != nil {
		return err
	}
	if n.name == "ContentTransferEncoded" && n.parent != nil && n.parent.name == "Attachment" {
		return p.skip(n)
	}
	return nil
}

// An element of a real package takes some 40 bytes of the file and one in memory some
// 300: many that are shorter are there to fill memory.
const (
	fewElements  = 1000
	leastElement = 16
	// mostAttributes of an element, and mostMixed bytes of text between elements, are
	// more than any package has, and keep the work in step with the size.
	mostAttributes = 64
	mostMixed      = 4 << 10
)

// keepText gives the open element the text before a child: text between elements is
// nothing but blanks in a package, and what else stands there is kept as one.
func (p *parser) keepText() error {
	defer p.text.Reset()
	text := strings.Trim(p.text.String(), blanks)
	if p.at == nil || text == "" {
		return nil
	}
	if p.at.text += text; len(p.at.text) > mostMixed {
		return refuse(FieldTooLong, p.at.path(), text)
	}
	return nil
}

// skip passes over a content without taking it into memory.
func (p *parser) skip(n *node) error {
	sp, err := p.src.skipContent()
	switch {
	case errors.Is(err, errMarkup):
		return refuse(MarkupInContent, n.path(), "")
	case p.src.failure != nil:
		return p.refuse(p.src.failure)
	case err != nil:
		return refuse(NotWellFormed, n.path(), err.Error()).because(err)
	}
	n.content = &sp
	return nil
}

func (p *parser) close(name xml.Name) error {
	n := p.at
	if n == nil || n.name != name.Local || n.prefix != name.Space {
		return refuse(NotWellFormed, n.path(), "</"+name.Local+">")
	}
	text := p.text.String()
	p.text.Reset()
	trimmed := strings.Trim(text, blanks)
	if trimmed != "" && len(trimmed) < len(text) && len(n.kids) == 0 {
		p.notes.add(BlanksAround, n.path, text)
	}
	n.text += trimmed
	if len(n.text) > p.limits.Field {
		return refuse(FieldTooLong, n.path(), n.text)
	}
	p.bound = p.bound[:p.marks[len(p.marks)-1]]
	p.marks = p.marks[:len(p.marks)-1]
	p.at = n.parent
	p.depth--
	return nil
}

func (p *parser) end() (*node, error) {
	if p.root == nil || p.at != nil {
		return nil, refuse(NotWellFormed, p.at.path(), "the file ends early")
	}
	return p.root, nil
}
