//go:build crosscheck

package evidence

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// TestOpenSSLAgrees does by hand what proto/evidence.proto says that anybody can.
// Without openssl it fails: a check that was not made is not a check passed.
func TestOpenSSLAgrees(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	must(t, err)
	w := newWorld(t)
	raw, err := w.h41.Sign(consignment())
	must(t, err)
	ev := new(axispb.Evidence)
	must(t, proto.Unmarshal(raw, ev))
	cert, err := x509.ParseCertificate(ev.Certificate)
	must(t, err)
	key, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	must(t, err)

	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, b, 0o600))
		return path
	}
	keyFile := file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: key}))
	certFile := file("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ev.Certificate}))
	caFile := file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.cert.Raw}))
	sigFile := file("signature", ev.Signature)
	signed := append([]byte("docaxis/evidence/v1\n"), ev.Statement...)
	signedFile := file("signed", signed)
	signed[len(signed)-1] ^= 1
	alteredFile := file("altered", signed)

	run := func(args ...string) (string, error) {
		out, err := exec.Command(openssl, args...).CombinedOutput()
		return string(out), err
	}
	if out, err := run("dgst", "-sha256", "-verify", keyFile, "-signature", sigFile, signedFile); err != nil {
		t.Errorf("openssl refuses the signature: %v\n%s", err, out)
	}
	if out, err := run("dgst", "-sha256", "-verify", keyFile, "-signature", sigFile, alteredFile); err == nil {
		t.Errorf("openssl accepts altered bytes:\n%s", out)
	}
	if out, err := run("verify", "-no_check_time", "-CAfile", caFile, certFile); err != nil {
		t.Errorf("openssl refuses the certificate: %v\n%s", err, out)
	}
}
