package edxml

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

const dsig = "http://www.w3.org/2000/09/xmldsig#"

// layout is where the parts of a package are.
type layout struct{ root, envelope, header, body, attachments *node }

// normalise gives every element its own name and namespace, so that the rest of the
// package needs to know one spelling, and reports what was otherwise.
type normaliser struct {
	space string // what the package calls edXML's namespace
	notes *notes
}

func normalise(root *node, n *notes) (layout, error) {
	found := findEnvelope(root, 4)
	if found == nil {
		return layout{}, refuse(NoEnvelope, root.path(), "")
	}
	z := &normaliser{space: found.space, notes: n}
	z.report(found)
	z.walk(root, false)
	return z.layout(root, found)
}

// report names the deviations that go for the whole package.
func (z *normaliser) report(envelope *node) {
	switch z.space {
	case Namespace:
	case "":
		z.notes.add(NoNamespace, envelope.path, "")
	default:
		z.notes.add(OtherNamespace, envelope.path, z.space)
	}
	if envelope.name != "edXMLEnvelope" {
		z.notes.add(SOAPEnvelope, envelope.path, envelope.name)
	}
}

// findEnvelope looks a few levels down: the root's name is anything, and older systems
// wrapped packages.
func findEnvelope(n *node, depth int) *node {
	if n.name == "edXMLEnvelope" || n.name == "Envelope" && hasHeader(n) {
		return n
	}
	if depth == 0 {
		return nil
	}
	for _, k := range n.kids {
		if e := findEnvelope(k, depth-1); e != nil {
			return e
		}
	}
	return nil
}

func hasHeader(n *node) bool {
	for _, k := range n.kids {
		if k.name != "Header" {
			continue
		}
		for _, h := range k.kids {
			if h.name == "MessageHeader" {
				return true
			}
		}
	}
	return false
}

func (z *normaliser) walk(n *node, signature bool) {
	signature = signature || n.name == "Signature"
	if !signature || n.space != dsig {
		z.element(n)
	}
	if !norm.NFC.IsNormalString(n.text) {
		z.notes.add(Decomposed, n.path, n.text)
	}
	if !signature {
		z.prefix(n)
	}
	for _, k := range n.kids {
		z.walk(k, signature)
	}
}

// element maps namespace and name to those of the standard.
func (z *normaliser) element(n *node) {
	switch n.space {
	case z.space, Namespace, "":
		n.space = ""
	case soap11, soap12:
		if n.name != "Envelope" && n.name != "Header" && n.name != "Body" {
			return
		}
		n.space = ""
	default:
		return
	}
	known := n.name
	switch {
	case n.name == "Manifest":
		n.name = "edXMLManifest"
		z.notes.add(ManifestName, n.path, known)
	case strings.HasPrefix(n.name, "Business"):
		n.name = "Bussiness" + strings.TrimPrefix(n.name, "Business")
		z.notes.add(BusinessSpelling, n.path, known)
	case n.name == "Envelope" || n.name == "Header" || n.name == "Body":
		n.name = "edXML" + n.name
	}
}

const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

// prefix compares with the literal prefixes that some consumers look for.
func (z *normaliser) prefix(n *node) {
	if n.space != "" || n.parent == nil {
		return
	}
	want := ""
	if n.name == "ContentTransferEncoded" || n.inEnvelope() {
		want = Prefix
	}
	if n.prefix != want {
		z.notes.add(OtherPrefix, n.path, n.prefix)
	}
}

func (n *node) inEnvelope() bool {
	for ; n != nil; n = n.parent {
		if n.name == "edXMLEnvelope" {
			return true
		}
	}
	return false
}

func (z *normaliser) layout(root, envelope *node) (layout, error) {
	l := layout{root: root, envelope: envelope, header: envelope.child("edXMLHeader"), body: envelope.child("edXMLBody")}
	if l.header == nil {
		return l, refuse(NoHeader, envelope.path(), "")
	}
	if root.name != "edXML" && root != envelope {
		z.notes.add(RootName, root.path, root.name)
	}
	for _, n := range []*node{root, envelope, envelope.parent, l.body} {
		if a := n.child("AttachmentEncoded"); a != nil {
			l.attachments = a
			break
		}
	}
	return l, nil
}
