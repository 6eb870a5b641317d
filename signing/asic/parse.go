package asic

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Parse reads a manifest strictly: every element and attribute must be one that
// this package knows, in the order of the schema, and nothing may be said twice.
// Two readers of one signed manifest must not be able to see two things in it.
// The error is for people; it quotes at most a few words of the input.
func Parse(raw []byte) (Manifest, error) {
	if len(raw) > MaxManifest {
		return Manifest{}, fmt.Errorf("manifest: %d bytes; at most %d", len(raw), MaxManifest)
	}
	p := &parser{dec: xml.NewDecoder(bytes.NewReader(raw))}
	m, err := p.manifest()
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	return m, nil
}

// parser reads elements one by one. Only the elements it waits for are entered,
// so the depth is that of the schema.
type parser struct {
	dec    *xml.Decoder
	tokens int
}

func (p *parser) manifest() (m Manifest, err error) {
	if _, err := p.open(namespace, "ASiCManifest"); err != nil {
		return m, err
	}
	if err := p.sigReference(); err != nil {
		return m, err
	}
	for {
		t, err := p.token()
		if err != nil {
			return m, err
		}
		if _, ok := t.(xml.EndElement); ok {
			return m, p.finish()
		}
		start, err := expect(t, namespace, "DataObjectReference", "URI", "MimeType")
		if err != nil {
			return m, err
		}
		ref, err := p.reference(start)
		if err != nil {
			return m, err
		}
		m.References = append(m.References, ref)
	}
}

func (p *parser) sigReference() error {
	start, err := p.open(namespace, "SigReference", "URI", "MimeType")
	if err != nil {
		return err
	}
	if start["URI"] != SignatureName || start["MimeType"] != signatureType {
		return fmt.Errorf("SigReference is not to %s of type %s", SignatureName, signatureType)
	}
	return p.close()
}

func (p *parser) reference(start map[string]string) (Reference, error) {
	r := Reference{URI: start["URI"], MimeType: start["MimeType"]}
	method, err := p.open(dsNamespace, "DigestMethod", "Algorithm")
	if err != nil {
		return r, err
	}
	if method["Algorithm"] != sha256URI {
		return r, fmt.Errorf("digest method %.60q is not %s", method["Algorithm"], sha256URI)
	}
	if err := p.close(); err != nil {
		return r, err
	}
	if _, err := p.open(dsNamespace, "DigestValue"); err != nil {
		return r, err
	}
	if err := p.digest(r.Digest[:]); err != nil {
		return r, err
	}
	return r, p.close() // DataObjectReference
}

// digest reads the base64 text of a DigestValue and its end.
func (p *parser) digest(into []byte) error {
	t, err := p.dec.Token()
	text, ok := t.(xml.CharData)
	if err != nil || !ok {
		return errors.New("DigestValue has no text")
	}
	digest, err := base64.StdEncoding.Strict().DecodeString(strings.Trim(string(text), whitespace))
	if err != nil || len(digest) != len(into) {
		return errors.New("DigestValue is no SHA-256 in base64")
	}
	copy(into, digest)
	return p.close()
}

const whitespace = " \t\r\n"

// token gives the next start or end of an element. Between elements only white
// space may stand: no text, no comment, no instruction, no DOCTYPE.
func (p *parser) token() (xml.Token, error) {
	for {
		t, err := p.dec.Token()
		if err != nil {
			return nil, fmt.Errorf("no well-formed XML: %w", err)
		}
		p.tokens++
		switch t := t.(type) {
		case xml.StartElement, xml.EndElement:
			return t, nil
		case xml.CharData:
			if len(bytes.Trim(t, whitespace)) > 0 {
				return nil, errors.New("text between elements")
			}
		case xml.ProcInst:
			if t.Target != "xml" || p.tokens > 1 {
				return nil, errors.New("processing instruction")
			}
		case xml.Directive:
			return nil, errors.New("DOCTYPE or other directive")
		default:
			return nil, errors.New("comment")
		}
	}
}

// open reads the start of the element that must come next, and its attributes.
func (p *parser) open(space, local string, attributes ...string) (map[string]string, error) {
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	return expect(t, space, local, attributes...)
}

func expect(t xml.Token, space, local string, attributes ...string) (map[string]string, error) {
	start, ok := t.(xml.StartElement)
	if !ok {
		return nil, fmt.Errorf("%s is missing", local)
	}
	if start.Name.Space != space || start.Name.Local != local {
		return nil, fmt.Errorf("element %.40q instead of %s", start.Name.Local, local)
	}
	return readAttributes(start.Attr, attributes)
}

// readAttributes refuses attributes that are unknown or given twice, which the
// standard library's decoder lets pass. Declarations of namespaces are no
// attributes.
func readAttributes(given []xml.Attr, known []string) (map[string]string, error) {
	values := make(map[string]string, len(known))
	seen := make(map[xml.Name]bool, len(given))
	for _, a := range given {
		if seen[a.Name] {
			return nil, fmt.Errorf("attribute %.40q is given twice", a.Name.Local)
		}
		seen[a.Name] = true
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		if a.Name.Space != "" || !slices.Contains(known, a.Name.Local) {
			return nil, fmt.Errorf("attribute %.40q is unknown", a.Name.Local)
		}
		values[a.Name.Local] = a.Value
	}
	return values, nil
}

// close reads the end of the element that is open. The decoder makes sure that
// it is the right one.
func (p *parser) close() error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if _, ok := t.(xml.EndElement); !ok {
		return errors.New("an element that is not known stands inside another")
	}
	return nil
}

// finish makes sure that nothing but white space follows.
func (p *parser) finish() error {
	for {
		t, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("no well-formed XML: %w", err)
		}
		if text, ok := t.(xml.CharData); !ok || len(bytes.Trim(text, whitespace)) > 0 {
			return errors.New("something follows the end")
		}
	}
}
