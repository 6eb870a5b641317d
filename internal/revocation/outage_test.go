package revocation_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// An authority that never answers holds up nobody else, however much is asked of it.
func TestABadAuthorityHoldsUpNobody(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	bad, good := newServer(t), newServer(t)
	hung, release := make(chan struct{}, 100), make(chan struct{})
	s := open(t, t.TempDir(), newClock(), func(c *revocation.Config) { c.Parallel = 2 })
	var waiting []sealtest.Seal
	for i := range 20 {
		path := fmt.Sprintf("/%d", i)
		bad.on(path, func(http.ResponseWriter, *http.Request) { hung <- struct{}{}; <-release })
		waiting = append(waiting, seal(t, root, []string{bad.URL + path}, nil))
		s.Want(waiting[i].Chain)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-hung
	for i := range 20 {
		path := fmt.Sprintf("/%d", i)
		good.give(path, crl(t, root, nil))
		one := seal(t, root, []string{good.URL + path}, nil)
		s.Want(one.Chain)
		eventually(t, "the good one is there", func() bool { return known(t, s, one).CRL != nil })
	}
	if n := bad.all(); n != 1 {
		t.Errorf("%d requests hang at the bad authority", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(release)
	for i := range waiting {
		bad.give(fmt.Sprintf("/%d", i), crl(t, root, nil))
	}
	refresh(t, s)
	for i, one := range waiting {
		if known(t, s, one).CRL == nil {
			t.Errorf("what waited when Run ended is forgotten: %d", i)
		}
	}
}

// Those that failed leave half of the places to others, even where each is a machine
// of its own.
func TestManyBadAuthoritiesLeaveRoom(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	clock, good := newClock(), newServer(t)
	hung, release := make(chan struct{}, 100), make(chan struct{})
	s := open(t, t.TempDir(), clock, func(c *revocation.Config) { c.Parallel = 4 })
	var bad []*server
	for range 10 {
		b := newServer(t)
		bad = append(bad, b)
		b.on("/", status(http.StatusServiceUnavailable))
		s.Want(seal(t, root, []string{b.URL + "/"}, nil).Chain)
	}
	refresh(t, s)
	for _, b := range bad {
		b.on("/", func(http.ResponseWriter, *http.Request) { hung <- struct{}{}; <-release })
	}
	clock.Add(time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-hung
	<-hung
	good.give("/", crl(t, root, nil))
	one := seal(t, root, []string{good.URL + "/"}, nil)
	s.Want(one.Chain)
	eventually(t, "the good one is there", func() bool { return known(t, s, one).CRL != nil })
	if len(hung) != 0 {
		t.Errorf("%d more hang", len(hung))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(release)
}

// An answer that comes too slowly is given up.
func TestASlowAnswerIsGivenUp(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, dir := newServer(t), t.TempDir()
	list := crl(t, root, nil)
	web.on("/crl", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(list[:len(list)-1])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	web.on("/ocsp", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 1000)) // or the server does not notice the end
		<-r.Context().Done()
	})
	for path, words := range map[string]string{"/crl": "broke off", "/ocsp": "cannot be reached"} {
		lists, responders := []string{web.URL + path}, []string(nil)
		if path == "/ocsp" {
			lists, responders = responders, lists
		}
		s := open(t, dir, newClock(), func(c *revocation.Config) { c.CRLTimeout, c.OCSPTimeout = 300*time.Millisecond, 300*time.Millisecond })
		refresh(t, s, seal(t, root, lists, responders))
		expectTrouble(t, s, words)
		expectNoLeftovers(t, dir)
	}
}

// An authority that cannot be reached is asked more and more rarely, by one request
// for all that it should have, and named with the time since when.
func TestAnOutageIsSatOut(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, clock := newServer(t), newClock()
	s := open(t, t.TempDir(), clock, nil)
	var all []sealtest.Seal
	for i := range 10 {
		path := fmt.Sprintf("/%d", i)
		web.give(path, crl(t, root, nil))
		all = append(all, seal(t, root, []string{web.URL + path}, nil))
	}
	refresh(t, s, all...)
	before := web.all()
	for i := range all {
		web.on(fmt.Sprintf("/%d", i), status(http.StatusServiceUnavailable))
	}
	clock.Add(12 * time.Hour)
	since := clock.Now()
	for range 7 * 24 * 60 {
		clock.Add(time.Minute)
		refresh(t, s)
	}
	if n := web.all() - before; n < 20 || n > 50 {
		t.Errorf("asked %d times in a week", n)
	}
	st := s.Status()
	if len(st.Unreachable) != 1 || !strings.Contains(web.URL, st.Unreachable[0].Host) || st.Unreachable[0].Since.Sub(since) > time.Minute {
		t.Errorf("%+v", st.Unreachable)
	}
	if st.InTrouble != 10 || st.Kept != 10 || !st.Troubles[0].Stale || st.Troubles[0].Missing {
		t.Errorf("%+v", st)
	}
	for i, one := range all {
		item := known(t, s, one).CRL
		if item == nil {
			t.Fatal("what was there is gone")
		}
		web.give(fmt.Sprintf("/%d", i), crl(t, root, func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate = clock.Now(), clock.Now().Add(24*time.Hour)
		}))
	}
	clock.Add(8 * time.Hour)
	refresh(t, s)
	if st := s.Status(); len(st.Unreachable) != 0 || st.InTrouble != 0 {
		t.Errorf("after the outage: %+v", st)
	}
}

// The next address of a certificate is tried where one fails.
func TestTheNextAddressIsTried(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	down, wrong, right := newServer(t), newServer(t), newServer(t)
	list := crl(t, root, nil)
	down.on("/", status(http.StatusServiceUnavailable))
	right.give("/", list)
	one := seal(t, root, []string{down.URL + "/", wrong.URL + "/", right.URL + "/"}, nil)
	clock := newClock()
	s := open(t, t.TempDir(), clock, nil)
	refresh(t, s, one)
	expectItem(t, "CRL", known(t, s, one).CRL, list)
	if st := s.Status(); len(st.Unreachable) != 1 || len(st.Troubles) != 0 {
		t.Errorf("%+v", st)
	}
}

// A clock that was wrong does not put anything off for years.
func TestAClockThatWasWrong(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, clock := newServer(t), newClock()
	one := seal(t, root, []string{web.URL + "/"}, nil)
	s := open(t, t.TempDir(), clock, nil)
	clock.Add(4 * 365 * 24 * time.Hour)
	web.on("/", status(http.StatusServiceUnavailable))
	refresh(t, s, one)
	clock.Set(sealtest.At)
	web.give("/", crl(t, root, nil))
	refresh(t, s)
	if known(t, s, one).CRL == nil {
		t.Error("it waits for the wrong clock")
	}
}
