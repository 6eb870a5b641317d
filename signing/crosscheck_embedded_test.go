//go:build crosscheck

package signing_test

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"

	"docaxis/signing"
)

// TestOpenSSLUsesEmbeddedLists: lists within a signature count for OpenSSL as they do
// here.
func TestOpenSSLUsesEmbeddedLists(t *testing.T) {
	w := newWorld(t, []byte("content"))
	for name, tt := range map[string]struct {
		crls   []byte
		passes bool
	}{
		"none": {nil, false}, "in order": {tlv(0xa1, crlOf(w.root), crlOf(w.middle)), true},
		"revoked": {tlv(0xa1, crlOf(w.root), crlOf(w.middle, w.seal)), false}, "for one of two": {tlv(0xa1, crlOf(w.middle)), false},
	} {
		f := w.signature(t)
		f.crls = tt.crls
		der := f.der(t)
		v := judge(t, der, w.content, signing.Options{Anchors: []*x509.Certificate{w.root.Certificate()}, Revocation: new(signing.Revocation)})
		out, err := exec.Command("openssl", "cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER", "-attime", "1795226400", "-crl_check_all",
			"-in", writeFile(t, der), "-content", writeFile(t, w.content), "-CAfile", writeFile(t, certificates(w.root.Certificate())), "-out", os.DevNull).CombinedOutput()
		if v.Passed() != tt.passes || (err == nil) != tt.passes {
			t.Errorf("%s: %s here; there %v: %s", name, v.SubIndication, err, out)
		}
	}
}
