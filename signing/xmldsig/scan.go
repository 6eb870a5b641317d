package xmldsig

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"docaxis/signing"
)

// Limits of what is read. A package of edXML nests 8 levels, a signature 7 more.
const (
	maxDepth      = 100
	maxAttributes = 64
	maxBindings   = 64
)

const (
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS = "http://www.w3.org/2000/xmlns/"
)

// flaw is why a file or a signature does not pass.
type flaw struct {
	sub    signing.SubIndication
	detail string
}

func (f *flaw) Error() string { return f.detail }

// malformed is a file that is no XML as it is read here.
func malformed(at int, format string, args ...any) error {
	return &flaw{signing.FormatFailure, fmt.Sprintf("byte %d: ", at) + fmt.Sprintf(format, args...)}
}

// excessive is a file that may be right and is not looked at further.
func excessive(format string, args ...any) error {
	return &flaw{signing.SigConstraintsFailure, fmt.Sprintf(format, args...)}
}

type kind uint8

const (
	start kind = iota
	end
	text
	cdata
	comment
	instruction
	done
)

// token is one part of the file.
type token struct {
	kind kind
	// from and to are where it stands; those of the end of an empty element are its
	// whole tag's.
	from, to int
	// prefix, local and space name an element.
	prefix, local, space []byte
	attrs                []attribute
	// body is a text as it stands, or what a comment or an instruction says.
	body []byte
}

// attribute is one that is no declaration of a namespace; raw is its value as it
// stands.
type attribute struct{ prefix, local, space, raw []byte }

// span is a part of the file, in bytes.
type span struct{ from, to int }

func (s span) has(other span) bool { return s.from <= other.from && other.to <= s.to }

// scanner reads a file token by token. It keeps nothing but what is open.
type scanner struct {
	src    []byte
	pos    int
	names  namespaces
	open   [][]byte // tags of the open elements, as they stand
	root   bool     // the root was read, or is open
	closed bool     // the open element is empty, and its end comes next
	tok    token    // the one that next gave
	attrs  []attribute
}

func newScanner(src []byte) *scanner { return &scanner{src: src} }

// next is the next token; it holds until the one after it is asked for. After an error
// there is none.
func (s *scanner) next() (*token, error) {
	if s.closed {
		s.closed = false
		s.tok.kind, s.tok.attrs = end, nil
		s.pop()
		return &s.tok, nil
	}
	if s.pos == 0 {
		if err := s.prolog(); err != nil {
			return nil, err
		}
	}
	s.tok = token{from: s.pos}
	err := s.read()
	s.tok.to = s.pos
	return &s.tok, err
}

func (s *scanner) read() error {
	if s.pos == len(s.src) {
		return s.finish()
	}
	if s.src[s.pos] != '<' {
		return s.text()
	}
	rest := s.src[s.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("</")):
		return s.endTag()
	case bytes.HasPrefix(rest, []byte("<?")):
		return s.instruction()
	case bytes.HasPrefix(rest, []byte("<!--")):
		return s.delimited(comment, "<!--", "-->")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return s.delimited(cdata, "<![CDATA[", "]]>")
	case bytes.HasPrefix(rest, []byte("<!")):
		return malformed(s.pos, "a document type or another declaration, which may not be here")
	}
	return s.startTag()
}

func (s *scanner) finish() error {
	if len(s.open) > 0 || !s.root {
		return malformed(s.pos, "the file ends early")
	}
	s.tok.kind = done
	return nil
}

// text reads up to the next tag.
func (s *scanner) text() error {
	from := s.pos
	n := bytes.IndexByte(s.src[from:], '<')
	if n < 0 {
		n = len(s.src) - from
	}
	body := s.src[from : from+n]
	s.pos += n
	if len(s.open) == 0 && len(bytes.Trim(body, blanks)) > 0 {
		return malformed(from, "text outside the root")
	}
	if i := bytes.Index(body, []byte("]]>")); i >= 0 {
		return malformed(from+i, "]]> in a text")
	}
	s.tok.kind, s.tok.body = text, body
	return checkReferences(body, from)
}

const blanks = " \t\r\n"

// delimited reads a comment or a marked section.
func (s *scanner) delimited(k kind, opening, closing string) error {
	from := s.pos
	body := s.src[from+len(opening):]
	n := bytes.Index(body, []byte(closing))
	switch {
	case n < 0:
		return malformed(from, "the file ends early")
	case k == cdata && len(s.open) == 0:
		return malformed(from, "text outside the root")
	case k == comment && (bytes.Contains(body[:n], []byte("--")) || bytes.HasSuffix(body[:n], []byte("-"))):
		return malformed(from, "-- in a comment")
	}
	s.pos += len(opening) + n + len(closing)
	s.tok.kind, s.tok.body = k, body[:n]
	return nil
}

// instruction reads a processing instruction. The declaration of XML is none, and
// stands at the beginning alone.
func (s *scanner) instruction() error {
	if err := s.delimited(instruction, "<?", "?>"); err != nil {
		return err
	}
	t := &s.tok
	name, n := readName(t.body)
	if n == 0 || bytes.ContainsRune(name, ':') || bytes.EqualFold(name, []byte("xml")) ||
		n < len(t.body) && !isBlank(t.body[n]) {
		return malformed(t.from, "a processing instruction without a proper name")
	}
	t.local, t.body = name, bytes.TrimLeft(t.body[n:], blanks)
	return nil
}

