package signing_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

func TestSignedPasses(t *testing.T) {
	root := sealtest.Root(t, "Root")
	keys := map[string]crypto.Signer{
		"RSA-2048": rsaKey(t, 2048),
		"RSA-3072": rsaKey(t, 3072),
		"P-256":    sealtest.P256(t),
		"P-384":    p384Key(t),
	}
	middle := sealtest.Issue(t, root, "Middle", sealtest.P256(t), authority)
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			seal := sealtest.Issue(t, middle, "Ủy ban nhân dân", key, nil)
			content := []byte("nội dung")
			signature, err := signing.Sign(content, seal.Key, seal.Chain)
			if err != nil {
				t.Fatal(err)
			}
			v := judge(t, signature, content, anchoredAt(root))
			if !v.Passed() || v.SubIndication != "" {
				t.Fatalf("%s/%s: %s", v.Indication, v.SubIndication, v.Detail)
			}
			if v.Pinned || len(v.Chain) != 3 || !v.Chain[2].Equal(root.Certificate()) || !v.Signer.Equal(seal.Certificate()) {
				t.Errorf("chain of %d, pinned %v", len(v.Chain), v.Pinned)
			}
			if v.ClaimedTime.IsZero() || v.TimeSource != signing.TimeGiven {
				t.Errorf("claimed %v, source %s", v.ClaimedTime, v.TimeSource)
			}
			mustEqualTime(t, v.Time, sealtest.At)
			if v := judge(t, signature, []byte("nội dung khác"), anchoredAt(root)); v.SubIndication != signing.HashFailure {
				t.Errorf("other content: %s", v.SubIndication)
			}
		})
	}
}

func p384Key(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPinnedNeedsNoChain(t *testing.T) {
	seal := sealtest.New(t, sealtest.Root(t, "Unknown root"), "Seal")
	f := forge(seal, []byte("content"))
	v := judge(t, f.der(t), []byte("content"), pinned(seal))
	if !v.Passed() || !v.Pinned || len(v.Chain) != 1 {
		t.Errorf("%s/%s, pinned %v", v.Indication, v.SubIndication, v.Pinned)
	}
	f.certs = nil
	if v := judge(t, f.der(t), []byte("content"), pinned(seal)); !v.Passed() {
		t.Errorf("certificate left out: %s (%s)", v.SubIndication, v.Detail)
	}
	late := pinned(seal)
	late.At = sealtest.NotAfter.Add(time.Second)
	if v := judge(t, f.der(t), []byte("content"), late); v.SubIndication != signing.OutOfBoundsNoPOE {
		t.Errorf("pinned and expired: %s", v.SubIndication)
	}
}

// TestWholeChainAtTheGivenTime: the time relied on counts for every link, not
// the machine's.
func TestWholeChainAtTheGivenTime(t *testing.T) {
	root := sealtest.Root(t, "Root")
	middle := sealtest.Issue(t, root, "Middle", sealtest.P256(t), func(c *x509.Certificate) {
		authority(c)
		c.NotAfter = c.NotBefore.AddDate(0, 6, 0)
	})
	f := forge(sealtest.New(t, middle, "Seal"), []byte("content"))
	o := anchoredAt(root)
	o.Intermediates = []*x509.Certificate{middle.Certificate()}
	o.At = sealtest.NotBefore.AddDate(0, 3, 0)
	if v := judge(t, f.der(t), []byte("content"), o); !v.Passed() {
		t.Errorf("in time: %s (%s)", v.SubIndication, v.Detail)
	}
	o.At = sealtest.NotBefore.AddDate(0, 9, 0)
	if v := judge(t, f.der(t), []byte("content"), o); v.Indication != signing.Indeterminate {
		t.Errorf("too late: %s", v.Indication)
	}
}

// TestNoAnchorsTrustsNobody: without anchors the machine's own must not be used.
func TestNoAnchorsTrustsNobody(t *testing.T) {
	b := newBench(t)
	v := judge(t, forge(b.seal, b.content).der(t), b.content, signing.Options{})
	if v.SubIndication != signing.NoCertificateChainFound {
		t.Errorf("got %s", v.SubIndication)
	}
}

// TestForeignForms: what Sign does not make, and others do.
func TestForeignForms(t *testing.T) {
	b := newBench(t)
	content := b.content
	rsaBy := func(alg []byte, opts crypto.SignerOpts) *forgery {
		f := forge(b.rsa, content)
		f.signature, f.signOptions = alg, opts
		return f
	}
	withSerial := forge(b.seal, content)
	withSerial.attributes[3] = attribute(oidSigningCertV2, boundWithSerial(b.seal.Certificate(), b.seal.Certificate().SerialNumber))
	unsigned := forge(b.seal, content)
	unsigned.unsigned = tlv(0xa1, attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, sequence()))
	lookalike := forge(b.seal, content)
	lookalike.certs = append([]*x509.Certificate{sameName(t, b.seal.Certificate())}, lookalike.certs...)
	tests := map[string]*forgery{
		"rsaEncryption":              rsaBy(algorithm(oidRSA, []byte{5, 0}), nil),
		"PSS":                        rsaBy(pss(oidSHA256, oidSHA256, 32), &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}),
		"subject key id":             byKeyID(t, content),
		"issuerSerial":               withSerial,
		"unsigned attributes":        unsigned,
		"another with the same name": lookalike,
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			o := anchoredAt(b.root, f.seal)
			if v := judge(t, f.der(t), content, o); !v.Passed() {
				t.Errorf("%s/%s: %s", v.Indication, v.SubIndication, v.Detail)
			}
		})
	}
}

