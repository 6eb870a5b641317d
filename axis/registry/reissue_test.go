package registry_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"docaxis/internal/reason"
	"docaxis/internal/sealtest"
	"docaxis/proto/axispb"
)

func inviteAgain(secret, name string, expires time.Time) *axispb.Change {
	c := invite(secret, name, expires)
	c.GetInvite().Reissue = true
	return c
}

func reissue(name string, cert []byte) *axispb.Change {
	c := enrol(name, cert)
	c.GetPutEndpoint().Reissued = true
	return c
}

// twice makes two certificates of one key.
func twice(t *testing.T, name string) (first, second []byte) {
	t.Helper()
	key := sealtest.P256(t)
	issue := func(serial int64) []byte {
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotAfter: noon.AddDate(1, 0, 0)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	return issue(1), issue(2)
}

func TestReissuedEndpoint(t *testing.T) {
	w := nghean(t)
	renewed, fresh := certificate(t, "vinh"), certificate(t, "vinh")
	w.do(noon, enrol("vinh", renewed))
	was, _ := w.Endpoint("vinh")
	w.do(noon, inviteAgain("lost", "vinh", noon.Add(time.Hour)))
	w.do(noon, inviteAgain("s", "vinh", noon.Add(time.Hour)))

	// The first invitation is worth nothing once there is a second.
	if _, refused := w.Invitation(hash("lost"), noon); !reason.Is(refused, axispb.ReasonCode_REASON_INVITATION_INVALID) {
		t.Errorf("a replaced invitation: %v", refused)
	}
	if i, refused := w.Invitation(hash("s"), noon); refused != nil || !i.Reissue || i.Endpoint != "vinh" {
		t.Errorf("the invitation: %+v, %v", i, refused)
	}

	at := noon.Add(time.Minute)
	effects := w.do(at, reissue("vinh", fresh))
	if !cmp.Equal(effects.Reissued, []string{"vinh"}) || effects.Revoked != nil || effects.Moved != nil {
		t.Errorf("effects: %+v", effects)
	}
	for _, old := range was.Certificates {
		e, refused := w.EndpointByCertificate(old)
		if !reason.Is(refused, axispb.ReasonCode_REASON_CERTIFICATE_ENDED) || refused.Reason.Args[0] != "vinh" || refused.Reason.Args[1] != reason.Time(at) || e.Name != "vinh" {
			t.Errorf("an ended certificate: %+v, %v", e, refused)
		}
	}
	e, refused := w.EndpointByCertificate(fresh)
	if refused != nil || !cmp.Equal(e.Codes, was.Codes) || !e.Reissued().Equal(at) || !e.EnrolledAt.Equal(noon) {
		t.Errorf("the new one: %+v, %v", e, refused)
	}
	if !w.Serves("vinh", "H41") {
		t.Error("it lost its codes")
	}

	// Whoever had the old key may have asked for a renewal in its last moment.
	err := w.Check(change(enrol("vinh", certificate(t, "vinh"))), at.Add(59*time.Minute))
	if !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) || !strings.Contains(err.Error(), "an hour later") {
		t.Errorf("a renewal right after it: %v", err)
	}
	second := certificate(t, "vinh")
	w.do(at.Add(time.Hour), enrol("vinh", second))
	if _, refused := w.EndpointByCertificate(fresh); refused != nil {
		t.Errorf("a renewal ended the certificate before it: %v", refused)
	}
	// Again, at once if need be: all that it has ends.
	effects = w.do(at.Add(61*time.Minute), reissue("vinh", certificate(t, "vinh")))
	if _, refused := w.EndpointByCertificate(second); !cmp.Equal(effects.Reissued, []string{"vinh"}) || refused == nil {
		t.Errorf("the second re-issue: %+v, %v", effects, refused)
	}
	e, _ = w.Endpoint("vinh")
	if len(e.Terms) != 5 || !e.Terms[0].Ended.Equal(at) || !e.Terms[3].Ended.Equal(at.Add(61*time.Minute)) || e.Terms[2].Position == 0 {
		t.Errorf("terms: %+v", e.Terms)
	}
}

func TestReissueRefused(t *testing.T) {
	w := nghean(t)
	in := noon.Add(time.Hour)
	first, again := twice(t, "hue")
	w.do(noon, revoke("ndan"), enrol("hue", first))
	w.do(noon, inviteAgain("old", "vinh", in), inviteAgain("new", "vinh", in))
	w.do(noon, invite("open", "tchg", in))
	coded := inviteAgain("x", "vinh", in)
	coded.GetInvite().Codes = []string{"H41"}
	tests := []struct {
		name, what string
		step       *axispb.Change
	}{
		{"of the unknown", "look its name up", inviteAgain("x", "dcha", in)},
		{"of the revoked", "under another name", inviteAgain("x", "ndan", in)},
		{"of the only invited", "no endpoint", inviteAgain("x", "tchg", in)},
		{"with codes", "keeps its codes", coded},
		{"that is over", "later end", inviteAgain("x", "vinh", noon)},
		{"use of the replaced", "took the place", use("old")},
		{"of nobody", "enrol it first", reissue("dcha", certificate(t, "dcha"))},
		{"certificate of the revoked", "revoked", reissue("ndan", certificate(t, "ndan"))},
		{"with the same key", "make a new key", reissue("hue", again)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := w.Check(change(tt.step), noon)
			if !reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) || !strings.Contains(reason.Of(err).Args[0], tt.what) {
				t.Errorf("%v; want a conflict with %q in it", err, tt.what)
			}
		})
	}
}
