package broker_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"docaxis/axis/broker"
	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func TestExpiredCertificateMayOnlyRenew(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	serve(t, b, echo, bus.ServeConfig{})
	c := dial(t, a, b.Addr(), "h41", a.endpointUntil(t, "h41", time.Now().Add(-90*24*time.Hour)))
	until(t, "the expired endpoint is connected", c.Connected)
	if got, err := call(t, c, bus.Renew, "x"); got != "h41:x" || err != nil {
		t.Errorf("renew: %q, %v", got, err)
	}
	for _, s := range bus.Services() {
		if s == bus.Renew {
			continue
		}
		_, err := call(t, c, s, "x")
		if !reason.Is(err, axispb.ReasonCode_REASON_FORBIDDEN) || !reason.IsTemporary(err) {
			t.Errorf("%s: %v", s, err)
		}
	}
	// With the new certificate the same connection may do everything.
	if err := c.SetCertificate(a.endpoint(t, "h41")); err != nil {
		t.Fatal(err)
	}
	until(t, "the renewed endpoint is served", func() bool {
		got, err := call(t, c, bus.Pull, "x")
		return got == "h41:x" && err == nil
	})
}

func TestConnectionEndsWithItsCertificate(t *testing.T) {
	a := newAuthority(t)
	cert := a.endpoint(t, "h41")
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	// Within the tolerance it still has all rights, but not for long.
	now := leaf.NotAfter.Add(24*time.Hour - 300*time.Millisecond)
	b, err := broker.Start(broker.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", TLS: a.server(t), Authority: a,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, b) })
	r, err := dialRaw(t, a, b, cert)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the connection is closed", r.IsClosed)
}

func TestRevokedIsCutInTheAct(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	stay := make(chan struct{})
	entered := make(chan struct{}, 8)
	serve(t, b, func(ctx context.Context, endpoint string, req []byte) (proto.Message, error) {
		entered <- struct{}{}
		<-stay
		return echo(ctx, endpoint, req)
	}, bus.ServeConfig{})
	c := dialed(t, a, b, "h41")
	done := make(chan error, 1)
	go func() {
		_, err := call(t, c, bus.Submit, "x")
		done <- err
	}()
	<-entered
	a.revoke("h41")
	if n := b.Cut("h41"); n != 1 {
		t.Errorf("%d connections cut", n)
	}
	if err := <-done; !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) || !reason.IsTemporary(err) {
		t.Errorf("the call under way: %v", err)
	}
	close(stay)
	until(t, "the endpoint is told that it may not come in", func() bool {
		return errors.Is(c.Trouble(), nats.ErrAuthorization)
	})
	if c.Connected() || b.IsConnected("h41") {
		t.Error("it is connected again")
	}
	if b.Cut("h41") != 0 {
		t.Error("there was still something to cut")
	}
	// It keeps knocking: an operator's mistake can be mended.
	knocks := a.knocked("h41")
	until(t, "it knocked again and again", func() bool { return a.knocked("h41") > knocks+3 })
}

func TestThirdConnectionCutsTheOldest(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	first, second := mustRaw(t, a, b, "h41"), mustRaw(t, a, b, "h41")
	other := mustRaw(t, a, b, "h42")
	third := mustRaw(t, a, b, "h41")
	until(t, "the oldest is closed", first.IsClosed)
	for _, r := range []*raw{second, third, other} {
		if err := r.Flush(); err != nil {
			t.Error(err)
		}
	}
	if got := b.Connected(); !slices.Equal(got, []string{"h41", "h42"}) {
		t.Errorf("connected: %v", got)
	}
	second.Close()
	third.Close()
	until(t, "h41 is gone", func() bool { return !b.IsConnected("h41") })
	if got := b.Connected(); !slices.Equal(got, []string{"h42"}) {
		t.Errorf("connected: %v", got)
	}
	// Ended connections do not count: two more come in and nobody is cut.
	fourth, fifth := mustRaw(t, a, b, "h41"), mustRaw(t, a, b, "h41")
	if fourth.Flush() != nil || fifth.Flush() != nil {
		t.Error("a connection was cut")
	}
}

