package vxp

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"docaxis/internal/lang"
)

// ServerConfig says where a Server listens.
type ServerConfig struct {
	// Address is host:port. Without a certificate it must be of this machine alone: the
	// protocol signs neither the answers nor most bodies.
	Address string
	// Certificate and Key are PEM files, the certificate with its chain; they are read
	// again when they change.
	Certificate, Key string
	// Log gets what goes wrong; nil means no log.
	Log *slog.Logger
	// Language of what is refused before a handler sees it; Vietnamese.
	Language lang.Language
	// Connections is how many there may be at once; 512. Others wait to be accepted. The
	// SDK leaves one behind with every call, until the Idle time is over.
	Connections int
	// Idle is how long a connection may wait for its next request; 30 s.
	Idle time.Duration
}

// Server is the listener of systems that speak the protocol.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// headerBytes is the most that a request's headers may have: a client object with a
// long list of recipients sends it in each call, twice.
const headerBytes = 1 << 20

// Listen opens the address. Its errors are for the person who wrote the settings.
func Listen(c ServerConfig, h http.Handler) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	secure, err := c.tls()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, lang.Errorf("Không mở được vxp.listen %s: %v. Hãy chọn cổng khác trong endpoint.toml rồi chạy lại.",
			"vxp.listen %s cannot be opened: %v. Choose another port in endpoint.toml and start again.", c.Address, err).Because(err)
	}
	s := &Server{listener: newListener(l, secure, orElse(c.Language, lang.Vietnamese), orElse(c.Connections, 512))}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	s.http = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       orElse(c.Idle, 30*time.Second),
		MaxHeaderBytes:    headerBytes,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
		ConnContext:       withConn,
		ConnState:         idle,
		// It would answer without a body.
		DisableGeneralOptionsHandler: true,
	}
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, then lets requests finish for ten seconds. A package that
// is cut then was not acknowledged; its sender sends it again.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("vxp: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil {
		s.http.Close() //nolint:errcheck // what did not finish is cut
	}
	<-done
	return nil
}

// Close gives the address back where Run was never called.
func (s *Server) Close() error { return s.listener.Close() }

// Validate says what is wrong with a configuration, before anything is opened.
func (c ServerConfig) Validate() error {
	host, _, err := net.SplitHostPort(c.Address)
	switch {
	case err != nil:
		return lang.Errorf("vxp.listen %q không có dạng máy:cổng. Hãy ghi 127.0.0.1:8805.",
			"vxp.listen %q is not host:port. Write 127.0.0.1:8805.", c.Address).Because(err)
	case (c.Certificate == "") != (c.Key == ""):
		return lang.Errorf("vxp.certificate và vxp.key phải đi cùng nhau. Hãy ghi cả hai, hoặc bỏ cả hai.",
			"vxp.certificate and vxp.key belong together. Name both, or neither.")
	case c.Certificate == "" && !local(host):
		return lang.Errorf(
			"vxp.listen %s mở cho máy khác mà chưa có vxp.certificate và vxp.key. Hãy ghi hai tệp đó, hoặc ghi 127.0.0.1:8805 và đặt một proxy có https ở cùng máy.",
			"vxp.listen %s is open to other machines, and there is no vxp.certificate and vxp.key. Name both files, or write 127.0.0.1:8805 and put a proxy with https on the same machine.", c.Address)
	}
	return nil
}

func (c ServerConfig) tls() (*tls.Config, error) {
	if err := c.Validate(); err != nil || c.Certificate == "" {
		return nil, err
	}
	pair := &certificate{certFile: c.Certificate, keyFile: c.Key, log: c.Log}
	if err := pair.load(); err != nil {
		return nil, lang.Errorf("Không đọc được vxp.certificate %s và vxp.key %s: %v. Hãy kiểm tra hai tệp PEM rồi chạy lại.",
			"vxp.certificate %s and vxp.key %s cannot be read: %v. Check both PEM files and start again.", c.Certificate, c.Key, err).Because(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get, NextProtos: []string{"http/1.1"}}, nil
}

// local reports whether a host can be reached from this machine alone.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// listener accepts so many connections at once.
type listener struct {
	net.Listener
	secure   *tls.Config
	language lang.Language
	places   chan struct{}
	closed   chan struct{}
	once     sync.Once
}

func newListener(l net.Listener, secure *tls.Config, language lang.Language, most int) *listener {
	return &listener{
		Listener: l, secure: secure, language: language,
		places: make(chan struct{}, most), closed: make(chan struct{}),
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	if l.secure != nil {
		c = tls.Server(c, l.secure)
	}
	return &conn{Conn: c, language: l.language, close: sync.OnceFunc(func() { <-l.places })}, nil
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
