package vxp

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docaxis/internal/sealtest"
)

// write puts a new pair where the listener's is, dated later than the last.
func write(t *testing.T, c *certificate, dated time.Time) []byte {
	t.Helper()
	seal := sealtest.Root(t, "vxp")
	key, err := x509.MarshalPKCS8PrivateKey(seal.Key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		c.certFile: {Type: "CERTIFICATE", Bytes: seal.Certificate().Raw}, c.keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, dated, dated); err != nil {
			t.Fatal(err)
		}
	}
	return seal.Certificate().Raw
}

// A certificate that is replaced while the endpoint runs is taken up; half of a new pair
// leaves the old one in use.
func TestAReplacedCertificateIsTakenUp(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	c := &certificate{certFile: filepath.Join(dir, "c.pem"), keyFile: filepath.Join(dir, "k.pem"), log: slog.New(slog.DiscardHandler)}
	first := write(t, c, now.Add(-time.Hour))
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	shown := func(what string, want []byte) {
		t.Helper()
		c.looked = now.Add(-2 * lookEvery)
		got, err := c.get(nil)
		if err != nil || !bytes.Equal(got.Certificate[0], want) {
			t.Errorf("%s: another certificate, %v", what, err)
		}
	}
	shown("unchanged", first)
	if err := os.WriteFile(c.keyFile, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown("half of a pair", first)
	shown("replaced", write(t, c, now.Add(time.Hour)))
}
