package vxp

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is that of the listener. Its files are replaced while the endpoint runs,
// once a year or every few weeks, so they are looked at now and then.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex // guards the rest
	pair   *tls.Certificate
	looked time.Time
	made   time.Time // the newer file's
}

const lookEvery = time.Minute

// load reads the files.
func (c *certificate) load() error {
	made, err := c.newest()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair, c.made, c.looked = &pair, made, time.Now()
	return nil
}

func (c *certificate) newest() (time.Time, error) {
	cert, err := os.Stat(c.certFile)
	if err != nil {
		return time.Time{}, err
	}
	key, err := os.Stat(c.keyFile)
	if err != nil {
		return time.Time{}, err
	}
	if key.ModTime().After(cert.ModTime()) {
		return key.ModTime(), nil
	}
	return cert.ModTime(), nil
}

// get gives the certificate to a handshake. Files that cannot be read, such as one of
// two that were replaced, leave the one that was good.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookEvery {
		return c.pair, nil
	}
	c.looked = time.Now()
	if made, err := c.newest(); err != nil || made.Equal(c.made) {
		return c.pair, nil
	}
	if err := c.load(); err != nil {
		c.log.Error("vxp: the new certificate cannot be read, the old one stays", "err", err)
	}
	return c.pair, nil
}
