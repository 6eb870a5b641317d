package signing_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

var (
	oidTSTInfo   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSignTime  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSigningCe = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	stampedAt    = sealtest.At.Add(-24 * time.Hour)
)

// stamps is a token in its parts, for the forger.
type stamps struct {
	version  []byte
	policy   []byte
	imprint  []byte
	serial   []byte
	time     []byte
	optional [][]byte
}

func (s *stamps) der() []byte {
	return sequence(append([][]byte{s.version, s.policy, s.imprint, s.serial, s.time}, s.optional...)...)
}

func generalized(t time.Time) []byte { return tlv(0x18, []byte(t.UTC().Format("20060102150405Z"))) }

// forgeToken makes a token over content, in which each part may be spoiled first.
func forgeToken(tsa signingtest.Identity, content []byte, change func(*stamps), changeForgery func(*forgery)) *forgery {
	sum := sha256.Sum256(content)
	s := &stamps{
		version: marshal(1), policy: marshal(signingtest.Policy), serial: marshal(7), time: generalized(stampedAt),
		imprint: sequence(algorithm(oidSHA256), octets(sum[:])), optional: [][]byte{sequence(marshal(1)), marshal(42)},
	}
	if change != nil {
		change(s)
	}
	info := s.der()
	f := forge(sealtest.Seal(tsa), info)
	f.encap = sequence(marshal(oidTSTInfo), tlv(0xa0, octets(info)))
	f.attributes[atContentType] = attribute(oidContentType, marshal(oidTSTInfo))
	if changeForgery != nil {
		changeForgery(f)
	}
	return f
}

func newTSA(t testing.TB, by signingtest.Identity, change func(*x509.Certificate)) signingtest.Identity {
	t.Helper()
	return must(by.Issue("TSA", nil, func(c *x509.Certificate) {
		signingtest.Timestamping(c)
		if change != nil {
			change(c)
		}
	}))
}

// usages replaces the extended key usage of a template.
func usages(isCritical bool, oids ...asn1.ObjectIdentifier) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: isCritical, Value: marshal(oids)}}
	}
}

// tokenDefect is one mistake in a time-stamp.
type tokenDefect struct {
	name  string
	token *forgery
	want  signing.SubIndication
}

