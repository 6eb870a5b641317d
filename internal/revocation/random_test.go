package revocation_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// weather is a handful of authorities that come and go.
type weather struct {
	t      *testing.T
	random *rand.Rand
	clock  *clock
	dir    string
	root   sealtest.Seal
	web    []*server
	seals  []sealtest.Seal
	store  *revocation.Store
	// newest is the latest thisUpdate that was seen of each seal's list.
	newest map[int]time.Time
}

func newWeather(t *testing.T, seed uint64) *weather {
	t.Helper()
	w := &weather{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), clock: newClock(), dir: t.TempDir(),
		root: authority(t, sealtest.Seal{}, "Root"), newest: map[int]time.Time{},
	}
	for i := range 6 {
		web := newServer(t)
		w.web = append(w.web, web)
		one := seal(t, w.root, []string{web.URL + "/crl", w.web[i/2].URL + "/crl"}, []string{web.URL + "/ocsp"})
		w.seals = append(w.seals, one)
		w.good(i)
	}
	w.reopen()
	return w
}

func (w *weather) reopen() {
	w.store = open(w.t, w.dir, w.clock, func(c *revocation.Config) { c.MaxEntries, c.MaxBytes, c.MaxCRL = 11, 20<<10, 1<<20 })
}

// fresh is a list or an answer of this moment.
func (w *weather) crl(age time.Duration) []byte {
	return crl(w.t, w.root, func(l *x509.RevocationList) {
		l.ThisUpdate = w.clock.Now().Add(-age)
		l.NextUpdate = l.ThisUpdate.Add(24 * time.Hour)
	})
}

func (w *weather) good(i int) {
	w.web[i].on("/crl", func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(w.crl(0)) })
	w.web[i].on("/ocsp", func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write(answer(w.t, w.seals[i], w.root, func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = w.clock.Now(), w.clock.Now().Add(12*time.Hour)
		}))
	})
}

func (w *weather) bad(i int) {
	old := w.crl(20 * time.Hour)
	reply := []http.HandlerFunc{
		status(http.StatusServiceUnavailable), http.NotFound, gives(nil), gives(old[:50]), gives(old), announced("5000"), flood,
	}[w.random.IntN(7)]
	w.web[i].on("/crl", reply)
	w.web[i].on("/ocsp", reply)
}

func (w *weather) damage() {
	names := kept(w.t, w.dir)
	if len(names) == 0 {
		return
	}
	name := names[w.random.IntN(len(names))]
	b, err := os.ReadFile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	b[w.random.IntN(len(b))] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	clear(w.newest)
	for _, one := range w.seals {
		w.store.Data(one.Chain)
	}
}

func (w *weather) step() {
	i := w.random.IntN(len(w.web))
	switch w.random.IntN(8) {
	case 0, 1:
		w.good(i)
	case 2, 3:
		w.bad(i)
	case 4:
		w.damage()
	case 5:
		w.reopen()
	default:
		w.clock.Add(time.Duration(w.random.IntN(300)) * time.Minute)
	}
	refresh(w.t, w.store, w.seals[i])
}

// check looks whether the books are right, and nothing went back in time.
func (w *weather) check(step int) {
	w.t.Helper()
	var bytes int64
	names := kept(w.t, w.dir)
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			w.t.Fatal(err)
		}
		bytes += info.Size()
	}
	st := w.store.Status()
	if st.Bytes != bytes || st.Kept != len(names) || st.Entries > 11 {
		w.t.Fatalf("step %d: %d files of %d bytes; %+v", step, len(names), bytes, st)
	}
	for i, one := range w.seals {
		item := known(w.t, w.store, one).CRL
		if item == nil {
			delete(w.newest, i)
			continue
		}
		if item.ThisUpdate.Before(w.newest[i]) {
			w.t.Fatalf("step %d: a list of %s took the place of one of %s", step, item.ThisUpdate, w.newest[i])
		}
		w.newest[i] = item.ThisUpdate
	}
	expectNoLeftovers(w.t, w.dir)
}

// Whatever comes in whatever order, the books are right, nothing goes back, and when
// everything is well again everything is there within the longest back-off.
func TestRandomWeather(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWeather(t, seed)
			for step := range 120 {
				w.step()
				w.check(step)
			}
			for i := range w.web {
				w.good(i)
			}
			for range 2 {
				w.clock.Add(8 * time.Hour)
				refresh(t, w.store, w.seals[:5]...)
			}
			for _, one := range w.seals[:5] {
				k := known(t, w.store, one)
				if k.CRL == nil || k.OCSP == nil || k.CRL.NextUpdate.Before(w.clock.Now()) || k.OCSP.NextUpdate.Before(w.clock.Now()) {
					t.Errorf("not there again: %+v", w.store.Status().Troubles)
				}
			}
		})
	}
}

// Everything may be called at once.
func TestConcurrentUse(t *testing.T) {
	root := authority(t, sealtest.Seal{}, "Root")
	web, clock, dir := newServer(t), newClock(), t.TempDir()
	list := crl(t, root, nil)
	var seals []sealtest.Seal
	for i := range 8 {
		path := fmt.Sprintf("/%d", i)
		web.give(path, list)
		seals = append(seals, seal(t, root, []string{web.URL + path}, nil))
	}
	s := open(t, dir, clock, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	var users sync.WaitGroup
	for _, one := range seals {
		users.Go(func() {
			for range 50 {
				s.Want(one.Chain)
				s.Revocation(one.Chain)
				if item := s.Data(one.Chain)[0].CRL; item != nil && string(item.Bytes) != string(list) {
					t.Error("other bytes")
				}
				s.Status()
			}
		})
	}
	for range 20 {
		clock.Add(time.Minute)
		for _, name := range kept(t, dir) {
			if err := os.Remove(name); err != nil {
				t.Error(err)
			}
		}
	}
	users.Wait()
	for _, one := range seals {
		eventually(t, "it is there again", func() bool { s.Want(one.Chain); return known(t, s, one).CRL != nil })
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
