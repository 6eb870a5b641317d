package signing_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// bench has what the forgeries are made with.
type bench struct {
	content  []byte
	root     sealtest.Seal
	stranger sealtest.Seal
	seal     sealtest.Seal
	other    sealtest.Seal
	rsa      sealtest.Seal
}

func newBench(t *testing.T) *bench {
	root := sealtest.Root(t, "Root")
	return &bench{
		content:  []byte("the content"),
		root:     root,
		stranger: sealtest.New(t, sealtest.Root(t, "Nobody"), "Stranger"),
		seal:     sealtest.New(t, root, "Seal"),
		other:    sealtest.New(t, root, "Other"),
		rsa:      sealtest.Issue(t, root, "RSA", rsaKey(t, 2048), nil),
	}
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certified is a forgery by a certificate that a template change made special.
func (b *bench) certified(t *testing.T, change func(*x509.Certificate)) *forgery {
	return forge(sealtest.Issue(t, b.root, "Special", sealtest.P256(t), change), b.content)
}

// TestRefusedSignatures makes one mistake at a time in a signature that is good
// otherwise, and wants the answer of ETSI EN 319 102-1.
func TestRefusedSignatures(t *testing.T) {
	b := newBench(t)
	without := func(i int) func(t *testing.T) *forgery {
		return func(*testing.T) *forgery {
			f := forge(b.seal, b.content)
			f.attributes = append(f.attributes[:i:i], f.attributes[i+1:]...)
			return f
		}
	}
	twice := func(i int) func(t *testing.T) *forgery {
		return func(*testing.T) *forgery {
			f := forge(b.seal, b.content)
			f.attributes = append(f.attributes, f.attributes[i])
			return f
		}
	}
	with := func(i int, attr []byte) func(t *testing.T) *forgery {
		return func(*testing.T) *forgery {
			f := forge(b.seal, b.content)
			f.attributes[i] = attr
			return f
		}
	}
	change := func(c func(*forgery)) func(t *testing.T) *forgery {
		return func(*testing.T) *forgery {
			f := forge(b.seal, b.content)
			c(f)
			return f
		}
	}
	spoil := func(c func([]byte) []byte) func(t *testing.T) *forgery {
		return change(func(f *forgery) { f.spoil = c })
	}
	byRSA := func(c func(*forgery)) func(t *testing.T) *forgery {
		return func(*testing.T) *forgery {
			f := forge(b.rsa, b.content)
			f.signature = algorithm(oidSHA256WithRSA)
			c(f)
			return f
		}
	}
	special := func(c func(*x509.Certificate)) func(t *testing.T) *forgery {
		return func(t *testing.T) *forgery { return b.certified(t, c) }
	}
	const (
		contentType = iota
		messageDigest
		signingTime
		bound
	)
	tests := []struct {
		name string
		make func(t *testing.T) *forgery
		want signing.SubIndication
	}{
		{"empty", spoil(func([]byte) []byte { return nil }), signing.FormatFailure},
		{"cut", spoil(func(d []byte) []byte { return d[:len(d)-1] }), signing.FormatFailure},
		{"bytes behind the end", spoil(func(d []byte) []byte { return append(d, 0) }), signing.FormatFailure},
		{"two signatures in a row", spoil(func(d []byte) []byte { return append(d, d...) }), signing.FormatFailure},
		{"over 1 MiB", spoil(func([]byte) []byte { return octets(make([]byte, signing.MaxSize)) }), signing.FormatFailure},
		{"nested too deep", spoil(func([]byte) []byte { return nested(40) }), signing.FormatFailure},
		{"too many elements", spoil(func([]byte) []byte { return tlv(0x30, bytes.Repeat([]byte{5, 0}, 20_001)) }), signing.FormatFailure},
		{"tag of several bytes", spoil(func([]byte) []byte { return []byte{0x3f, 0x01, 0} }), signing.FormatFailure},
		{"string in pieces", change(func(f *forgery) { f.sid = tlv(0x24, octets([]byte("a"))) }), signing.FormatFailure},
		{"sequence not constructed", change(func(f *forgery) { f.sid = tlv(0x10) }), signing.FormatFailure},
		{"not SignedData", change(func(f *forgery) { f.outer = oidEnvelopedData }), signing.FormatFailure},
		{"content inside", change(func(f *forgery) {
			f.encap = sequence(marshal(oidData), tlv(0xa0, octets(b.content)))
		}), signing.FormatFailure},
		{"content is no data", change(func(f *forgery) { f.encap = sequence(marshal(oidSignedData)) }), signing.FormatFailure},
		{"nobody signed", change(func(f *forgery) { f.copies = 0 }), signing.FormatFailure},
		{"too many signers", change(func(f *forgery) { f.copies = 17 }), signing.FormatFailure},
		{"too many certificates", change(func(f *forgery) {
			for range 40 {
				f.certs = append(f.certs, b.seal.Certificate())
			}
		}), signing.FormatFailure},
		{"no signed attributes", change(func(f *forgery) { f.attributes = nil }), signing.FormatFailure},
		{"no content-type", without(contentType), signing.FormatFailure},
		{"content-type twice", twice(contentType), signing.FormatFailure},
		{"another content-type", with(contentType, attribute(oidContentType, marshal(oidSignedData))), signing.FormatFailure},
		{"no message-digest", without(messageDigest), signing.FormatFailure},
		{"message-digest twice", twice(messageDigest), signing.FormatFailure},
		{"message-digest of two values", with(messageDigest,
			attribute(oidMessageDigest, octets(make([]byte, 32)), octets(make([]byte, 32)))), signing.FormatFailure},
		{"message-digest of no value", with(messageDigest, attribute(oidMessageDigest)), signing.FormatFailure},
		{"signing-time twice", twice(signingTime), signing.FormatFailure},
		{"signing-time is no time", with(signingTime, attribute(oidSigningTime, octets([]byte("noon")))), signing.FormatFailure},
		{"signing-certificate-v2 twice", twice(bound), signing.FormatFailure},
		{"signing-certificate-v2 unreadable", with(bound, attribute(oidSigningCertV2, octets([]byte("x")))), signing.FormatFailure},
		{"no signing-certificate-v2", without(bound), signing.SigConstraintsFailure},
		{"signing-certificate-v2 of another", with(bound, attribute(oidSigningCertV2, boundTo(b.other.Certificate()))), signing.NoSigningCertificateFound},
		{"signing-certificate-v2 with a wrong serial number", with(bound, attribute(oidSigningCertV2,
			boundWithSerial(b.seal.Certificate(), big.NewInt(7)))), signing.NoSigningCertificateFound},
		{"signing-certificate-v2 by SHA-1", with(bound, attribute(oidSigningCertV2,
			sequence(sequence(sequence(algorithm(oidSHA1), octets(make([]byte, 20))))))), signing.CryptoConstraintsFailure},
		{"certificate missing", change(func(f *forgery) { f.certs = nil }), signing.NoSigningCertificateFound},
		{"certificate of another only", change(func(f *forgery) { f.certs = []*x509.Certificate{b.other.Certificate()} }), signing.NoSigningCertificateFound},
		{"digest by MD5", change(func(f *forgery) { f.digest = algorithm(oidMD5) }), signing.CryptoConstraintsFailure},
		{"digest by SHA-1", change(func(f *forgery) { f.digest = algorithm(oidSHA1) }), signing.CryptoConstraintsFailure},
		{"signature by SHA-1", byRSA(func(f *forgery) { f.signature = algorithm(oidSHA1WithRSA) }), signing.CryptoConstraintsFailure},
		{"signature by another digest", byRSA(func(f *forgery) { f.signature = algorithm(oidSHA384WithRSA) }), signing.CryptoConstraintsFailure},
		{"PSS by default, SHA-1", byRSA(func(f *forgery) { f.signature = algorithm(oidPSS, sequence()) }), signing.CryptoConstraintsFailure},
		{"PSS with a mask by SHA-1", byRSA(func(f *forgery) { f.signature = pss(oidSHA256, oidSHA1, 32) }), signing.CryptoConstraintsFailure},
		{"PSS without salt", byRSA(func(f *forgery) { f.signature = pss(oidSHA256, oidSHA256, 0) }), signing.CryptoConstraintsFailure},
		{"RSA of 1024 bits", func(t *testing.T) *forgery {
			f := forge(sealtest.Issue(t, b.root, "Weak", rsaKey(t, 1024), nil), b.content)
			f.signature = algorithm(oidRSA)
			return f
		}, signing.CryptoConstraintsFailure},
		{"RSA of 16384 bits", func(t *testing.T) *forgery { return hugeKey(t, b) }, signing.CryptoConstraintsFailure},
		{"P-521", func(t *testing.T) *forgery {
			key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			return forge(sealtest.Issue(t, b.root, "P-521", key, nil), b.content)
		}, signing.CryptoConstraintsFailure},
		{"Ed25519", func(t *testing.T) *forgery {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			f := forge(sealtest.Issue(t, b.root, "Ed25519", key, nil), b.content)
			f.signOptions = crypto.Hash(0)
			return f
		}, signing.CryptoConstraintsFailure},
		{"another content", func(*testing.T) *forgery { return forge(b.seal, []byte("another content")) }, signing.HashFailure},
		{"another content, and a stranger", func(*testing.T) *forgery { return forge(b.stranger, []byte("another content")) }, signing.HashFailure},
		{"value of another key", change(func(f *forgery) { f.signer = b.other.Key }), signing.SigCryptoFailure},
		{"value is noise", change(func(f *forgery) { f.value = []byte("noise") }), signing.SigCryptoFailure},
		{"value by ECDSA, certificate of RSA", byRSA(func(f *forgery) {
			f.signature, f.signer = algorithm(oidECDSAWithSHA2), b.seal.Key
		}), signing.SigCryptoFailure},
		{"value by RSA, certificate of ECDSA", change(func(f *forgery) {
			f.signature, f.signer = algorithm(oidSHA256WithRSA), b.rsa.Key
		}), signing.SigCryptoFailure},
		{"stranger", func(*testing.T) *forgery { return forge(b.stranger, b.content) }, signing.NoCertificateChainFound},
		{"self-signed", func(t *testing.T) *forgery { return forge(sealtest.New(t, sealtest.Seal{}, "Self"), b.content) }, signing.NoCertificateChainFound},
		{"expired", special(func(c *x509.Certificate) { c.NotAfter = sealtest.At.Add(-time.Second) }), signing.OutOfBoundsNoPOE},
		{"not yet valid", special(func(c *x509.Certificate) { c.NotBefore = sealtest.At.Add(time.Second) }), signing.OutOfBoundsNoPOE},
		{"not for signing", special(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), signing.ChainConstraintsFailure},
		{"unknown critical extension", special(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}), signing.CertificateChainGeneralFailure},
		{"issued with a weak key", func(t *testing.T) *forgery {
			weak := sealtest.Issue(t, b.root, "Weak", rsaKey(t, 1024), authority)
			f := forge(sealtest.New(t, weak, "Below"), b.content)
			f.certs = append(f.certs, weak.Certificate())
			return f
		}, signing.CryptoConstraintsFailure},
		{"issued by what is no authority", func(t *testing.T) *forgery {
			f := forge(sealtest.New(t, b.seal, "Grandchild"), b.content)
			f.certs = append(f.certs, b.seal.Certificate())
			return f
		}, signing.ChainConstraintsFailure},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(t, tt.make(t).der(t), b.content, anchoredAt(b.root))
			if v.SubIndication != tt.want || v.Indication != tt.want.Indication() || v.Passed() {
				t.Errorf("got %s/%s (%s), want %s/%s", v.Indication, v.SubIndication, v.Detail, tt.want.Indication(), tt.want)
			}
			if v.Detail == "" {
				t.Error("no detail")
			}
		})
	}
}

