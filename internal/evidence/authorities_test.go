package evidence

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// vouch certifies another CA's key.
func (a *authority) vouch(other *authority, edit func(*x509.Certificate)) []byte {
	a.t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "Test axis CA, replaced"},
		NotBefore: testTime.AddDate(-1, 0, 0), NotAfter: testTime.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if edit != nil {
		edit(tmpl)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, other.key.Public(), a.key)
	must(a.t, err)
	return der
}

// announce signs an epoch that says who leads to the signer.
func (a *authority) announce(e *axispb.Epoch, authorities ...[]byte) []byte {
	a.t.Helper()
	var signed axispb.SignedEpoch
	must(a.t, proto.Unmarshal(a.sign(e), &signed))
	signed.Authorities = authorities
	return marshal(a.t, &signed)
}

// Three CAs, each of which took over from the one before; whichever was pinned,
// all epochs and certificates of all three hold, whatever the order of the list.
func TestAReplacedCAIsTrustedFromEveryPin(t *testing.T) {
	cas := []*authority{newAuthority(t, caSeed), newAuthority(t, otherCASeed), newAuthority(t, thirdCASeed)}
	links := [][]byte{
		cas[0].vouch(cas[1], nil), cas[1].vouch(cas[0], nil),
		cas[1].vouch(cas[2], nil), cas[2].vouch(cas[1], nil),
	}
	log := newLog(t, 1, log1Seed, &testTree{})
	log.fill(4)
	first := log.epoch(1, 0, nil)
	second := newLog(t, 2, log2Seed, log.testTree).epoch(2, 4, previous(1, 4))
	third := newLog(t, 3, log3Seed, log.testTree).epoch(3, 4, previous(2, 4))
	for pin := range cas {
		for _, turned := range []bool{false, true} {
			list := slices.Clone(links)
			if turned {
				slices.Reverse(list)
			}
			trust := NewTrust(cas[pin].cert)
			err := trust.AddEpochs([][]byte{
				cas[0].sign(first), cas[1].announce(second, list[:2]...), cas[2].announce(third, list...),
			})
			if err != nil {
				t.Errorf("CA %d pinned, turned %v: %v", pin, turned, err)
				continue
			}
			for i, ca := range cas {
				if _, _, err := trust.Statement(signed(t, ca.signer("h41", h41Seed))); err != nil {
					t.Errorf("CA %d pinned: a certificate of CA %d: %v", pin, i, err)
				}
			}
		}
	}
}

// signed is any evidence of a signer.
func signed(t *testing.T, s *Signer) []byte {
	t.Helper()
	raw, err := s.Sign(consignment())
	must(t, err)
	return raw
}

// What nobody trusted vouches for is not believed, however it is dressed up.
func TestForeignAuthoritiesAreNotLearned(t *testing.T) {
	ours, theirs, third := newAuthority(t, caSeed), newAuthority(t, otherCASeed), newAuthority(t, thirdCASeed)
	endpoint := func(tmpl *x509.Certificate) { tmpl.IsCA, tmpl.KeyUsage = false, x509.KeyUsageDigitalSignature }
	for name, list := range map[string][][]byte{
		"self-signed":            {theirs.cert.Raw},
		"vouched for by another": {third.vouch(theirs, nil)},
		"vouched for by itself":  {theirs.vouch(ours, nil), theirs.vouch(theirs, nil)},
		"no CA's":                {ours.vouch(theirs, endpoint)},
		"no signing":             {ours.vouch(theirs, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })},
		"behind what is no CA's": {ours.vouch(third, endpoint), third.vouch(theirs, nil)},
		"garbage":                {[]byte("x"), nil, make([]byte, 4000)},
	} {
		log := newLog(t, 1, log1Seed, &testTree{})
		trust := NewTrust(ours.cert)
		if _, err := trust.AddEpoch(theirs.announce(log.epoch(1, 0, nil), list...)); err == nil {
			t.Errorf("%s: the epoch is believed", name)
		}
		if _, _, err := trust.Statement(signed(t, theirs.signer("h41", h41Seed))); err == nil {
			t.Errorf("%s: the statement is believed", name)
		}
		for _, ca := range trust.CAs()[1:] {
			if theirs.key.PublicKey.Equal(ca.PublicKey) {
				t.Errorf("%s: the CA is trusted", name)
			}
		}
	}
}
