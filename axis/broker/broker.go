// Package broker owns the embedded NATS server: its listener, who may come in and
// what each may do there, and the axis's own two connections.
//
// There are two accounts. Endpoints and the service connection share one without
// JetStream; the journal connection is alone in the other, with JetStream. So no
// subject that an endpoint can name, in a request, a reply or a header, leads to
// the journal.
//
// Stop order of the axis: bus.Server.Drain, journal, Broker.Stop.
package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"docaxis/internal/bus"
)

// Grant is what a certificate entitles to.
type Grant struct {
	// Endpoint is the name of whoever holds the certificate.
	Endpoint string
	// RenewOnly: the certificate expired, and may only be renewed.
	RenewOnly bool
}

// Authority decides who may come in. Its methods are called for every new
// connection, several at once, and must not wait for the broker.
type Authority interface {
	// Admit judges a client certificate whose key the other side was shown to
	// hold: nothing else about it was checked.
	Admit(cert *x509.Certificate, now time.Time) (Grant, error)
	// AdmitInvitation judges the SHA-256 of an invitation's secret. One that was
	// used should still be let in for as long as it would have been valid: its
	// holder may have missed the answer. The enrol service decides what it gets.
	AdmitInvitation(secretHash []byte, now time.Time) error
}

// Config of a broker.
type Config struct {
	// Dir is JetStream's folder.
	Dir string
	// Listen is host:port; port 0 takes a free one.
	Listen string
	// TLS has the server's certificate, with its chain up to and including the
	// CA's certificate, which an invitation pins. Client authentication and
	// versions are set here.
	TLS       *tls.Config
	Authority Authority
	// Now is the clock of every decision; nil means the machine's.
	Now func() time.Time
	Log *slog.Logger
	// MaxPayload is the most bytes of one message; 0 means bus.MaxPayload.
	MaxPayload int32
	// Alone opens the journal without listening: Listen, TLS and Authority are not
	// read, and nobody but the axis's own connections can come in.
	Alone bool
}

// Broker is a running server with the axis's two connections.
type Broker struct {
	cfg      Config
	srv      *server.Server
	auth     *authenticator
	services *nats.Conn
	journal  *nats.Conn
	// listens is where it listened when it was started.
	listens string
	// kept has second names of the journal's files until Opened.
	kept   kept
	opened bool
}

// Start opens JetStream's folder, which after a crash reads what it has to read,
// and listens.
func Start(cfg Config) (*Broker, error) {
	if !cfg.Alone && (cfg.TLS == nil || cfg.Authority == nil) || cfg.Log == nil {
		return nil, errors.New("broker: TLS, an authority and a log are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b := &Broker{cfg: cfg}
	if err := b.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("broker: %w", err), b.close(context.Background()))
	}
	return b, nil
}

func (b *Broker) start() error {
	b.auth = newAuthenticator(b.cfg)
	var err error
	if b.kept, err = keep(b.cfg.Dir); err != nil {
		return err
	}
	opts, err := options(b.cfg, b.auth)
	if err != nil {
		return err
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("prepare the server: %w", err)
	}
	b.srv = srv
	log := newServerLog(b.cfg.Log, b.cfg.Now)
	srv.SetLoggerV2(log, false, false, false)
	if err := b.auth.attach(srv); err != nil {
		return err
	}
	srv.Start()
	if err := log.fatal(); err != nil {
		return err
	}
	if !srv.ReadyForConnections(readyTimeout) {
		return errors.New("the server does not accept connections")
	}
	if at := srv.Addr(); at != nil {
		b.listens = at.String()
	}
	if err := b.kept.whole(); err != nil {
		return err
	}
	return b.connect()
}

func (b *Broker) connect() (err error) {
	if b.services, err = b.local(servicesUser); err != nil {
		return err
	}
	b.journal, err = b.local(journalUser)
	return err
}

// local makes one of the axis's own connections: inside the process, without
// TLS, with a secret of this start.
func (b *Broker) local(user string) (*nats.Conn, error) {
	log := b.cfg.Log.With(slog.String("connection", user))
	nc, err := nats.Connect("",
		nats.Name(user),
		nats.InProcessServer(b.srv),
		nats.UserInfo(user, b.auth.locals[user].secret),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(localReconnectWait),
		nats.IgnoreAuthErrorAbort(),
		nats.NoCallbacksAfterClientClose(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			log.Error("the axis's own connection was cut", slog.Any("error", err))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Error("the axis's own connection reports an error", slog.Any("error", err))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", user, err)
	}
	return nc, nil
}

// Services is the connection to answer endpoints on. It can touch nothing but
// services, inboxes and bells.
func (b *Broker) Services() *nats.Conn { return b.services }

// Journal is the connection with JetStream. Whoever reads from it must not have
// more than half of MaxPending on the way.
func (b *Broker) Journal() *nats.Conn { return b.journal }

// Addr is where the broker listens, host:port, and after a stop where it did: whoever
// asks may not know yet that it was stopped. Empty where it does not listen.
func (b *Broker) Addr() string { return b.listens }

// Cut closes the open connections of an endpoint and says how many there were.
// A log-in under way is decided again, so an endpoint that the authority refuses
// by now cannot slip through.
func (b *Broker) Cut(endpoint string) int {
	n := 0
	for _, id := range b.auth.conns.remove(endpoint) {
		if b.srv.DisconnectClientByID(id) == nil {
			n++
		}
	}
	return n
}

// Bar cuts an endpoint that floods the axis, and refuses it for so long: a new
// connection costs it nothing, and the axis a handshake.
func (b *Broker) Bar(endpoint string, d time.Duration) int {
	b.auth.conns.bar(endpoint, b.cfg.Now().Add(d))
	return b.Cut(endpoint)
}

// Connected lists the endpoints that have a connection, sorted.
func (b *Broker) Connected() []string {
	return b.auth.conns.names(bus.ValidEndpoint)
}

// IsConnected reports whether an endpoint has a connection.
func (b *Broker) IsConnected(endpoint string) bool {
	return b.auth.conns.has(endpoint)
}

// Stop sends out what the services answered, closes all connections and stops
// the server, and puts back what that removed before Opened. The error is ctx's when that takes longer.
func (b *Broker) Stop(ctx context.Context) error {
	if err := b.close(ctx); err != nil {
		return fmt.Errorf("broker: stop: %w", err)
	}
	return nil
}

func (b *Broker) close(ctx context.Context) error {
	if b.services != nil {
		flushCtx, cancel := context.WithTimeout(ctx, flushTimeout)
		if err := b.services.FlushWithContext(flushCtx); err != nil {
			b.cfg.Log.Warn("the last answers were not sent", slog.Any("error", err))
		}
		cancel()
		b.services.Close()
	}
	if b.journal != nil {
		b.journal.Close()
	}
	if b.srv == nil {
		return nil
	}
	down := make(chan struct{})
	go func() {
		b.srv.Shutdown()
		b.srv.WaitForShutdown()
		close(down)
	}()
	select {
	case <-down:
	case <-ctx.Done():
		return ctx.Err()
	}
	if b.opened {
		return nil
	}
	return b.kept.settle()
}

// Opened is for whoever found the journal as it should be, before anything is appended:
// from now on the server removes no stream. The error says which it removed when it
// started; Stop puts them back.
func (b *Broker) Opened() error {
	err := b.kept.whole()
	if err == nil {
		err = b.kept.drop()
	}
	b.opened = err == nil
	return err
}

func splitListen(listen string) (string, int, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("listen address: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("listen address: port %q", port)
	}
	if n == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(n), nil
}