// TestFence: what would make reading expensive is refused before it is read, and
// for that reason.
func TestFence(t *testing.T) {
	tests := []struct {
		name, want string
		signature  []byte
	}{
		{"size", "at most 1048576", octets(make([]byte, signing.MaxSize))},
		{"depth", "nested more than 32 deep", nested(33)},
		{"elements", "more than 20000 elements", tlv(0x30, bytes.Repeat([]byte{5, 0}, 20_000))},
		{"long tag", "tag of several bytes", []byte{0x3f, 0x01, 0}},
		{"string in pieces", "does not occur in DER", tlv(0x24)},
		{"flat sequence", "does not occur in DER", tlv(0x10)},
		{"indefinite", "indefinite", []byte{0x30, 0x80, 0, 0}},
		{"6 MB of open sequences", "at most 1048576", bytes.Repeat([]byte{0x30, 0x80}, 3_000_000)},
		{"length not in its shortest form", "shortest form", longLength(tlv(0x30, make([]byte, 200)))},
		{"length of 5 bytes", "too early", []byte{0x30, 0x85, 1, 1, 1, 1, 1}},
		{"length over its parent", "too early", []byte{0x30, 2, 4, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(t, tt.signature, nil, signing.Options{DER: true})
			if v.SubIndication != signing.FormatFailure || !strings.Contains(v.Detail, tt.want) {
				t.Errorf("%s: %s", v.SubIndication, v.Detail)
			}
		})
	}
}

