package reason

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"docaxis/signing"
)

// Why a seal does not pass is read in the reader's own language, in both.
func TestWhyASealFailsIsSaidInBothLanguages(t *testing.T) {
	for _, sub := range []signing.SubIndication{signing.HashFailure, signing.OutOfBoundsNoPOE, signing.NoCertificateChainFound, signing.FormatFailure} {
		v := signing.Verdict{
			SubIndication: sub, Time: time.Unix(1_800_000_000, 0),
			Signer: &x509.Certificate{Subject: pkix.Name{CommonName: "Con dấu số (UBND) tỉnh Nghệ An"}},
		}
		if got := Phrase(v.Sentence("en"), Vietnamese) + "."; got != v.Sentence("vi") {
			t.Errorf("%s: %q, not %q", sub, got, v.Sentence("vi"))
		}
		if got := Phrase(v.Sentence("en"), English); got != v.Sentence("en") {
			t.Errorf("%s: %q", sub, got)
		}
	}
}
