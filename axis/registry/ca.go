package registry

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"docaxis/internal/fault"
)

const (
	// CertificateLife is how long a certificate issued by the CA holds.
	CertificateLife = 398 * 24 * time.Hour
	// RenewWithin is what must remain of a certificate, or else it is renewed.
	RenewWithin = 180 * 24 * time.Hour
	// ClockTolerance is how far the other side's clock may be off.
	ClockTolerance = 24 * time.Hour

	caLife     = 30 * 365 * 24 * time.Hour
	maxRequest = 16 << 10
	epochLabel = "docaxis/epoch/v1\n"
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

// CAConfig says how a CA is made and opened.
type CAConfig struct {
	// Name of the axis, for people; it stands in the CA's certificate. Only
	// CreateCA reads it.
	Name string
	// Now gives the time; time.Now where nil.
	Now func() time.Time
	// Faults fails the steps "ca.key.before", "ca.crt.before" (CreateCA),
	// "axis.key.before" and "axis.crt.before" (IssueAxis).
	Faults fault.Hook
}

// CA is the axis's certificate authority: a P-256 key that issues the
// certificates of endpoints, server and axis, and signs epochs. Its folder has
// ca.key (PKCS#8, PEM, mode 0600), ca.crt, axis.key and axis.crt.
type CA struct {
	dir  string
	cfg  CAConfig
	key  *ecdsa.PrivateKey
	cert *x509.Certificate

	mu sync.Mutex // guards axis.key and axis.crt
}

// CreateCA makes a CA in a folder that has none; ErrExists where it has one. A
// key without a certificate, as a crash leaves it, is used: endpoints pin the
// key, so a CA whose certificate was lost comes back as the same.
func CreateCA(dir string, cfg CAConfig) (*CA, error) {
	ca := &CA{dir: dir, cfg: cfg}
	if _, err := os.Stat(ca.path("ca.crt")); !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(ErrExists, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the CA's folder: %w", err)
	}
	key, err := ca.keepKey("ca.key")
	if err != nil {
		return nil, err
	}
	der, err := selfSign(key, cfg)
	if err != nil {
		return nil, err
	}
	if err := ca.keepCertificate("ca.crt", der); err != nil {
		return nil, err
	}
	return OpenCA(dir, cfg)
}

func selfSign(key *ecdsa.PrivateKey, cfg CAConfig) ([]byte, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	now := cfg.now()
	root := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "docaxis CA", Organization: names(cfg.Name)},
		NotBefore:    now.Add(-ClockTolerance), NotAfter: now.Add(caLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:     true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the CA's certificate: %w", err)
	}
	return der, nil
}

// OpenCA opens the CA that CreateCA made.
func OpenCA(dir string, cfg CAConfig) (*CA, error) {
	ca := &CA{dir: dir, cfg: cfg}
	var err error
	if ca.key, err = readKey(ca.path("ca.key")); err != nil {
		return nil, fmt.Errorf("open the CA: %w", err)
	}
	if ca.cert, err = readCertificate(ca.path("ca.crt")); err != nil {
		return nil, fmt.Errorf("open the CA: %w", err)
	}
	if !ca.key.PublicKey.Equal(ca.cert.PublicKey) || !ca.cert.IsCA {
		return nil, errors.New("open the CA: ca.crt is not the certificate of ca.key; put back the pair from a backup")
	}
	return ca, nil
}

// Certificate is the CA's own.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// SignEpoch signs a marshalled Epoch, as SignedEpoch.signature has it.
func (ca *CA) SignEpoch(epoch []byte) ([]byte, error) {
	digest := sha256.Sum256(append([]byte(epochLabel), epoch...))
	sig, err := ecdsa.SignASN1(rand.Reader, ca.key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign the epoch: %w", err)
	}
	return sig, nil
}

