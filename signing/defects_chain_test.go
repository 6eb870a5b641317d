package signing_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

func chainDefects(b *bench) []defect {
	return []defect{
		{"stranger", func(testing.TB) *forgery { return forge(b.stranger, b.content) }, nil, signing.NoCertificateChainFound},
		{"self-signed", func(t testing.TB) *forgery { return forge(sealtest.New(t, sealtest.Seal{}, "Self"), b.content) }, nil, signing.NoCertificateChainFound},
		{"expired", b.special(func(c *x509.Certificate) { c.NotAfter = sealtest.At.Add(-time.Second) }), nil, signing.OutOfBoundsNoPOE},
		{"not yet valid", b.special(func(c *x509.Certificate) { c.NotBefore = sealtest.At.Add(time.Second) }), nil, signing.OutOfBoundsNoPOE},
		{"not for signing", b.special(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), nil, signing.ChainConstraintsFailure},
		{"unknown critical extension", b.special(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}), nil, signing.CertificateChainGeneralFailure},
		{"issued with a weak key", func(t testing.TB) *forgery {
			weak := sealtest.Issue(t, b.root, "Weak", rsaKey(t, 1024), authority)
			f := forge(sealtest.New(t, weak, "Below"), b.content)
			f.certs = append(f.certs, weak.Certificate())
			return f
		}, nil, signing.CryptoConstraintsFailure},
		{"issued by what is no authority", func(t testing.TB) *forgery {
			f := forge(sealtest.New(t, b.seal, "Grandchild"), b.content)
			f.certs = append(f.certs, b.seal.Certificate())
			return f
		}, nil, signing.ChainConstraintsFailure},
	}
}
