package broker

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"docaxis/internal/bus"
)

// MaxPending is how much the server holds for a connection that does not read
// before it cuts it. Eight pages would be enough for an endpoint; the rest is for
// the service connection, which must stand a flood until the one who floods is
// barred.
const MaxPending = 64 << 20

const (
	endpointsAccount = "ENDPOINTS"
	journalAccount   = "JOURNAL"

	maxSubscriptions = 16
	maxPerEndpoint   = 2

	// Slow lines: a far office needs seconds for TLS. Half a megabyte, a page's
	// usual size, takes it half a minute at 128 kbit/s, all within one write.
	tlsTimeout    = 10 * time.Second
	authTimeout   = 10 * time.Second
	writeDeadline = 60 * time.Second
	pingInterval  = 30 * time.Second
	maxPingsOut   = 3

	readyTimeout       = 30 * time.Second
	localReconnectWait = 50 * time.Millisecond
	flushTimeout       = time.Second
)

// accounts cannot be limited but by configuration text.
func accounts() string {
	return fmt.Sprintf(`accounts {
		%s { limits { max_subscriptions: %d } }
		%s { jetstream: enabled }
	}`, endpointsAccount, maxSubscriptions, journalAccount)
}

func options(cfg Config, auth server.Authentication) (*server.Options, error) {
	opts := new(server.Options)
	if err := opts.ProcessConfigString(accounts()); err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	opts.ServerName = "axis"
	opts.NoSigs, opts.NoLog = true, true
	opts.DisableJetStreamBanner = true
	opts.CustomClientAuthentication = auth
	opts.MaxPayload = cfg.MaxPayload
	if opts.MaxPayload == 0 {
		opts.MaxPayload = bus.MaxPayload
	}
	limit(opts)
	store(opts, cfg.Dir)
	return opts, listen(opts, cfg)
}

func listen(opts *server.Options, cfg Config) error {
	if opts.DontListen = cfg.Alone; cfg.Alone {
		return nil
	}
	host, port, err := splitListen(cfg.Listen)
	if err != nil {
		return err
	}
	opts.Host, opts.Port = host, port
	secure(opts, cfg.TLS, newDoor(cfg.Now))
	return nil
}

// secure asks for a certificate and takes any: the authenticator decides, so
// that an expired certificate gets far enough to be renewed. No session is
// resumed: every connection shows that it holds its key. An address that asks for too
// many handshakes gets none.
func secure(opts *server.Options, given *tls.Config, d *door) {
	c := given.Clone()
	c.GetConfigForClient = d.greet
	c.ClientAuth = tls.RequestClientCert
	c.ClientCAs = nil
	c.MinVersion = tls.VersionTLS13
	c.SessionTicketsDisabled = true
	opts.TLSConfig = c
	opts.TLS = true
	opts.TLSTimeout = tlsTimeout.Seconds()
	// The server says nothing before TLS; in-process connections fall back.
	opts.TLSHandshakeFirst = true
	opts.AuthTimeout = authTimeout.Seconds()
}

// limit bounds what a slow or dead connection costs. A producer is stalled when
// a reader falls behind (the server's default): a flood is held back at its
// source instead of being dropped together with the messages of others.
func limit(opts *server.Options) {
	opts.MaxPending = MaxPending
	opts.WriteDeadline = writeDeadline
	opts.PingInterval = pingInterval
	opts.MaxPingsOut = maxPingsOut
}

// store keeps every acknowledged message on the disk (by default it may stay in
// memory for two minutes: nats-server issue 7564).
func store(opts *server.Options, dir string) {
	opts.JetStream = true
	opts.StoreDir = dir
	opts.SyncAlways = true
}
