package cmd_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"docaxis/internal/hubtest"
)

// folders are an axis with its agencies and two endpoints that joined it, none of
// them running: what most scripts begin with.
type folders struct{ dir string }

// founded are the names of the endpoints' folders, and their codes.
func founded() map[string]string {
	return map[string]string{"ministry": "G02", "commune": "H41.11.05"}
}

// found makes the folders once, in this process.
func found(t *testing.T) folders {
	t.Helper()
	f := folders{t.TempDir()}
	w, err := hubtest.New(t.Context(), hubtest.Config{Dir: f.dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range founded() {
		if _, err := w.Enrol(t.Context(), code); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// copyInto gives a script its own copy, at an address of its own.
//
//	founded
func (f folders) copyInto(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: founded")
	}
	address := ts.Getenv("ADDRESS")
	_, port, err := net.SplitHostPort(address)
	ts.Check(err)
	ts.Check(os.CopyFS(ts.MkAbs("axis"), os.DirFS(filepath.Join(f.dir, "axis"))))
	ts.Check(private(ts.MkAbs("axis/keys")))
	ts.Check(replace(ts.MkAbs("axis/axis.toml"), `(?m)^listen = .*`, fmt.Sprintf("listen = %q", address)))
	for name, code := range founded() {
		ts.Check(os.CopyFS(ts.MkAbs(name), os.DirFS(filepath.Join(f.dir, "endpoint-"+code))))
		ts.Check(replace(ts.MkAbs(name+"/identity/identity.toml"), `(?m)^address = .*`, fmt.Sprintf("address = %q", "localhost:"+port)))
	}
}

// private gives keys the modes that a copy loses.
func private(keys string) error {
	files, err := os.ReadDir(keys)
	for _, f := range files {
		err = errors.Join(err, os.Chmod(filepath.Join(keys, f.Name()), 0o600))
	}
	return errors.Join(err, os.Chmod(keys, 0o700))
}

func replace(path, pattern, by string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	p := regexp.MustCompile(pattern)
	if !p.Match(text) {
		return fmt.Errorf("%s has no %s", path, pattern)
	}
	return os.WriteFile(path, p.ReplaceAllLiteral(text, []byte(by)), 0o600)
}

func writeSeal(path, code, password string) error {
	der, err := hubtest.NewSeal(path+".pem", code)
	if err != nil {
		return err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(path+".crt", cert, 0o600); err != nil || password == "" {
		return err
	}
	text, err := os.ReadFile(path + ".pem")
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	p12, err := pkcs12.Modern.Encode(key.(*ecdsa.PrivateKey), own, nil, password)
	if err != nil {
		return err
	}
	return os.WriteFile(path+".p12", p12, 0o600)
}
