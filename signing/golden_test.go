package signing_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

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

// FuzzVerify has signatures whose certificates are fixed, so that what one
// process finds means the same in another.
func FuzzVerify(f *testing.F) {
	_, content, o := golden(f, "p256.p7s")
	for _, name := range []string{"rsa.p7s", "pss.p7s", "p256.p7s", "sha1.p7s", "noattr.p7s", "nocades.p7s", "ber.p7s"} {
		signature, _, _ := golden(f, name)
		f.Add(signature)
	}
	f.Add(nested(40))
	f.Fuzz(func(t *testing.T, signature []byte) {
		verdicts, err := signing.Verify(signature, content, o)
		if err != nil || len(verdicts) == 0 {
			t.Fatalf("%d verdicts, %v", len(verdicts), err)
		}
		for _, v := range verdicts {
			if v.Passed() != (v.SubIndication == "") || v.Passed() && v.Chain[0].Subject.CommonName != "Seal" {
				t.Errorf("%s/%s by %v", v.Indication, v.SubIndication, v.Signer.Subject)
			}
		}
	})
}
