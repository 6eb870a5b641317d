package registry

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"sync"
)

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
// memory alone: endpoints pin the CA. Its chain leads to this CA and to all that it
// took over from, whichever an endpoint pinned. Hosts are names or IP addresses.
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
	return tls.Certificate{Certificate: ca.chain(der), PrivateKey: key, Leaf: leaf}, nil
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
	return ca.issueAxis()
}

// issueAxis needs the lock.
func (ca *CA) issueAxis() (crypto.Signer, []byte, error) {
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
	// Evidence is checked against one kind of certificate, a client's; what keeps
	// this one from being an endpoint's is its name, which Verify refuses.
	der, err := ca.issue(&key.PublicKey, &x509.Certificate{
		Subject:     pkix.Name{CommonName: AxisName},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
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

func (ca *CA) renewable(cert *x509.Certificate) bool {
	return ca.cfg.now().Add(RenewWithin).After(cert.NotAfter)
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