func tokenDefects(t testing.TB, root signingtest.Identity, content []byte) []tokenDefect {
	tsa := newTSA(t, root, nil)
	info := func(c func(*stamps)) *forgery { return forgeToken(tsa, content, c, nil) }
	cms := func(c func(*forgery)) *forgery { return forgeToken(tsa, content, nil, c) }
	by := func(c func(*x509.Certificate)) *forgery { return forgeToken(newTSA(t, root, c), content, nil, nil) }
	timestamping, clientAuth := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	stranger := must(signingtest.NewRoot("Nobody", sealtest.NotBefore, sealtest.NotAfter))
	return []tokenDefect{
		{"of another content", forgeToken(tsa, []byte("another"), nil, nil), signing.HashFailure},
		{"imprint by SHA-1", info(func(s *stamps) { s.imprint = sequence(algorithm(oidSHA1), octets(make([]byte, 20))) }), signing.CryptoConstraintsFailure},
		{"imprint by MD5", info(func(s *stamps) { s.imprint = sequence(algorithm(oidMD5), octets(make([]byte, 16))) }), signing.CryptoConstraintsFailure},
		{"version 2", info(func(s *stamps) { s.version = marshal(2) }), signing.FormatFailure},
		{"no policy", info(func(s *stamps) { s.policy = nil }), signing.FormatFailure},
		{"other policy", info(func(s *stamps) { s.policy = marshal(asn1.ObjectIdentifier{2, 999, 1}) }), signing.SigConstraintsFailure},
		{"no nonce", info(func(s *stamps) { s.optional = s.optional[:1] }), signing.SigConstraintsFailure},
		{"other nonce", info(func(s *stamps) { s.optional[1] = marshal(43) }), signing.SigConstraintsFailure},
		{"no serial number", info(func(s *stamps) { s.serial = nil }), signing.FormatFailure},
		{"no time", info(func(s *stamps) { s.time = tlv(0x18, []byte("noon")) }), signing.FormatFailure},
		{"local time", info(func(s *stamps) { s.time = tlv(0x18, []byte("20261120090000+0700")) }), signing.FormatFailure},
		{"later than now", info(func(s *stamps) { s.time = generalized(after) }), signing.TimestampOrderFailure},
		{"before its authority", info(func(s *stamps) { s.time = generalized(sealtest.NotBefore.Add(-time.Second)) }), signing.OutOfBoundsNoPOE},
		{"accuracy out of range", info(func(s *stamps) { s.optional[0] = sequence(marshal(-1)) }), signing.FormatFailure},
		{"accuracy of 1000 milliseconds", info(func(s *stamps) { s.optional[0] = sequence(tlv(0x80, []byte{3, 0xe8})) }), signing.FormatFailure},
		{"unknown critical extension", info(func(s *stamps) {
			s.optional = append(s.optional, tlv(0xa1, sequence(marshal(asn1.ObjectIdentifier{1, 2, 3}), []byte{1, 1, 0xff}, octets(nil))))
		}), signing.FormatFailure},
		{"named after another authority", info(func(s *stamps) {
			s.optional = append(s.optional, tlv(0xa0, tlv(0xa4, root.Certificate().RawSubject)))
		}), signing.SigConstraintsFailure},
		{"something behind", info(func(s *stamps) { s.optional = append(s.optional, marshal(1), marshal(2)) }), signing.FormatFailure},
		{"changed after signing", cms(func(f *forgery) { f.encap = bytes.Replace(f.encap, marshal(42), marshal(43), 1) }), signing.HashFailure},
		{"value is noise", cms(func(f *forgery) { f.value = []byte("noise") }), signing.SigCryptoFailure},
		{"no signed attributes in a token", cms(func(f *forgery) { f.attributes = nil }), signing.FormatFailure},
		{"content-type of data", cms(func(f *forgery) { f.attributes[atContentType] = attribute(oidContentType, marshal(oidData)) }), signing.FormatFailure},
		{"bound to another", cms(func(f *forgery) { f.attributes[atBound] = attribute(oidSigningCertV2, boundTo(root.Certificate())) }), signing.NoSigningCertificateFound},
		{"not bound", cms(func(f *forgery) { f.attributes = f.attributes[:atBound] }), signing.SigConstraintsFailure},
		{"certificate left out", cms(func(f *forgery) { f.certs = nil }), signing.NoSigningCertificateFound},
		{"two signers", cms(func(f *forgery) { f.copies = 2 }), signing.FormatFailure},
		{"encloses nothing", cms(func(f *forgery) { f.encap = sequence(marshal(oidTSTInfo)) }), signing.FormatFailure},
		{"encloses data", cms(func(f *forgery) { f.encap = sequence(marshal(oidData), tlv(0xa0, octets(nil))) }), signing.FormatFailure},
		{"by a seal", forgeToken(must(root.Issue("Seal", nil, nil)), content, nil, nil), signing.ChainConstraintsFailure},
		{"usage not critical", by(usages(false, timestamping)), signing.ChainConstraintsFailure},
		{"usage not alone", by(usages(true, timestamping, clientAuth)), signing.ChainConstraintsFailure},
		{"usage not alone, unknown", by(usages(true, timestamping, asn1.ObjectIdentifier{2, 999, 5})), signing.ChainConstraintsFailure},
		{"key for encryption, too", by(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }), signing.ChainConstraintsFailure},
		{"authority has ended", by(func(c *x509.Certificate) { c.NotAfter = sealtest.At.Add(-time.Second) }), signing.OutOfBoundsNoPOE},
		{"authority of a stranger", forgeToken(newTSA(t, stranger, nil), content, nil, nil), signing.NoCertificateChainFound},
		{"below a CA for other usages", forgeToken(newTSA(t, must(root.Issue("Web CA", nil, func(c *x509.Certificate) {
			signingtest.Authority(c)
			extended(x509.ExtKeyUsageServerAuth)(c)
		})), nil), content, nil, func(f *forgery) { f.certs = append(f.certs, f.seal.Chain[1]) }), signing.ChainConstraintsFailure},
	}
}

