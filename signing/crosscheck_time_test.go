//go:build crosscheck

package signing_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// atTime makes openssl judge at the same time as we do.
var atTime = []string{"-attime", "1795226400"} // sealtest.At

func keyFile(t *testing.T, id signingtest.Identity) string {
	t.Helper()
	return writeFile(t, pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(id.Key))))
}

func certFile(t *testing.T, ids ...signingtest.Identity) string {
	t.Helper()
	var all []byte
	for _, id := range ids {
		all = append(all, certificates(id.Certificate())...)
	}
	return writeFile(t, all)
}

// accepts reports whether openssl takes what it is asked about; it must say why it
// does not.
func accepts(t *testing.T, args ...string) bool {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err == nil {
		return true
	}
	if _, ran := err.(*exec.ExitError); !ran {
		t.Fatalf("openssl %v: %v", args, err)
	}
	t.Logf("openssl: %s", out)
	return false
}

// TestOpenSSLReadsOurTimestamps: requests, responses and signatures with
// time-stamps that are ours pass there.
func TestOpenSSLReadsOurTimestamps(t *testing.T) {
	b := newBench(t)
	root, tsa := authorityOf(t)
	content := writeFile(t, b.content)
	query, response := writeFile(t, nil), writeFile(t, nil)
	openssl(t, "ts", "-query", "-data", content, "-sha512", "-cert", "-out", query)
	writeTo(t, filepath.Dir(response), "file", tsa.Respond(readFile(t, query)))
	verify := append([]string{"ts", "-verify", "-queryfile", query, "-in", response, "-CAfile", certFile(t, root)}, atTime...)
	openssl(t, verify...)
	openssl(t, append([]string{"ts", "-verify", "-data", content, "-in", response, "-CAfile", certFile(t, root)}, atTime...)...)
	if accepts(t, append([]string{"ts", "-verify", "-data", query, "-in", response, "-CAfile", certFile(t, root)}, atTime...)...) {
		t.Error("openssl took another content")
	}

	stamped := must(signing.AddTimestamp(must(signing.Sign(b.content, b.seal.Key, b.seal.Chain)), 0, ask(tsa, crypto.SHA256)))
	for name, signature := range map[string][]byte{"DER": stamped, "BER": outermostBER(stamped)} {
		if !accepts(t, append([]string{
			"cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER", "-in", writeFile(t, signature),
			"-content", content, "-CAfile", writeFile(t, certificates(b.root.Certificate())),
		}, atTime...)...) {
			t.Errorf("openssl did not take a signature with a time-stamp in %s", name)
		}
	}
}

// TestWeReadOpenSSLTimestamps: what its authority answers to our request passes
// here, with both kinds of binding, and becomes part of a signature.
func TestWeReadOpenSSLTimestamps(t *testing.T) {
	b := newBench(t)
	root := must(signingtest.NewRoot("Root of time", time.Now().Add(-hour), time.Now().Add(1000*hour)))
	tsa := newTSA(t, root, nil)
	for _, binding := range []string{"sha1", "sha256"} {
		t.Run(binding, func(t *testing.T) {
			folder := t.TempDir()
			config := filepath.Join(folder, "tsa.cnf")
			writeTo(t, folder, "tsa.cnf", []byte(strings.Join([]string{
				"[tsa]", "default_tsa = one", "[one]", "serial = " + folder + "/serial", "crypto_device = builtin",
				"signer_cert = " + certFile(t, tsa), "signer_key = " + keyFile(t, tsa), "signer_digest = sha256",
				"default_policy = 1.2.3.4.1", "digests = sha256, sha512", "accuracy = secs:1, millisecs:500",
				"ordering = yes", "tsa_name = yes", "ess_cert_id_chain = no", "ess_cert_id_alg = " + binding, "",
			}, "\n")))
			o := signing.TimestampOptions{At: time.Now(), Trust: signing.NewTrust([]*x509.Certificate{root.Certificate()}, nil), Nonce: big.NewInt(1 << 40)}
			stamp := func(value []byte) ([]byte, error) {
				digest := sha256.Sum256(value)
				request := must(signing.TimestampRequest(crypto.SHA256, digest[:], o.Nonce))
				out := writeFile(t, nil)
				openssl(t, "ts", "-reply", "-config", config, "-queryfile", writeFile(t, request), "-out", out)
				return signing.ReadTimestampResponse(readFile(t, out))
			}
			token := must(stamp(b.content))
			v := must(signing.VerifyTimestamp(token, bytes.NewReader(b.content), o))
			if !v.Passed() || v.Token.Accuracy != 1500*time.Millisecond {
				t.Fatalf("%s (%s), accuracy %v", v.SubIndication, v.Detail, v.Token.Accuracy)
			}
			stamped := must(signing.AddTimestamp(forge(b.seal, b.content).der(t), 0, stamp))
			so := anchoredAt(b.root)
			so.At, so.Timestamping = time.Now().Add(24*hour), o.Trust
			if v := judge(t, stamped, b.content, so); !v.Passed() || v.TimeSource != signing.TimeTimestamp {
				t.Errorf("%s (%s) by %s", v.SubIndication, v.Detail, v.TimeSource)
			}
		})
	}
}

