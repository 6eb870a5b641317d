package registry

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Looked is what LookCA found.
type Looked struct {
	CA *x509.Certificate
	// Axis is the certificate that the axis signs its evidence with; nil before its
	// first start.
	Axis *x509.Certificate
	// Rolling: a replacement of the CA was begun, and the next start ends it.
	Rolling bool
}

// ErrAxisKey says that the axis's evidence key or its certificate cannot be used; the CA can.
var ErrAxisKey = errors.New("the axis's evidence key")

// LookCA reads keys and certificates of a CA's folder and changes nothing there, which
// OpenCA may. Errors: os.ErrNotExist where there is no CA; ErrAxisKey, with what was
// found of the CA.
func LookCA(dir string) (Looked, error) {
	ca := &CA{dir: dir}
	_, err := os.Stat(ca.path(nextFile))
	l := Looked{Rolling: err == nil}
	key, err := readKey(ca.path("ca.key"))
	if err != nil {
		return l, err
	}
	if l.CA, err = readCertificate(ca.path("ca.crt")); err != nil {
		return l, err
	}
	if !l.Rolling && (!key.PublicKey.Equal(l.CA.PublicKey) || !l.CA.IsCA) {
		return l, errors.New("ca.crt is not the certificate of ca.key")
	}
	if !l.Rolling {
		ca.cert = l.CA
		if _, err := ca.readOlder(); err != nil {
			return l, err
		}
	}
	if l.Axis, err = ca.lookAxis(); err != nil {
		return l, fmt.Errorf("%w: %w", ErrAxisKey, err)
	}
	return l, nil
}

// lookAxis gives no certificate where none was made yet, or the next start makes another.
func (ca *CA) lookAxis() (*x509.Certificate, error) {
	key, err := readKey(ca.path("axis.key"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is none yet
	}
	if err != nil {
		return nil, err
	}
	cert, err := readCertificate(ca.path("axis.crt"))
	if errors.Is(err, os.ErrNotExist) || err == nil && !key.PublicKey.Equal(cert.PublicKey) {
		return nil, nil //nolint:nilnil // the next start makes one
	}
	return cert, err
}
