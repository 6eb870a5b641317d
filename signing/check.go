package signing

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// check judges one signer. The steps run in the order of ETSI EN 319 102-1
// clause 5.3, but for the certificate: that the content was changed is said even
// where the signer is a stranger.
type check struct {
	data    *signedData
	signer  *signerInfo
	options *Options
	digests digests
	kind    *kind

	// What the steps find out.
	stated     statements
	scheme     scheme
	cert       *x509.Certificate
	time       time.Time
	source     TimeSource
	timestamps []TimestampVerdict
	paths      [][]*x509.Certificate
	chain      []*x509.Certificate
	statuses   []RevocationStatus
	pinned     bool
	revoked    *Revocation // what is known, once it was asked for
}

// kind is in what signatures of documents and of time-stamps differ.
type kind struct {
	use      use
	extended []x509.ExtKeyUsage
	// usage says why a certificate may not be used so.
	usage func(*x509.Certificate) *failure
	// olderBinding accepts signing-certificate (RFC 2634 section 5.4), which RFC
	// 3161 asks for; its SHA-1 only binds a certificate, against a second preimage.
	olderBinding bool
}

func documents() *kind {
	return &kind{use: useSigning, extended: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, usage: mayNotSign}
}

func (c *check) run() Verdict {
	c.time, c.source = c.options.At, c.options.source()
	return c.steps(
		c.format, c.identify, c.algorithms, c.content, c.value, c.constraints, c.usage, c.bestTime, c.validity, c.trust,
	)
}

// steps runs one step after the other; the first that fails gives the verdict.
func (c *check) steps(all ...func() *failure) Verdict {
	for _, step := range all {
		if f := step(); f != nil {
			return c.verdict().failed(f)
		}
	}
	v := c.verdict()
	v.Indication, v.Chain, v.Pinned = TotalPassed, c.chain, c.pinned
	return v
}

func (c *check) verdict() Verdict {
	return Verdict{
		Signer: c.cert, Time: c.time, TimeSource: c.source, ClaimedTime: c.stated.claimed,
		Timestamps: c.timestamps, Revocation: c.statuses,
	}
}

// format asks for the signed attributes of CAdES. A signature without any is
// refused with that: its value is over the content itself, and a content that
// looks like attributes could be passed off as them.
func (c *check) format() *failure {
	var err error
	if c.stated, err = readStatements(c.signer.signed, c.data.contentType, c.kind.olderBinding); err != nil {
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
	h, err := c.stated.bound.function(c.kind.olderBinding)
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
	if c.stated.bound == nil && !c.options.Unbound {
		if _, older, _ := c.signer.signed.one(oidSigningCertificate, "signing-certificate"); older {
			return &failure{SigConstraintsFailure, "attribute signing-certificate-v2 is missing, and signing-certificate uses SHA-1, which is too weak"}
		}
		return &failure{SigConstraintsFailure, "attribute signing-certificate-v2 is missing"}
	}
	return nil
}

func (c *check) usage() *failure { return c.kind.usage(c.cert) }

// mayNotSign refuses certificates that were issued for something else alone.
func mayNotSign(cert *x509.Certificate) *failure {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if cert.KeyUsage != 0 && cert.KeyUsage&signs == 0 {
		return &failure{ChainConstraintsFailure, "the certificate is not for signing"}
	}
	foreign := func(u x509.ExtKeyUsage) bool {
		return u == x509.ExtKeyUsageServerAuth || u == x509.ExtKeyUsageTimeStamping || u == x509.ExtKeyUsageOCSPSigning
	}
	if len(cert.ExtKeyUsage) > 0 && len(cert.UnknownExtKeyUsage) == 0 &&
		!slices.ContainsFunc(cert.ExtKeyUsage, func(u x509.ExtKeyUsage) bool { return !foreign(u) }) {
		return &failure{ChainConstraintsFailure, "the certificate is for servers, time-stamps or revocation answers only"}
	}
	return nil
}

func (c *check) validity() *failure {
	if !outside(c.cert, c.time) {
		return nil
	}
	sub := OutOfBoundsNoPOE
	if c.source == TimeTimestamp && c.time.Before(c.cert.NotBefore) {
		sub = NotYetValid // nothing known later can bring the certificate forward
	}
	if !c.options.NotBefore.IsZero() && c.options.NotBefore.After(c.cert.NotAfter) {
		sub = Expired
	}
	return &failure{sub, fmt.Sprintf("the certificate is valid from %s to %s, not at %s",
		stamp(c.cert.NotBefore), stamp(c.cert.NotAfter), stamp(c.time))}
}

// trust accepts a pinned certificate by itself; any other needs a chain, none of
// which was revoked.
func (c *check) trust() *failure {
	if slices.ContainsFunc(c.options.Pinned, c.cert.Equal) {
		c.pinned, c.chain = true, []*x509.Certificate{c.cert}
		return nil
	}
	if c.recallPaths() && c.revocation() == nil {
		return nil
	}
	if f := c.findPaths(); f != nil {
		return f
	}
	return c.revocation()
}
