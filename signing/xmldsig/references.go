package xmldsig

import (
	"bytes"
	"fmt"
	"strings"

	"docaxis/signing"
)

// target is what a reference is to.
type target struct {
	part
	path string
	// flaw is why it cannot be looked at.
	flaw *flaw
}

// identifier is the Id that a reference names; ok is false where it names none.
func (r reference) identifier() (id string, ok bool) {
	id, ok = strings.CutPrefix(r.uri, "#")
	return id, ok && id != "" && !strings.HasPrefix(id, "xpointer(")
}

// target finds what a reference is to. Nothing outside the file is ever looked at.
func (c *check) target(r reference) (t target) {
	none := func(sub signing.SubIndication, format string, args ...any) target {
		return target{flaw: &flaw{sub, fmt.Sprintf(format, args...)}}
	}
	id, byID := r.identifier()
	switch {
	case !r.named:
		return none(signing.SignedDataNotFound, "a reference does not say what it is to")
	case r.uri == "":
		return target{part: part{at: span{0, len(c.d.src)}, whole: true}, path: "/"}
	case strings.HasPrefix(r.uri, "#") && !byID:
		return none(signing.SigConstraintsFailure, "reference %q is an expression, which is not evaluated", short(r.uri))
	case !byID:
		return none(signing.SignedDataNotFound, "reference %q leads outside the file, and is not followed", short(r.uri))
	}
	p := c.places[id]
	switch {
	case p == nil || p.count == 0:
		return none(signing.SignedDataNotFound, "there is no element with Id %q", short(id))
	case p.count > 1:
		return none(signing.FormatFailure, "%d elements have Id %q", p.count, short(id))
	}
	return target{part: part{at: p.at}, path: p.path}
}

// transformed applies the transforms of a reference: what leaves the signature out, and
// canonicalisation. Any other would have to be run, and is not.
func (c *check) transformed(r reference, p part) (part, method, *flaw) {
	var m method // Canonical XML 1.0 is what octets are made with where nothing is said
	octets := false
	for _, t := range r.transforms {
		if octets {
			return p, m, &flaw{signing.SigConstraintsFailure, "a transform follows canonicalisation"}
		}
		if t.uri == uriEnveloped && len(t.with) == 0 {
			p.but = c.at
			continue
		}
		var f *flaw
		if m, f = readMethod(t); f != nil {
			return p, m, f
		}
		octets = true
	}
	// A reference within the file is to nodes without comments (XML-DSig 1.1 section
	// 4.4.3.3), whatever canonicalisation would do with them.
	m.comments = false
	return p, m, nil
}

// readMethod reads a way of canonicalisation with its parameters.
func readMethod(a algorithm) (method, *flaw) {
	m, ok := methodOf(a.uri)
	if !ok {
		return m, &flaw{signing.SigConstraintsFailure, fmt.Sprintf("transform %q is not accepted, and not run", short(a.uri))}
	}
	for _, e := range a.with {
		list, _ := e.attr("PrefixList")
		if !m.exclusive || e.space != spaceExclusive || e.local != "InclusiveNamespaces" || len(a.with) > 1 {
			return m, &flaw{signing.SigConstraintsFailure, "canonicalisation has parameters that are not accepted"}
		}
		m.prefixes = strings.Fields(list)
		if len(m.prefixes) > maxBindings {
			return m, &flaw{signing.SigConstraintsFailure, "canonicalisation has too many prefixes"}
		}
		for i, p := range m.prefixes {
			if p == "#default" {
				m.prefixes[i] = ""
			}
		}
	}
	return m, nil
}

// content compares every reference that can be looked at with what it is to. One that
// is another is final, whatever is wrong with the others.
func (c *check) content() error {
	for _, r := range c.signed.references {
		t := c.target(r)
		how := method{}
		if t.flaw == nil {
			t.part, how, t.flaw = c.transformed(r, t.part)
		}
		c.targets = append(c.targets, t)
		if t.flaw != nil {
			continue
		}
		digest, err := c.digest(t.part, how, r.digestBy)
		if err != nil {
			return err
		}
		if !bytes.Equal(digest, r.digest) {
			return &flaw{signing.HashFailure, fmt.Sprintf("%s does not have the signed digest", short(t.path))}
		}
	}
	return nil
}

func (c *check) digest(p part, m method, by string) ([]byte, error) {
	h, err := hashOf(by)
	if err != nil {
		return nil, err
	}
	w := h.New()
	if err := c.d.canonicalise(p, m, w); err != nil {
		return nil, err
	}
	return w.Sum(nil), nil
}
