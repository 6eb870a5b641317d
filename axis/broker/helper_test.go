package broker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"docaxis/axis/broker"
	"docaxis/internal/bus"
)

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

// until polls a condition.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if cond() {
			return
		}
		pause()
	}
	t.Fatalf("waited in vain until %s", what)
}

func pause() { <-time.After(2 * time.Millisecond) }

// authority is a registry small enough to see through.
type authority struct {
	ca  *x509.Certificate
	key *ecdsa.PrivateKey

	mu      sync.Mutex
	serial  int64
	revoked map[string]bool
	knocks  map[string]int
	invites map[[sha256.Size]byte]bool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{revoked: map[string]bool{}, knocks: map[string]int{}, invites: map[[sha256.Size]byte]bool{}}
	a.key = newKey(t)
	template := a.template("test CA", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	a.ca = a.sign(t, template, template, &a.key.PublicKey)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) template(name string, from, to time.Time) *x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: from, NotAfter: to,
	}
}

func (a *authority) sign(t *testing.T, template, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a *authority) server(t *testing.T) *tls.Config {
	t.Helper()
	key := newKey(t)
	template := a.template("axis", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	cert := a.sign(t, template, a.ca, &key.PublicKey)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw, a.ca.Raw}, PrivateKey: key}}}
}

func (a *authority) endpoint(t *testing.T, name string) tls.Certificate {
	t.Helper()
	return a.endpointUntil(t, name, time.Now().Add(time.Hour))
}

func (a *authority) endpointUntil(t *testing.T, name string, to time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := a.template(name, to.Add(-1000*time.Hour), to)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return tls.Certificate{Certificate: [][]byte{a.sign(t, template, a.ca, &key.PublicKey).Raw}, PrivateKey: key}
}

// Admit implements broker.Authority.
func (a *authority) Admit(cert *x509.Certificate, now time.Time) (broker.Grant, error) {
	if err := cert.CheckSignatureFrom(a.ca); err != nil {
		return broker.Grant{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.knocks[cert.Subject.CommonName]++
	if a.revoked[cert.Subject.CommonName] {
		return broker.Grant{}, errors.New("revoked")
	}
	return broker.Grant{
		Endpoint:  cert.Subject.CommonName,
		RenewOnly: now.After(cert.NotAfter.Add(24 * time.Hour)),
	}, nil
}

// AdmitInvitation implements broker.Authority.
func (a *authority) AdmitInvitation(hash []byte, _ time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.invites[[sha256.Size]byte(hash)] {
		return errors.New("unknown invitation")
	}
	return nil
}

func (a *authority) knocked(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.knocks[name]
}

func (a *authority) revoke(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked[name] = true
}

func (a *authority) invite(address string) bus.Invite {
	i := bus.Invite{Address: address, Pin: sha256.Sum256(a.ca.RawSubjectPublicKeyInfo)}
	copy(i.Secret[:], rand.Text()+rand.Text())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.invites[[sha256.Size]byte(i.SecretHash())] = true
	return i
}

// start runs a broker until the test ends.
func start(t *testing.T, a *authority) *broker.Broker {
	t.Helper()
	return startAt(t, a, "127.0.0.1:0")
}

func startAt(t *testing.T, a *authority, listen string) *broker.Broker {
	t.Helper()
	return started(t, a, t.TempDir(), listen)
}

func startIn(t *testing.T, a *authority, dir string) *broker.Broker {
	t.Helper()
	return started(t, a, dir, "127.0.0.1:0")
}

func started(t *testing.T, a *authority, dir, listen string) *broker.Broker {
	t.Helper()
	b, err := startErr(t, a, dir, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, b) })
	return b
}

func startErr(t *testing.T, a *authority, dir, listen string) (*broker.Broker, error) {
	t.Helper()
	return broker.Start(broker.Config{
		Dir: dir, Listen: listen, TLS: a.server(t), Authority: a, Log: slog.New(slog.DiscardHandler),
	})
}

func stop(t *testing.T, b *broker.Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// raw is a connection as a hostile endpoint makes it: any subject may be tried.
type raw struct {
	*nats.Conn
	mu         sync.Mutex
	violations []string
}

func (r *raw) refusals() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.violations)
}

func dialRaw(t *testing.T, a *authority, b interface{ Addr() string }, cert tls.Certificate, opts ...nats.Option) (*raw, error) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.ca)
	config := &tls.Config{RootCAs: roots}
	if cert.Certificate != nil {
		config.Certificates = []tls.Certificate{cert}
	}
	r := new(raw)
	nc, err := nats.Connect("tls://"+b.Addr(), append([]nats.Option{
		nats.Secure(config), nats.TLSHandshakeFirst(), nats.NoReconnect(), nats.SkipSubjectValidation(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.violations = append(r.violations, err.Error())
		}),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	r.Conn = nc
	t.Cleanup(nc.Close)
	return r, nil
}

func mustRaw(t *testing.T, a *authority, b *broker.Broker, name string) *raw {
	t.Helper()
	r, err := dialRaw(t, a, b, a.endpoint(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dial is a connection as a good endpoint makes it, connected.
func dial(t *testing.T, a *authority, address, name string, cert tls.Certificate) *bus.Conn {
	t.Helper()
	c, err := bus.Dial(t.Context(), bus.DialConfig{
		Address: address, Endpoint: name, Certificate: cert, CA: a.ca,
		Wait: 5 * time.Millisecond, MaxWait: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func dialed(t *testing.T, a *authority, b *broker.Broker, name string) *bus.Conn {
	t.Helper()
	c := dial(t, a, b.Addr(), name, a.endpoint(t, name))
	until(t, name+" is connected", c.Connected)
	return c
}

// echo answers with who asked for what.
func echo(_ context.Context, endpoint string, req []byte) (proto.Message, error) {
	var text wrapperspb.StringValue
	if err := proto.Unmarshal(req, &text); err != nil {
		return nil, err
	}
	return wrapperspb.String(endpoint + ":" + text.Value), nil
}

// serve answers every service with h until the test ends.
func serve(t *testing.T, b *broker.Broker, h bus.Handler, cfg bus.ServeConfig) *bus.Server {
	t.Helper()
	handlers := make(map[bus.Service]bus.Handler)
	for _, s := range bus.Services() {
		handlers[s] = h
	}
	cfg.Log = slog.New(slog.DiscardHandler)
	s, err := bus.Serve(b.Services(), handlers, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Drain(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// call asks a service and gives its answer.
func call(t *testing.T, c *bus.Conn, s bus.Service, text string) (string, error) {
	t.Helper()
	var answer wrapperspb.StringValue
	err := c.Call(t.Context(), s, wrapperspb.String(text), &answer)
	return answer.Value, err
}
