package hubtest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"time"
)

// NewSeal writes a self-signed P-256 seal of an agency, key and certificate, into
// a PEM file, and gives the certificate, DER. A real agency gets its seal from
// its certification service.
func NewSeal(path, code string) ([]byte, error) {
	return NewSealFrom(path, code, time.Now().AddDate(0, 0, -1))
}

// NewSealFrom is NewSeal with the moment from which the seal is valid, for two years.
func NewSealFrom(path, code string, from time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return newSeal(path, code, from, key)
}

// NewRSASeal is NewSeal with a key of RSA-2048, as most seals in use have.
func NewRSASeal(path, code string) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return newSeal(path, code, time.Now().AddDate(0, 0, -1), key)
}

func newSeal(path, code string, from time.Time, key crypto.Signer) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "Con dấu số " + code, Country: []string{"VN"}},
		NotBefore:    from, NotAfter: from.AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("marshal a key: %w", err)
	}
	var out bytes.Buffer
	for _, b := range []*pem.Block{{Type: "PRIVATE KEY", Bytes: der}, {Type: "CERTIFICATE", Bytes: cert}} {
		if err := pem.Encode(&out, b); err != nil {
			return nil, err
		}
	}
	return cert, os.WriteFile(path, out.Bytes(), 0o600)
}
