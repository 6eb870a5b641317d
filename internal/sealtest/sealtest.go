// Package sealtest owns the certificates and keys that tests sign with.
package sealtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// NotBefore and NotAfter bound the validity of every certificate that is not
// changed; At lies between them.
var (
	NotBefore = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	NotAfter  = time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC)
	At        = time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
)

// Seal is a key with its certificates, its own first and the anchor last.
type Seal struct {
	Key   crypto.Signer
	Chain []*x509.Certificate
}

// Certificate is the seal's own certificate.
func (s Seal) Certificate() *x509.Certificate { return s.Chain[0] }

// P256 makes a key.
func P256(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Root makes a self-signed authority.
func Root(t testing.TB, name string) Seal {
	t.Helper()
	return Issue(t, Seal{}, name, P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign
	})
}

// New makes a P-256 seal of a name, issued by an authority.
func New(t testing.TB, by Seal, name string) Seal {
	t.Helper()
	return Issue(t, by, name, P256(t), nil)
}

// Issue makes a certificate for a key. The zero Seal as authority means
// self-signed; change, if not nil, changes the template first.
func Issue(t testing.TB, by Seal, name string, key crypto.Signer, change func(*x509.Certificate)) Seal {
	t.Helper()
	return issue(t, by, name, key, key.Public(), change)
}

// IssuePublic is Issue for a key of which only the public part exists.
func IssuePublic(t testing.TB, by Seal, name string, public crypto.PublicKey) Seal {
	t.Helper()
	return issue(t, by, name, nil, public, nil)
}

func issue(t testing.TB, by Seal, name string, key crypto.Signer, public crypto.PublicKey, change func(*x509.Certificate)) Seal {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    NotBefore,
		NotAfter:     NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if by.Key != nil {
		parent, signer = by.Certificate(), by.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Seal{key, append([]*x509.Certificate{cert}, by.Chain...)}
}
