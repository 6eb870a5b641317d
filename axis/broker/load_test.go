package broker_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"docaxis/internal/lang"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"docaxis/axis/broker"
	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// flood publishes requests as fast as the line takes them, reads what comes
// back, and when it is cut comes back at once, until the test ends.
func flood(t *testing.T, a *authority, b *broker.Broker, name string, size int) {
	t.Helper()
	cert, payload := a.endpoint(t, name), bytes.Repeat([]byte{0}, size)
	roots := x509.NewCertPool()
	roots.AddCert(a.ca)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			nc, err := nats.Connect("tls://"+b.Addr(), nats.TLSHandshakeFirst(), nats.NoReconnect(),
				nats.Secure(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}}))
			for err == nil && ctx.Err() == nil {
				err = nc.PublishRequest(bus.ServiceSubject(bus.Put, name), bus.InboxPrefix(name)+".r", payload)
			}
			nc.Close()
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
}

func TestFloodHarmsNobodyElse(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	hold, barred := make(chan struct{}), make(chan string, 1000)
	s := serve(t, b, func(ctx context.Context, endpoint string, req []byte) (proto.Message, error) {
		if endpoint == "h41" {
			<-hold
			return wrapperspb.String(""), nil
		}
		return echo(ctx, endpoint, req)
	}, bus.ServeConfig{Excess: func(endpoint string) {
		b.Bar(endpoint, 100*time.Millisecond)
		barred <- endpoint
	}})
	t.Cleanup(func() { close(hold) })
	victim := dialed(t, a, b, "h42")
	flood(t, a, b, "h41", 10)
	flood(t, a, b, "h41", 200<<10)
	<-barred
	for range 500 {
		if got, err := call(t, victim, bus.Put, "x"); got != "h42:x" || err != nil {
			t.Fatalf("%q, %v, %+v", got, err, s.Stats())
		}
	}
	if st := s.Stats(); st.Dropped != 0 || st.Taken != 508 || st.Busy == 0 || st.Ignored == 0 {
		t.Errorf("%+v", st)
	}
	if b.Services().Stats().Reconnects != 0 {
		t.Error("the service connection was cut")
	}
	for len(barred) > 0 {
		if name := <-barred; name != "h41" {
			t.Errorf("%s was barred", name)
		}
	}
}

func TestBarredIsKeptOutForAWhile(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	r, other := mustRaw(t, a, b, "h41"), mustRaw(t, a, b, "h42")
	if n := b.Bar("h41", time.Hour); n != 1 {
		t.Errorf("%d connections cut", n)
	}
	until(t, "the connection is closed", r.IsClosed)
	if _, err := dialRaw(t, a, b, a.endpoint(t, "h41")); !errors.Is(err, nats.ErrAuthorization) {
		t.Error(err)
	}
	if err := other.Flush(); err != nil {
		t.Error(err)
	}
	b.Bar("h41", 0)
	mustRaw(t, a, b, "h41")
}

// An endpoint that asks and does not read its answers is cut when the server
// would have to hold too much for it; the others are served all the while.
func TestWhoDoesNotReadHarmsNobodyElse(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	big := wrapperspb.Bytes(make([]byte, 1<<20))
	s := serve(t, b, func(ctx context.Context, endpoint string, req []byte) (proto.Message, error) {
		if endpoint == "h41" {
			return big, nil
		}
		return echo(ctx, endpoint, req)
	}, bus.ServeConfig{})
	deaf := new(deafDialer)
	r, err := dialRaw(t, a, b, a.endpoint(t, "h41"), nats.SetCustomDialer(deaf))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.SubscribeSync(bus.InboxPrefix("h41") + ".>"); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	other := dialed(t, a, b, "h42")
	deaf.stop()
	asked := uint64(0)
	until(t, "the server was asked for more than it holds", func() bool {
		if err := r.PublishRequest(bus.ServiceSubject(bus.Get, "h41"), bus.InboxPrefix("h41")+".r", nil); err != nil {
			t.Fatal(err)
		}
		if got, err := call(t, other, bus.Get, "x"); got != "h42:x" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		asked++
		return s.Stats().Taken-asked > broker.MaxPending>>20+32
	})
	deaf.resume()
	until(t, "the deaf endpoint is cut", func() bool { return !b.IsConnected("h41") })
}

// deafDialer makes a connection that can stop reading.
type deafDialer struct{ mu sync.RWMutex }

func (d *deafDialer) stop()   { d.mu.Lock() }
func (d *deafDialer) resume() { d.mu.Unlock() }

func (d *deafDialer) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	return &deafConn{conn, d}, err
}

type deafConn struct {
	net.Conn
	d *deafDialer
}

func (c *deafConn) Read(p []byte) (int, error) {
	c.d.mu.RLock()
	defer c.d.mu.RUnlock()
	return c.Conn.Read(p)
}

func TestReconnectsWhenTheAxisReturns(t *testing.T) {
	a := newAuthority(t)
	first := start(t, a)
	address := first.Addr()
	c := dialed(t, a, first, "h41")
	connects := make(chan struct{}, 10)
	c.OnConnect(func() { connects <- struct{}{} })
	<-connects
	stop(t, first)
	until(t, "the endpoint sees that the axis is away", func() bool { return !c.Connected() })
	if _, err := call(t, c, bus.Pull, "x"); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) || !reason.IsTemporary(err) {
		t.Errorf("a call to nobody: %v", err)
	}
	second := startAt(t, a, address)
	s := serve(t, second, echo, bus.ServeConfig{})
	<-connects
	if got, err := call(t, c, bus.Pull, "x"); got != "h41:x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	bell := make(chan struct{}, 1)
	c.OnBell(func() { bell <- struct{}{} })
	s.Ring("h41")
	<-bell
}

