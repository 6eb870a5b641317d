package revocation_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// What is wanted is fetched, kept, and there again after a restart without anybody
// being asked.
func TestListsAndAnswersAreKept(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, clock, dir := newServer(t), newClock(), t.TempDir()
	issuer := sealtest.Issue(t, root, "Issuer", sealtest.P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		c.CRLDistributionPoints = []string{web.URL + "/root.crl"}
	})
	one := seal(t, issuer, []string{"ldap://x/y", web.URL + "/issuer.crl"}, []string{web.URL + "/ocsp"})
	lists := map[string][]byte{"/root.crl": crl(t, root, nil), "/issuer.crl": crl(t, issuer, nil)}
	for path, list := range lists {
		web.give(path, list)
	}
	good := answer(t, one, issuer, nil)
	web.on("/ocsp", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request, parse := ocsp.ParseRequest(body)
		if err != nil || parse != nil || request.SerialNumber.Cmp(one.Certificate().SerialNumber) != 0 {
			http.Error(w, "not asked well", http.StatusBadRequest)
			return
		}
		_, _ = w.Write(good)
	})
	s := open(t, dir, clock, nil)
	if got := known(t, s, one); got.CRL != nil || got.OCSP != nil {
		t.Error("something is known before anybody asked")
	}
	refresh(t, s, one)
	for range 2 {
		all := s.Data(one.Chain)
		expectItem(t, "seal, CRL", all[0].CRL, lists["/issuer.crl"])
		expectItem(t, "seal, OCSP", all[0].OCSP, good)
		expectItem(t, "issuer, CRL", all[1].CRL, lists["/root.crl"])
		if all[1].OCSP != nil {
			t.Error("an answer about the issuer came from nowhere")
		}
		if item := all[0].OCSP; !item.Obtained.Equal(sealtest.At) || item.URL != web.URL+"/ocsp" || !item.NextUpdate.Equal(sealtest.At.Add(23*time.Hour)) {
			t.Errorf("obtained %s from %s, until %s", item.Obtained, item.URL, item.NextUpdate)
		}
		web.Close()
		clock.Add(time.Minute)
		s = open(t, dir, clock, nil)
	}
	if st := s.Status(); st.Entries != 3 || st.Kept != 3 || len(st.Troubles) != 0 || st.Bytes == 0 {
		t.Errorf("%+v", st)
	}
}

// The list or answer that tells of a revocation takes the place of the one before,
// and nothing that is older takes its place.
func TestAnOlderAnswerIsRefused(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, clock := newServer(t), newClock()
	one := seal(t, root, []string{web.URL + "/crl"}, []string{web.URL + "/ocsp"})
	s := open(t, t.TempDir(), clock, nil)
	var list, reply []byte
	give := func(this time.Duration, number int64, status int) {
		list = crl(t, root, func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate, l.Number = l.ThisUpdate.Add(this), sealtest.NotAfter, big.NewInt(number)
		})
		reply = answer(t, one, root, func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = r.ThisUpdate.Add(this), sealtest.NotAfter
			r.Status, r.RevokedAt = status, sealtest.At.Add(-24*time.Hour)
		})
		web.give("/crl", list)
		web.give("/ocsp", reply)
		clock.Add(25 * time.Hour)
		refresh(t, s, one)
	}
	give(0, 7, ocsp.Good)
	give(10*time.Minute, 8, ocsp.Revoked)
	newList, newReply := list, reply
	expectItem(t, "CRL", known(t, s, one).CRL, newList)
	expectItem(t, "OCSP", known(t, s, one).OCSP, newReply)

	give(9*time.Minute, 9, ocsp.Good)
	expectItem(t, "CRL after an older one", known(t, s, one).CRL, newList)
	expectItem(t, "OCSP after an older one", known(t, s, one).OCSP, newReply)
	expectTrouble(t, s, "the answer is older")

	give(10*time.Minute, 7, ocsp.Revoked)
	expectItem(t, "CRL after one with a lower number", known(t, s, one).CRL, newList)

	give(11*time.Minute, 7, ocsp.Revoked)
	expectItem(t, "CRL after a younger one with a lower number", known(t, s, one).CRL, list)
}