func TestStrangersAreRefused(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	b := start(t, a)
	for what, cert := range map[string]tls.Certificate{
		"another CA's": stranger.endpoint(t, "h41"),
		"none":         {},
	} {
		if _, err := dialRaw(t, a, b, cert); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// The endpoint does not talk to another axis either.
	c := dial(t, stranger, b.Addr(), "h41", a.endpoint(t, "h41"))
	until(t, "the endpoint sees that the server is a stranger", func() bool {
		var unknown x509.UnknownAuthorityError
		return errors.As(c.Trouble(), &unknown)
	})
	if c.Connected() {
		t.Error("connected")
	}
}

func TestPlainTextIsNotSpoken(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	if _, err := nats.Connect("nats://"+b.Addr(), nats.Timeout(200*time.Millisecond)); err == nil {
		t.Error("connected without TLS")
	}
}

// A second CONNECT on one connection could change who it is.
func TestSecondLogInIsRefused(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	i := a.invite(b.Addr())
	conn := logIn(t, a, b, "h41")
	fmt.Fprintf(conn, "CONNECT {\"verbose\":false,\"user\":%q,\"pass\":%q}\r\nPING\r\n",
		bus.InviteUser(i.SecretHash()), hex.EncodeToString(i.Secret[:]))
	expect(t, conn, "-ERR 'Authorization Violation'")
	if _, err := conn.in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// wire is a connection on which a test writes the protocol itself.
type wire struct {
	*tls.Conn
	in *bufio.Reader
}

func logIn(t *testing.T, a *authority, b *broker.Broker, name string) wire {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.ca)
	conn, err := tls.Dial("tcp", b.Addr(), &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{a.endpoint(t, name)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	w := wire{conn, bufio.NewReader(conn)}
	fmt.Fprint(w, "CONNECT {\"verbose\":false}\r\nPING\r\n")
	expect(t, w, "INFO ")
	expect(t, w, "PONG")
	return w
}

func expect(t *testing.T, w wire, prefix string) {
	t.Helper()
	line, err := w.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, prefix) {
		t.Fatalf("%q, %v", line, err)
	}
}

func inviteRaw(t *testing.T, a *authority, i bus.Invite, user string) (*raw, error) {
	t.Helper()
	return dialRaw(t, a, addr(i.Address), tls.Certificate{}, nats.UserInfo(user, hex.EncodeToString(i.Secret[:])))
}

func TestInvitationMayOnlyEnrol(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	s := serve(t, b, echo, bus.ServeConfig{})
	i := a.invite(b.Addr())
	name := bus.InviteUser(i.SecretHash())
	r, err := inviteRaw(t, a, i, name)
	if err != nil {
		t.Fatal(err)
	}
	subjects := append(foreign(), bus.ServiceSubject(bus.Renew, name), bus.ServiceSubject(bus.Submit, name), bus.BellSubject(name))
	for n, subject := range subjects {
		if err := r.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
		until(t, subject+" is refused", func() bool { return r.refusals() > n })
	}
	before := r.refusals()
	for n, subject := range []string{">", "ax.in.>", "ax.bell.*", bus.BellSubject(name), "ax.in.h42.>"} {
		if _, err := r.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
		until(t, "listening on "+subject+" is refused", func() bool { return r.refusals() > before+n })
	}
	if st := s.Stats(); st.Taken+st.BadReply != 0 {
		t.Errorf("something reached a service: %+v", st)
	}
	if got := b.Connected(); len(got) != 0 {
		t.Errorf("an invitation counts as endpoint: %v", got)
	}
}

func TestInvitationNeedsItsSecret(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	known, unknown := a.invite(b.Addr()), bus.Invite{Address: b.Addr(), Secret: [32]byte{1}}
	for what, try := range map[string]struct {
		i    bus.Invite
		user string
	}{
		"unknown":       {unknown, bus.InviteUser(unknown.SecretHash())},
		"other's name":  {unknown, bus.InviteUser(known.SecretHash())},
		"no name":       {known, ""},
		"endpoint":      {known, "h41"},
		"local":         {known, "services"},
		"short by half": {known, bus.InviteUser(known.SecretHash()[:16])},
	} {
		if _, err := inviteRaw(t, a, try.i, try.user); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// addr is a broker of which only the address is known.
type addr string

func (a addr) Addr() string { return string(a) }

// enrol is a handler as the axis's is: it signs what is asked for.
func (a *authority) enrol(t *testing.T, name string, forge func(*axispb.EnrolAnswer, any)) bus.Handler {
	return func(_ context.Context, invitation string, req []byte) (proto.Message, error) {
		var r axispb.EnrolRequest
		if err := proto.Unmarshal(req, &r); err != nil {
			return nil, err
		}
		csr, err := x509.ParseCertificateRequest(r.Csr)
		if err != nil || !bus.IsInviteUser(invitation) {
			return nil, errors.Join(errors.New("bad request"), err)
		}
		answer := &axispb.EnrolAnswer{Endpoint: name, Certificate: a.issue(t, name, csr.PublicKey), Ca: a.ca.Raw}
		forge(answer, csr.PublicKey)
		return answer, nil
	}
}

func (a *authority) issue(t *testing.T, name string, key any) []byte {
	template := a.template(name, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	der, err := x509.CreateCertificate(rand.Reader, template, a.ca, key, a.key)
	if err != nil {
		t.Error(err)
	}
	return der
}

func newCSR(t *testing.T) (csr []byte, key any) {
	t.Helper()
	key = newKey(t)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return csr, key
}

func TestEnrol(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	serve(t, b, a.enrol(t, "h41", func(*axispb.EnrolAnswer, any) {}), bus.ServeConfig{})
	i, err := bus.ParseInvite(a.invite(b.Addr()).String())
	if err != nil {
		t.Fatal(err)
	}
	csr, key := newCSR(t)
	answer, err := i.Enrol(t.Context(), csr)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, a, b.Addr(), answer.Endpoint, tls.Certificate{Certificate: [][]byte{answer.Certificate}, PrivateKey: key})
	until(t, "the new endpoint is connected", c.Connected)
}

func TestEnrolIsChecked(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	b := start(t, a)
	var forge func(*axispb.EnrolAnswer, any)
	serve(t, b, a.enrol(t, "h41", func(e *axispb.EnrolAnswer, key any) { forge(e, key) }), bus.ServeConfig{})
	csr, _ := newCSR(t)
	for what, f := range map[string]func(e *axispb.EnrolAnswer, key any){
		"another CA": func(e *axispb.EnrolAnswer, key any) {
			e.Ca, e.Certificate = stranger.ca.Raw, stranger.issue(t, "h41", key)
		},
		"not issued":    func(e *axispb.EnrolAnswer, key any) { e.Certificate = stranger.issue(t, "h41", key) },
		"another name":  func(e *axispb.EnrolAnswer, _ any) { e.Endpoint = "h42" },
		"no name":       func(e *axispb.EnrolAnswer, key any) { e.Endpoint, e.Certificate = "h.41", a.issue(t, "h.41", key) },
		"another key":   func(e *axispb.EnrolAnswer, _ any) { e.Certificate = a.endpoint(t, "h41").Certificate[0] },
		"garbage":       func(e *axispb.EnrolAnswer, _ any) { e.Certificate = []byte("x") },
		"garbage as CA": func(e *axispb.EnrolAnswer, _ any) { e.Ca = []byte("x") },
	} {
		forge = f
		_, err := a.invite(b.Addr()).Enrol(t.Context(), csr)
		if !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestEnrolRefusals(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	b := start(t, a)
	serve(t, b, a.enrol(t, "h41", func(*axispb.EnrolAnswer, any) {}), bus.ServeConfig{})
	csr, _ := newCSR(t)

	unknown := a.invite(b.Addr())
	unknown.Secret[0] ^= 1
	if _, err := unknown.Enrol(t.Context(), csr); !reason.Is(err, axispb.ReasonCode_REASON_INVITATION_INVALID) || reason.IsTemporary(err) {
		t.Errorf("an unknown invitation: %v", err)
	}
	wrong := a.invite(b.Addr())
	wrong.Pin = stranger.invite(b.Addr()).Pin
	if _, err := wrong.Enrol(t.Context(), csr); !errors.Is(err, bus.ErrPin) {
		t.Errorf("another axis's pin: %v", err)
	}
	host := a.invite(strings.Replace(b.Addr(), "127.0.0.1", "localhost", 1))
	if _, err := host.Enrol(t.Context(), csr); !errors.Is(err, bus.ErrPin) {
		t.Errorf("a host that is not in the certificate: %v", err)
	}
	away := a.invite("127.0.0.1:1")
	if _, err := away.Enrol(t.Context(), csr); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) || !reason.IsTemporary(err) {
		t.Errorf("no axis: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := a.invite(b.Addr()).Enrol(ended, csr); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
