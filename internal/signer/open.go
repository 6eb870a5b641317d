package signer

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"docaxis/internal/durable"
	"docaxis/signing"
)

// Beside is the path of the signer that lies beside the running program.
func Beside() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	name := "signer"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(filepath.Dir(self), name), nil
}

// Open reaches for a key in a token. Where the token is away just now and its
// certificate is known, from an earlier start or from Config, the key is given all the
// same: Away says why, and Sign tries again. An error needs a person: a *Problem, what is
// wrong with the address, signing.ErrNoCertificate where there is none of the key, or a
// *Problem that is temporary, where the token is away and was never seen.
func Open(uri string, cfg Config) (*Key, error) {
	u, err := ParseURI(uri)
	if err != nil {
		return nil, err
	}
	k := &Key{cfg: cfg.complete(), uri: u.within(cfg.Base), turn: make(chan struct{}, 1)}
	if k.cfg.Program == "" {
		if k.cfg.Program, err = Beside(); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(cfg.Memory, 0o700); err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	g, err := k.launch()
	switch p := ProblemOf(err); {
	case err == nil:
		err = k.met(g)
	case p != nil && p.Temporary():
		err = errors.Join(k.recall(), err)
		if len(k.chain) > 0 {
			err = nil
		}
	}
	if err != nil {
		k.drop(0)
		return nil, err
	}
	return k, nil
}

// met finds the chain of a key that answered, and remembers it.
func (k *Key) met(g greeting) (err error) {
	if k.chain, err = signing.ChainOf(g.public, append(g.certificates, k.cfg.Certificates...)); err != nil {
		return err
	}
	var text bytes.Buffer
	for _, c := range k.chain {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			return err
		}
	}
	was, err := os.ReadFile(k.remembered())
	if err == nil && bytes.Equal(was, text.Bytes()) {
		return nil
	}
	if err := durable.WriteFile(k.remembered(), text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("remember the certificate of a token: %w", err)
	}
	return nil
}

// recall finds the chain of a key that does not answer: as it was at the last start, or
// beginning with the first certificate that the settings name.
func (k *Key) recall() error {
	certs, err := signing.LoadCertificates(k.remembered())
	if err != nil {
		certs = k.cfg.Certificates
	}
	if len(certs) == 0 {
		return nil
	}
	k.chain, err = signing.ChainOf(certs[0].PublicKey, append([]*x509.Certificate{certs[0]}, certs[1:]...))
	return err
}

// remembered is where the chain is kept. It is made anew when it is deleted.
func (k *Key) remembered() string {
	name := sha256.Sum256([]byte(k.uri.String()))
	return filepath.Join(k.cfg.Memory, "chain-"+hex.EncodeToString(name[:8])+".pem")
}
