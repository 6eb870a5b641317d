package registry

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Why a certificate is not taken. ErrExpired and ErrNotYetValid are judged after
// all else: such a certificate is one of ours, made out to the endpoint.
var (
	// ErrNotIssued says that the CA did not issue the certificate, or not for an
	// endpoint's connection. Refuse it.
	ErrNotIssued = errors.New("not issued by this axis to an endpoint")
	// ErrExpired says that only the time is over. Its holder may renew, nothing else.
	ErrExpired = errors.New("the certificate has expired")
	// ErrNotYetValid says that it begins later. Refuse it: a clock is wrong.
	ErrNotYetValid = errors.New("the certificate is not valid yet")
	// ErrRequest says that a request for a certificate cannot be granted. Its maker
	// must make another.
	ErrRequest = errors.New("the certificate request cannot be granted")
	// ErrExists says that there is a CA in the folder. Open it.
	ErrExists = errors.New("there is a CA already")
)

// Verify says whether the certificate was issued by this CA, or by one that it took
// over from, to an endpoint and is
// valid at a time, give or take ClockTolerance. The error is ErrNotIssued,
// ErrExpired or ErrNotYetValid; the latter two only where all else is right.
// Whether the certificate is registered, and its endpoint not revoked, is for the
// registry to say.
func (ca *CA) Verify(cert *x509.Certificate, at time.Time) error {
	if err := ca.verifyIssued(cert); err != nil {
		return fmt.Errorf("%w: %w", ErrNotIssued, err)
	}
	switch {
	case at.After(cert.NotAfter.Add(ClockTolerance)):
		return fmt.Errorf("%w at %s", ErrExpired, day(cert.NotAfter))
	case at.Before(cert.NotBefore.Add(-ClockTolerance)):
		return fmt.Errorf("%w, only from %s", ErrNotYetValid, day(cert.NotBefore))
	}
	return nil
}

func (ca *CA) verifyIssued(cert *x509.Certificate) error {
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	switch {
	case !ok || key.Curve != elliptic.P256():
		return errors.New("its key is not P-256")
	case cert.IsCA || len(cert.UnhandledCriticalExtensions) > 0:
		return errors.New("not an end certificate")
	case !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) || len(cert.UnknownExtKeyUsage) > 0:
		return errors.New("not for a client's connection")
	}
	if err := CheckName(cert.Subject.CommonName); err != nil {
		return err
	}
	err := errors.New("another issuer")
	for _, by := range ca.all() {
		if bytes.Equal(cert.RawIssuer, by.RawSubject) {
			err = cert.CheckSignatureFrom(by)
		}
		if err == nil {
			break
		}
	}
	return err
}
