//go:build crosscheck

package asic_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing/asic"
)

// TestOthersOpenTheContainer: an ordinary unzip and OpenSSL suffice to check a
// container, as docs say.
func TestOthersOpenTheContainer(t *testing.T) {
	root := sealtest.Root(t, "Root")
	c, _ := sealed(t, sealtest.New(t, root, "Seal"))
	var b bytes.Buffer
	if err := asic.WriteContainer(&b, c); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "document.asice"), b.Bytes())
	write(t, filepath.Join(dir, "root.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw}))
	run(t, dir, "unzip", "-q", "document.asice")
	run(t, dir, "openssl", "cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER",
		"-in", asic.SignatureName, "-content", asic.ManifestName, "-CAfile", "root.pem", "-out", os.DevNull)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts a program; a machine without it fails the test, because who asks for
// this check must not be told that it passed.
func run(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}
