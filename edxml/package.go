package edxml

import (
	"fmt"
	"io"
	"strings"
)

// Package is an edXML file that was opened: all of it but the contents.
type Package struct {
	// One of the two is not nil.
	Document *Document
	Status   *Status
	// Manifest as it was sent.
	Manifest    []Reference
	Attachments []*Attachment
	// Tolerances are the deviations that were forgiven.
	Tolerances []Tolerance
	// Refused is filled where Limits.Lenient is set.
	Refused Refusals

	src    io.ReaderAt
	size   int64
	limits Limits
	layout layout
	notes  *notes
}

// Bytes gives the package exactly as it came. A package that is handed on unchanged
// is handed on by these.
func (p *Package) Bytes() *io.SectionReader { return io.NewSectionReader(p.src, 0, p.size) }

// Open reads a package of size bytes. r must stay readable while contents are read.
// The error is a *Refusal or Refusals where the package cannot be taken, which its
// sender is to be told, and otherwise one of reading r, after which the caller may
// try again.
func Open(r io.ReaderAt, size int64, limits Limits) (*Package, error) {
	limits = limits.withDefaults()
	if size > limits.Size {
		return nil, refuse(TooLarge, "/", fmt.Sprintf("%d > %d", size, limits.Size))
	}
	p := &Package{src: r, size: size, limits: limits, notes: &notes{}}
	src := newSource(r, size, limits.Head)
	root, err := parse(src, limits, p.notes)
	if err != nil {
		return nil, err
	}
	if p.layout, err = normalise(root, p.notes); err != nil {
		return nil, err
	}
	p.readHeader()
	p.readOutside()
	if err := p.readAttachments(src.unit); err != nil {
		return nil, err
	}
	p.Tolerances = p.notes.list
	if len(p.Refused) > 0 && !limits.Lenient {
		return nil, p.Refused
	}
	return p, nil
}

func (p *Package) refuse(r *Refusal) {
	if len(p.Refused) < listed {
		p.Refused = append(p.Refused, r)
	}
}

func (p *Package) mapper(n *node) *mapper {
	if n == nil {
		n = &node{}
	}
	n.used = true
	return &mapper{in: n, notes: p.notes}
}

func (p *Package) readHeader() {
	message := p.layout.header.child("MessageHeader")
	traces := p.layout.header.child("TraceHeaderList")
	signature := signatureOf(p.layout.header)
	if isStatus(message, traces, p.layout.body) {
		p.Status = &Status{}
		p.Status.message(p.mapper(message))
		return
	}
	d := &Document{}
	p.Document = d
	d.message(p.mapper(message))
	d.trace(p.mapper(traces))
	if signature != nil {
		signature.used = true
		e := signature.element()
		d.Signature = &e
	}
}

func signatureOf(header *node) *node {
	for _, k := range header.kids {
		if k.name == "Signature" && (k.space == "" || k.space == dsig) {
			return k
		}
	}
	return nil
}

// isStatus tells the two kinds apart: by StatusCode, or, where a writer forgot it, by
// what only a status has.
func isStatus(message, traces, body *node) bool {
	if message.child("StatusCode") != nil {
		return true
	}
	has := func(name string) bool { return message.child(name) != nil }
	return traces == nil && body == nil && !has("To") && !has("DocumentId") &&
		(has("Timestamp") || has("StaffInfo") && has("ResponseFor"))
}

// readOutside keeps what stood between the known parts.
func (p *Package) readOutside() {
	o := p.outside()
	l := p.layout
	for _, n := range []*node{l.envelope, l.header, l.body, l.attachments} {
		if n != nil {
			n.used = true
		}
	}
	if p.Status != nil { // a status has none of these: they are kept as strangers
		l.body.unuse()
	}
	manifest := l.body.child("edXMLManifest")
	if manifest != nil && p.Status == nil {
		list(p.mapper(l.body), "edXMLManifest", &[]struct{}{}, func(_ *struct{}, m *mapper) {
			list(m, "Reference", &p.Manifest, (*Reference).fields)
			m.extra(&o.Manifest)
		})
	}
	p.strangers(l.root, &o.Root)
	if wrapper := l.envelope.parent; wrapper != l.root {
		p.strangers(wrapper, &o.Root)
	}
	p.strangers(l.envelope, &o.Envelope)
	p.strangers(l.header, &o.Header)
	if p.Status == nil {
		p.strangers(l.body, &o.Body)
	}
}

func (n *node) unuse() {
	if n != nil {
		n.used = false
	}
}

func (p *Package) outside() *Outside {
	if p.Status != nil {
		return &p.Status.Outside
	}
	return &p.Document.Outside
}

// strangers keeps the children that nothing took. The way down to the envelope is
// none.
func (p *Package) strangers(n *node, to *[]Element) {
	if n == nil {
		return
	}
	for _, k := range n.kids {
		if !k.used && !p.layout.envelope.below(k) && k.name != "AttachmentEncoded" {
			p.notes.add(UnknownElement, k.path, k.name)
			*to = append(*to, k.element())
		}
	}
}

func (n *node) below(other *node) bool {
	for ; n != nil; n = n.parent {
		if n == other {
			return true
		}
	}
	return false
}

const cidPrefix = "cid:"

// stripCID takes away every cid: in front. A writer's library doubles it, others
// leave it out in one of two places.
func stripCID(m *mapper, id string) string {
	bare, n := id, 0
	for strings.HasPrefix(bare, cidPrefix) {
		bare, n = strings.TrimPrefix(bare, cidPrefix), n+1
	}
	path := func() string { return m.in.path() + "/ContentId" }
	switch {
	case id == "":
	case n == 0:
		m.notes.add(MissingCID, path, id)
	case n > 1:
		m.notes.add(DoubledCID, path, id)
	}
	return bare
}
