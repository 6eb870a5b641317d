package hubtest_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	operator "docaxis/axis/admin"
	"docaxis/internal/bus"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// testCertificates tries to come in as a victim, or as the axis itself.
func testCertificates(t *testing.T, s *siege) {
	victim := s.identity(t, s.receiver)
	forger, forged := selfSigned(t, s.receiver.Name)
	issued := func(name string) *tls.Certificate { // by the attacker as if it were a CA
		return &tls.Certificate{Certificate: [][]byte{issueBy(t, &s.me.Certificate, name, forger), s.me.Certificate.Certificate[0]}, PrivateKey: forger}
	}
	s.attack(t, nil, func() {
		for what, cert := range map[string]*tls.Certificate{
			"self-signed, a victim's name":        {Certificate: [][]byte{forged.Raw}, PrivateKey: forger},
			"self-signed, then the victim's":      {Certificate: [][]byte{forged.Raw, victim.Certificate.Certificate[0]}, PrivateKey: forger},
			"issued by the attacker":              issued(s.receiver.Name),
			"issued by the attacker, axis":        issued("axis"),
			"a victim's certificate, another key": {Certificate: victim.Certificate.Certificate, PrivateKey: s.me.Certificate.PrivateKey},
			"the CA's certificate":                {Certificate: [][]byte{victim.CA.Raw}, PrivateKey: s.me.Certificate.PrivateKey},
			"none":                                nil,
		} {
			for _, opts := range [][]nats.Option{nil, {nats.UserInfo("services", "")}, {nats.UserInfo("journal", "x")}, {nats.UserInfo(s.receiver.Name, s.receiver.Name)}, {nats.Token("x")}} {
				s.notLetIn(t, what, cert, opts...)
			}
		}
		// A user name beside a good certificate counts for nothing.
		r := s.connect(t, s.attacker, nats.UserInfo("journal", ""))
		if err := r.Publish("$JS.API.INFO", nil); err != nil {
			t.Error(err)
		}
		until(t, "it is still only an endpoint", func() bool { return r.refusals("$JS.API.INFO") > 0 })
		s.talkPlainly(t)
	})
}

func (s *siege) notLetIn(t *testing.T, what string, cert *tls.Certificate, opts ...nats.Option) {
	t.Helper()
	r, err := s.connectAs(s.receiver.Name, s.me.CA, cert, opts...)
	if err == nil {
		r.Close()
		t.Errorf("%s: let in", what)
	}
}

// talkPlainly sends what is no TLS: NATS's own greeting and HTTP. The listener says
// nothing that either could use.
func (s *siege) talkPlainly(t *testing.T) {
	t.Helper()
	for _, greeting := range []string{
		"CONNECT {\"verbose\":true}\r\nPING\r\n", "GET / HTTP/1.1\r\nHost: axis\r\n\r\n", "GET /varz HTTP/1.0\r\n\r\n",
		"PUB ax.submit." + s.receiver.Name + " 1\r\nx\r\n", strings.Repeat("\x00", 4096), "\x16\x03\x01\xff\xff",
	} {
		c, err := net.Dial("tcp", s.Hub().Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.SetDeadline(time.Now().Add(30*time.Second)), write(c, greeting), c.(*net.TCPConn).CloseWrite()); err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ENOTCONN) {
			t.Error(err) // else: the other side has closed already
		}
		heard, err := io.ReadAll(bufio.NewReader(c))
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			t.Errorf("%.20q: the listener does not close", greeting)
		}
		// TLS alerts are seven bytes.
		if len(heard) > 7 || strings.Contains(string(heard), "INFO") {
			t.Errorf("%.20q is answered with %q", greeting, heard)
		}
		c.Close()
	}
}

func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// clock is one that a test can turn.
type clock struct{ ahead chan time.Duration }

func newClock() clock {
	c := clock{make(chan time.Duration, 1)}
	c.ahead <- 0
	return c
}

func (c clock) Now() time.Time {
	d := <-c.ahead
	c.ahead <- d
	return time.Now().Add(d)
}

func (c clock) turn(d time.Duration) { c.ahead <- <-c.ahead + d }

// quietSiege is a world in which nobody talks, and whose time a test turns.
func quietSiege(t *testing.T, c clock) *siege {
	t.Helper()
	s := &siege{log: &complaints{}, now: c.Now}
	s.World = world(t, hubtest.Config{Agencies: fourAgencies, Now: c.Now, Log: slog.New(s.log)})
	t.Cleanup(func() { s.log.check(t) })
	return s
}

