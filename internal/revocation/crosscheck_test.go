//go:build crosscheck

package revocation_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// openSSL is an authority whose lists and answers OpenSSL makes.
type openSSL struct {
	t    *testing.T
	dir  string
	root sealtest.Seal
}

func newOpenSSL(t *testing.T) *openSSL {
	t.Helper()
	o := &openSSL{t, t.TempDir(), authority(t, sealtest.Seal{}, "Root")}
	o.writeSeal("root", o.root)
	o.write("crlnumber", []byte("1000\n"))
	return o
}

func (o *openSSL) path(name string) string { return filepath.Join(o.dir, name) }

func (o *openSSL) write(name string, content []byte) {
	o.t.Helper()
	if err := os.WriteFile(o.path(name), content, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *openSSL) read(name string) []byte {
	o.t.Helper()
	b, err := os.ReadFile(o.path(name))
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

func (o *openSSL) writeSeal(name string, s sealtest.Seal) {
	o.t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(s.Key)
	if err != nil {
		o.t.Fatal(err)
	}
	o.write(name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	o.write(name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}

func (o *openSSL) run(args ...string) {
	o.t.Helper()
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		o.t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
}

// database has one certificate, revoked or not.
func (o *openSSL) database(of sealtest.Seal, revoked bool) {
	o.t.Helper()
	state, at := "V", ""
	if revoked {
		state, at = "R", "260101000000Z,keyCompromise"
	}
	serial := fmt.Sprintf("%X", of.Certificate().SerialNumber)
	if len(serial)%2 == 1 {
		serial = "0" + serial
	}
	o.write("index.txt", fmt.Appendf(nil, "%s\t450101000000Z\t%s\t%s\tunknown\t/CN=Seal\n", state, at, serial))
	o.write("index.txt.attr", []byte("unique_subject = no\n"))
}

// list makes a list with the lines of an openssl.cnf for its scope, if any.
func (o *openSSL) list(scope string) []byte {
	o.t.Helper()
	extension := ""
	if scope != "" {
		extension = "issuingDistributionPoint = critical,@point"
	}
	o.write("openssl.cnf", fmt.Appendf(nil, `[ca]
default_ca = own
[own]
database = %s
crlnumber = %s
certificate = %s
private_key = %s
default_md = sha256
default_crl_days = 30
crl_extensions = ext
[ext]
authorityKeyIdentifier = keyid
%s
[point]
%s
`, o.path("index.txt"), o.path("crlnumber"), o.path("root.pem"), o.path("root.key"), extension, scope))
	o.run("ca", "-gencrl", "-config", o.path("openssl.cnf"), "-out", o.path("crl.pem"))
	block, _ := pem.Decode(o.read("crl.pem"))
	if block == nil {
		o.t.Fatal("openssl made no list")
	}
	return block.Bytes
}

// serve answers OCSP requests with OpenSSL's responder.
func (o *openSSL) serve(signer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		request, err := io.ReadAll(r.Body)
		if err != nil {
			o.t.Error(err)
		}
		o.write("request", request)
		o.run("ocsp", "-index", o.path("index.txt"), "-CA", o.path("root.pem"), "-rsigner", o.path(signer+".pem"), "-rkey", o.path(signer+".key"),
			"-reqin", o.path("request"), "-respout", o.path("answer"), "-ndays", "3")
		w.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = w.Write(o.read("answer"))
	}
}

func openNow(t *testing.T) *revocation.Store {
	t.Helper()
	s, err := revocation.Open(t.TempDir(), revocation.Config{Network: loopback()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// OpenSSL understands what is asked, and what it answers is kept.
func TestOpenSSLAnswers(t *testing.T) {
	o, web := newOpenSSL(t), newServer(t)
	o.writeSeal("responder", responder(t, o.root, func(*x509.Certificate) {}))
	stranger := authority(t, sealtest.Seal{}, "Stranger")
	o.writeSeal("stranger", stranger)
	for _, signer := range []string{"root", "responder"} {
		for _, revoked := range []bool{false, true} {
			one := seal(t, o.root, nil, []string{web.URL + "/ocsp"})
			o.database(one, revoked)
			web.on("/ocsp", o.serve(signer))
			s := openNow(t)
			refresh(t, s, one)
			item := known(t, s, one).OCSP
			if item == nil {
				t.Fatalf("by %s, revoked %t: %+v", signer, revoked, s.Status().Troubles)
			}
			said, err := ocsp.ParseResponseForCert(item.Bytes, one.Certificate(), o.root.Certificate())
			if err != nil || (said.Status == ocsp.Revoked) != revoked {
				t.Errorf("by %s, revoked %t: %+v, %v", signer, revoked, said, err)
			}
		}
	}
	one := seal(t, o.root, nil, []string{web.URL + "/ocsp"})
	web.on("/ocsp", o.serve("responder"))
	s := openNow(t)
	refresh(t, s, one)
	expectTrouble(t, s, "does not know")
	o.database(one, false)
	web.on("/ocsp", o.serve("stranger"))
	s = openNow(t)
	refresh(t, s, one)
	expectTrouble(t, s, "not signed by Root")
}

// Lists of OpenSSL are kept, and those of a kind that is not supported are named.
func TestOpenSSLLists(t *testing.T) {
	o, web := newOpenSSL(t), newServer(t)
	one := seal(t, o.root, []string{web.URL + "/crl"}, nil)
	o.database(one, true)
	for scope, words := range map[string]string{
		"": "",
		"fullname = URI:" + web.URL + "/crl\nonlyuser = TRUE": "",
		"fullname = URI:http://elsewhere.test/crl":            "another address",
		"indirectCRL = TRUE":                                  "indirect CRLs",
		"onlysomereasons = keyCompromise":                     "for some reasons",
		"onlyAA = TRUE":                                       "attribute certificates",
	} {
		list := o.list(scope)
		web.give("/crl", list)
		s := openNow(t)
		refresh(t, s, one)
		if words != "" {
			expectTrouble(t, s, words)
			continue
		}
		expectItem(t, scope, known(t, s, one).CRL, list)
		read, err := x509.ParseRevocationList(list)
		if err != nil || len(read.RevokedCertificateEntries) != 1 || read.RevokedCertificateEntries[0].SerialNumber.Cmp(one.Certificate().SerialNumber) != 0 {
			t.Errorf("%s: the list says something else: %v", scope, err)
		}
	}
}
