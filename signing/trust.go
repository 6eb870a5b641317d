package signing

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
)

// maxKnown bounds the chains that a Trust remembers; each takes about 5 KB.
const maxKnown = 4096

// Trust is whom checks believe: the anchors at which a chain may end, and
// certificates that help to build one. It remembers the chains that it found, so
// that the next signature by the same signer costs little more than its value;
// whether they hold at the time relied on, and whether they were revoked, is
// looked at each time. So a signature that leaves intermediates out may pass after
// another by the same signer brought them. Make one and keep it. It may be used by
// several goroutines at once.
type Trust struct {
	anchors, intermediates []*x509.Certificate
	roots                  *x509.CertPool

	mu    sync.RWMutex
	known map[knownKey]*knownChains // guarded by mu
}

// knownKey is a certificate and what it is used for.
type knownKey struct {
	certificate [sha256.Size]byte
	use         use
}

type knownChains struct {
	cert   *x509.Certificate
	chains [][]*x509.Certificate
}

// NewTrust takes anchors, and intermediates that are not trusted by themselves.
// Both may be empty; without anchors nobody is trusted, never those of the
// machine.
func NewTrust(anchors, intermediates []*x509.Certificate) *Trust {
	return &Trust{
		anchors:       slices.Clone(anchors),
		intermediates: slices.Clone(intermediates),
		roots:         pool(anchors),
		known:         map[knownKey]*knownChains{},
	}
}

// LoadTrust is NewTrust with the certificates of files and folders (see
// LoadCertificates).
func LoadTrust(anchors, intermediates []string) (*Trust, error) {
	a, err := LoadCertificates(anchors...)
	if err != nil {
		return nil, err
	}
	i, err := LoadCertificates(intermediates...)
	if err != nil {
		return nil, err
	}
	return NewTrust(a, i), nil
}

// LoadCertificates reads the certificates in files, PEM or DER, and in the files
// of folders whose names end with .pem, .crt, .cer or .der, not in folders below.
// A file that cannot be read is an error that names it: trust must not depend on
// which files happened to be readable.
func LoadCertificates(paths ...string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, path := range paths {
		files, err := certificateFiles(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			found, err := loadCertificates(file)
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("%s: no certificate in the file", file)
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

func certificateFiles(path string) ([]string, error) {
	return filesIn(path, ".pem", ".crt", ".cer", ".der")
}

// remembered are the chains of a certificate that were found before.
func (t *Trust) remembered(raw []byte, u use) *knownChains {
	key := knownKey{sha256.Sum256(raw), u}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.known[key]
}

// remember keeps chains that were found. Only certificates of trusted issuers get
// here; beyond the bound any other is forgotten for them.
func (t *Trust) remember(cert *x509.Certificate, u use, chains [][]*x509.Certificate) {
	key := knownKey{sha256.Sum256(cert.Raw), u}
	t.mu.Lock()
	defer t.mu.Unlock()
	for old := range t.known {
		if len(t.known) < maxKnown {
			break
		}
		delete(t.known, old)
	}
	t.known[key] = &knownChains{cert, chains}
}
