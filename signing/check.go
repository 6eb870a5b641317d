package signing

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// check judges one signer. The steps run in the order of ETSI EN 319 102-1
// clause 5.3, but for the certificate: that the content was changed is said even
// where the signer is a stranger.
type check struct {
	data    *signedData
	signer  *signerInfo
	options Options
	digests digests

	// What the steps find out.
	stated statements
	scheme scheme
	cert   *x509.Certificate
	chain  []*x509.Certificate
	pinned bool
}

func (c *check) run() Verdict {
	steps := []func() *failure{c.format, c.identify, c.algorithms, c.content, c.value, c.constraints, c.usage, c.validity, c.trust}
	for _, step := range steps {
		if f := step(); f != nil {
			return c.verdict().failed(f)
		}
	}
	v := c.verdict()
	v.Indication, v.Chain, v.Pinned = TotalPassed, c.chain, c.pinned
	return v
}

func (c *check) verdict() Verdict {
	return Verdict{Signer: c.cert, Time: c.options.At, TimeSource: c.options.source(), ClaimedTime: c.stated.claimed}
}

// format asks for the signed attributes of CAdES. A signature without any is
// refused with that: its value is over the content itself, and a content that
// looks like attributes could be passed off as them.
func (c *check) format() *failure {
	var err error
	if c.stated, err = readStatements(c.signer.signed, c.data.contentType); err != nil {
		return &failure{FormatFailure, err.Error()}
	}
	return nil
}

// identify finds the signer's certificate (clause 5.2.3): the one that the
// SignerInfo names and that signing-certificate-v2 binds.
func (c *check) identify() *failure {
	named := c.named()
	if len(named) == 0 {
		return &failure{NoSigningCertificateFound, "the signer's certificate is not at hand"}
	}
	c.cert = named[0]
	if c.stated.bound == nil {
		return nil // constraints says so, once the content is known to be right
	}
	h, err := c.stated.bound.hash.hash()
	if err != nil {
		return &failure{CryptoConstraintsFailure, "signing-certificate-v2: " + err.Error()}
	}
	i := slices.IndexFunc(named, func(cert *x509.Certificate) bool { return c.stated.bound.matches(cert, h) })
	if i < 0 {
		c.cert = nil
		return &failure{NoSigningCertificateFound, "signing-certificate-v2 names another certificate"}
	}
	c.cert = named[i]
	return nil
}

func (c *check) algorithms() *failure {
	h, err := c.signer.digest.hash()
	if err != nil {
		return &failure{CryptoConstraintsFailure, err.Error()}
	}
	if c.scheme, err = c.signer.signature.scheme(h); err != nil {
		return &failure{CryptoConstraintsFailure, err.Error()}
	}
	if err := checkKey(c.cert.PublicKey); err != nil {
		return &failure{CryptoConstraintsFailure, err.Error()}
	}
	return nil
}

func (c *check) content() *failure {
	if !bytes.Equal(c.digests[c.scheme.hash], c.stated.messageDigest) {
		return &failure{HashFailure, "the content does not have the signed digest"}
	}
	return nil
}

func (c *check) value() *failure {
	w := c.scheme.hash.New()
	w.Write(c.signer.toVerify)
	if err := c.scheme.check(c.cert.PublicKey, c.scheme.hash, w.Sum(nil), c.signer.value); err != nil {
		return &failure{SigCryptoFailure, err.Error()}
	}
	return nil
}

// constraints asks for the binding to the certificate (ETSI EN 319 122-1 clause
// 5.2.2.3): without it the certificate could be exchanged for another of the
// same key.
func (c *check) constraints() *failure {
	if c.stated.bound == nil {
		return &failure{SigConstraintsFailure, "attribute signing-certificate-v2 is missing"}
	}
	return nil
}

func (c *check) usage() *failure {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if c.cert.KeyUsage != 0 && c.cert.KeyUsage&signs == 0 {
		return &failure{ChainConstraintsFailure, "the certificate is not for signing"}
	}
	return nil
}

func (c *check) validity() *failure {
	at := c.options.At
	if at.Before(c.cert.NotBefore) || at.After(c.cert.NotAfter) {
		return &failure{OutOfBoundsNoPOE, fmt.Sprintf("the certificate is valid from %s to %s, not at %s",
			stamp(c.cert.NotBefore), stamp(c.cert.NotAfter), stamp(at))}
	}
	return nil
}

// trust accepts a pinned certificate by itself; any other needs a chain.
func (c *check) trust() *failure {
	if slices.ContainsFunc(c.options.Pinned, c.cert.Equal) {
		c.pinned, c.chain = true, []*x509.Certificate{c.cert}
		return nil
	}
	chains, err := c.cert.Verify(x509.VerifyOptions{
		Roots:         pool(c.options.Anchors),
		Intermediates: pool(c.data.parsed(), c.options.Intermediates),
		CurrentTime:   c.options.At,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return &failure{NoCertificateChainFound, "no chain to an anchor"}
	case err != nil:
		return &failure{CertificateChainGeneralFailure, err.Error()}
	}
	c.chain = chains[0]
	return nil
}

// pool leaves out certificates whose keys are not accepted: a weak one must not
// vouch for anybody, and a huge one must not be computed with.
func pool(lists ...[]*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, list := range lists {
		for _, cert := range list {
			if checkKey(cert.PublicKey) == nil {
				p.AddCert(cert)
			}
		}
	}
	return p
}
