package signing

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// maxPaths bounds the chains of one certificate that are looked at further.
	maxPaths = 8
	// maxPathLength bounds how far a missing chain is explained.
	maxPathLength = 8
)

// use is what a certificate is used for.
type use int

const (
	useSigning use = iota
	useTimestamping
)

// recallPaths takes the chains that were found before and hold at the time relied
// on.
func (c *check) recallPaths() bool {
	known := c.options.trust().remembered(c.cert.Raw, c.kind.use)
	if known != nil {
		c.paths = valid(known.chains, c.time)
	}
	return len(c.paths) > 0
}

// findPaths builds the chains from the signer to an anchor that hold at the time
// relied on: signatures, validity, basic constraints, names and usage (RFC 5280
// section 6), by the standard library.
func (c *check) findPaths() *failure {
	trust := c.options.trust()
	if len(trust.anchors) == 0 {
		return &failure{NoCertificateChainFound, "no anchor is trusted"}
	}
	fromSignature := c.data.parsed()
	// Where the names lead nowhere, no signature of a certificate is computed: a file
	// full of strangers costs no more than reading it.
	s := newSearch(trust.anchors, slices.Concat(fromSignature, c.options.Intermediates, trust.intermediates))
	if !s.leading[string(c.cert.RawIssuer)] && !slices.ContainsFunc(trust.anchors, c.cert.Equal) {
		return &failure{NoCertificateChainFound, "no chain to an anchor"}
	}
	chains, err := c.cert.Verify(x509.VerifyOptions{
		Roots:         trust.roots,
		Intermediates: pool(fromSignature, c.options.Intermediates, trust.intermediates),
		CurrentTime:   c.time,
		KeyUsages:     c.kind.extended,
	})
	if err != nil {
		return s.explain(c.cert, err)
	}
	c.paths = chains[:min(len(chains), maxPaths)]
	trust.remember(c.cert, c.kind.use, c.paths)
	return nil
}

// valid are the chains of which every certificate holds at a time.
func valid(chains [][]*x509.Certificate, at time.Time) (found [][]*x509.Certificate) {
	for _, chain := range chains {
		if !slices.ContainsFunc(chain, func(cert *x509.Certificate) bool { return outside(cert, at) }) {
			found = append(found, chain)
		}
	}
	return found
}

func outside(cert *x509.Certificate, at time.Time) bool {
	return at.Before(cert.NotBefore) || at.After(cert.NotAfter)
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

// explain says why there is no chain. It only chooses words: nothing that it
// finds makes a signature pass.
func (s *search) explain(cert *x509.Certificate, err error) *failure {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		if f := s.flaw(cert, 0); f != nil {
			return f
		}
		return &failure{NoCertificateChainFound, "no chain to an anchor"}
	case errors.As(err, &invalid) && invalid.Reason != x509.Expired:
		return &failure{ChainConstraintsFailure, err.Error()}
	}
	return &failure{CertificateChainGeneralFailure, err.Error()}
}

// search looks for a chain by names alone, for what keeps it from being one.
type search struct {
	anchors, others []*x509.Certificate
	seen            map[*x509.Certificate]bool
	// leading are the names from which a way of names leads to an anchor: what
	// anybody can put beside a signature explains nothing by itself.
	leading map[string]bool
}

func newSearch(anchors, others []*x509.Certificate) *search {
	s := &search{anchors: anchors, others: others, seen: map[*x509.Certificate]bool{}, leading: map[string]bool{}}
	for _, a := range anchors {
		s.leading[string(a.RawSubject)] = true
	}
	for range maxPathLength {
		for _, o := range others {
			if s.leading[string(o.RawIssuer)] {
				s.leading[string(o.RawSubject)] = true
			}
		}
	}
	return s
}

// flaw is what is wrong on a way by names from a certificate to an anchor; nil
// where there is no such way, or nothing to be seen on it. Each certificate is
// looked at once.
func (s *search) flaw(cert *x509.Certificate, depth int) *failure {
	if s.seen[cert] || depth == maxPathLength {
		return nil
	}
	s.seen[cert] = true
	for _, issuer := range s.anchors {
		if bytes.Equal(issuer.RawSubject, cert.RawIssuer) {
			if f := linkFlaw(cert, issuer); f != nil {
				return f
			}
		}
	}
	for _, issuer := range s.others {
		if !bytes.Equal(issuer.RawSubject, cert.RawIssuer) || !s.leading[string(issuer.RawIssuer)] {
			continue
		}
		if f := linkFlaw(cert, issuer); f != nil {
			return f
		}
		if f := s.flaw(issuer, depth+1); f != nil {
			return f
		}
	}
	return nil
}

// linkFlaw is why one certificate may not vouch for another.
func linkFlaw(cert, issuer *x509.Certificate) *failure {
	switch cert.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return &failure{CryptoConstraintsFailure, fmt.Sprintf("the certificate of %s is signed with %s, which is too weak",
			name(cert, "en"), cert.SignatureAlgorithm)}
	}
	if err := checkKey(issuer.PublicKey); err != nil {
		return &failure{CryptoConstraintsFailure, fmt.Sprintf("the issuer %s: %v", name(issuer, "en"), err)}
	}
	if !issuer.IsCA || !issuer.BasicConstraintsValid || issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
		return &failure{ChainConstraintsFailure, fmt.Sprintf("%s is no authority and may not issue certificates", name(issuer, "en"))}
	}
	return nil
}
