package registry

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

	// MaxCertificatesADay is how many certificates an endpoint is issued within 24
	// hours: each is a record that every endpoint is given. An honest one needs one
	// a year.
	MaxCertificatesADay = 10

	caLife     = 30 * 365 * 24 * time.Hour
	maxRequest = 16 << 10
	epochLabel = "docaxis/epoch/v1\n"
)

// CAConfig says how a CA is made and opened.
type CAConfig struct {
	// Name of the axis, for people; it stands in the CA's certificate. Only
	// CreateCA reads it.
	Name string
	// Now gives the time; time.Now where nil.
	Now func() time.Time
	// Faults fails the steps "ca.key.before", "ca.crt.before" (CreateCA),
	// "axis.key.before" and "axis.crt.before" (IssueAxis, RollAxis), and those of
	// Roll.
	Faults fault.Hook
}

// CA is the axis's certificate authority: a P-256 key that issues the
// certificates of endpoints, server and axis, and signs epochs. Its folder has
// ca.key (PKCS#8, PEM, mode 0600), ca.crt, axis.key and axis.crt, and, where it
// took over from another, ca-older.pem.
type CA struct {
	dir  string
	cfg  CAConfig
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	// older are those that were replaced, oldest first.
	older []replaced

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
	der, err := selfSign(key, cfg, 1)
	if err != nil {
		return nil, err
	}
	if err := ca.keepCertificate("ca.crt", der); err != nil {
		return nil, err
	}
	return OpenCA(dir, cfg)
}

// caTemplate is what the nth CA's certificate says. It bounds no path: a CA that
// takes over stands below the one before it.
func caTemplate(cfg CAConfig, nth int) (*x509.Certificate, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	name := "docaxis CA"
	if nth > 1 {
		name = fmt.Sprintf("docaxis CA %d", nth)
	}
	now := cfg.now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: names(cfg.Name)},
		NotBefore:    now.Add(-ClockTolerance), NotAfter: now.Add(caLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:     true, BasicConstraintsValid: true,
	}, nil
}

func selfSign(key *ecdsa.PrivateKey, cfg CAConfig, nth int) ([]byte, error) {
	root, err := caTemplate(cfg, nth)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the CA's certificate: %w", err)
	}
	return der, nil
}

// OpenCA opens the CA that CreateCA or Roll made. A replacement that was begun is
// brought to its end first.
func OpenCA(dir string, cfg CAConfig) (*CA, error) {
	ca := &CA{dir: dir, cfg: cfg}
	err := ca.promote()
	if err != nil {
		return nil, fmt.Errorf("open the CA: %w", err)
	}
	if ca.key, err = readKey(ca.path("ca.key")); err != nil {
		return nil, fmt.Errorf("open the CA: %w", err)
	}
	if ca.cert, err = readCertificate(ca.path("ca.crt")); err != nil {
		return nil, fmt.Errorf("open the CA: %w", err)
	}
	if !ca.key.PublicKey.Equal(ca.cert.PublicKey) || !ca.cert.IsCA {
		return nil, errors.New("open the CA: ca.crt is not the certificate of ca.key; put back the pair from a backup")
	}
	if ca.older, err = ca.readOlder(); err != nil {
		return nil, fmt.Errorf("open the CA: %w", err)
	}
	return ca, nil
}

// Certificate is the CA's own.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// PinOf is what an invitation pins of a CA: the SHA-256 of its SubjectPublicKeyInfo.
func PinOf(cert *x509.Certificate) [sha256.Size]byte {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// SignEpoch signs a marshalled Epoch, as SignedEpoch.signature has it.
func (ca *CA) SignEpoch(epoch []byte) ([]byte, error) {
	digest := sha256.Sum256(append([]byte(epochLabel), epoch...))
	sig, err := ecdsa.SignASN1(rand.Reader, ca.key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign the epoch: %w", err)
	}
	return sig, nil
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
