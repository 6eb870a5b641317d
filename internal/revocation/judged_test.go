package revocation_test

import (
	"crypto/x509"
	"math/big"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
	"docaxis/signing"
)

// judge checks a signature of a seal as a user of the store does: once for the
// chain, once with what is known about it.
func judge(t *testing.T, s *revocation.Store, by sealtest.Seal, o signing.Options) signing.Verdict {
	t.Helper()
	content := []byte("content")
	signature, err := signing.Sign(content, by.Key, by.Chain)
	if err != nil {
		t.Fatal(err)
	}
	o.Trust = signing.NewTrust(by.Chain[len(by.Chain)-1:], nil)
	verify := func() []signing.Verdict {
		verdicts, err := signing.Verify(signature, content, o)
		if err != nil {
			t.Fatal(err)
		}
		return verdicts
	}
	chains := revocation.Chains(verify())
	if len(chains) != 1 || len(chains[0]) != len(by.Chain) {
		t.Fatalf("%d chains", len(chains))
	}
	s.Want(chains[0])
	o.Revocation = s.Revocation(chains...)
	return verify()[0]
}

func expectVerdict(t *testing.T, what string, v signing.Verdict, want signing.SubIndication) {
	t.Helper()
	if v.SubIndication != want || v.Passed() != (want == "") {
		t.Errorf("%s: %s %s: %s", what, v.Indication, v.SubIndication, v.Detail)
	}
}

// Nothing known, good, revoked, ended: a check of a signature says each, and asks
// nobody.
func TestSignaturesAreJudgedByWhatIsKnown(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	for _, kind := range []revocation.Kind{revocation.CRL, revocation.OCSP} {
		t.Run(string(kind), func(t *testing.T) {
			web, clock, dir := newServer(t), newClock(), t.TempDir()
			address := []string{web.URL + "/x"}
			one := seal(t, root, address, nil)
			if kind == revocation.OCSP {
				one = seal(t, root, nil, address)
			}
			revokedAt := sealtest.At.Add(-2 * time.Hour)
			give := func(this time.Time, revoked bool) {
				if kind == revocation.OCSP {
					web.give("/x", answer(t, one, root, func(r *ocsp.Response) {
						r.ThisUpdate, r.NextUpdate = this, this.Add(24*time.Hour)
						if revoked {
							r.Status, r.RevokedAt = ocsp.Revoked, revokedAt
						}
					}))
					return
				}
				web.give("/x", crl(t, root, func(l *x509.RevocationList) {
					l.ThisUpdate, l.NextUpdate = this, this.Add(24*time.Hour)
					if revoked {
						l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: one.Certificate().SerialNumber, RevocationTime: revokedAt}}
					}
				}))
			}
			s := open(t, dir, clock, nil)
			now := func() signing.Options { return signing.Options{At: clock.Now()} }
			expectVerdict(t, "nothing known", judge(t, s, one, now()), signing.TryLater)
			give(sealtest.At.Add(-time.Hour), false)
			refresh(t, s)
			expectVerdict(t, "good", judge(t, s, one, now()), "")
			expectVerdict(t, "read again", judge(t, s, one, now()), "")
			if v := judge(t, s, one, now()); len(v.Revocation) != 1 || v.Revocation[0].Source != string(kind) {
				t.Errorf("%+v", v.Revocation)
			}

			web.on("/x", status(http.StatusServiceUnavailable))
			clock.Add(25 * time.Hour)
			refresh(t, s)
			expectVerdict(t, "ended", judge(t, s, one, now()), signing.TryLater)
			expectVerdict(t, "ended, for a time when it held", judge(t, s, one, signing.Options{At: sealtest.At}), "")
			if st := s.Status(); len(st.Troubles) != 1 || !st.Troubles[0].Stale {
				t.Errorf("%+v", st)
			}

			give(clock.Now(), true)
			clock.Add(2 * time.Minute)
			refresh(t, s)
			expectVerdict(t, "revoked", judge(t, s, one, now()), signing.RevokedNoPOE)
			proven := now()
			proven.NotBefore = revokedAt.Add(time.Minute)
			expectVerdict(t, "revoked before it was made", judge(t, s, one, proven), signing.Revoked)
			expectVerdict(t, "revoked later", judge(t, s, one, signing.Options{At: revokedAt.Add(-time.Minute)}), "")

			clock.Add(48 * time.Hour)
			s = open(t, dir, clock, nil)
			expectVerdict(t, "revoked, ended, started anew", judge(t, s, one, now()), signing.RevokedNoPOE)
		})
	}
}

