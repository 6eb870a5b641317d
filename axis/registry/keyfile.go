package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"docaxis/internal/durable"
)

// keepKey reads a key or, where there is none, makes and keeps one. A key is
// written before its certificate and never replaced, so a crash leaves at worst a
// key that waits for its certificate.
func (ca *CA) keepKey(name string) (*ecdsa.PrivateKey, error) {
	key, err := readKey(ca.path(name))
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	if key, err = newKey(); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return key, ca.keep(name, "PRIVATE KEY", der, 0o600)
}

func (ca *CA) keepCertificate(name string, der []byte) error {
	return ca.keep(name, "CERTIFICATE", der, 0o644)
}

func (ca *CA) keep(name, kind string, der []byte, mode os.FileMode) error {
	if err := ca.cfg.Faults.At(name + ".before"); err != nil {
		return err
	}
	return durable.WriteFile(ca.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("read %s: not a P-256 key", filepath.Base(path))
	}
	return key, nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	der, err := readPEM(path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return cert, nil
}

func readPEM(path, kind string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a key or certificate: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("read %s: not PEM of a %s; put it back from a backup", filepath.Base(path), kind)
	}
	return block.Bytes, nil
}
