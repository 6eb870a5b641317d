package edxml

import (
	"encoding/xml"
	"fmt"
)

func (p *parser) attributes(n *node, attrs []xml.Attr) error {
	p.marks = append(p.marks, len(p.bound))
	if len(attrs) > mostAttributes {
		return refuse(TooManyElements, n.path(), fmt.Sprintf("> %d @", mostAttributes))
	}
	seen := make(map[xml.Name]bool, len(attrs))
	for _, a := range attrs {
		if seen[a.Name] {
			return refuse(NotWellFormed, n.path(), "@"+a.Name.Local)
		}
		seen[a.Name] = true
		if len(a.Value) > p.limits.Field {
			return refuse(FieldTooLong, n.path()+"/@"+a.Name.Local, a.Value)
		}
		switch {
		case a.Name.Space == "xmlns":
			p.bound = append(p.bound, binding{a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			p.bound = append(p.bound, binding{"", a.Value})
		}
	}
	n.space = p.resolve(n, n.prefix)
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		space := ""
		if a.Name.Space != "" {
			space = p.resolve(n, a.Name.Space)
		}
		n.attrs = append(n.attrs, Attr{Space: space, Name: a.Name.Local, Value: a.Value})
	}
	return nil
}

// unboundSpace stands for the namespace that a prefix was never bound to.
const unboundSpace = "urn:x-unbound:"

func (p *parser) resolve(n *node, prefix string) string {
	for i := len(p.bound) - 1; i >= 0; i-- {
		if p.bound[i].prefix == prefix {
			return p.bound[i].uri
		}
	}
	switch prefix {
	case "":
		return ""
	case "xml":
		return "http://www.w3.org/XML/1998/namespace"
	}
	p.notes.add(UnboundPrefix, n.path, prefix)
	if prefix == Prefix {
		return Namespace
	}
	return unboundSpace + prefix
}
