package signing_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docaxis/signing"
)

// golden are signatures that OpenSSL 3.0 made over testdata/content.txt, by
// certificates that testdata/root.pem issued:
//
//	openssl cms -sign -cades -binary -outform DER
//
// with -keyopt rsa_padding_mode:pss for the one, and -stream for the BER.
func golden(t testing.TB, name string) (signature, content []byte, o signing.Options) {
	t.Helper()
	block, _ := pem.Decode(readFile(t, filepath.Join("testdata", "root.pem")))
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	o = signing.Options{At: root.NotBefore.AddDate(0, 1, 0), Anchors: []*x509.Certificate{root}}
	return readFile(t, filepath.Join("testdata", name)), readFile(t, filepath.Join("testdata", "content.txt")), o
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	for name, want := range map[string]signing.SubIndication{
		"rsa.p7s":     "",
		"pss.p7s":     "",
		"p256.p7s":    "",
		"sha1.p7s":    signing.CryptoConstraintsFailure,
		"noattr.p7s":  signing.FormatFailure,
		"nocades.p7s": signing.SigConstraintsFailure,
		"ber.p7s":     signing.FormatFailure,
	} {
		t.Run(name, func(t *testing.T) {
			signature, content, o := golden(t, name)
			v := judge(t, signature, content, o)
			if v.SubIndication != want {
				t.Errorf("got %s (%s), want %s", v.SubIndication, v.Detail, want)
			}
		})
	}
}

// anchorOf is the certificate in a file.
func anchorOf(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	certs, err := signing.LoadCertificates(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return certs[0]
}

// TestGoldenTimestamp: a signature with a time-stamp, and the same in BER, keep
// their meaning from one version to the next.
func TestGoldenTimestamp(t *testing.T) {
	root := anchorOf(t, "time-root.pem")
	trust := signing.NewTrust([]*x509.Certificate{root}, nil)
	_, content, _ := golden(t, "p256.p7s")
	for _, name := range []string{"stamped.p7s", "stamped-ber.p7s"} {
		signature := readFile(t, filepath.Join("testdata", name))
		v := judge(t, signature, content, signing.Options{At: root.NotBefore.AddDate(1, 0, 0), Trust: trust, Timestamping: trust})
		if !v.Passed() || v.TimeSource != signing.TimeTimestamp {
			t.Errorf("%s: %s (%s) by %s", name, v.SubIndication, v.Detail, v.TimeSource)
		}
		mustEqualTime(t, v.Time, root.NotBefore.AddDate(0, 6, 0).Add(time.Second))
	}
}
