package signing_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"time"

	"docaxis/signing"
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
