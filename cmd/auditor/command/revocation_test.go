package command

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docaxis/auditor"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// authority is one whose list stands at an address of this machine.
type authority struct {
	dir         string
	root, seal  signingtest.Identity
	connections atomic.Int64
	list        atomic.Pointer[[]byte]
}

// Accept counts who comes.
type counted struct {
	net.Listener
	n *atomic.Int64
}

func (c counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	a.must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*a.list.Load()) })}
	done := make(chan error)
	go func() { done <- server.Serve(counted{listener, &a.connections}) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	a.root, err = signingtest.NewRoot("Gốc thử", time.Now().AddDate(-1, 0, 0), time.Now().AddDate(1, 0, 0))
	a.must(t, err)
	a.seal, err = a.root.Issue("Ủy ban nhân dân xã Thử", nil, func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{"http://" + listener.Addr().String() + "/root.crl"}
	})
	a.must(t, err)
	value, err := signing.Sign([]byte("Nội dung\n"), a.seal.Key, a.seal.Chain)
	a.must(t, err)
	a.put(t, "a.txt", []byte("Nội dung\n"))
	a.put(t, "a.txt.p7s", value)
	a.put(t, "root.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Certificate().Raw}))
	a.publish(t)
	return a
}

func (a *authority) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (a *authority) put(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	a.must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	a.must(t, os.WriteFile(path, b, 0o600))
	return path
}

func (a *authority) publish(t *testing.T, revoked ...signingtest.Revoked) []byte {
	t.Helper()
	list, err := a.root.CRL(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), revoked, nil)
	a.must(t, err)
	a.list.Store(&list)
	return list
}

func (a *authority) verify(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return run(t, append([]string{"verify", "--lang", "en", filepath.Join(a.dir, "a.txt.p7s")}, args...)...)
}