// IssueEndpoint grants a PKCS#10 request a certificate for connections and
// evidence, made out to name. Nothing but the key is taken from the request. It
// fails with ErrRequest where the request is to blame.
func (ca *CA) IssueEndpoint(csrDER []byte, name string) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if len(csrDER) > maxRequest {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrRequest, len(csrDER))
	}
	csr, err := x509.ParseCertificateRequest(csrDER)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: its signature does not pass: %w", ErrRequest, err)
	}
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || key.Equal(&ca.key.PublicKey) {
		return nil, fmt.Errorf("%w: its key is not a P-256 key of its own", ErrRequest)
	}
	return ca.issue(key, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// IssueServer makes a key and a certificate for the axis's listener, kept in
// memory alone: endpoints pin the CA. Hosts are names or IP addresses.
func (ca *CA) IssueServer(hosts []string) (tls.Certificate, error) {
	key, err := newKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "docaxis server"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := ca.issue(&key.PublicKey, template)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read the server's certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, ca.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// ServerCertificate is for tls.Config.GetCertificate: it issues a certificate at
// the first connection and a new one when the last has under RenewWithin left, so
// that an axis need not be restarted for it.
func (ca *CA) ServerCertificate(hosts []string) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var mu sync.Mutex
	var last *tls.Certificate
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		if last != nil && !ca.renewable(last.Leaf) {
			return last, nil
		}
		cert, err := ca.IssueServer(hosts)
		if err != nil {
			return nil, err
		}
		last = &cert
		return last, nil
	}
}

// IssueAxis gives the key and the certificate (CN "axis") that the axis signs its
// evidence with. Both are kept; the key stays, the certificate is renewed when it
// has under RenewWithin left, so a long-running axis asks again now and then.
func (ca *CA) IssueAxis() (crypto.Signer, []byte, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	key, err := ca.keepKey("axis.key")
	if err != nil {
		return nil, nil, err
	}
	cert, err := readCertificate(ca.path("axis.crt"))
	if err == nil && key.PublicKey.Equal(cert.PublicKey) && cert.CheckSignatureFrom(ca.cert) == nil && !ca.renewable(cert) {
		return key, cert.Raw, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	// No extended key usage: it must pass where evidence is checked and never as an
	// endpoint's connection.
	der, err := ca.issue(&key.PublicKey, &x509.Certificate{Subject: pkix.Name{CommonName: AxisName}})
	if err != nil {
		return nil, nil, err
	}
	return key, der, ca.keepCertificate("axis.crt", der)
}

// issue fills in what all certificates have. They begin a day early, for clocks
// that are behind.
func (ca *CA) issue(key *ecdsa.PublicKey, template *x509.Certificate) ([]byte, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	now := ca.cfg.now()
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = now.Add(-ClockTolerance), now.Add(CertificateLife)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key, ca.key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	return der, nil
}

// Verify says whether the certificate was issued by this CA to an endpoint and is
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
	case !bytes.Equal(cert.RawIssuer, ca.cert.RawSubject):
		return errors.New("another issuer")
	case cert.IsCA || len(cert.UnhandledCriticalExtensions) > 0:
		return errors.New("not an end certificate")
	case !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) || len(cert.UnknownExtKeyUsage) > 0:
		return errors.New("not for a client's connection")
	}
	if err := CheckName(cert.Subject.CommonName); err != nil {
		return err
	}
	return cert.CheckSignatureFrom(ca.cert)
}

func (ca *CA) renewable(cert *x509.Certificate) bool {
	return ca.cfg.now().Add(RenewWithin).After(cert.NotAfter)
}

func (ca *CA) path(name string) string { return filepath.Join(ca.dir, name) }

func (cfg CAConfig) now() time.Time {
	if cfg.Now == nil {
		return time.Now()
	}
	return cfg.Now()
}

func names(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// serialNumber has 126 random bits, so that nobody can foresee a certificate
// (CA/Browser Forum baseline, 7.1), and is never 0.
func serialNumber() (*big.Int, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	raw[0] = raw[0]&0x3f | 0x40
	return new(big.Int).SetBytes(raw), nil
}
