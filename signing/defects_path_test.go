package signing_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"sync"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// below is a signature by a seal under an intermediate authority, made special by
// its template, with both certificates in the signature.
func (b *bench) below(key crypto.Signer, change, changeSeal func(*x509.Certificate)) maker {
	return func(t testing.TB) *forgery {
		if key == nil {
			key = sealtest.P256(t)
		}
		middle := sealtest.Issue(t, b.root, "Middle", key, func(c *x509.Certificate) {
			authority(c)
			change(c)
		})
		f := forge(sealtest.Issue(t, middle, "Seal", sealtest.P256(t), changeSeal), b.content)
		f.certs = append(f.certs, middle.Certificate())
		return f
	}
}

// pathDefects: a chain is there, and may not be one.
func pathDefects(t *testing.T, b *bench) []defect {
	named := func(c *x509.Certificate) { c.EmailAddresses = []string{"seal@elsewhere.example"} }
	unchanged := func(*x509.Certificate) {}
	rsaIssuer := rsaKey(t, 2048)
	return []defect{
		{"intermediate expired", b.below(nil, func(c *x509.Certificate) { c.NotAfter = sealtest.At.Add(-time.Second) }, nil), nil, signing.CertificateChainGeneralFailure},
		{"intermediate not yet valid", b.below(nil, func(c *x509.Certificate) { c.NotBefore = sealtest.At.Add(time.Second) }, nil), nil, signing.CertificateChainGeneralFailure},
		{"intermediate may not issue", b.below(nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }, nil), nil, signing.ChainConstraintsFailure},
		{"intermediate with an unknown critical extension", b.below(nil, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}, nil), nil, signing.CertificateChainGeneralFailure},
		{"name outside the permitted", b.below(nil, func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedEmailAddresses = true, []string{"gov.example"}
		}, named), nil, signing.ChainConstraintsFailure},
		{"name among the excluded", b.below(nil, func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.ExcludedEmailAddresses = true, []string{"elsewhere.example"}
		}, named), nil, signing.ChainConstraintsFailure},
		{"path too long", func(t testing.TB) *forgery {
			upper := sealtest.Issue(t, b.root, "Upper", sealtest.P256(t), func(c *x509.Certificate) {
				authority(c)
				c.MaxPathLenZero = true
			})
			lower := sealtest.Issue(t, upper, "Lower", sealtest.P256(t), authority)
			f := forge(sealtest.New(t, lower, "Seal"), b.content)
			f.certs = append(f.certs, upper.Certificate(), lower.Certificate())
			return f
		}, nil, signing.ChainConstraintsFailure},
		{"issued by SHA-1", b.below(rsaIssuer, unchanged, func(c *x509.Certificate) {
			c.SignatureAlgorithm = x509.SHA1WithRSA
		}), nil, signing.CryptoConstraintsFailure},
		{"intermediate left out", b.below(nil, unchanged, nil).without(1), nil, signing.NoCertificateChainFound},
		{"intermediate of the same name and another key", func(t testing.TB) *forgery {
			f := b.below(nil, unchanged, nil)(t)
			f.certs[1] = sealtest.Issue(t, b.root, "Middle", sealtest.P256(t), authority).Certificate()
			return f
		}, nil, signing.NoCertificateChainFound},
		{"chain that goes in a circle", func(t testing.TB) *forgery {
			first := sealtest.Issue(t, sealtest.Seal{}, "First", sealtest.P256(t), authority)
			second := sealtest.Issue(t, first, "Second", sealtest.P256(t), authority)
			again := sealtest.Issue(t, second, "First", first.Key, authority)
			f := forge(sealtest.New(t, first, "Seal"), b.content)
			f.certs = append(f.certs, second.Certificate(), again.Certificate())
			return f
		}, nil, signing.NoCertificateChainFound},
		{"only for servers", b.special(extended(x509.ExtKeyUsageServerAuth)), nil, signing.ChainConstraintsFailure},
		{"only for time-stamps", b.special(extended(x509.ExtKeyUsageTimeStamping)), nil, signing.ChainConstraintsFailure},
		{"only for revocation answers", b.special(extended(x509.ExtKeyUsageOCSPSigning)), nil, signing.ChainConstraintsFailure},
	}
}

type maker func(testing.TB) *forgery

// without leaves a certificate out.
func (m maker) without(i int) maker {
	return func(t testing.TB) *forgery {
		f := m(t)
		f.certs = append(f.certs[:i:i], f.certs[i+1:]...)
		return f
	}
}

func extended(u x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{u} }
}

// TestSeveralPaths: where one way to an anchor fails, another is taken.
func TestSeveralPaths(t *testing.T) {
	b := newBench(t)
	key := sealtest.P256(t)
	old := sealtest.Issue(t, b.root, "Middle", key, func(c *x509.Certificate) {
		authority(c)
		c.NotAfter = sealtest.At.Add(-time.Second)
	})
	renewed := sealtest.Issue(t, b.root, "Middle", key, authority)
	crossed := sealtest.Issue(t, sealtest.Root(t, "Nobody"), "Middle", key, authority)
	f := forge(sealtest.New(t, old, "Seal"), b.content)
	f.certs = append(f.certs, crossed.Certificate(), old.Certificate(), renewed.Certificate())
	v := judge(t, f.der(t), b.content, anchoredAt(b.root))
	if !v.Passed() || !v.Chain[1].Equal(renewed.Certificate()) {
		t.Errorf("%s (%s)", v.SubIndication, v.Detail)
	}
}

