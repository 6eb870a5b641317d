package signing_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"os"
	"time"

	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// A detached signature is judged over the content that came with it, at a time
// that the caller vouches for.
func ExampleVerify() {
	signature, _ := os.ReadFile("testdata/p256.p7s")
	content, _ := os.ReadFile("testdata/content.txt")
	anchor, _ := os.ReadFile("testdata/root.pem")
	block, _ := pem.Decode(anchor)
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	o := signing.Options{
		At:      time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Anchors: []*x509.Certificate{root},
	}
	verdicts, err := signing.Verify(signature, content, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdicts[0].Indication)
	fmt.Println(verdicts[0].Sentence("en"))

	verdicts, err = signing.Verify(signature, []byte("another content"), o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdicts[0].Indication, verdicts[0].SubIndication)
	// Output:
	// TOTAL-PASSED
	// The signature of Seal is valid; the certificate was in force at 2027-01-01T07:00:00+07:00.
	// TOTAL-FAILED HASH_FAILURE
}

// A file of any size is read once. Trust is made once and kept; here it comes from
// a file, and the signature has a time-stamp that proves when it existed.
func ExampleVerifyReader() {
	authorities, err := signing.LoadTrust([]string{"testdata/time-root.pem"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	signature, err := os.ReadFile("testdata/stamped.p7s")
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open("testdata/content.txt")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	verdicts, err := signing.VerifyReader(signature, file, signing.Options{
		At:           time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Source:       signing.TimeNow,
		Trust:        authorities,
		Timestamping: authorities,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range verdicts {
		fmt.Println(v.Indication, v.TimeSource)
		fmt.Println(v.Sentence("vi"))
	}
	// Output:
	// TOTAL-PASSED timestamp
	// Chữ ký của Seal hợp lệ; chứng thư số có hiệu lực tại thời điểm 2026-07-01T07:00:01+07:00 (theo dấu thời gian).
}

// With what an authority says about revoked certificates, a signature by one of
// them does not pass.
func ExampleRevocation() {
	root, _ := signing.LoadCertificates("testdata/time-root.pem")
	signature, _ := os.ReadFile("testdata/stamped.p7s")
	content, _ := os.ReadFile("testdata/content.txt")
	der, _ := os.ReadFile("testdata/list.crl")
	list, err := signing.ParseCRL(der)
	if err != nil {
		log.Fatal(err)
	}
	verdicts, err := signing.Verify(signature, content, signing.Options{
		At:         time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
		Anchors:    root,
		Revocation: &signing.Revocation{CRLs: []*signing.CRL{list}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdicts[0].Indication, verdicts[0].SubIndication)
	fmt.Println(verdicts[0].Detail)
	// Output:
	// INDETERMINATE REVOKED_NO_POE
	// Seal was revoked at 2026-02-01T07:00:00+07:00 (reason 1)
}

// A signature is made, and then gets a time-stamp; the conversation with the
// authority is the caller's, for example an HTTP POST. Here the authority is one for
// tests.
func ExampleAddTimestamp() {
	now := func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) }
	root, err := signingtest.NewRoot("Root", now().AddDate(-1, 0, 0), now().AddDate(9, 0, 0))
	if err != nil {
		log.Fatal(err)
	}
	seal, err := root.Issue("Seal", nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	authority, err := root.NewTimestampAuthority("Time", now)
	if err != nil {
		log.Fatal(err)
	}

	content := []byte("content")
	signature, err := signing.Sign(content, seal.Key, seal.Chain)
	if err != nil {
		log.Fatal(err)
	}
	signature, err = signing.AddTimestamp(signature, 0, func(value []byte) ([]byte, error) {
		digest := sha256.Sum256(value)
		request, err := signing.TimestampRequest(crypto.SHA256, digest[:], big.NewInt(20261122)) // in earnest a random number
		if err != nil {
			return nil, err
		}
		return signing.ReadTimestampResponse(authority.Respond(request))
	})
	if err != nil {
		log.Fatal(err)
	}

	trust := signing.NewTrust([]*x509.Certificate{root.Certificate()}, nil)
	verdicts, err := signing.Verify(signature, content, signing.Options{At: now().AddDate(5, 0, 0), Trust: trust, Timestamping: trust})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdicts[0].Indication, verdicts[0].TimeSource, verdicts[0].Time)
	// Output: TOTAL-PASSED timestamp 2026-11-22 00:00:01 +0000 UTC
}

// A time-stamp by itself is judged over what it stamps.
func ExampleVerifyTimestamp() {
	trust, err := signing.LoadTrust([]string{"testdata/time-root.pem"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	response, err := os.ReadFile("testdata/response.tsr")
	if err != nil {
		log.Fatal(err)
	}
	token, err := signing.ReadTimestampResponse(response)
	if err != nil {
		log.Fatal(err)
	}
	v, err := signing.VerifyTimestamp(token, bytes.NewReader([]byte("content\n")), signing.TimestampOptions{
		At:    time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Trust: trust,
		Nonce: big.NewInt(42),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Indication, v.Token.Time, "give or take", v.Token.Accuracy)
	// Output: TOTAL-PASSED 2026-07-01 00:00:00 +0000 UTC give or take 1s
}

// Whoever knows a certificate may trust it by itself. In earnest the key comes from
// LoadKey or from hardware; here it is one for tests.
func ExampleSign() {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	root, err := signingtest.NewRoot("Root", from, from.AddDate(1, 0, 0))
	if err != nil {
		log.Fatal(err)
	}
	seal, err := root.Issue("Seal", nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	signature, err := signing.Sign([]byte("content"), seal.Key, seal.Chain)
	if err != nil {
		log.Fatal(err)
	}
	verdicts, err := signing.Verify(signature, []byte("content"), signing.Options{
		At:     from.AddDate(0, 1, 0),
		Pinned: []*x509.Certificate{seal.Certificate()},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdicts[0].Indication, verdicts[0].Pinned)
	// Output: TOTAL-PASSED true
}
