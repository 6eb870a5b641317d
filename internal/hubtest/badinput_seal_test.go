package hubtest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// sealBetween makes a seal whose certificate is valid between two times from now.
func sealBetween(t *testing.T, from, until time.Duration) envelope.Key {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "Con dấu số H25 mới"},
		NotBefore: now.Add(from), NotAfter: now.Add(until), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return envelope.Key{Signer: key, Chain: []*x509.Certificate{cert}}
}

const day = 24 * time.Hour

// sealed is a document under a seal that the axis must refuse; after mend, the same
// envelope is accepted, or, where that cannot be, the same document under the seal
// that mend gives.
func sealed(key func(t *testing.T, s *siege) envelope.Key, mend func(t *testing.T, s *siege, key envelope.Key) envelope.Key) func(*testing.T, *siege) told {
	return forged(func(t *testing.T, s *siege, id string) (wrong, good []byte) {
		content := []byte("dưới con dấu " + id)
		s.raw.upload(t, content)
		doc := envelope.Document{Sender: "H25", ID: id, To: []string{"H41"}}
		k := key(t, s)
		wrong = s.composeWith(t, k, doc, content)
		s.mend = func() []byte {
			if other := mend(t, s, k); other.Signer != nil {
				return s.composeWith(t, other, doc, content)
			}
			return wrong
		}
		return wrong, nil
	})
}

func (s *siege) admit(t *testing.T, code string, key envelope.Key, until time.Time) {
	t.Helper()
	req := operator.Seal{Why: byTest, Code: code, Certificate: key.Chain[0].Raw}
	if !until.IsZero() {
		req.UntilMS = until.UnixMilli()
	}
	if _, err := s.Hub().AdmitSeal(t.Context(), req); err != nil {
		t.Fatal(err)
	}
}

// sealCases: seals that are good by themselves and do not count here, or not now.
func sealCases() []badCase {
	const refused = "refused"
	admitted := func(from, until time.Duration) func(*testing.T, *siege) envelope.Key {
		return func(t *testing.T, s *siege) envelope.Key {
			key := sealBetween(t, from, until)
			s.admit(t, "H25", key, time.Time{})
			return key
		}
	}
	anew := func(t *testing.T, s *siege, _ envelope.Key) envelope.Key { return admitted(-day, day)(t, s) }
	admitNow := func(t *testing.T, s *siege, key envelope.Key) envelope.Key {
		s.admit(t, "H25", key, time.Time{})
		return envelope.Key{}
	}
	notValid := func(name string, key func(*testing.T, *siege) envelope.Key, mend func(*testing.T, *siege, envelope.Key) envelope.Key) badCase {
		return badCase{
			name, sealed(key, mend), refused, "SEAL_NOT_VALID",
			[]string{"cơ quan H25 chỉ có hiệu lực từ", "Hãy ký bằng chứng thư số còn hiệu lực"},
			[]string{"The seal of H25 is valid only from", "Seal with a certificate that is valid now"},
		}
	}
	notAdmitted := func(name string, key func(*testing.T, *siege) envelope.Key) badCase {
		return badCase{
			name, sealed(key, admitNow), refused, "SEAL_NOT_ADMITTED",
			[]string{"“CN=Con dấu số H25 mới” chưa được chấp nhận để ký văn bản của cơ quan H25", "đề nghị quản trị trục chấp nhận"},
			[]string{"“CN=Con dấu số H25 mới” is not admitted as a seal of H25", "ask the operator of the axis to admit"},
		}
	}
	return []badCase{
		notValid("seal expired", admitted(-2*day, -day), anew),
		notValid("seal not yet valid", admitted(day, 2*day), anew),
		notValid("admission of the seal ended", func(t *testing.T, s *siege) envelope.Key {
			key := sealBetween(t, -2*day, day)
			s.admit(t, "H25", key, time.Now().Add(-day))
			return key
		}, admitNow),
		notAdmitted("seal that nobody vouches for", func(t *testing.T, _ *siege) envelope.Key { return sealBetween(t, -day, day) }),
		notAdmitted("seal of another agency", func(t *testing.T, s *siege) envelope.Key {
			key := sealBetween(t, -day, day)
			s.admit(t, "G22", key, time.Time{})
			return key
		}),
		{
			"seal retired in the registry", sealed(func(t *testing.T, s *siege) envelope.Key {
				key := sealBetween(t, -day, day)
				s.admit(t, "H25", key, time.Time{})
				s.change(t, &axispb.Change{Change: &axispb.Change_RetireSeal{RetireSeal: &axispb.RetireSeal{Code: "H25", Digest: sum(key.Chain[0].Raw)}}})
				return key
			}, admitNow), refused, "SEAL_RETIRED",
			[]string{"cơ quan H25 đã ngừng được chấp nhận từ", "Hãy ký bằng chứng thư số đang được chấp nhận"},
			[]string{"The seal of H25 was retired at", "Seal with a certificate that is still admitted"},
		},
	}
}