// TestNothingIsDialledUnlessAskedFor: without --online no connection is made, whatever
// else is given; with it none but to addresses that may be asked, about chains that lead
// to an anchor.
func TestNothingIsDialledUnlessAskedFor(t *testing.T) {
	a := newAuthority(t)
	anchor := filepath.Join(a.dir, "root.crt")
	list := a.put(t, "root.crl", *a.list.Load())
	stranger, err := signingtest.NewRoot("Gốc khác", time.Now().AddDate(-1, 0, 0), time.Now().AddDate(1, 0, 0))
	a.must(t, err)
	other := a.put(t, "other.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stranger.Certificate().Raw}))
	t.Setenv("HTTP_PROXY", a.seal.Certificate().CRLDistributionPoints[0])
	t.Setenv("TMPDIR", t.TempDir())
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
		any  bool
	}{
		{"nothing", []string{"--anchor", anchor}, Indeterminate, "TRY_LATER", false},
		{"a list at hand", []string{"--anchor", anchor, "--revocation", list}, Passed, "was not revoked at", false},
		{"an address within", []string{"--anchor", anchor, "--online"}, Indeterminate, "Could not get the CRL of CN=Gốc thử: ", false},
		{"nobody trusted", []string{"--online", "--allow", "127.0.0.0/8"}, Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", false},
		{"a stranger", []string{"--anchor", other, "--online", "--allow", "127.0.0.0/8"}, Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", false},
		{"the signer itself is trusted", []string{"--anchor", a.sealFile(t), "--online", "--allow", "127.0.0.0/8"}, Passed, "PASSED", false},
		{"asked for", []string{"--anchor", anchor, "--online", "--allow", "127.0.0.0/8"}, Passed, "was not revoked at", true},
	} {
		before := a.connections.Load()
		code, out, errs := a.verify(t, tt.args...)
		if code != tt.code || errs != "" || !strings.Contains(out, tt.says) {
			t.Errorf("%s: exit %d, %s%s", tt.name, code, out, errs)
		}
		if dialled := a.connections.Load() > before; dialled != tt.any {
			t.Errorf("%s: dialled: %v", tt.name, dialled)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("%d files left, %v", len(left), err)
	}
	// Whoever asks needs a folder for the answers: without one, asking is seen to be tried.
	t.Setenv("TMPDIR", filepath.Join(a.dir, "absent"))
	for want, args := range map[int][]string{Indeterminate: nil, Unusable: {"--online"}} {
		if code, out, errs := a.verify(t, append(args, "--anchor", anchor)...); code != want {
			t.Errorf("%v: exit %d, %s%s", args, code, out, errs)
		}
	}
	t.Setenv("TMPDIR", t.TempDir())
	a.publish(t, signingtest.Revoked{Certificate: a.seal.Certificate(), At: time.Now().Add(-time.Hour)})
	code, out, _ := a.verify(t, "--anchor", anchor, "--online", "--allow", "127.0.0.1", "--revocation", list)
	if code != Indeterminate || !strings.Contains(out, "REVOKED_NO_POE") {
		t.Errorf("a list at hand hides what is newer: exit %d, %s", code, out)
	}
}

func (a *authority) sealFile(t *testing.T) string {
	return a.put(t, "seal.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.seal.Certificate().Raw}))
}

// TestRevocationFiles: lists and answers, each in either form, in files and folders.
func TestRevocationFiles(t *testing.T) {
	a := newAuthority(t)
	anchor := filepath.Join(a.dir, "root.crt")
	from, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	answer, err := a.root.OCSP(a.root, a.seal.Certificate(), from, until, nil)
	a.must(t, err)
	old, err := a.root.CRL(from.Add(-time.Hour), from, nil, nil)
	a.must(t, err)
	good, revoked := *a.list.Load(), a.publish(t, signingtest.Revoked{Certificate: a.seal.Certificate(), At: from})
	armoured := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: good})
	a.put(t, "known/a.ocsp", answer)
	a.put(t, "known/b.crl", old)
	a.must(t, os.Mkdir(filepath.Join(a.dir, "empty"), 0o700))
	for _, tt := range []struct {
		name   string
		files  []string
		code   int
		sub    signing.SubIndication
		source string
		says   string
	}{
		{"DER", []string{a.put(t, "a.crl", good)}, Passed, "", "CRL", ""},
		{"PEM", []string{a.put(t, "a.pem", armoured)}, Passed, "", "CRL", ""},
		{"an answer", []string{a.put(t, "a.ocsp", answer)}, Passed, "", "OCSP", ""},
		{"a folder", []string{filepath.Join(a.dir, "known")}, Passed, "", "OCSP", ""},
		{"ended", []string{a.put(t, "old.crl", old)}, Indeterminate, signing.TryLater, "", ""},
		{"revoked", []string{a.put(t, "b.crl", revoked)}, Indeterminate, signing.RevokedNoPOE, "CRL", ""},
		{"one of two says so", []string{a.put(t, "a.crl", good), a.put(t, "b.crl", revoked)}, Indeterminate, signing.RevokedNoPOE, "CRL", ""},
		{"a text", []string{a.put(t, "text", []byte("x"))}, Unusable, "", "", "text"},
		{"absent", []string{filepath.Join(a.dir, "absent")}, Unusable, "", "", "absent"},
		{"an empty folder", []string{filepath.Join(a.dir, "empty")}, Unusable, "", "", "have no files"},
		{"a certificate", []string{anchor}, Unusable, "", "", "root.crt"},
	} {
		args := []string{"--anchor", anchor, "--json"}
		for _, f := range tt.files {
			args = append(args, "--revocation", f)
		}
		code, out, errs := a.verify(t, args...)
		if code != tt.code || !strings.Contains(errs, tt.says) || (errs == "") != (tt.says == "") {
			t.Errorf("%s: exit %d, %s%s", tt.name, code, out, errs)
			continue
		}
		if tt.says != "" {
			continue
		}
		var r auditor.Report
		a.must(t, json.Unmarshal([]byte(out), &r))
		s := r.Files[0].Signatures[0]
		source := ""
		if len(s.Revocation) > 0 {
			source = s.Revocation[0].Source
		}
		if s.SubIndication != tt.sub || source != tt.source {
			t.Errorf("%s: %s, %s", tt.name, s.SubIndication, source)
		}
	}
	if n := a.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestFlagsThatGoWithOnline(t *testing.T) {
	a := newAuthority(t)
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"--allow", "127.0.0.1"}, "go with --online"},
		{[]string{"--proxy", "http://127.0.0.1:1"}, "go with --online"},
		{[]string{"--online", "--allow", "http://x/"}, "write it like"},
		{[]string{"--online", "--proxy", "x"}, "write it like"},
	} {
		if code, out, errs := a.verify(t, tt.args...); code != Unusable || out != "" || !strings.Contains(errs, tt.says) {
			t.Errorf("%v: exit %d, %s%s", tt.args, code, out, errs)
		}
	}
	if n := a.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}