// Whoever the issuer appointed may answer, and an issuer that sends its own
// certificate along is no stranger.
func TestWhoMayAnswer(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	issuer := authority(t, root, "Issuer")
	web := newServer(t)
	one := seal(t, issuer, nil, []string{web.URL + "/ocsp"})
	appointed := responder(t, issuer, func(*x509.Certificate) {})
	for name, reply := range map[string][]byte{
		"the issuer": answer(t, one, issuer, nil),
		"the issuer with its certificate": answer(t, one, issuer, func(r *ocsp.Response) {
			r.Certificate = issuer.Certificate()
		}),
		"a responder": answer(t, one, appointed, func(r *ocsp.Response) { r.Certificate = appointed.Certificate() }),
	} {
		t.Run(name, func(t *testing.T) {
			web.give("/ocsp", reply)
			s := open(t, t.TempDir(), newClock(), nil)
			refresh(t, s, one)
			expectItem(t, "OCSP", known(t, s, one).OCSP, reply)
		})
	}
}

func responder(t *testing.T, by sealtest.Seal, change func(*x509.Certificate)) sealtest.Seal {
	t.Helper()
	return sealtest.Issue(t, by, "Responder", sealtest.P256(t), func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		change(c)
	})
}

// Run takes up what is wanted while it runs, one at a time, and ends with its
// context.
func TestRun(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web := newServer(t)
	list := crl(t, root, nil)
	web.give("/a", list)
	web.give("/b", list)
	first, second := seal(t, root, []string{web.URL + "/a"}, nil), seal(t, root, []string{web.URL + "/b"}, nil)
	clock := newClock()
	s := open(t, t.TempDir(), clock, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for _, one := range []sealtest.Seal{first, second} {
		s.Want(one.Chain)
		eventually(t, "the list is there", func() bool { return known(t, s, one).CRL != nil })
	}
	clock.Add(20 * time.Hour)
	s.Want(first.Chain) // wakes it, or it looks at the clock within a minute
	eventually(t, "what is due is asked for again", func() bool { return web.count("/a") == 2 && web.count("/b") == 2 })
	if err := s.Refresh(ctx); !errors.Is(err, revocation.ErrRunning) {
		t.Errorf("a second one at work: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Refresh(context.Background()); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// A list is asked for again before it ends, and never all the time.
func TestWhatEndsIsRefreshedBefore(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, clock := newServer(t), newClock()
	one := seal(t, root, []string{web.URL + "/crl"}, nil)
	s := open(t, t.TempDir(), clock, nil)
	web.on("/crl", func(w http.ResponseWriter, _ *http.Request) {
		// Published every eight hours, one hour before the one before ends.
		published := clock.Now().Truncate(7 * time.Hour)
		_, _ = w.Write(crl(t, root, func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate = published, published.Add(8*time.Hour)
		}))
	})
	refresh(t, s, one)
	for range 14 * 24 * 4 {
		clock.Add(15 * time.Minute)
		refresh(t, s, one)
		if item := known(t, s, one).CRL; item == nil || item.NextUpdate.Before(clock.Now()) {
			t.Fatalf("at %s it holds no more", clock.Now())
		}
	}
	if n := web.count("/crl"); n < 14*24/8 || n > 14*24/7*12 {
		t.Errorf("asked %d times in fourteen days", n)
	}
	if st := s.Status(); len(st.Troubles) != 0 {
		t.Errorf("%v", st.Troubles)
	}
}

// A certificate that nobody wants any more is forgotten.
func TestWhatNobodyWantsIsForgotten(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, clock, dir := newServer(t), newClock(), t.TempDir()
	web.give("/crl", crl(t, root, func(l *x509.RevocationList) { l.NextUpdate = sealtest.NotAfter }))
	one := seal(t, root, []string{web.URL + "/crl"}, nil)
	s := open(t, dir, clock, nil)
	refresh(t, s, one)
	clock.Add(89 * 24 * time.Hour)
	refresh(t, s)
	if known(t, s, one).CRL == nil {
		t.Error("forgotten too early")
	}
	clock.Add(2 * 24 * time.Hour)
	refresh(t, s)
	if known(t, s, one).CRL != nil || len(kept(t, dir)) != 0 || s.Status().Entries != 0 {
		t.Error("not forgotten")
	}
}
