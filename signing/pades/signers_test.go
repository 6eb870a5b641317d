package pades_test

import (
	"crypto/sha256"
	"testing"

	"github.com/digitorus/pkcs7"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
)

// cms signs with every seal in one CMS, with the binding to the certificate or, as older
// programs do, without.
func cms(t *testing.T, bound bool, seals ...sealtest.Seal) func([]byte) []byte {
	type essCertID struct{ Digest []byte }
	return func(content []byte) []byte {
		sd, err := pkcs7.NewSignedData(content)
		if err != nil {
			t.Fatal(err)
		}
		sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
		for _, s := range seals {
			var config pkcs7.SignerInfoConfig
			if digest := sha256.Sum256(s.Certificate().Raw); bound {
				config.ExtraSignedAttributes = []pkcs7.Attribute{{
					Type:  []int{1, 2, 840, 113549, 1, 9, 16, 2, 47},
					Value: struct{ Certs []essCertID }{[]essCertID{{digest[:]}}},
				}}
			}
			if err := sd.AddSigner(s.Certificate(), s.Key, config); err != nil {
				t.Fatal(err)
			}
		}
		sd.Detach()
		der, err := sd.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
}

// TestSigners: a signature has one signer; only the older form may leave out which
// certificate is meant.
func TestSigners(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, form string
		value      func([]byte) []byte
		want       signing.SubIndication
	}{
		{"bound", "ETSI.CAdES.detached", cms(t, true, w.person), ""},
		{"unbound", "ETSI.CAdES.detached", cms(t, false, w.person), signing.SigConstraintsFailure},
		{"unbound, older", "adbe.pkcs7.detached", cms(t, false, w.person), ""},
		{"two", "ETSI.CAdES.detached", cms(t, true, w.person, w.agency), signing.FormatFailure},
		{"nobody", "ETSI.CAdES.detached", cms(t, true), signing.FormatFailure},
		{"a stranger", "adbe.pkcs7.detached", cms(t, false, sealtest.New(t, sealtest.Root(t, "Other"), "Other")), signing.NoCertificateChainFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := padestest.Sig{Field: "A", SubFilter: tt.form, Value: tt.value}
			d := w.inspect(padestest.NewDoc().End().Sign(s).B)
			if v := d.Signatures[0].Verdict; v.SubIndication != tt.want {
				t.Errorf("%s: %s", v.SubIndication, v.Detail)
			}
		})
	}
}
