package signing

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
)

// rawCertificate is a certificate in a signature that was not parsed yet: most of
// what a signature carries is never needed, and parsing costs as much as a check
// of a signature value.
type rawCertificate struct {
	raw []byte
	// issuer and serial are the elements that name it.
	issuer, serial []byte
}

// readCertificates takes the X.509 certificates. Other kinds, and what is no
// certificate, are passed over: they can neither sign nor be part of a chain.
func (sd *signedData) readCertificates(r reader) error {
	for n := 0; !r.empty(); n++ {
		if n == maxCertificates {
			return fmt.Errorf("more than %d certificates", maxCertificates)
		}
		e, err := r.next()
		if err != nil {
			return err
		}
		if e.tag != tagSequence {
			continue
		}
		if cert, ok := readNames(e); ok {
			sd.certificates = append(sd.certificates, cert)
		}
	}
	return nil
}

// readNames reads a certificate as far as its issuer (RFC 5280 section 4.1).
func readNames(e element) (cert rawCertificate, ok bool) {
	r := reader(e.body)
	tbs, err := r.open(tagSequence, "tbsCertificate")
	if err != nil {
		return cert, false
	}
	tbs.optional(tagContext0) // version
	serial, err := tbs.take(tagInteger, "serialNumber")
	if err != nil {
		return cert, false
	}
	if _, err := tbs.take(tagSequence, "signature"); err != nil {
		return cert, false
	}
	issuer, err := tbs.take(tagSequence, "issuer")
	return rawCertificate{raw: e.full, issuer: issuer.full, serial: serial.full}, err == nil
}

// named are the certificates at hand that the SignerInfo may mean. Issuer and
// serial number do not make one unique: anybody can issue another with the same.
func (c *check) named() []*x509.Certificate {
	var found []*x509.Certificate
	add := func(all []*x509.Certificate) {
		for _, cert := range all {
			if c.signer.names(cert) {
				found = append(found, cert)
			}
		}
	}
	add(c.options.Pinned)
	for _, raw := range c.data.certificates {
		if !c.signer.mayName(raw) {
			continue
		}
		if cert, err := c.options.certificate(raw.raw, c.kind.use); err == nil {
			add([]*x509.Certificate{cert})
		}
	}
	add(c.options.Intermediates)
	add(c.options.Anchors)
	if t := c.options.Trust; t != nil {
		add(t.intermediates)
		add(t.anchors)
	}
	return found
}

// certificate parses one, unless it is among those that are at hand already.
func (o *Options) certificate(raw []byte, u use) (*x509.Certificate, error) {
	for _, cert := range o.Pinned {
		if bytes.Equal(cert.Raw, raw) {
			return cert, nil
		}
	}
	if o.Trust != nil {
		if known := o.Trust.remembered(raw, u); known != nil {
			return known.cert, nil
		}
	}
	return x509.ParseCertificate(raw)
}

// mayName is names for a certificate that was not parsed: false is certain.
func (s *signerInfo) mayName(cert rawCertificate) bool {
	return s.keyID != nil || bytes.Equal(cert.serial, s.serial) && bytes.Equal(cert.issuer, s.issuer)
}

// names reports whether the signer is the subject of cert.
func (s *signerInfo) names(cert *x509.Certificate) bool {
	if s.keyID != nil {
		return len(s.keyID) > 0 && bytes.Equal(cert.SubjectKeyId, s.keyID)
	}
	if !bytes.Equal(cert.RawIssuer, s.issuer) {
		return false
	}
	serial, err := asn1.Marshal(cert.SerialNumber)
	return err == nil && bytes.Equal(serial, s.serial)
}

// parsed are all certificates in the signature that can be read.
func (sd *signedData) parsed() []*x509.Certificate {
	var all []*x509.Certificate
	for _, raw := range sd.certificates {
		if cert, err := x509.ParseCertificate(raw.raw); err == nil {
			all = append(all, cert)
		}
	}
	return all
}
