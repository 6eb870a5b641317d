package xmldsig

import "bytes"

// binding is a prefix and its namespace; the empty prefix is the default's, and an
// empty namespace takes it back.
type binding struct{ prefix, uri []byte }

// namespaces are the bindings in scope, innermost last.
type namespaces struct {
	all   []binding
	marks []int // len(all) where each open element began
}

func (n *namespaces) push() { n.marks = append(n.marks, len(n.all)) }

func (n *namespaces) pop() {
	top := len(n.marks) - 1
	n.all, n.marks = n.all[:n.marks[top]], n.marks[:top]
}

// own are the bindings that the innermost element declares.
func (n *namespaces) own() []binding { return n.all[n.marks[len(n.marks)-1]:] }

// outer are those in scope around it.
func (n *namespaces) outer() []binding { return n.all[:n.marks[len(n.marks)-1]] }

// declare takes a declaration of the innermost element (Namespaces in XML 1.0 sections
// 3 and 5).
func (n *namespaces) declare(prefix, uri []byte, at int) error {
	isXML := string(prefix) == "xml"
	switch {
	case string(prefix) == "xmlns", isXML != (string(uri) == spaceXML), string(uri) == spaceXMLNS:
		return malformed(at, "prefix %s may not be bound so", short(prefix))
	case len(prefix) > 0 && len(uri) == 0:
		return malformed(at, "prefix %s is bound to nothing", short(prefix))
	case len(n.all) == maxBindings:
		return excessive("more than %d namespaces are bound at once", maxBindings)
	}
	for _, b := range n.own() {
		if bytes.Equal(b.prefix, prefix) {
			return malformed(at, "prefix %s is bound twice", short(prefix))
		}
	}
	n.all = append(n.all, binding{prefix, uri})
	return nil
}

func (n *namespaces) lookup(prefix []byte) (uri []byte, ok bool) {
	if string(prefix) == "xml" {
		return []byte(spaceXML), true
	}
	return find(n.all, prefix)
}

// find is what a prefix is bound to; the default namespace is always one, the empty
// one.
func find(all []binding, prefix []byte) (uri []byte, ok bool) {
	for i := len(all) - 1; i >= 0; i-- {
		if bytes.Equal(all[i].prefix, prefix) {
			return all[i].uri, true
		}
	}
	return nil, len(prefix) == 0
}
