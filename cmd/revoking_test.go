package cmd_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docaxis/signing"
	"docaxis/signing/signingtest"
	"docaxis/signing/xmldsig/xmldsigtest"
)

// signedBy makes, for a script, what an authority and a signer of its have: root.crt,
// FILE.p7s over the named file, goi.edxml with an XML signature, good.crl, and
// revoked.crl in which the signer is.
func signedBy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: signedby FILE")
	}
	now := time.Now()
	root, err := signingtest.NewRoot("Root", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	ts.Check(err)
	seal, err := root.Issue("Seal", nil, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://127.0.0.1:9999/root.crl"} })
	ts.Check(err)
	value, err := signing.Sign([]byte(ts.ReadFile(args[0])), seal.Key, seal.Chain)
	ts.Check(err)
	pack, err := xmldsigtest.Sign(xmldsigtest.Package([2]string{"a.txt", "QQ=="}), seal.Key, seal.Chain[:1])
	ts.Check(err)
	good, err := root.CRL(now.Add(-time.Hour), now.Add(time.Hour), nil, nil)
	ts.Check(err)
	revoked, err := root.CRL(now.Add(-time.Hour), now.Add(time.Hour), []signingtest.Revoked{{Certificate: seal.Certificate(), At: now.Add(-2 * time.Hour)}}, nil)
	ts.Check(err)
	for name, b := range map[string][]byte{
		args[0] + ".p7s": value, "goi.edxml": []byte(pack), "good.crl": good, "revoked.crl": revoked,
		"root.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw}),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), b, 0o600))
	}
}
