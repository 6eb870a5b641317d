package xmldsig

import "slices"

// The namespaces of signatures.
const (
	spaceDSig   = "http://www.w3.org/2000/09/xmldsig#"
	spaceDSig11 = "http://www.w3.org/2009/xmldsig11#"
	spaceXAdES  = "http://uri.etsi.org/01903/v1.3.2#"
)

// document is a file that is judged.
type document struct {
	src   []byte
	meter *meter
	root  span
	found []*builder // Signature elements, those within others left out
	left  int        // how many more there are
}

// read goes through the whole file: that it is XML, and which signatures it has.
func (d *document) read() error {
	if err := checkEncoding(d.src); err != nil {
		return err
	}
	f := finder{d: d}
	return d.each(f.take)
}

// finder takes the Signature elements out of the file.
type finder struct {
	d     *document
	at    *builder // the one that is read
	depth int      // within the one that is open
}

func (f *finder) take(s *scanner, t *token) {
	f.d.bound(t, len(s.open))
	if f.depth == 0 {
		if t.kind != start || string(t.local) != "Signature" || string(t.space) != spaceDSig {
			return
		}
		f.begin(s, t)
	}
	switch t.kind {
	case start:
		f.depth++
	case end:
		f.depth--
	}
	if f.at != nil && f.at.take(t, f.depth) {
		f.at = nil
	}
}

func (f *finder) begin(s *scanner, t *token) {
	if len(f.d.found) == maxSignatures {
		f.d.left++
		return
	}
	f.at = &builder{path: s.path(), at: span{from: t.from}}
	f.d.found = append(f.d.found, f.at)
}

// bound keeps where the root stands.
func (d *document) bound(t *token, open int) {
	switch {
	case t.kind == start && open == 1:
		d.root.from = t.from
	case t.kind == end && open == 0:
		d.root.to = t.to
	}
}

// place is where an element with a wanted Id stands.
type place struct {
	at    span
	path  string
	count int
}

// places finds the elements that references name. Without a DTD an Id is what is
// called one: Id, ID, id, xml:id.
func (d *document) places(wanted map[string]*place) error {
	if len(wanted) == 0 {
		return nil
	}
	var open []*place // by depth; nil where the element is not wanted
	return d.each(func(s *scanner, t *token) {
		switch t.kind {
		case start:
			open = append(open, named(t, wanted, s))
		case end:
			top := len(open) - 1
			if p := open[top]; p != nil {
				p.at.to = t.to
			}
			open = open[:top]
		}
	})
}

func named(t *token, wanted map[string]*place, s *scanner) (found *place) {
	for _, a := range t.attrs {
		if l := string(a.local); l != "Id" && l != "ID" && l != "id" {
			continue
		}
		p := wanted[string(decodeAttribute(a.raw))]
		if p == nil {
			continue
		}
		if p.count++; p.count == 1 {
			p.at.from, p.path = t.from, s.path()
			found = p
		}
	}
	return found
}

// maxOutside bounds how many parts are named that a signature does not cover.
const maxOutside = 10

// outside names the outermost elements that are neither covered nor around something
// that is; more says that there are others.
func (d *document) outside(covered []span, signature span) (names []string, more bool, err error) {
	begins := append(slices.Clone(covered), signature)
	o := outsiders{begins: begins}
	if err := d.each(o.take); err != nil {
		return nil, false, err
	}
	err = d.each(func(s *scanner, t *token) {
		if t.kind == start && slices.Contains(o.found, t.from) {
			names = append(names, s.path())
		}
	})
	return names, o.more, err
}

// each goes through the file once more.
func (d *document) each(do func(*scanner, *token)) error {
	if err := d.meter.spend(len(d.src)); err != nil {
		return err
	}
	s := newScanner(d.src)
	for {
		t, err := s.next()
		if err != nil || t.kind == done {
			return err
		}
		do(s, t)
	}
}

// outsiders finds what is not covered: an element is known to be around nothing that is
// once it ends, and then stands for those within it.
type outsiders struct {
	begins []span
	open   []outsider
	found  []int
	more   bool
	skip   int // depth within a covered element
}

type outsider struct {
	from   int
	around bool
	before int // len(found) when it began
}

func (o *outsiders) take(_ *scanner, t *token) {
	switch {
	case t.kind == start && o.skip > 0, t.kind == start && o.begin(t):
		o.skip++
	case t.kind == start:
		o.open = append(o.open, outsider{from: t.from, before: len(o.found)})
	case t.kind == end && o.skip > 0:
		o.skip--
	case t.kind == end:
		o.end()
	}
}

// begin reports whether something covered begins, and notes what is around it.
func (o *outsiders) begin(t *token) bool {
	if !slices.ContainsFunc(o.begins, func(s span) bool { return s.from == t.from }) {
		return false
	}
	for i := range o.open {
		o.open[i].around = true
	}
	return true
}

func (o *outsiders) end() {
	top := o.open[len(o.open)-1]
	o.open = o.open[:len(o.open)-1]
	switch {
	case top.around:
	case top.before < maxOutside:
		o.found = append(o.found[:top.before], top.from)
	default:
		o.more = true
	}
}
