//go:build crosscheck

package pades_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing/pades"
	"docaxis/signing/pades/padestest"
)

// TestPdfsigAgrees compares with pdfsig of poppler, which knows the test's authority:
// the same signatures, covering as much, as intact and as trusted.
func TestPdfsigAgrees(t *testing.T) {
	w := newWorld(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// NSS believes in signers of mail only.
	mail := func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
		c.EmailAddresses = []string{"a@example.org"}
	}
	w.person = sealtest.Issue(t, w.root, "Nguyen Van Thu", key, mail)
	w.agency = sealtest.Issue(t, w.root, "Uy ban", sealtest.P256(t), mail)
	nss := trusting(t, w.root)
	stranger := sealtest.New(t, sealtest.Root(t, "Stranger"), "Stranger")
	spoilt := w.signedTwice(false).B
	spoilt[bytes.Index(spoilt, []byte("Noi dung"))] ^= 1
	for name, b := range map[string][]byte{
		"tables":        w.signedTwice(false).B,
		"streams":       w.signedTwice(true).B,
		"packed":        packed().Sign(w.by("Person", w.person)).B,
		"linearised":    (&padestest.Doc{Writer: linearised(true), Root: map[string]string{}, Leaf: map[string]string{}, Next: 8}).Sign(w.by("Person", w.person)).B,
		"spoilt":        spoilt,
		"of a stranger": padestest.NewDoc().End().Sign(w.by("Stranger", stranger)).B,
		"unsigned":      padestest.NewDoc().End().B,
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := w.inspect(b), pdfsig(t, nss, b)
			if len(ours.Signatures) != len(theirs) {
				t.Fatalf("%d signatures, theirs %q", len(ours.Signatures), theirs)
			}
			for i, s := range ours.Signatures {
				compare(t, s, theirs[i])
			}
		})
	}
}

func compare(t *testing.T, s pades.Signature, theirs string) {
	t.Helper()
	whole := strings.Contains(theirs, "Total document signed") && !strings.Contains(theirs, "Not total document signed")
	if whole != s.WholeFile {
		t.Errorf("whole file: %v, theirs %s", s.WholeFile, theirs)
	}
	intact := s.Verdict.SubIndication != "HASH_FAILURE"
	if intact != strings.Contains(theirs, "Signature is Valid") {
		t.Errorf("%s, theirs %s", s.Verdict.SubIndication, theirs)
	}
	if s.Verdict.Passed() != (intact && strings.Contains(theirs, "Certificate is Trusted")) {
		t.Errorf("%s, theirs %s", s.Verdict.Indication, theirs)
	}
	if !strings.Contains(theirs, "Field Name: "+s.Field) {
		t.Errorf("%s, theirs %s", s.Field, theirs)
	}
}

// trusting makes a database of NSS with one authority.
func trusting(t *testing.T, root sealtest.Seal) string {
	dir := t.TempDir()
	file := filepath.Join(dir, "root.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "certutil", "-N", "-d", "sql:"+dir, "--empty-password")
	run(t, "certutil", "-A", "-d", "sql:"+dir, "-n", "root", "-t", "CT,C,C", "-i", file)
	return dir
}

// pdfsig is what it says about each signature.
func pdfsig(t *testing.T, nss string, b []byte) []string {
	file := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdfsig", "-nssdir", "sql:"+nss, file).CombinedOutput()
	if _, missing := err.(*exec.Error); missing {
		t.Fatal(err)
	}
	parts := strings.Split(string(out), "\nSignature #")
	return parts[1:]
}

// run runs a program; a machine without it fails the test, because who asks for this
// check must not be told that it passed.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