// byKeyID names its signer by the subject key identifier.
func byKeyID(t *testing.T, content []byte) *forgery {
	f := forge(sealtest.Issue(t, sealtest.Seal{}, "Keyed", sealtest.P256(t), func(c *x509.Certificate) {
		c.SubjectKeyId = []byte("key id")
	}), content)
	f.sid = tlv(0x80, f.seal.Certificate().SubjectKeyId)
	return f
}

// sameName makes a certificate with another key that has the same issuer and
// serial number.
func sameName(t *testing.T, cert *x509.Certificate) *x509.Certificate {
	by := sealtest.Root(t, cert.Issuer.CommonName)
	return sealtest.Issue(t, by, "Lookalike", sealtest.P256(t), func(c *x509.Certificate) {
		c.SerialNumber = cert.SerialNumber
	}).Certificate()
}

func TestOneVerdictPerSigner(t *testing.T) {
	b := newBench(t)
	f := forge(b.seal, b.content)
	f.copies = 3
	verdicts, err := signing.Verify(f.der(t), b.content, anchoredAt(b.root))
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != 3 || !verdicts[2].Passed() {
		t.Errorf("%d verdicts", len(verdicts))
	}
}

func TestNoTime(t *testing.T) {
	if _, err := signing.Verify(nil, nil, signing.Options{}); !errors.Is(err, signing.ErrNoTime) {
		t.Errorf("got %v", err)
	}
}

// TestOneBitChanged changes each byte of a signature. What still passes must have
// changed where nothing is stated: versions and the list of digest algorithms.
func TestOneBitChanged(t *testing.T) {
	b := newBench(t)
	der := forge(b.seal, b.content).der(t)
	passed := 0
	for i := range der {
		for _, bit := range []byte{1, 0x80} {
			der[i] ^= bit
			v := judge(t, der, b.content, anchoredAt(b.root))
			der[i] ^= bit
			if !v.Passed() {
				continue
			}
			passed++
			if !v.Signer.Equal(b.seal.Certificate()) {
				t.Errorf("byte %d: another signer passed", i)
			}
		}
	}
	// Two version bytes, and 9 bytes of an OID and its tag, under two bits each.
	if passed > 30 {
		t.Errorf("%d changes went unnoticed", passed)
	}
	if v := judge(t, der, b.content, anchoredAt(b.root)); !v.Passed() {
		t.Errorf("unchanged: %s", v.SubIndication)
	}
}

func TestSignRefuses(t *testing.T) {
	root := sealtest.Root(t, "Root")
	seal, other := sealtest.New(t, root, "Seal"), sealtest.New(t, root, "Other")
	if _, err := signing.Sign(nil, seal.Key, other.Chain); !errors.Is(err, signing.ErrKeyMismatch) {
		t.Errorf("another's certificate: %v", err)
	}
	if _, err := signing.Sign(nil, seal.Key, nil); err == nil {
		t.Error("signed without a certificate")
	}
	if _, err := signing.Sign(nil, seal.Key, slices.Repeat(seal.Chain, 17)); err == nil {
		t.Error("signed with 34 certificates")
	}
	weak := sealtest.Issue(t, root, "Weak", rsaKey(t, 1024), nil)
	if _, err := signing.Sign(nil, weak.Key, weak.Chain); err == nil {
		t.Error("signed with RSA-1024")
	}
}

func TestSentences(t *testing.T) {
	b := newBench(t)
	passed := judge(t, forge(b.seal, b.content).der(t), b.content, anchoredAt(b.root))
	if got := passed.Sentence("vi"); got != "Chữ ký của Seal hợp lệ; chứng thư số có hiệu lực tại thời điểm 2026-11-21T09:00:00+07:00." {
		t.Error(got)
	}
	if got := passed.Sentence("en"); got != "The signature of Seal is valid; the certificate was in force at 2026-11-21T09:00:00+07:00." {
		t.Error(got)
	}
	seen := map[string]signing.SubIndication{}
	for _, sub := range append(signing.SubIndications(), "", "UNKNOWN") {
		for _, lang := range []string{"vi", "en"} {
			s := signing.Verdict{SubIndication: sub, Time: sealtest.At}.Sentence(lang)
			if other, ok := seen[s]; ok {
				t.Errorf("%q and %q say the same: %s", sub, other, s)
			}
			if seen[s] = sub; s == "" || strings.ContainsAny(s, "{}") {
				t.Errorf("%q in %s: %q", sub, lang, s)
			}
		}
	}
}
