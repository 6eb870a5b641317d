package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// DialConfig says who connects, where to, and whom to trust.
type DialConfig struct {
	// Address of the axis, host:port. Its host must stand in the server's
	// certificate.
	Address string
	// Endpoint is the name in the certificate.
	Endpoint string
	// Certificate and key of the endpoint.
	Certificate tls.Certificate
	// CA is the only certificate that the server's chain may end in.
	CA *x509.Certificate
	// Timeout is the longest that a call may take; 0 means 60 s.
	Timeout time.Duration
	// Wait is the first mean wait before a connection is tried again; it doubles
	// up to MaxWait. 0 means 1 s and 30 s.
	Wait, MaxWait time.Duration
	Log           *slog.Logger
	// Now is the clock by which the server's certificate is judged; nil means the
	// machine's.
	Now func() time.Time
}

// Conn is an endpoint's connection to the axis. It heals by itself for as long as
// it is open. Safe for concurrent use.
type Conn struct {
	cfg     DialConfig
	nc      *nats.Conn
	cert    atomic.Pointer[tls.Certificate]
	waiting waiting
	stop    context.CancelFunc
	tried   atomic.Bool
	made    chan struct{} // closed when nc is set and knows its subscription
	buffers buffers

	mu        sync.Mutex // guards what follows
	up        bool       // nats.go's own answer has to wait while it dials
	onConnect func()
	onBell    func()
	trouble   error
}

// Dial makes a connection. It returns at once and never fails because the axis
// is away: the connection is made, and made again, in the background until
// Close. ctx ends the connection like Close.
func Dial(ctx context.Context, cfg DialConfig) (*Conn, error) {
	if !ValidEndpoint(cfg.Endpoint) {
		return nil, fmt.Errorf("bus: %q is no name of an endpoint", cfg.Endpoint)
	}
	if cfg.CA == nil || cfg.Log == nil {
		return nil, errors.New("bus: the axis's CA and a log are needed")
	}
	cfg.Timeout = orDefault(cfg.Timeout, defaultTimeout)
	cfg.Wait = orDefault(cfg.Wait, defaultWait)
	cfg.MaxWait = orDefault(cfg.MaxWait, defaultMaxWait)
	ctx, stop := context.WithCancel(ctx)
	c := &Conn{cfg: cfg, stop: stop, made: make(chan struct{})}
	c.cert.Store(&cfg.Certificate)
	if err := c.dial(ctx); err != nil {
		stop()
		return nil, err
	}
	context.AfterFunc(ctx, c.nc.Close)
	return c, nil
}

// SetCertificate puts a renewed certificate in the place of the old one and, if
// there is a connection, makes it again with the new one.
func (c *Conn) SetCertificate(cert tls.Certificate) error {
	c.cert.Store(&cert)
	if !c.Connected() {
		return nil
	}
	if err := c.nc.ForceReconnect(); err != nil {
		return fmt.Errorf("bus: connect with the new certificate: %w", err)
	}
	return nil
}

// Connected reports whether a call has a chance just now.
func (c *Conn) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

// Trouble is why there is no connection, for people; nil while there is one or
// nothing was tried yet. nats.ErrAuthorization: the axis does not let this
// certificate in.
func (c *Conn) Trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// OnConnect sets what is called, quickly, whenever the connection is there, and
// at once if it is already.
func (c *Conn) OnConnect(f func()) {
	c.mu.Lock()
	c.onConnect = f
	up := c.up
	c.mu.Unlock()
	if up {
		f()
	}
}

// OnBell sets what is called, quickly, when the axis rings. A bell may be lost:
// it only wakes.
func (c *Conn) OnBell(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onBell = f
}

// Close ends the connection and every call under way.
func (c *Conn) Close() {
	c.stop()
	c.nc.Close()
	c.mu.Lock()
	c.up = false
	c.mu.Unlock()
	c.waiting.abort(nats.ErrConnectionClosed)
}

func (c *Conn) connected(*nats.Conn) {
	c.cfg.Log.Info("connected to the axis", slog.String("address", c.cfg.Address))
	c.mu.Lock()
	c.up, c.trouble = true, nil
	f := c.onConnect
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

func (c *Conn) disconnected(_ *nats.Conn, err error) {
	c.cfg.Log.Warn("the connection to the axis is lost", slog.Any("error", err))
	c.mu.Lock()
	c.up = false
	c.mu.Unlock()
	c.refused(nil, err)
	c.waiting.abort(nats.ErrDisconnected)
}

func (c *Conn) refused(_ *nats.Conn, err error) {
	if err == nil || errors.Is(err, errBegun) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble = err
}

// failed hears what the server says beside the answers.
func (c *Conn) failed(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		c.waiting.deny(c.cfg.Endpoint, err)
	}
	c.cfg.Log.Warn("the axis reports an error", slog.Any("error", err))
}

func (c *Conn) rung(*nats.Msg) {
	c.mu.Lock()
	f := c.onBell
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