// Time-stamps have authorities, too, and a pinned seal has none.
func TestChainsAreThoseOfTimestampsToo(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	one, stamp := seal(t, root, nil, nil), seal(t, root, nil, nil)
	got := revocation.Chains([]signing.Verdict{
		{Chain: one.Chain, Timestamps: []signing.TimestampVerdict{{Verdict: signing.Verdict{Chain: stamp.Chain}}, {}}},
		{Chain: one.Chain[:1], Pinned: true},
		{},
	})
	if len(got) != 2 || got[0][0] != one.Certificate() || got[1][0] != stamp.Certificate() {
		t.Errorf("%d chains", len(got))
	}
}

// A revoked issuer is found by the list of its own issuer.
func TestARevokedIssuer(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web := newServer(t)
	issuer := sealtest.Issue(t, root, "Issuer", sealtest.P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		c.CRLDistributionPoints = []string{web.URL + "/root"}
	})
	one := seal(t, issuer, []string{web.URL + "/issuer"}, nil)
	web.give("/issuer", crl(t, issuer, nil))
	web.give("/root", crl(t, root, func(l *x509.RevocationList) {
		l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: issuer.Certificate().SerialNumber, RevocationTime: sealtest.At.Add(-time.Hour)}}
	}))
	s := open(t, t.TempDir(), newClock(), nil)
	refresh(t, s, one)
	expectVerdict(t, "revoked issuer", judge(t, s, one, signing.Options{At: sealtest.At}), signing.RevokedCANoPOE)
}

// A list for the certificates of others says nothing about this one, whoever gave
// it.
func TestAListForOthersSaysNothing(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web := newServer(t)
	one := seal(t, root, []string{web.URL + "/crl"}, nil)
	web.give("/crl", crl(t, root, func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, critical([]int{2, 5, 29, 28}, 0x30, 3, 0x82, 1, 0xff))
	}))
	s := open(t, t.TempDir(), newClock(), nil)
	refresh(t, s, one)
	if known(t, s, one).CRL != nil {
		t.Error("a list for authorities alone is given for a seal")
	}
	expectVerdict(t, "list of authorities", judge(t, s, one, signing.Options{At: sealtest.At}), signing.TryLater)
}

// A list beyond what checks of signatures read is kept, and named.
func TestAListThatIsTooLargeToJudge(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web := newServer(t)
	one := seal(t, root, []string{web.URL + "/crl"}, nil)
	web.give("/crl", crl(t, root, func(l *x509.RevocationList) {
		entry := x509.RevocationListEntry{SerialNumber: new(big.Int).Lsh(big.NewInt(1), 158), RevocationTime: sealtest.At.Add(-time.Hour)}
		l.RevokedCertificateEntries = make([]x509.RevocationListEntry, signing.MaxCRL/37)
		for i := range l.RevokedCertificateEntries {
			l.RevokedCertificateEntries[i] = entry
		}
	}))
	s := open(t, t.TempDir(), newClock(), nil)
	refresh(t, s, one)
	if item := known(t, s, one).CRL; item == nil || len(item.Bytes) <= signing.MaxCRL {
		t.Fatal("it is not there")
	}
	expectTrouble(t, s, "larger than the 8388608")
	if r := s.Revocation(one.Chain); len(r.CRLs) != 0 {
		t.Error("it was read")
	}
}
