package signing_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

func cryptoDefects(b *bench) []defect {
	return []defect{
		{"certificate missing", b.change(func(f *forgery) { f.certs = nil }), nil, signing.NoSigningCertificateFound},
		{"certificate of another only", b.change(func(f *forgery) { f.certs = []*x509.Certificate{b.other.Certificate()} }), nil, signing.NoSigningCertificateFound},
		{"digest by MD5", b.change(func(f *forgery) { f.digest = algorithm(oidMD5) }), nil, signing.CryptoConstraintsFailure},
		{"digest by SHA-1", b.change(func(f *forgery) { f.digest = algorithm(oidSHA1) }), nil, signing.CryptoConstraintsFailure},
		{"signature by SHA-1", b.byRSA(func(f *forgery) { f.signature = algorithm(oidSHA1WithRSA) }), nil, signing.CryptoConstraintsFailure},
		{"signature by another digest", b.byRSA(func(f *forgery) { f.signature = algorithm(oidSHA384WithRSA) }), nil, signing.CryptoConstraintsFailure},
		{"PSS by default, SHA-1", b.byRSA(func(f *forgery) { f.signature = algorithm(oidPSS, sequence()) }), nil, signing.CryptoConstraintsFailure},
		{"PSS with a mask by SHA-1", b.byRSA(func(f *forgery) { f.signature = pss(oidSHA256, oidSHA1, 32) }), nil, signing.CryptoConstraintsFailure},
		{"PSS without salt", b.byRSA(func(f *forgery) { f.signature = pss(oidSHA256, oidSHA256, 0) }), nil, signing.CryptoConstraintsFailure},
		{"RSA of 1024 bits", func(t testing.TB) *forgery {
			f := forge(sealtest.Issue(t, b.root, "Weak", rsaKey(t, 1024), nil), b.content)
			f.signature = algorithm(oidRSA)
			return f
		}, nil, signing.CryptoConstraintsFailure},
		{"RSA of 16384 bits", func(t testing.TB) *forgery { return hugeKey(t, b) }, nil, signing.CryptoConstraintsFailure},
		{"P-521", func(t testing.TB) *forgery {
			key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			return forge(sealtest.Issue(t, b.root, "P-521", key, nil), b.content)
		}, nil, signing.CryptoConstraintsFailure},
		{"Ed25519", func(t testing.TB) *forgery {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			f := forge(sealtest.Issue(t, b.root, "Ed25519", key, nil), b.content)
			f.signOptions = crypto.Hash(0)
			return f
		}, nil, signing.CryptoConstraintsFailure},
		{"another content", func(testing.TB) *forgery { return forge(b.seal, []byte("another content")) }, nil, signing.HashFailure},
		{"another content, and a stranger", func(testing.TB) *forgery { return forge(b.stranger, []byte("another content")) }, nil, signing.HashFailure},
		{"value of another key", b.change(func(f *forgery) { f.signer = b.other.Key }), nil, signing.SigCryptoFailure},
		{"value is noise", b.change(func(f *forgery) { f.value = []byte("noise") }), nil, signing.SigCryptoFailure},
		{"value by ECDSA, certificate of RSA", b.byRSA(func(f *forgery) {
			f.signature, f.signer = algorithm(oidECDSAWithSHA2), b.seal.Key
		}), nil, signing.SigCryptoFailure},
		{"value by RSA, certificate of ECDSA", b.change(func(f *forgery) {
			f.signature, f.signer = algorithm(oidSHA256WithRSA), b.rsa.Key
		}), nil, signing.SigCryptoFailure},
	}
}
