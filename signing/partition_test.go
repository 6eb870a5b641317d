package signing_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"docaxis/internal/sealtest"
	"docaxis/signing"
	"docaxis/signing/signingtest"
)

// published says in a list that it is at an address alone (RFC 5280 section 5.2.5).
func published(address string) func(*x509.RevocationList) {
	point := append([]byte{0x86, byte(len(address))}, address...)
	for _, tag := range []byte{0xa0, 0xa0, 0x30} {
		point = append([]byte{tag, byte(len(point))}, point...)
	}
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 28}, Critical: true, Value: point}}
	}
}

// Of a list that an authority split, the part at the addresses of a certificate alone
// speaks about it: in the others it is never found.
func TestAPartOfAListSpeaksOnlyOfItsOwn(t *testing.T) {
	root := must(signingtest.NewRoot("Root", sealtest.NotBefore, sealtest.NotAfter))
	seal := must(root.Issue("Seal", nil, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://ca.test/1", "http://ca.test/x"} }))
	bare := must(root.Issue("Seal", nil, nil))
	content := []byte("content")
	for name, tt := range map[string]struct {
		signer signingtest.Identity
		change func(*x509.RevocationList)
		want   signing.SubIndication
	}{
		"its own part":             {seal, published("http://ca.test/1"), ""},
		"another part":             {seal, published("http://ca.test/2"), signing.TryLater},
		"the whole":                {seal, nil, ""},
		"a part, and no addresses": {bare, published("http://ca.test/1"), signing.TryLater},
		"a relative name": {seal, func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 4, 0xa0, 2, 0xa1, 0}}}
		}, signing.TryLater},
	} {
		verdicts := must(signing.Verify(must(signing.Sign(content, tt.signer.Key, tt.signer.Chain)), content, signing.Options{
			At: sealtest.At, Anchors: []*x509.Certificate{root.Certificate()},
			Revocation: &signing.Revocation{CRLs: []*signing.CRL{listOf(root, before, after, 0, tt.change)}},
		}))
		if got := verdicts[0]; got.SubIndication != tt.want || got.Passed() != (tt.want == "") {
			t.Errorf("%s: %s: %s", name, got.SubIndication, got.Detail)
		}
	}
}
