package revocation_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/lang"
	"docaxis/internal/revocation"
	"docaxis/internal/sealtest"
)

// clock is one that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: sealtest.At} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *clock) Add(d time.Duration) { c.Set(c.Now().Add(d)) }

// server answers as a test says, on a loopback address.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]http.HandlerFunc
	asked   map[string]int
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{answers: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	answer := s.answers[r.URL.Path]
	s.mu.Unlock()
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	answer(w, r)
}

func (s *server) on(path string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = answer
}

func (s *server) give(path string, body []byte) {
	s.on(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (s *server) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func (s *server) all() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, asked := range s.asked {
		n += asked
	}
	return n
}

// authority makes a CA that may sign lists.
func authority(t testing.TB, by sealtest.Seal, name string) sealtest.Seal {
	t.Helper()
	return sealtest.Issue(t, by, name, sealtest.P256(t), func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
}

// seal makes a certificate that names addresses.
func seal(t testing.TB, by sealtest.Seal, lists, responders []string) sealtest.Seal {
	t.Helper()
	return sealtest.Issue(t, by, "Seal", sealtest.P256(t), func(c *x509.Certificate) {
		c.CRLDistributionPoints, c.OCSPServer = lists, responders
	})
}

// crl makes a list that is an hour old and holds for a day, if it is not changed.
func crl(t testing.TB, by sealtest.Seal, change func(*x509.RevocationList)) []byte {
	t.Helper()
	list := &x509.RevocationList{
		Number:     big.NewInt(7),
		ThisUpdate: sealtest.At.Add(-time.Hour),
		NextUpdate: sealtest.At.Add(23 * time.Hour),
	}
	if change != nil {
		change(list)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, by.Certificate(), by.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// answer makes an OCSP answer "good" about a seal, as old as a list of crl.
func answer(t testing.TB, about, by sealtest.Seal, change func(*ocsp.Response)) []byte {
	t.Helper()
	r := ocsp.Response{
		Status:       ocsp.Good,
		SerialNumber: about.Certificate().SerialNumber,
		ThisUpdate:   sealtest.At.Add(-time.Hour),
		NextUpdate:   sealtest.At.Add(23 * time.Hour),
	}
	if change != nil {
		change(&r)
	}
	der, err := ocsp.CreateResponse(about.Chain[1], by.Certificate(), r, by.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func critical(id []int, value ...byte) pkix.Extension {
	return pkix.Extension{Id: id, Critical: true, Value: value}
}

// loopback permits what tests serve.
func loopback() revocation.Network {
	return revocation.Network{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

// open opens a store whose clock is given and that may ask this machine.
func open(t testing.TB, dir string, c *clock, change func(*revocation.Config)) *revocation.Store {
	t.Helper()
	cfg := revocation.Config{Now: c.Now, Network: loopback()}
	if change != nil {
		change(&cfg)
	}
	s, err := revocation.Open(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func refresh(t testing.TB, s *revocation.Store, wanted ...sealtest.Seal) {
	t.Helper()
	for _, w := range wanted {
		s.Want(w.Chain)
	}
	if err := s.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// known is what the store has about a seal itself.
func known(t testing.TB, s *revocation.Store, of sealtest.Seal) revocation.Known {
	t.Helper()
	all := s.Data(of.Chain)
	if len(all) != len(of.Chain)-1 {
		t.Fatalf("%d certificates are answered for, not %d", len(all), len(of.Chain)-1)
	}
	return all[0]
}

func expectItem(t testing.TB, what string, item *revocation.Item, want []byte) {
	t.Helper()
	switch {
	case item == nil && want != nil:
		t.Errorf("%s: nothing is known", what)
	case item != nil && !bytes.Equal(item.Bytes, want):
		t.Errorf("%s: %d other bytes, of %s", what, len(item.Bytes), item.ThisUpdate)
	}
}

// expectTrouble looks for a trouble whose English text has some words, and a
// Vietnamese text beside it.
func expectTrouble(t testing.TB, s *revocation.Store, words string) revocation.Trouble {
	t.Helper()
	for _, tr := range s.Status().Troubles {
		if tr.Err == nil {
			continue
		}
		if text := tr.Err.Error(); strings.Contains(text, words) {
			if vi := lang.Say(tr.Err, lang.Vietnamese); vi == lang.Say(tr.Err, lang.English) {
				t.Errorf("%q is not said in Vietnamese", vi)
			}
			return tr
		}
		t.Logf("trouble: %v", tr.Err)
	}
	t.Errorf("no trouble says %q", words)
	return revocation.Trouble{}
}

// expectNoLeftovers looks for temporary files.
func expectNoLeftovers(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".tmp-") {
			t.Errorf("%s was left", e.Name())
		}
	}
}

// kept lists the files of a store.
func kept(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.revocation"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// nameServer answers every question for an IPv4 address with the next of some, the
// last one again and again.
func nameServer(t testing.TB, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	go serveNames(conn, addresses)
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func serveNames(conn net.PacketConn, addresses []string) {
	buffer := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
			return
		}
		if err != nil || n < 17 {
			continue
		}
		question := buffer[12:n]
		end := bytes.IndexByte(question, 0) + 5
		response := append([]byte{buffer[0], buffer[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[:end]...)
		if question[end-3] == 1 { // type A
			response[7] = 1
			response = append(response, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
			response = append(response, netip.MustParseAddr(addresses[0]).AsSlice()...)
			if len(addresses) > 1 {
				addresses = addresses[1:]
			}
		}
		_, _ = conn.WriteTo(response, from)
	}
}
