package xmldsig

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"docaxis/signing"
)

// check judges one signature, in the order in which package signing does.
type check struct {
	d       *document
	options signing.Options
	element *element
	at      span
	places  map[string]*place

	// What the steps find out.
	signed       *signed
	certificates []*x509.Certificate
	cert         *x509.Certificate
	scheme       scheme
	targets      []target
	claimed      time.Time
}

// judge gives what is known of a signature. The error is about the call.
func (d *document) judge(b *builder, places map[string]*place, o signing.Options) (Signature, error) {
	out := Signature{Path: b.path}
	c := &check{d: d, options: o, element: b.root, at: b.at, places: places}
	err := b.err
	if err == nil {
		out.Placeholder = placeholder(b.root)
		c.signed, err = readSigned(b.root)
	}
	for _, step := range []func() error{c.identify, c.algorithms, c.content, c.value, c.bound, c.constraints} {
		if err == nil {
			err = step()
		}
	}
	out.Covers, out.Whole = c.names(), c.whole()
	if !out.Whole && out.Covers != nil {
		var more error
		if out.Outside, more = c.outside(); err == nil {
			err = more
		}
	}
	out.Verdict = failed(o, err)
	if err == nil {
		var call error
		if out.Verdict, call = signing.VerifySigner(c.cert, c.certificates, o); call != nil {
			return out, call
		}
	}
	out.Verdict.Signer, out.Verdict.ClaimedTime = c.cert, c.claimed
	return out, nil
}

// failed is the verdict on what is wrong.
func failed(o signing.Options, err error) signing.Verdict {
	v := signing.Verdict{Time: o.At, TimeSource: o.Source}
	if v.TimeSource == "" {
		v.TimeSource = signing.TimeGiven
	}
	var f *flaw
	if !errors.As(err, &f) {
		f = &flaw{signing.CryptoConstraintsFailure, fmt.Sprint(err)}
	}
	v.SubIndication, v.Indication, v.Detail = f.sub, f.sub.Indication(), f.detail
	return v
}

// algorithms asks for strong ones throughout: of the digests, of the value, and the
// key.
func (c *check) algorithms() (err error) {
	if c.scheme, err = schemeOf(c.signed.by); err != nil {
		return err
	}
	for _, r := range c.signed.references {
		if _, err := hashOf(r.digestBy); err != nil {
			return err
		}
	}
	if err := signing.CheckKey(c.cert.PublicKey); err != nil {
		return err
	}
	if _, f := readMethod(c.signed.how); f != nil {
		return f
	}
	return nil
}

func (c *check) value() error {
	digest, err := c.signedDigest(c.scheme)
	if err != nil {
		return err
	}
	if !c.scheme.check(c.cert.PublicKey, c.scheme.hash, digest, c.signed.value) {
		return &flaw{signing.SigCryptoFailure, "the signature value is not of the signer's key"}
	}
	return nil
}

// signedDigest is that of SignedInfo, which the value is over.
func (c *check) signedDigest(s scheme) ([]byte, error) {
	m, f := readMethod(c.signed.how)
	if f != nil {
		return nil, f
	}
	w := s.hash.New()
	if err := c.d.canonicalise(part{at: c.signed.info.at}, m, w); err != nil {
		return nil, err
	}
	return w.Sum(nil), nil
}

// constraints asks that everything the signature refers to was looked at, and that it
// is the whole document.
func (c *check) constraints() error {
	for _, t := range c.targets {
		if t.flaw != nil {
			return t.flaw
		}
	}
	if !c.whole() {
		return &flaw{signing.SigConstraintsFailure, "it covers a part of the document only: " + strings.Join(c.names(), ", ")}
	}
	if name := c.stowed(); name != "" {
		return &flaw{signing.SigConstraintsFailure, fmt.Sprintf("the Signature carries %s, which nobody signed", short(name))}
	}
	return nil
}

// whole reports whether a reference is to the root, and the root is not the signature
// that is left out of it.
func (c *check) whole() bool {
	return slices.ContainsFunc(c.targets, func(t target) bool {
		return t.flaw == nil && t.at.has(c.d.root) && !c.at.has(c.d.root)
	})
}

// covered reports whether a part of the file is what a reference is to.
func (c *check) covered(at span) bool {
	return slices.ContainsFunc(c.targets, func(t target) bool {
		return t.flaw == nil && t.at.has(at) && (t.but.to == 0 || !t.but.has(at))
	})
}

// names are the paths of what is covered.
func (c *check) names() (names []string) {
	for _, t := range c.targets {
		if t.flaw == nil {
			names = append(names, t.path)
		}
	}
	return names
}

// outside are the paths of what is not.
func (c *check) outside() ([]string, error) {
	var spans []span
	for _, t := range c.targets {
		if t.flaw == nil {
			spans = append(spans, t.at)
		}
	}
	names, more, err := c.d.outside(spans, c.at)
	if more {
		names = append(names, "…")
	}
	return names, err
}
