//go:build crosscheck

package command

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenSSLsRevocationData: signatures, lists and answers that OpenSSL makes are
// judged by the auditor as OpenSSL judges them.
func TestOpenSSLsRevocationData(t *testing.T) {
	a := newAuthority(t)
	at := func(name string) string { return filepath.Join(a.dir, name) }
	openssl := func(args ...string) error {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = a.dir
		out, err := cmd.CombinedOutput()
		if _, exited := err.(*exec.ExitError); err != nil && !exited {
			t.Fatal(err)
		}
		if err != nil {
			err = fmt.Errorf("openssl %v: %w\n%s", args, err, out)
		}
		return err
	}
	for name, key := range map[string]any{"root.key": a.root.Key, "seal.key": a.seal.Key} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		a.must(t, err)
		a.put(t, name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	a.sealFile(t)
	a.put(t, "openssl.cnf", []byte("[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ncrlnumber = number\ncertificate = root.crt\nprivate_key = root.key\n"+
		"default_md = sha256\ndefault_crl_days = 30\n"))
	a.put(t, "number", []byte("01\n"))
	a.put(t, "index.txt.attr", []byte("unique_subject = no\n"))
	a.must(t, openssl("cms", "-sign", "-cades", "-binary", "-outform", "DER", "-in", "a.txt", "-signer", "seal.crt", "-inkey", "seal.key", "-out", "a.txt.p7s"))
	serial := fmt.Sprintf("%X", a.seal.Certificate().SerialNumber)
	serial = strings.Repeat("0", len(serial)%2) + serial
	for state, want := range map[string]struct {
		code int
		says string
	}{"V\t450101000000Z\t": {Passed, "was not revoked at"}, "R\t450101000000Z\t260101000000Z,keyCompromise": {Indeterminate, "REVOKED_NO_POE"}} {
		a.put(t, "index.txt", []byte(state+"\t"+serial+"\tunknown\t/CN=Seal\n"))
		a.must(t, openssl("ca", "-gencrl", "-config", "openssl.cnf", "-out", "crl.pem"))
		a.must(t, openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", "made.crl"))
		a.must(t, openssl("ocsp", "-index", "index.txt", "-CA", "root.crt", "-rsigner", "root.crt", "-rkey", "root.key",
			"-issuer", "root.crt", "-cert", "seal.crt", "-respout", "made.ocsp", "-ndays", "3", "-noverify"))
		for _, file := range []string{"crl.pem", "made.crl", "made.ocsp"} {
			if code, out, errs := a.verify(t, "--anchor", at("root.crt"), "--revocation", at(file)); code != want.code || !strings.Contains(out, want.says) {
				t.Errorf("%s, %s: exit %d, %s%s", state[:1], file, code, out, errs)
			}
		}
		both := []byte{}
		for _, name := range []string{"root.crt", "crl.pem"} {
			b, err := os.ReadFile(at(name))
			a.must(t, err)
			both = append(both, b...)
		}
		a.put(t, "both.pem", both)
		theirs := openssl("cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER", "-in", "a.txt.p7s", "-content", "a.txt",
			"-CAfile", "both.pem", "-crl_check", "-out", os.DevNull)
		if (theirs == nil) != (want.code == Passed) {
			t.Errorf("%s: %v", state[:1], theirs)
		}
	}
}