// TestOpenSSLAgreesOnPaths: the same chains pass there and here.
func TestOpenSSLAgreesOnPaths(t *testing.T) {
	b := newBench(t)
	passes := defect{"good", b.below(nil, func(*x509.Certificate) {}, nil), nil, ""}
	for _, d := range append(pathDefects(t, b), passes) {
		switch d.name {
		case "only for servers", "only for time-stamps", "only for revocation answers":
			continue // ours alone: its purpose "any" asks for none
		}
		t.Run(d.name, func(t *testing.T) {
			f := d.make(t)
			v := judge(t, f.der(t), b.content, anchoredAt(b.root))
			args := append([]string{"verify", "-auth_level", "2", "-CAfile", writeFile(t, certificates(b.root.Certificate()))}, atTime...)
			if len(f.certs) > 1 {
				args = append(args, "-untrusted", writeFile(t, certificates(f.certs[1:]...)))
			}
			if got := accepts(t, append(args, writeFile(t, certificates(f.certs[0])))...); got != v.Passed() {
				t.Errorf("openssl: %v; we: %s (%s)", got, v.SubIndication, v.Detail)
			}
		})
	}
}

// TestOpenSSLReadsOurRevocation: lists and answers of ours say the same there.
func TestOpenSSLReadsOurRevocation(t *testing.T) {
	w := newWorld(t, []byte("content"))
	for _, revoked := range []bool{false, true} {
		var all []signingtest.Revoked
		if revoked {
			all = append(all, signingtest.Revoked{Certificate: w.seal.Certificate(), At: before, Reason: 1})
		}
		crls := slicesOf(must(w.middle.CRL(before, after, all, nil)), must(w.root.CRL(before, after, nil, nil)))
		args := append([]string{
			"verify", "-crl_check_all", "-CAfile", certFile(t, w.root), "-untrusted", certFile(t, w.middle),
			"-CRLfile", writeFile(t, append(pemBlock("X509 CRL", crls[0]), pemBlock("X509 CRL", crls[1])...)),
		}, atTime...)
		if got := accepts(t, append(args, certFile(t, w.seal))...); got == revoked {
			t.Errorf("revoked %v by a list: openssl says %v", revoked, got)
		}
	}
	ocsp := must(w.middle.OCSP(w.responder(nil), w.seal.Certificate(), before, after, nil))
	out, err := exec.Command("openssl", append([]string{
		"ocsp", "-respin", writeFile(t, ocsp), "-issuer", certFile(t, w.middle), "-cert", certFile(t, w.seal),
		"-CAfile", certFile(t, w.root), "-verify_other", certFile(t, w.middle), "-no_nonce", "-validity_period", "1000000000",
	}, atTime...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Response verify OK") || !strings.Contains(string(out), ": good") {
		t.Errorf("%v\n%s", err, out)
	}
}

func slicesOf(all ...[]byte) [][]byte { return all }

// TestWeReadOpenSSLRevocation: what its responder and its authority write is
// understood here.
func TestWeReadOpenSSLRevocation(t *testing.T) {
	w := newWorld(t, []byte("content"))
	signature := w.signature(t).der(t)
	for _, state := range []string{"V", "R"} {
		folder := t.TempDir()
		line := []string{state, "450101000000Z", "", strings.ToUpper(w.seal.Certificate().SerialNumber.Text(16)), "unknown", "/CN=Seal"}
		if state == "R" {
			line[2] = "260601000000Z,keyCompromise"
		}
		if len(line[3])%2 == 1 {
			line[3] = "0" + line[3]
		}
		writeTo(t, folder, "index.txt", []byte(strings.Join(line, "\t")+"\n"))
		writeTo(t, folder, "ca.cnf", []byte(strings.Join([]string{
			"[ca]", "default_ca = one", "[one]", "database = " + folder + "/index.txt", "default_md = sha256",
			"default_crl_days = 3650", "certificate = " + certFile(t, w.middle), "private_key = " + keyFile(t, w.middle),
			"crl_extensions = two", "[two]", "authorityKeyIdentifier = keyid", "",
		}, "\n")))
		request, response, crl := writeFile(t, nil), writeFile(t, nil), writeFile(t, nil)
		openssl(t, "ocsp", "-issuer", certFile(t, w.middle), "-cert", certFile(t, w.seal), "-reqout", request)
		responder := w.responder(nil)
		openssl(t, "ocsp", "-index", filepath.Join(folder, "index.txt"), "-CA", certFile(t, w.middle), "-rsigner", certFile(t, responder),
			"-rkey", keyFile(t, responder), "-reqin", request, "-respout", response, "-ndays", "3650")
		openssl(t, "ca", "-config", filepath.Join(folder, "ca.cnf"), "-gencrl", "-out", crl)
		openssl(t, "crl", "-in", crl, "-outform", "DER", "-out", crl)
		root := signing.Revocation{CRLs: []*signing.CRL{list(w.root, before, after, 0)}}
		byOCSP, byCRL := root, root
		byOCSP.OCSPs = []*signing.OCSP{must(signing.ParseOCSP(readFile(t, response)))}
		byCRL.CRLs = append(byCRL.CRLs, must(signing.ParseCRL(readFile(t, crl))))
		want := map[string]signing.SubIndication{"V": "", "R": signing.RevokedNoPOE}[state]
		for name, r := range map[string]signing.Revocation{"OCSP": byOCSP, "CRL": byCRL} {
			o := signing.Options{Anchors: []*x509.Certificate{w.root.Certificate()}, Revocation: &r}
			if v := judge(t, signature, w.content, o); v.SubIndication != want {
				t.Errorf("%s by %s: %s (%s)", state, name, v.SubIndication, v.Detail)
			}
		}
	}
}

// TestOpenSSLSignatures: several signers, and digests that Sign does not
// make.
func TestOpenSSLSignatures(t *testing.T) {
	b := newBench(t)
	p384 := sealtest.Issue(t, b.root, "P-384", p384Key(t), nil)
	content, out := writeFile(t, b.content), writeFile(t, nil)
	pem := func(s sealtest.Seal) (cert, key string) {
		return writeFile(t, certificates(s.Certificate())), writeFile(t, pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(s.Key))))
	}
	c1, k1 := pem(b.seal)
	c2, k2 := pem(b.rsa)
	c3, k3 := pem(p384)
	openssl(t, "cms", "-sign", "-cades", "-binary", "-outform", "DER", "-in", content, "-out", out, "-md", "sha384",
		"-signer", c1, "-inkey", k1, "-signer", c2, "-inkey", k2, "-keyopt", "rsa_padding_mode:pss", "-signer", c3, "-inkey", k3)
	signature := readFile(t, out)
	verdicts := must(signing.Verify(signature, b.content, anchoredAt(b.root)))
	if len(verdicts) != 3 {
		t.Fatalf("%d verdicts", len(verdicts))
	}
	for _, v := range verdicts {
		if !v.Passed() {
			t.Errorf("%v: %s (%s)", v.Signer, v.SubIndication, v.Detail)
		}
	}
	ours := severalSigners(t, forge(b.seal, b.content), bySHA512(b), forge(b.other, b.content))
	openssl(t, append([]string{
		"cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER", "-in", writeFile(t, ours), "-content", content,
		"-CAfile", writeFile(t, certificates(b.root.Certificate())),
	}, atTime...)...)
}

// TestOpenSSLAgreesOnDefects: no signature that it refuses passes here. It is less
// strict: what it takes and we do not is a rule of ours.
func TestOpenSSLAgreesOnDefects(t *testing.T) {
	b := newBench(t)
	root, content := writeFile(t, certificates(b.root.Certificate())), writeFile(t, b.content)
	refused := 0
	for _, d := range append(formDefects(b), append(attributeDefects(b), cryptoDefects(b)...)...) {
		der := d.make(t).der(t)
		if !accepts(t, append([]string{
			"cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER", "-in", writeFile(t, der), "-content", content, "-CAfile", root,
		}, atTime...)...) {
			refused++
			continue
		}
		t.Logf("a rule of ours: %s, %s", d.name, d.want)
		if d.want == signing.HashFailure || d.want == signing.SigCryptoFailure {
			t.Errorf("%s: openssl takes it", d.name)
		}
	}
	if refused < 25 {
		t.Errorf("openssl refused %d", refused)
	}
}
