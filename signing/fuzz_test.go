package signing_test

import (
	"bytes"
	"crypto/x509"
	"path/filepath"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// The seeds have fixed certificates, so that what one process finds means the same
// in another.

func addGolden(f *testing.F, names ...string) {
	for _, name := range names {
		f.Add(readFile(f, filepath.Join("testdata", name)))
	}
}

// FuzzVerify: whoever passes is one of the two who really signed, in DER or BER;
// and what passes as DER passes as BER.
func FuzzVerify(f *testing.F) {
	_, content, o := golden(f, "p256.p7s")
	root := anchorOf(f, "time-root.pem")
	o.Anchors = append(o.Anchors, root)
	o.At = root.NotBefore.AddDate(1, 0, 0)
	o.Timestamping = signing.NewTrust([]*x509.Certificate{root}, nil)
	addGolden(f, "rsa.p7s", "pss.p7s", "p256.p7s", "sha1.p7s", "noattr.p7s", "nocades.p7s", "ber.p7s", "stamped.p7s", "stamped-ber.p7s", "response.tsr")
	f.Add(nested(40))
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 40))
	f.Fuzz(func(t *testing.T, signature []byte) {
		verdicts, err := signing.Verify(signature, content, o)
		if err != nil || len(verdicts) == 0 {
			t.Fatalf("%d verdicts, %v", len(verdicts), err)
		}
		for _, v := range verdicts {
			if v.Passed() != (v.SubIndication == "") || v.Passed() && v.Chain[0].Subject.CommonName != "Seal" {
				t.Errorf("%s/%s by %v", v.Indication, v.SubIndication, v.Signer.Subject)
			}
			if len(v.Sentence("vi")) > 2000 || len(v.Detail) > 1000 {
				t.Errorf("%d bytes of sentence, %d of detail", len(v.Sentence("vi")), len(v.Detail))
			}
		}
		strict := o
		strict.DER = true
		asDER, err := signing.Verify(signature, content, strict)
		if err != nil || asDER[0].Passed() && !verdicts[0].Passed() {
			t.Errorf("as DER %s, as BER %s, %v", asDER[0].SubIndication, verdicts[0].SubIndication, err)
		}
		if unpadded := signing.Unpad(signature); !bytes.HasPrefix(signature, unpadded) || len(bytes.Trim(signature[len(unpadded):], "\x00")) > 0 {
			t.Error("Unpad cut off more than zeros")
		}
	})
}

// FuzzTimestamp: whoever passes is the authority, and a token that can be added to
// a signature leaves it valid.
func FuzzTimestamp(f *testing.F) {
	root := anchorOf(f, "time-root.pem")
	o := signing.TimestampOptions{At: root.NotBefore.AddDate(1, 0, 0), Trust: signing.NewTrust([]*x509.Certificate{root}, nil)}
	addGolden(f, "response.tsr", "p256.p7s", "stamped.p7s", "stamped-ber.p7s")
	signature, content, so := golden(f, "p256.p7s")
	f.Fuzz(func(t *testing.T, response []byte) {
		token, err := signing.ReadTimestampResponse(response)
		if err != nil {
			token = response
		}
		v, err := signing.VerifyTimestamp(token, bytes.NewReader([]byte("content\n")), o)
		if err != nil || v.Passed() && v.Signer.Subject.CommonName != "TSA" {
			t.Errorf("%s, %v", v.Indication, err)
		}
		if _, err := signing.ParseTimestamp(token); err != nil && v.SubIndication != signing.FormatFailure {
			t.Errorf("not to be parsed (%v), but %s/%s", err, v.Indication, v.SubIndication)
		}
		stamped, err := signing.AddTimestamp(signature, 0, func([]byte) ([]byte, error) { return token, nil })
		if err == nil && !judge(t, stamped, content, so).Passed() {
			t.Error("a time-stamp spoilt the signature")
		}
	})
}

// FuzzAddTimestamp: to whatever is a signature, a time-stamp can be added, and the
// verdict stays.
func FuzzAddTimestamp(f *testing.F) {
	_, content, o := golden(f, "p256.p7s")
	_, tsa := authorityOf(f)
	addGolden(f, "p256.p7s", "rsa.p7s", "stamped.p7s", "stamped-ber.p7s", "nocades.p7s")
	f.Fuzz(func(t *testing.T, signature []byte) {
		stamped, err := signing.AddTimestamp(signature, 0, ask(tsa, 5))
		before := judge(t, signature, content, o)
		if err != nil {
			if before.Passed() {
				t.Errorf("passed, and cannot be stamped: %v", err)
			}
			return
		}
		if after := judge(t, stamped, content, o); after.SubIndication != before.SubIndication {
			t.Errorf("%s before, %s after (%s)", before.SubIndication, after.SubIndication, after.Detail)
		}
	})
}

// FuzzParseCRL and FuzzParseOCSP: what is read and believed is what the authority
// said: the one lists the seal as revoked, the other does not.
func FuzzParseCRL(f *testing.F) {
	root := anchorOf(f, "time-root.pem")
	signature := readFile(f, "testdata/stamped.p7s")
	content := readFile(f, "testdata/content.txt")
	addGolden(f, "list.crl")
	f.Fuzz(func(t *testing.T, der []byte) {
		crl, err := signing.ParseCRL(der)
		if err != nil {
			return
		}
		o := signing.Options{At: root.NotBefore.AddDate(0, 6, 0), Anchors: []*x509.Certificate{root}}
		o.Revocation = &signing.Revocation{CRLs: []*signing.CRL{crl}}
		if v := judge(t, signature, content, o); v.SubIndication != signing.TryLater && v.SubIndication != signing.RevokedNoPOE {
			t.Errorf("%s/%s", v.Indication, v.SubIndication)
		}
	})
}

func FuzzParseOCSP(f *testing.F) {
	root := anchorOf(f, "time-root.pem")
	signature, content := readFile(f, "testdata/stamped.p7s"), readFile(f, "testdata/content.txt")
	good := readFile(f, "testdata/answer.ocsp")
	addGolden(f, "answer.ocsp", "list.crl", "response.tsr")
	f.Fuzz(func(t *testing.T, der []byte) {
		answer, err := signing.ParseOCSP(der)
		if err != nil {
			return
		}
		o := signing.Options{At: root.NotBefore.AddDate(0, 6, 0), Anchors: []*x509.Certificate{root}}
		o.Revocation = &signing.Revocation{OCSPs: []*signing.OCSP{answer}}
		v := judge(t, signature, content, o)
		if v.SubIndication != signing.TryLater && !v.Passed() || bytes.Equal(der, good) && !v.Passed() {
			t.Errorf("%s/%s (%s)", v.Indication, v.SubIndication, v.Detail)
		}
	})
}

// FuzzCertificates: files of certificates are read or refused.
func FuzzCertificates(f *testing.F) {
	addGolden(f, "root.pem", "time-root.pem", "p256.p7s")
	f.Add(sealtest.Root(f, "Root").Certificate().Raw)
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := signing.LoadCertificates(writeFile(t, data))
		if (err == nil) != (len(certs) > 0) {
			t.Errorf("%d certificates, %v", len(certs), err)
		}
	})
}