func TestDialBeforeTheAxisIsThere(t *testing.T) {
	a := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := dial(t, a, address, "h41", a.endpoint(t, "h41"))
	until(t, "the endpoint knows why it is alone", func() bool { return c.Trouble() != nil })
	startAt(t, a, address)
	until(t, "the endpoint is connected", c.Connected)
	if err := c.Trouble(); err != nil {
		t.Error(err)
	}
}

func TestPayloads(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	serve(t, b, func(_ context.Context, _ string, req []byte) (proto.Message, error) {
		return wrapperspb.Bytes(make([]byte, len(req)*2)), nil
	}, bus.ServeConfig{})
	c := dialed(t, a, b, "h41")
	ask := func(size int) error {
		return c.Call(t.Context(), bus.Put, wrapperspb.Bytes(make([]byte, size)), new(wrapperspb.BytesValue))
	}
	if err := ask(1 << 19); err != nil {
		t.Errorf("half a megabyte: %v", err)
	}
	if err := ask(bus.MaxPayload); !reason.Is(err, axispb.ReasonCode_REASON_MALFORMED) || reason.IsTemporary(err) {
		t.Errorf("too large a request: %v", err)
	}
	if err := ask(1 << 20); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
		t.Errorf("too large an answer: %v", err)
	}
	if !c.Connected() {
		t.Error("the connection did not survive")
	}
}

// A client of its own making may send what nats.go refuses to send.
func TestOversizePayloadIsCut(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	s := serve(t, b, echo, bus.ServeConfig{})
	conn := logIn(t, a, b, "h41")
	fmt.Fprintf(conn, "PUB %s %s %d\r\n", bus.ServiceSubject(bus.Put, "h41"), bus.InboxPrefix("h41")+".r", bus.MaxPayload+1)
	expect(t, conn, "-ERR 'Maximum Payload Violation'")
	until(t, "the connection is closed", func() bool { return !b.IsConnected("h41") })
	if st := s.Stats(); st.Taken != 0 {
		t.Errorf("%+v", st)
	}
}

func TestStopIsPrompt(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	makeStream(t, b.Journal())
	for _, name := range []string{"h41", "h42", "h43"} {
		dialed(t, a, b, name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	before := b.Addr()
	if err := b.Stop(ctx); err != nil {
		t.Error(err)
	}
	if after := b.Addr(); after != before { // whoever asks may come late
		t.Errorf("it listened at %s, and after its stop at %q", before, after)
	}
}

func TestJournalSurvivesARestart(t *testing.T) {
	a := newAuthority(t)
	dir := t.TempDir()
	b := startIn(t, a, dir)
	makeStream(t, b.Journal())
	stop(t, b)
	b = startIn(t, a, dir)
	if got := lastMessage(t, b.Journal()); got != "block" {
		t.Errorf("%q", got)
	}
}

// A server that cannot open a stream when it starts removes it. The start fails then, and
// the next one has the stream.
func TestAStreamThatCannotBeOpenedIsNotLost(t *testing.T) {
	a := newAuthority(t)
	dir := t.TempDir()
	b := startIn(t, a, dir)
	makeStream(t, b.Journal())
	if err := b.Opened(); err != nil {
		t.Fatal(err)
	}
	stop(t, b)
	streams, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*"))
	if err != nil || len(streams) != 1 {
		t.Fatal(streams, err)
	}
	obs := filepath.Join(streams[0], "obs")
	if err := errors.Join(os.RemoveAll(obs), os.WriteFile(obs, nil, 0o600)); err != nil { // a file where a folder must be
		t.Fatal(err)
	}
	if b, err := startErr(t, a, dir, "127.0.0.1:0"); err == nil {
		stop(t, b)
		t.Fatal("it starts without a stream")
	} else if !strings.Contains(lang.Say(err, lang.English), "nothing is lost") {
		t.Error(err)
	}
	b = startIn(t, a, dir)
	if got := lastMessage(t, b.Journal()); got != "block" {
		t.Errorf("%q", got)
	}
	if err := b.Opened(); err != nil {
		t.Error(err)
	}
}

func TestStartFailsOnATakenPort(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	if _, err := startErr(t, a, t.TempDir(), b.Addr()); err == nil {
		t.Error("two brokers on one port")
	}
	if _, err := startErr(t, a, t.TempDir(), "nonsense"); err == nil {
		t.Error("listening on nonsense")
	}
}

func TestCallWithoutAnAnswer(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	c := dialed(t, a, b, "h41")
	if _, err := call(t, c, bus.Pull, "x"); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) || !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("nobody serves: %v", err)
	}
	entered, hold := make(chan struct{}, 8), make(chan struct{})
	serve(t, b, func(context.Context, string, []byte) (proto.Message, error) {
		entered <- struct{}{}
		<-hold
		return wrapperspb.String(""), nil
	}, bus.ServeConfig{})
	t.Cleanup(func() { close(hold) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	err := c.Call(ctx, bus.Pull, wrapperspb.String(""), new(wrapperspb.StringValue))
	if !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) || !reason.IsTemporary(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	go func() { <-entered; c.Close() }()
	if _, err := call(t, c, bus.Pull, "x"); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
		t.Errorf("closed: %v", err)
	}
	if _, err := call(t, c, bus.Pull, "x"); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
		t.Errorf("after it was closed: %v", err)
	}
}
