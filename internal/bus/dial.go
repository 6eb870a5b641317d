package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	defaultTimeout = 60 * time.Second
	defaultWait    = time.Second
	defaultMaxWait = 30 * time.Second
	// Slow lines of far offices need this long for TCP, TLS and the log-in.
	connectTimeout = 15 * time.Second
	// A page of 1 MiB on a line of 128 kbit/s holds up the answer to a ping for a
	// minute: only then is the line dead.
	pingInterval = 30 * time.Second
	maxPingsOut  = 4
)

var errBegun = errors.New("bus: the first connection is made in the background")

func (c *Conn) dial(ctx context.Context) error {
	defer close(c.made)
	nc, err := nats.Connect("tls://"+c.cfg.Address, append(commonOptions(),
		nats.Name(c.cfg.Endpoint),
		nats.Secure(c.tlsConfig()),
		nats.SetCustomDialer(&dialer{ctx: ctx}),
		nats.CustomInboxPrefix(InboxPrefix(c.cfg.Endpoint)),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(c.delay),
		// A revoked or expired endpoint keeps asking: an operator may help it.
		nats.IgnoreAuthErrorAbort(),
		// What cannot be sent now is sent again by the outbox, not by a buffer.
		nats.ReconnectBufSize(-1),
		nats.ConnectHandler(c.connected),
		nats.ReconnectHandler(c.connected),
		nats.DisconnectErrHandler(c.disconnected),
		nats.ReconnectErrHandler(c.refused),
		nats.ErrorHandler(c.failed),
	)...)
	if err != nil {
		return fmt.Errorf("bus: connect: %w", err)
	}
	c.nc = nc
	if _, err := nc.Subscribe(BellSubject(c.cfg.Endpoint), c.rung); err != nil {
		nc.Close()
		return fmt.Errorf("bus: listen for the bell: %w", err)
	}
	return nil
}

// commonOptions are those of a connection and of an enrolment.
func commonOptions() []nats.Option {
	return []nats.Option{
		// TLS comes before anything the server says, so nobody on the way can say
		// it in its place.
		nats.TLSHandshakeFirst(),
		nats.Timeout(connectTimeout),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPingsOut),
		nats.SkipHostLookup(),
		nats.IgnoreDiscoveredServers(),
		nats.NoCallbacksAfterClientClose(),
	}
}

func (c *Conn) tlsConfig() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(c.cfg.CA)
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    roots,
		Time:       c.cfg.Now,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.cert.Load(), nil
		},
	}
}

// delay is random between half and one and a half of a mean that doubles, so
// that thousands of endpoints do not come back in the same second. nats.go
// reports what fails before TCP is there, and only keeps what fails after.
func (c *Conn) delay(attempt int) time.Duration {
	<-c.made
	c.refused(nil, c.nc.LastError())
	if !c.tried.Swap(true) {
		return 0
	}
	mean := c.cfg.Wait << min(attempt-1, 16)
	if mean <= 0 || mean > c.cfg.MaxWait {
		mean = c.cfg.MaxWait
	}
	return mean/2 + rand.N(mean)
}

// dialer connects, except for the first time, which it refuses so that Dial
// returns and everything goes on in the background.
type dialer struct {
	ctx   context.Context
	begun atomic.Bool
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	if d.begun.CompareAndSwap(false, true) {
		return nil, errBegun
	}
	return dialNow(d.ctx, network, address)
}

// dialNow makes a connection that ends with ctx, however far it got: nats.go
// holds its lock until it is through.
func dialNow(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	bound := &boundConn{Conn: conn}
	bound.release = context.AfterFunc(ctx, func() { conn.Close() })
	return bound, nil
}

type boundConn struct {
	net.Conn
	release func() bool
}

// Close implements net.Conn.
func (c *boundConn) Close() error {
	c.release()
	return c.Conn.Close()
}
