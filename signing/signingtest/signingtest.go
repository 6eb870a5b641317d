// Package signingtest owns authorities for tests and demonstrations: one that
// issues certificates and says which are revoked, and one that makes time-stamps.
// Their keys live in memory; nobody must trust them.
//
//	root, err := signingtest.NewRoot("Root", from, until)
//	seal, err := root.Issue("Seal", nil, nil)
//	tsa, err := root.NewTimestampAuthority("TSA", time.Now)
//	response := tsa.Respond(request)
package signingtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// Identity is a key with its certificates: its own first, then its issuers, the
// root last.
type Identity struct {
	Key   crypto.Signer
	Chain []*x509.Certificate
}

// Certificate is its own.
func (i Identity) Certificate() *x509.Certificate { return i.Chain[0] }

// NewRoot makes a self-signed authority with a P-256 key that is in force from one
// time until another, as is what it issues.
func NewRoot(name string, from, until time.Time) (Identity, error) {
	return issue(Identity{}, name, nil, func(c *x509.Certificate) {
		Authority(c)
		c.NotBefore, c.NotAfter = from, until
	})
}

// Authority makes a template that of an authority, which may issue certificates
// and revocation lists.
func Authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
}

// Issue makes a certificate, for documents unless change says otherwise, in force
// as long as the issuer's. Where key is nil, a P-256 key is made; change may be
// nil.
func (i Identity) Issue(name string, key crypto.Signer, change func(*x509.Certificate)) (Identity, error) {
	return issue(i, name, key, change)
}

func issue(by Identity, name string, key crypto.Signer, change func(*x509.Certificate)) (Identity, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return Identity{}, err
	}
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return Identity{}, err
		}
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: name},
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	parent, signer := template, key
	if by.Key != nil {
		parent, signer = by.Certificate(), by.Key
		template.NotBefore, template.NotAfter = parent.NotBefore, parent.NotAfter
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return Identity{}, fmt.Errorf("signingtest: issue %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Identity{}, fmt.Errorf("signingtest: issue %s: %w", name, err)
	}
	return Identity{key, append([]*x509.Certificate{cert}, by.Chain...)}, nil
}