// An endpoint that is revoked is cut off at once and stays out; one whose
// certificate expired may renew it and nothing else.
func TestRevokedAndExpiredEndpoints(t *testing.T) {
	c := newClock()
	s := quietSiege(t, c)
	s.attacker, s.receiver = s.enrol(t, "H25"), s.enrol(t, "H41")
	s.me, s.raw = s.identity(t, s.attacker), s.connect(t, s.attacker)
	other := s.connect(t, s.receiver)
	if _, err := s.Hub().Revoke(t.Context(), operator.Revoke{Why: operator.Why{Actor: "test", Reason: "mất máy"}, Endpoint: s.attacker.Name}); err != nil {
		t.Fatal(err)
	}
	until(t, "the revoked endpoint is cut", s.raw.IsClosed)
	s.notLetIn(t, "revoked", &s.me.Certificate)
	mustBody(t, other.ask(t, bus.Pull, fromTheStart()), new(axispb.Page))

	c.turn(400 * 24 * time.Hour)
	if _, err := s.Hub().ConfirmClock(t.Context(), operator.Why{Actor: "test", Reason: "a year later"}); err != nil {
		t.Fatal(err)
	}
	s.notLetIn(t, "revoked and expired", &s.me.Certificate)
	expired := s.connect(t, s.receiver)
	for _, service := range bus.Services() {
		if service == bus.Renew {
			continue
		}
		if err := expired.PublishRequest(bus.ServiceSubject(service, expired.name), expired.NewRespInbox(), wire(t, fromTheStart())); err != nil {
			t.Fatal(err)
		}
		until(t, fmt.Sprintf("%s is forbidden", service), func() bool { return expired.refusals(quoted(bus.ServiceSubject(service, expired.name))) > 0 })
	}
	mustBody(t, expired.ask(t, bus.Renew, &axispb.RenewRequest{Csr: newRequest(t, "x")}), new(axispb.RenewAnswer))
}

// Of two who use one invitation, one gets in; used, expired and invented ones let
// nobody in, and all say why.
func TestInvitations(t *testing.T) {
	c := newClock()
	s := quietSiege(t, c)
	invite := func(code string) bus.Invite {
		invited, err := s.Hub().Invite(t.Context(), operator.Invite{Why: operator.Why{Actor: "test", Reason: "test"}, Codes: []string{code}})
		if err != nil {
			t.Fatal(err)
		}
		i, err := bus.ParseInvite(invited.Invitation)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	used := invite("H41")
	outcomes := make(chan error, 2)
	for range cap(outcomes) {
		csr := newRequest(t, "x")
		go func() {
			_, err := used.Enrol(context.Background(), csr)
			outcomes <- err
		}()
	}
	first, second := <-outcomes, <-outcomes
	if first != nil {
		first, second = second, first
	}
	if first != nil || !reason.Is(second, axispb.ReasonCode_REASON_INVITATION_INVALID) {
		t.Errorf("of two with one invitation: %v, %v", first, second)
	}
	refused := func(what string, i bus.Invite, want axispb.ReasonCode) {
		t.Helper()
		if _, err := i.Enrol(t.Context(), newRequest(t, "x")); !reason.Is(err, want) || reason.IsTemporary(err) {
			t.Errorf("%s: %v, not %s", what, err, want)
		}
	}
	refused("used", used, axispb.ReasonCode_REASON_INVITATION_INVALID)
	invented := used
	invented.Secret[0] ^= 1
	refused("invented", invented, axispb.ReasonCode_REASON_INVITATION_INVALID)

	late := invite("H42")
	held := s.connectInvited(t, late)
	c.turn(8 * 24 * time.Hour)
	if _, err := s.Hub().ConfirmClock(t.Context(), operator.Why{Actor: "test", Reason: "a week later"}); err != nil {
		t.Fatal(err)
	}
	refused("expired", late, axispb.ReasonCode_REASON_INVITATION_EXPIRED)
	if a := held.ask(t, bus.Enrol, &axispb.EnrolRequest{Csr: newRequest(t, "x")}); a.GetError().GetCode() != axispb.ReasonCode_REASON_INVITATION_EXPIRED {
		t.Errorf("expired while connected: %s", said(a))
	}
	for _, service := range bus.Services() {
		if service != bus.Enrol {
			if err := held.Publish(bus.ServiceSubject(service, held.name), nil); err != nil {
				t.Fatal(err)
			}
			until(t, "an invitation is for enrolment alone", func() bool { return held.refusals(quoted(bus.ServiceSubject(service, held.name))) > 0 })
		}
	}
	status, err := s.Hub().Status(t.Context())
	if err != nil || len(status.Endpoints) != 1 {
		t.Errorf("%d endpoints, %v", len(status.Endpoints), err)
	}
}

// connectInvited holds a connection that an invitation opened.
func (s *siege) connectInvited(t *testing.T, i bus.Invite) *raw {
	t.Helper()
	user := bus.InviteUser(i.SecretHash())
	r, err := s.connectAs(user, s.ca(t), nil, nats.UserInfo(user, fmt.Sprintf("%x", i.Secret)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// ca reads the axis's certificate off a handshake.
func (s *siege) ca(t *testing.T) *x509.Certificate {
	t.Helper()
	c, err := tls.Dial("tcp", s.Hub().Addr(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	chain := c.ConnectionState().PeerCertificates
	return chain[len(chain)-1]
}

// issueBy makes a certificate under one that is no CA.
func issueBy(t *testing.T, issuer *tls.Certificate, name string, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Leaf, &key.PublicKey, issuer.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
