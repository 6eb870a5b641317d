package xmldsig

import (
	"encoding/base64"
	"fmt"
	"strings"

	"docaxis/signing"
)

// Limits of one signature; the work is bounded by the meter besides.
const (
	maxSignatures   = 8
	maxReferences   = 16
	maxTransforms   = 8
	maxCertificates = 32
)

// signed is a Signature element as it was read (XML-DSig 1.1 section 4).
type signed struct {
	info       *element
	how        algorithm // of canonicalisation
	by         string    // SignatureMethod
	references []reference
	value      []byte
	keys       *element // KeyInfo
	objects    []*element
}

// algorithm is an element that names one, with its parameters.
type algorithm struct {
	uri  string
	with []*element
}

type reference struct {
	uri        string
	named      bool // it has a URI
	transforms []algorithm
	digestBy   string
	digest     []byte
}

// misshapen is a Signature that XML-DSig does not have.
func misshapen(format string, args ...any) error {
	return &flaw{signing.FormatFailure, fmt.Sprintf(format, args...)}
}

// readSigned reads a Signature strictly: everything once and in its order, since two
// readers may choose differently among two.
func readSigned(e *element) (*signed, error) {
	r := children{left: e.kids}
	s := &signed{info: r.take("SignedInfo")}
	value := r.take("SignatureValue")
	if s.info == nil || value == nil {
		return nil, misshapen("the Signature does not begin with SignedInfo and SignatureValue")
	}
	s.keys = r.take("KeyInfo")
	for o := r.take("Object"); o != nil; o = r.take("Object") {
		s.objects = append(s.objects, o)
	}
	if len(r.left) > 0 {
		return nil, misshapen("the Signature has %s where it may not be", short(r.left[0].local))
	}
	var err error
	if s.value, err = binaryOf(value); err != nil {
		return nil, misshapen("SignatureValue: %v", err)
	}
	return s, s.readInfo()
}

func (s *signed) readInfo() error {
	r := children{left: s.info.kids}
	how, by := r.take("CanonicalizationMethod"), r.take("SignatureMethod")
	if how == nil || by == nil {
		return misshapen("SignedInfo does not begin with CanonicalizationMethod and SignatureMethod")
	}
	s.how = algorithmOf(how)
	s.by, _ = by.attr("Algorithm")
	for e := r.take("Reference"); e != nil; e = r.take("Reference") {
		if len(s.references) == maxReferences {
			return excessive("the signature has more than %d references", maxReferences)
		}
		ref, err := readReferenceOf(e)
		if err != nil {
			return err
		}
		s.references = append(s.references, ref)
	}
	if len(s.references) == 0 || len(r.left) > 0 {
		return misshapen("SignedInfo has no reference, or something else than references")
	}
	return nil
}

func readReferenceOf(e *element) (ref reference, err error) {
	ref.uri, ref.named = e.attr("URI")
	r := children{left: e.kids}
	if transforms := r.take("Transforms"); transforms != nil {
		t := children{left: transforms.kids}
		for one := t.take("Transform"); one != nil; one = t.take("Transform") {
			ref.transforms = append(ref.transforms, algorithmOf(one))
		}
		if len(t.left) > 0 || len(ref.transforms) == 0 {
			return ref, misshapen("a reference has Transforms that are none")
		}
		if len(ref.transforms) > maxTransforms {
			return ref, excessive("a reference has more than %d transforms", maxTransforms)
		}
	}
	method, value := r.take("DigestMethod"), r.take("DigestValue")
	if method == nil || value == nil || len(r.left) > 0 {
		return ref, misshapen("a reference is not of transforms, one DigestMethod and one DigestValue")
	}
	ref.digestBy, _ = method.attr("Algorithm")
	if ref.digest, err = binaryOf(value); err != nil {
		return ref, misshapen("DigestValue: %v", err)
	}
	return ref, nil
}

func algorithmOf(e *element) algorithm {
	uri, _ := e.attr("Algorithm")
	return algorithm{uri, e.kids}
}

// children are taken in order.
type children struct{ left []*element }

// take is the next child if it has a name of XML-DSig; nil where it is another.
func (c *children) take(local string) *element {
	if len(c.left) == 0 || c.left[0].space != spaceDSig || c.left[0].local != local {
		return nil
	}
	e := c.left[0]
	c.left = c.left[1:]
	return e
}

// binaryOf is what an element holds in base64.
func binaryOf(e *element) ([]byte, error) {
	if len(e.kids) > 0 {
		return nil, fmt.Errorf("%s is in it", short(e.kids[0].local))
	}
	return decodeBase64(e.text)
}

func decodeBase64(text string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, fmt.Errorf("no base64: %w", err)
	}
	return b, nil
}

// minValue is the shortest signature value of any key that was ever accepted, in
// bytes: RSA of 512 bits, or DSA.
const minValue = 40

// placeholder reports whether the element cannot be a signature and was never meant as
// one: without a value, with one too short for any key, or with digests of one repeated
// byte, as the SDK of the national axis writes it.
func placeholder(e *element) bool {
	if len(valueOf(e, "SignatureValue")) < minValue {
		return true
	}
	digest := string(valueOf(e, "DigestValue"))
	return digest == "" || strings.Count(digest, digest[:1]) == len(digest)
}

// valueOf is what the first element of a name holds in base64; nil where it holds none.
func valueOf(e *element, local string) (value []byte) {
	e.walk(func(k *element) bool {
		if k.local == local {
			value, _ = decodeBase64(k.text)
			return false
		}
		return true
	})
	return value
}
