package xmldsig

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"

	"docaxis/signing"
)

// maxTried bounds how many keys are tried on one value.
const maxTried = 4

// identify finds the signer's certificate among those in KeyInfo. A key without one
// proves nobody, and what lies elsewhere is not fetched.
func (c *check) identify() error {
	if c.certificates = c.signed.certificates(); len(c.certificates) == 0 {
		return &flaw{signing.NoSigningCertificateFound, "KeyInfo has no certificate"}
	}
	named := c.signed.naming(c.certificates)
	if len(named) == 0 {
		return &flaw{signing.NoSigningCertificateFound, "KeyInfo names a certificate that it does not have"}
	}
	c.cert = named[0]
	s, err := schemeOf(c.signed.by)
	if err != nil || len(named) == 1 {
		return nil // algorithms says what is wrong
	}
	digest, err := c.signedDigest(s)
	if err != nil {
		return err
	}
	for _, cert := range named[:min(len(named), maxTried)] {
		if signing.CheckKey(cert.PublicKey) == nil && s.check(cert.PublicKey, s.hash, digest, c.signed.value) {
			c.cert = cert
			break
		}
	}
	return nil
}

// certificates are those of KeyInfo that can be read, each once.
func (s *signed) certificates() (found []*x509.Certificate) {
	for _, data := range s.keys.all(spaceDSig, "X509Data") {
		for _, e := range data.all(spaceDSig, "X509Certificate") {
			der, err := binaryOf(e)
			if err != nil || len(found) == maxCertificates {
				continue
			}
			cert, err := x509.ParseCertificate(der)
			if err == nil && !slices.ContainsFunc(found, cert.Equal) {
				found = append(found, cert)
			}
		}
	}
	return found
}

// naming are the certificates that may be the signer's: those that X509IssuerSerial or
// X509SKI name where they are there, but for those that only vouch for others.
func (s *signed) naming(all []*x509.Certificate) (named []*x509.Certificate) {
	for _, cert := range all {
		issued := func(other *x509.Certificate) bool {
			return other != cert && bytes.Equal(other.RawIssuer, cert.RawSubject)
		}
		if s.mayName(cert) && !slices.ContainsFunc(all, issued) {
			named = append(named, cert)
		}
	}
	if named == nil {
		for _, cert := range all {
			if s.mayName(cert) {
				named = append(named, cert)
			}
		}
	}
	return named
}

func (s *signed) mayName(cert *x509.Certificate) bool {
	stated := false
	for _, data := range s.keys.all(spaceDSig, "X509Data") {
		for _, e := range data.all(spaceDSig, "X509IssuerSerial") {
			stated = true
			if number := e.one(spaceDSig, "X509SerialNumber"); number != nil && sameNumber(number.text, cert.SerialNumber) {
				return true
			}
		}
		for _, e := range data.all(spaceDSig, "X509SKI") {
			stated = true
			if id, err := binaryOf(e); err == nil && len(id) > 0 && bytes.Equal(id, cert.SubjectKeyId) {
				return true
			}
		}
	}
	return !stated
}

// maxSerial is the longest serial number, in digits: 20 bytes have 49.
const maxSerial = 60

func sameNumber(text string, n *big.Int) bool {
	text = strings.TrimSpace(text)
	if len(text) > maxSerial {
		return false
	}
	read, ok := new(big.Int).SetString(text, 10)
	return ok && read.Cmp(n) == 0
}
