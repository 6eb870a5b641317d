package signing_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// benchSigners are those whose rate the design names.
func benchSigners(b testing.TB) (root sealtest.Seal, seals map[string]sealtest.Seal) {
	root = sealtest.Root(b, "Root")
	middle := sealtest.Issue(b, root, "Middle", sealtest.P256(b), authority)
	return root, map[string]sealtest.Seal{
		"P-256":    sealtest.New(b, middle, "Seal"),
		"RSA-2048": sealtest.Issue(b, middle, "Seal", rsaKey(b, 2048), nil),
	}
}

// BenchmarkVerify is checks a second on one core: 2 KB of content, the signer and
// an intermediate in the signature. "of-bare" compares each with the cryptography
// alone, which no check can be faster than. Both are measured in turns, so that
// whatever else the machine does touches both; run with -cpu 1.
func BenchmarkVerify(b *testing.B) {
	root, seals := benchSigners(b)
	content := make([]byte, 2048)
	anchors := []*x509.Certificate{root.Certificate()}
	for name, seal := range seals {
		signature := must(signing.Sign(content, seal.Key, seal.Chain))
		trust := signing.NewTrust(anchors, nil)
		for kind, options := range map[string]signing.Options{
			"chain remembered": {At: sealtest.At, Trust: trust},
			"chain built":      {At: sealtest.At, Anchors: anchors},
			"pinned":           pinned(seal),
		} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				inTurns(b, bare(b, seal), func() {
					verdicts, err := signing.Verify(signature, content, options)
					if err != nil || !verdicts[0].Passed() {
						b.Fatal(verdicts, err)
					}
				}, "checks/s", 1)
			})
		}
	}
}

// inTurns runs a yardstick and what is measured by it, and reports how many units
// the second does a second, and at which part of the speed of the first.
func inTurns(b *testing.B, yardstick, measured func(), unit string, units float64) {
	b.Helper()
	b.ReportAllocs()
	var bare, own time.Duration
	for b.Loop() {
		start := time.Now()
		yardstick()
		between := time.Now()
		measured()
		bare, own = bare+between.Sub(start), own+time.Since(between)
	}
	b.ReportMetric(units*float64(b.N)/own.Seconds(), unit)
	b.ReportMetric(bare.Seconds()/own.Seconds(), "of-bare")
}

// bare checks one signature value over one digest.
func bare(b *testing.B, seal sealtest.Seal) func() {
	digest := sha256.Sum256(nil)
	value := must(seal.Key.Sign(rand.Reader, digest[:], crypto.SHA256))
	return func() {
		ok := false
		switch k := seal.Certificate().PublicKey.(type) {
		case *ecdsa.PublicKey:
			ok = ecdsa.VerifyASN1(k, digest[:], value)
		case *rsa.PublicKey:
			ok = rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], value) == nil
		}
		if !ok {
			b.Fatal("no signature")
		}
	}
}

// BenchmarkStream is a check over 500 MiB beside SHA-256 alone, in turns. What is
// allocated stays where it is for 2 KB (TestContentIsStreamed).
func BenchmarkStream(b *testing.B) {
	const size = 500 << 20
	root, seals := benchSigners(b)
	o := anchoredAt(root)
	content := func() io.Reader { return io.LimitReader(zeros{}, size) }
	hashed := func() []byte {
		h := sha256.New()
		if _, err := io.Copy(h, content()); err != nil {
			b.Fatal(err)
		}
		return h.Sum(nil)
	}
	f := forge(seals["P-256"], nil)
	f.attributes[atMessageDigest] = attribute(oidMessageDigest, octets(hashed()))
	f.certs = append(f.certs, seals["P-256"].Chain[1])
	signature := f.der(b)
	inTurns(b, func() { hashed() }, func() {
		verdicts, err := signing.VerifyReader(signature, content(), o)
		if err != nil || !verdicts[0].Passed() {
			b.Fatal(verdicts, err)
		}
	}, "MB/s", size/1e6)
}

// BenchmarkTimestamped is a check with a time-stamp: two signatures, two chains.
func BenchmarkTimestamped(b *testing.B) {
	root, seals := benchSigners(b)
	content := make([]byte, 2048)
	timeRoot, tsa := authorityOf(b)
	signature := must(signing.Sign(content, seals["P-256"].Key, seals["P-256"].Chain))
	signature = must(signing.AddTimestamp(signature, 0, ask(tsa, crypto.SHA256)))
	o := signing.Options{
		At: sealtest.At, Trust: signing.NewTrust([]*x509.Certificate{root.Certificate()}, nil),
		Timestamping: signing.NewTrust([]*x509.Certificate{timeRoot.Certificate()}, nil),
	}
	b.ReportAllocs()
	for b.Loop() {
		verdicts, err := signing.Verify(signature, content, o)
		if err != nil || !verdicts[0].Passed() || verdicts[0].TimeSource != signing.TimeTimestamp {
			b.Fatal(verdicts, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}