func (s *scanner) endTag() error {
	s.tok.kind = end
	name, n := readName(s.src[s.pos+2:])
	s.pos += 2 + n
	s.blanks()
	if !s.take('>') {
		return malformed(s.tok.from, "an end tag that does not end")
	}
	if len(s.open) == 0 || !bytes.Equal(s.open[len(s.open)-1], name) {
		return malformed(s.tok.from, "</%s> ends nothing", short(name))
	}
	s.pop()
	return nil
}

// pop closes the innermost element; the token says which it was.
func (s *scanner) pop() {
	top := len(s.open) - 1
	s.tok.prefix, s.tok.local = split(s.open[top])
	s.tok.space, _ = s.names.lookup(s.tok.prefix)
	s.open = s.open[:top]
	s.names.pop()
}

func (s *scanner) startTag() (err error) {
	t := &s.tok
	t.kind = start
	name, n := readName(s.src[s.pos+1:])
	if n == 0 || !isQName(name) {
		return malformed(t.from, "< begins no tag")
	}
	switch {
	case len(s.open) == 0 && s.root:
		return malformed(t.from, "a second root")
	case len(s.open) == maxDepth:
		return excessive("elements nest deeper than %d", maxDepth)
	}
	s.root = true
	s.pos += 1 + n
	s.open = append(s.open, name)
	if s.closed, err = s.attributes(); err != nil {
		return err
	}
	t.prefix, t.local = split(name)
	if t.space, err = s.resolve(t.prefix, t.from); err != nil {
		return err
	}
	t.attrs, err = s.spaced(t.from)
	return err
}

// attributes reads up to the end of a start tag; declarations of namespaces go to the
// names.
func (s *scanner) attributes() (empty bool, err error) {
	s.attrs = s.attrs[:0]
	s.names.push()
	for {
		spaced := s.blanks()
		switch {
		case s.take('>'):
			return false, nil
		case bytes.HasPrefix(s.src[s.pos:], []byte("/>")):
			s.pos += 2
			return true, nil
		case !spaced:
			return false, malformed(s.pos, "a tag that does not end")
		}
		if err := s.attribute(); err != nil {
			return false, err
		}
	}
}

func (s *scanner) attribute() error {
	at := s.pos
	name, n := readName(s.src[at:])
	s.pos += n
	s.blanks()
	equals := s.take('=')
	s.blanks()
	if n == 0 || !isQName(name) || !equals || s.pos == len(s.src) || s.src[s.pos] != '"' && s.src[s.pos] != '\'' {
		return malformed(at, "no attribute")
	}
	quote := s.src[s.pos]
	raw := s.src[s.pos+1:]
	n = bytes.IndexByte(raw, quote)
	if n < 0 {
		return malformed(at, "the file ends early")
	}
	raw = raw[:n]
	s.pos += n + 2
	if bytes.IndexByte(raw, '<') >= 0 {
		return malformed(at, "< in an attribute")
	}
	if err := checkReferences(raw, at); err != nil {
		return err
	}
	prefix, local := split(name)
	switch {
	case string(prefix) == "xmlns":
		return s.names.declare(local, decodeAttribute(raw), at)
	case len(prefix) == 0 && string(local) == "xmlns":
		return s.names.declare(nil, decodeAttribute(raw), at)
	case len(s.attrs) == maxAttributes:
		return excessive("an element has more than %d attributes", maxAttributes)
	}
	s.attrs = append(s.attrs, attribute{prefix: prefix, local: local, raw: raw})
	return nil
}

// spaced gives the attributes their namespaces, and makes sure that each is there
// once.
func (s *scanner) spaced(at int) ([]attribute, error) {
	for i := range s.attrs {
		a := &s.attrs[i]
		if len(a.prefix) > 0 {
			var err error
			if a.space, err = s.resolve(a.prefix, at); err != nil {
				return nil, err
			}
		}
		for _, other := range s.attrs[:i] {
			if bytes.Equal(other.local, a.local) && bytes.Equal(other.space, a.space) {
				return nil, malformed(at, "attribute %s twice", short(a.local))
			}
		}
	}
	return s.attrs, nil
}

func (s *scanner) resolve(prefix []byte, at int) ([]byte, error) {
	uri, ok := s.names.lookup(prefix)
	if !ok {
		return nil, malformed(at, "prefix %s is bound to no namespace", short(prefix))
	}
	return uri, nil
}

func (s *scanner) take(c byte) bool {
	if s.pos < len(s.src) && s.src[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) blanks() (any bool) {
	for s.pos < len(s.src) && isBlank(s.src[s.pos]) {
		s.pos, any = s.pos+1, true
	}
	return any
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// path names the innermost open element for people.
func (s *scanner) path() string {
	var out []byte
	for _, name := range s.open {
		if out = append(append(out, '/'), name[:min(len(name), maxText)]...); len(out) > maxText {
			break
		}
	}
	return short(out)
}

// maxText bounds what a file may put into an answer, in bytes.
const maxText = 200

func short[T string | []byte](b T) string {
	if len(b) <= maxText {
		return string(b)
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(b[cut]) {
		cut--
	}
	return string(b[:cut]) + "…"
}
