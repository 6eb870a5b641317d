//go:build crosscheck

package signing_test

import (
	"crypto/x509"
	"os/exec"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// TestOpenSSLAccepts: what Sign makes passes a verifier that is not ours.
func TestOpenSSLAccepts(t *testing.T) {
	root := sealtest.Root(t, "Root")
	content := []byte("content\r\nwith lines")
	for name, seal := range map[string]sealtest.Seal{
		"RSA-2048": sealtest.Issue(t, root, "Seal", rsaKey(t, 2048), nil),
		"RSA-3072": sealtest.Issue(t, root, "Seal", rsaKey(t, 3072), nil),
		"P-256":    sealtest.New(t, root, "Seal"),
	} {
		t.Run(name, func(t *testing.T) {
			signature := must(signing.Sign(content, seal.Key, seal.Chain))
			openssl(t, "cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER",
				"-in", writeFile(t, signature), "-content", writeFile(t, content),
				"-CAfile", writeFile(t, certificates(root.Certificate())))
		})
	}
}

// TestOpenSSLAccepted: what it makes passes ours.
func TestOpenSSLAccepted(t *testing.T) {
	root := sealtest.Root(t, "Root")
	content := []byte("content")
	onRSA := sealtest.Issue(t, root, "Seal", rsaKey(t, 2048), nil)
	tests := map[string]struct {
		seal    sealtest.Seal
		options []string
	}{
		"RSA":            {onRSA, nil},
		"RSA, SHA-512":   {onRSA, []string{"-md", "sha512"}},
		"PSS":            {onRSA, []string{"-keyopt", "rsa_padding_mode:pss"}},
		"P-256":          {sealtest.New(t, root, "Seal"), nil},
		"subject key id": {keyedSeal(t, root), []string{"-keyid"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out := writeFile(t, nil)
			key := pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(tt.seal.Key)))
			openssl(t, append([]string{
				"cms", "-sign", "-cades", "-binary", "-outform", "DER", "-in", writeFile(t, content),
				"-signer", writeFile(t, certificates(tt.seal.Certificate())), "-inkey", writeFile(t, key), "-out", out,
			}, tt.options...)...)
			v := judge(t, readFile(t, out), content, anchoredAt(root))
			if !v.Passed() {
				t.Errorf("%s/%s: %s", v.Indication, v.SubIndication, v.Detail)
			}
		})
	}
}

func keyedSeal(t *testing.T, root sealtest.Seal) sealtest.Seal {
	return sealtest.Issue(t, root, "Seal", sealtest.P256(t), func(c *x509.Certificate) { c.SubjectKeyId = []byte("key id") })
}

// openssl runs the program; a machine without it fails the test, because who asks
// for this check must not be told that it passed.
func openssl(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
}