func timestampOptions(root signingtest.Identity) signing.TimestampOptions {
	return signing.TimestampOptions{
		At: sealtest.At, Trust: signing.NewTrust([]*x509.Certificate{root.Certificate()}, nil),
		Nonce: big.NewInt(42), Policies: []asn1.ObjectIdentifier{signingtest.Policy},
	}
}

// TestTokenDefects makes one mistake at a time in a time-stamp.
func TestTokenDefects(t *testing.T) {
	root := must(signingtest.NewRoot("Root", sealtest.NotBefore, sealtest.NotAfter))
	content := []byte("content")
	for _, d := range tokenDefects(t, root, content) {
		t.Run(d.name, func(t *testing.T) {
			v, err := signing.VerifyTimestamp(d.token.der(t), bytes.NewReader(content), timestampOptions(root))
			if err != nil {
				t.Fatal(err)
			}
			if v.SubIndication != d.want || v.Indication != d.want.Indication() || v.Passed() || v.Detail == "" || v.Chain != nil {
				t.Errorf("got %s/%s (%s), want %s", v.Indication, v.SubIndication, v.Detail, d.want)
			}
		})
	}
}

// TestTokensPass: what authorities in use send.
func TestTokensPass(t *testing.T) {
	root := must(signingtest.NewRoot("Root", sealtest.NotBefore, sealtest.NotAfter))
	tsa := newTSA(t, root, nil)
	content := []byte("content")
	for name, f := range map[string]*forgery{
		"plain": forgeToken(tsa, content, nil, nil),
		"with a fraction of a second": forgeToken(tsa, content, func(s *stamps) {
			s.time = tlv(0x18, []byte(stampedAt.UTC().Format("20060102150405")+".25Z"))
		}, nil),
		"with everything": forgeToken(tsa, content, func(s *stamps) {
			s.optional = [][]byte{
				sequence(marshal(1), tlv(0x80, []byte{1, 0xf4}), tlv(0x81, []byte{100})),
				{1, 1, 0xff},
				marshal(42),
				tlv(0xa0, tlv(0xa4, tsa.Certificate().RawSubject)), tlv(0xa1, sequence(marshal(asn1.ObjectIdentifier{1, 2, 3}), octets(nil))),
			}
		}, nil),
		"bound by signing-certificate, SHA-1": forgeToken(tsa, content, nil, func(f *forgery) {
			w := crypto.SHA1.New()
			w.Write(tsa.Certificate().Raw)
			f.attributes[atBound] = attribute(oidSigningCe, sequence(sequence(sequence(octets(w.Sum(nil))))))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			v, err := signing.VerifyTimestamp(f.der(t), bytes.NewReader(content), timestampOptions(root))
			if err != nil || !v.Passed() || !v.Signer.Equal(tsa.Certificate()) || v.Token.Hash != crypto.SHA256 {
				t.Fatalf("%s (%s), %v", v.SubIndication, v.Detail, err)
			}
			if v.Token.Time.Truncate(time.Second) != stampedAt || v.Token.Latest().Sub(v.Token.Time) < time.Second {
				t.Errorf("time %v, latest %v", v.Token.Time, v.Token.Latest())
			}
		})
	}
}

// TestTimestampNeedsItsCertificate: where the token leaves it out, it is taken from
// elsewhere, as from a PDF's dictionary of certificates.
func TestTimestampNeedsItsCertificate(t *testing.T) {
	root := must(signingtest.NewRoot("Root", sealtest.NotBefore, sealtest.NotAfter))
	tsa := newTSA(t, root, nil)
	f := forgeToken(tsa, []byte("content"), nil, func(f *forgery) { f.certs = nil })
	o := timestampOptions(root)
	o.Intermediates = []*x509.Certificate{tsa.Certificate()}
	v, err := signing.VerifyTimestamp(f.der(t), bytes.NewReader([]byte("content")), o)
	if err != nil || !v.Passed() {
		t.Errorf("%s (%s), %v", v.SubIndication, v.Detail, err)
	}
}