// TestTrustRemembers: what a Trust remembers gives the same answers as building
// the chain anew, also at other times and without the intermediate.
func TestTrustRemembers(t *testing.T) {
	b := newBench(t)
	end := sealtest.At.AddDate(0, 6, 0)
	f := b.below(nil, func(c *x509.Certificate) { c.NotAfter = end }, nil)(t)
	signature := f.der(t)
	trust := signing.NewTrust([]*x509.Certificate{b.root.Certificate()}, nil)
	o := signing.Options{At: sealtest.At, Trust: trust}
	for range 3 {
		if v := judge(t, signature, b.content, o); !v.Passed() || len(v.Chain) != 3 {
			t.Fatalf("%s (%s)", v.SubIndication, v.Detail)
		}
	}
	late := o
	late.At = end.Add(time.Second)
	if v := judge(t, signature, b.content, late); v.SubIndication != signing.CertificateChainGeneralFailure {
		t.Errorf("after the intermediate's end: %s", v.SubIndication)
	}
	if v := judge(t, signature, []byte("another"), o); v.SubIndication != signing.HashFailure {
		t.Errorf("another content: %s", v.SubIndication)
	}
	stranger := forge(b.stranger, b.content)
	stranger.certs = append(stranger.certs, f.certs...)
	if v := judge(t, stranger.der(t), b.content, o); v.SubIndication != signing.NoCertificateChainFound {
		t.Errorf("a stranger beside what is remembered: %s", v.SubIndication)
	}
	if v := judge(t, b.below(nil, authority, nil).without(1)(t).der(t), b.content, o); v.SubIndication != signing.NoCertificateChainFound {
		t.Errorf("another seal under an unknown intermediate: %s", v.SubIndication)
	}
	o.Anchors = []*x509.Certificate{b.root.Certificate()}
	if _, err := signing.Verify(signature, b.content, o); err != signing.ErrTwoTrusts {
		t.Errorf("two trusts: %v", err)
	}
}

// TestAnotherPathThanTheRemembered: where what is remembered was revoked, a way that
// another signature brings is taken.
func TestAnotherPathThanTheRemembered(t *testing.T) {
	w := newWorld(t, []byte("content"))
	renewed := must(w.root.Issue("Middle of revocation", w.middle.Key, signingtest.Authority))
	trust := signing.NewTrust([]*x509.Certificate{w.root.Certificate()}, nil)
	f := w.signature(t)
	o := signing.Options{Trust: trust}
	if v := judge(t, f.der(t), w.content, o); !v.Passed() {
		t.Fatal(v.Detail)
	}
	o.Revocation = &signing.Revocation{CRLs: []*signing.CRL{list(w.middle, before, after, 0), list(w.root, before, after, 1, w.middle)}}
	if v := judge(t, f.der(t), w.content, o); v.SubIndication != signing.RevokedCANoPOE {
		t.Errorf("by the revoked issuer: %s (%s)", v.SubIndication, v.Detail)
	}
	f.certs[1] = renewed.Certificate()
	if v := judge(t, f.der(t), w.content, o); !v.Passed() || !v.Chain[1].Equal(renewed.Certificate()) {
		t.Errorf("by the renewed issuer: %s (%s)", v.SubIndication, v.Detail)
	}
}

// TestLoadTrust reads files and folders, in both forms, and nothing else.
func TestLoadTrust(t *testing.T) {
	b := newBench(t)
	folder := t.TempDir()
	other := sealtest.Root(t, "Other root")
	writeTo(t, folder, "root.pem", certificates(b.root.Certificate()))
	writeTo(t, folder, "other.CER", other.Certificate().Raw)
	writeTo(t, folder, "README.txt", []byte("no certificate"))
	trust, err := signing.LoadTrust([]string{folder}, []string{writeFile(t, certificates(b.seal.Certificate()))})
	if err != nil {
		t.Fatal(err)
	}
	f := forge(b.seal, b.content)
	f.certs = nil
	if v := judge(t, f.der(t), b.content, signing.Options{Trust: trust}); !v.Passed() {
		t.Errorf("%s (%s)", v.SubIndication, v.Detail)
	}
	writeTo(t, folder, "bad.pem", []byte("no certificate"))
	if _, err := signing.LoadTrust([]string{folder}, nil); err == nil || !bytes.Contains([]byte(err.Error()), []byte("bad.pem")) {
		t.Errorf("a file that is none: %v", err)
	}
	if _, err := signing.LoadTrust(nil, []string{writeFile(t, pemBlock("NOTHING", nil))}); err == nil {
		t.Error("loaded a file without a certificate")
	}
	if _, err := signing.LoadTrust(nil, []string{folder + "/absent"}); err == nil {
		t.Error("loaded what is not there")
	}
}

// TestTrustIsShared: many check with one Trust at once, and each gets its own answer.
func TestTrustIsShared(t *testing.T) {
	b := newBench(t)
	o := signing.Options{At: sealtest.At, Trust: signing.NewTrust([]*x509.Certificate{b.root.Certificate()}, nil)}
	good, bad := b.below(nil, func(*x509.Certificate) {}, nil)(t).der(t), forge(b.stranger, b.content).der(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if !must(signing.Verify(good, b.content, o))[0].Passed() || must(signing.Verify(bad, b.content, o))[0].Passed() {
					t.Error("another answer")
				}
			}
		})
	}
	all.Wait()
}