// authority is a template of an intermediate authority.
func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

// longLength writes the outermost length with a zero in front.
func longLength(der []byte) []byte {
	return append([]byte{0x30, der[1] + 1, 0}, der[2:]...)
}

func nested(depth int) []byte {
	var der []byte
	for range depth {
		der = tlv(0x30, der)
	}
	return der
}

func boundWithSerial(cert *x509.Certificate, serial *big.Int) []byte {
	bound := boundTo(cert)[6:] // inside the three sequences
	issuer := sequence(tlv(0xa4, cert.RawIssuer))
	return sequence(sequence(sequence(bound, sequence(issuer, marshal(serial)))))
}

func pss(hash, mask asn1.ObjectIdentifier, salt int) []byte {
	return algorithm(oidPSS, sequence(
		tlv(0xa0, algorithm(hash)),
		tlv(0xa1, algorithm(oidMGF1, algorithm(mask))),
		tlv(0xa2, marshal(salt))))
}

// hugeKey names a certificate whose key would take very long to compute with.
func hugeKey(t *testing.T, b *bench) *forgery {
	n := new(big.Int).Lsh(big.NewInt(1), 16383)
	n.SetBit(n, 0, 1)
	f := forge(sealtest.IssuePublic(t, b.root, "Huge", &rsa.PublicKey{N: n, E: 1<<31 - 1}), b.content)
	f.signature = algorithm(oidSHA256WithRSA)
	f.value = make([]byte, 16384/8)
	return f
}

// TestHugeIntermediate: a certificate that costs much must not be computed with
// either where it only offers to vouch for the signer.
func TestHugeIntermediate(t *testing.T) {
	b := newBench(t)
	n := new(big.Int).Lsh(big.NewInt(1), 16383)
	n.SetBit(n, 0, 1)
	huge := sealtest.IssuePublic(t, b.root, "Nobody", &rsa.PublicKey{N: n, E: 1<<31 - 1})
	f := forge(b.stranger, b.content)
	f.certs = append(f.certs, huge.Certificate())
	v := judge(t, f.der(t), b.content, anchoredAt(b.root))
	if v.SubIndication != signing.CryptoConstraintsFailure {
		t.Errorf("got %s (%s)", v.SubIndication, v.Detail)
	}
}
