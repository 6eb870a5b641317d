package evidence

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// clockTolerance is how far a claimed time may lie outside the certificate's
// validity: the clocks of small offices are often a day off.
const clockTolerance = 24 * time.Hour

// parseCertificate reads an evidence certificate and the key in it.
func parseCertificate(der []byte) (*x509.Certificate, *ecdsa.PublicKey, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate cannot be parsed: %w", err)
	}
	key, err := p256(cert.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	return cert, key, nil
}

func p256(pub crypto.PublicKey) (*ecdsa.PublicKey, error) {
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("key is not ECDSA P-256")
	}
	return key, nil
}

// checkUse holds a certificate to be one for evidence: a leaf valid at the claimed
// time, an endpoint's (which is its TLS client certificate too) or the axis's own.
// The axis's server certificates, which the same CA issues, are none.
func checkUse(cert *x509.Certificate, at time.Time) error {
	switch {
	case cert.IsCA:
		return errors.New("certificate is a CA's")
	case !forEvidence(cert):
		return errors.New("certificate is neither an endpoint's nor the axis's for evidence")
	case len(cert.UnhandledCriticalExtensions) > 0:
		return errors.New("certificate has a critical extension that is not known")
	case at.Before(cert.NotBefore.Add(-clockTolerance)):
		return fmt.Errorf("certificate is valid from %s, after the claimed time", cert.NotBefore.UTC().Format(time.RFC3339))
	case at.After(cert.NotAfter.Add(clockTolerance)):
		return fmt.Errorf("certificate is valid until %s, before the claimed time", cert.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// forEvidence: the axis's own has no extended key usage, so that it never passes
// for an endpoint's connection.
func forEvidence(cert *x509.Certificate) bool {
	if cert.Subject.CommonName == AxisIssuer && len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
}

// verify checks an ECDSA P-256 signature with SHA-256 over prefix || message.
func verify(key *ecdsa.PublicKey, prefix string, message, signature []byte) bool {
	digest := prefixed(prefix, message)
	return ecdsa.VerifyASN1(key, digest[:], signature)
}

func prefixed(prefix string, message []byte) [32]byte {
	return sha256.Sum256(append([]byte(prefix), message...))
}
