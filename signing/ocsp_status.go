package signing

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"
)

// about reports whether it is about a certificate of an issuer.
func (s *singleResponse) about(cert, issuer *x509.Certificate) bool {
	if s.hash == 0 || s.serial.Cmp(cert.SerialNumber) != 0 {
		return false
	}
	digest := func(b []byte) []byte {
		h := s.hash.New()
		h.Write(b)
		return h.Sum(nil)
	}
	return bytes.Equal(s.nameHash, digest(issuer.RawSubject)) && bytes.Equal(s.keyHash, digest(publicKeyBits(issuer)))
}

// publicKeyBits is the key itself within SubjectPublicKeyInfo.
func publicKeyBits(cert *x509.Certificate) []byte {
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &info); err != nil {
		return nil
	}
	return info.Key.Bytes
}

// ProducedAt is when the answer was signed.
func (o *OCSP) ProducedAt() time.Time { return o.producedAt }

// status is what the answer says about a certificate; ok is false where it does
// not speak about it, does not know it, or was signed by somebody else.
func (o *OCSP) status(cert, issuer *x509.Certificate) (s RevocationStatus, ok bool) {
	i := slices.IndexFunc(o.responses, func(r singleResponse) bool { return r.about(cert, issuer) })
	if i < 0 {
		return s, false
	}
	r := o.responses[i]
	if !r.good && r.revokedAt.IsZero() || !o.signedFor(issuer) {
		return s, false
	}
	s = RevocationStatus{
		Certificate: cert, Source: "OCSP", ThisUpdate: r.this, NextUpdate: r.next, RevokedAt: r.revokedAt, Reason: r.reason,
	}
	// As with lists: "good" said after the certificate had ended says nothing.
	return s, !r.good || !r.this.After(cert.NotAfter)
}

// signedFor reports whether the issuer signed the answer, or somebody whom it
// appointed for that (RFC 6960 section 4.2.2.2).
func (o *OCSP) signedFor(issuer *x509.Certificate) bool {
	if o.signedBy(issuer) {
		return true
	}
	for _, raw := range o.certificates {
		cert, err := x509.ParseCertificate(raw.raw)
		if err != nil || !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) || outside(cert, o.producedAt) {
			continue
		}
		if bytes.Equal(cert.RawIssuer, issuer.RawSubject) && cert.CheckSignatureFrom(issuer) == nil && o.signedBy(cert) {
			return true
		}
	}
	return false
}

func (o *OCSP) signedBy(cert *x509.Certificate) bool {
	if checkKey(cert.PublicKey) != nil {
		return false
	}
	h, err := o.algorithm.ownHash()
	if err != nil {
		return false
	}
	s, err := o.algorithm.scheme(h)
	if err != nil {
		return false
	}
	w := h.New()
	w.Write(o.tbs)
	return s.check(cert.PublicKey, h, w.Sum(nil), o.value) == nil
}
