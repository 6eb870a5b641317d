package registry

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"docaxis/internal/durable"
)

const (
	olderFile = "ca-older.pem"
	nextFile  = "ca-next.pem"
)

// replaced is a CA that another took over from.
type replaced struct {
	// cert is its own, self-signed: invitations and endpoints may have pinned it.
	cert *x509.Certificate
	// forward is its successor's key, certified by it; back is its own key,
	// certified by its successor.
	forward, back *x509.Certificate
}

// maxReplaced is how often a CA may be taken over from: the way from the first one to
// the last stands in every epoch that follows, which has 16 KiB.
const maxReplaced = 12

// CheckRoll refuses what Roll could not bring to its end.
func (ca *CA) CheckRoll() error {
	switch {
	case ca.cert.MaxPathLenZero:
		return errors.New("this CA was made by a version whose CAs cannot be taken over from: found a new axis, and enrol the endpoints anew")
	case len(ca.older) >= maxReplaced:
		return fmt.Errorf("the CA was replaced %d times, and cannot be once more: found a new axis, and enrol the endpoints anew", maxReplaced)
	}
	return nil
}

// Roll makes a new CA that takes over from this one, and gives it; this one goes on
// as it is until the caller drops it. The old key is gone afterwards: nothing needs
// it any more.
//
// The new CA is first written whole to ca-next.pem; from then on a crash leads to
// the new one (OpenCA). Fault points: "ca.next" and "ca.promote", each with
// ".before" and ".after", and "ca.older", "ca.swap" between the files.
func (ca *CA) Roll() (*CA, error) {
	if err := ca.CheckRoll(); err != nil {
		return nil, err
	}
	blocks, err := ca.successor()
	if err != nil {
		return nil, err
	}
	if err := ca.cfg.Faults.At("ca.next.before"); err != nil {
		return nil, err
	}
	if err := durable.WriteFile(ca.path(nextFile), blocks, 0o600); err != nil {
		return nil, fmt.Errorf("keep the new CA: %w", err)
	}
	if err := ca.cfg.Faults.At("ca.next.after"); err != nil {
		return nil, err
	}
	return OpenCA(ca.dir, ca.cfg)
}

// successor makes what ca-next.pem has: key, certificate, and every CA before it as
// ca-older.pem has them.
func (ca *CA) successor() ([]byte, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	cfg := ca.cfg
	if org := ca.cert.Subject.Organization; len(org) > 0 {
		cfg.Name = org[0]
	}
	self, err := selfSign(key, cfg, len(ca.older)+2)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(self)
	if err != nil {
		return nil, fmt.Errorf("read the new CA's certificate: %w", err)
	}
	forward, err := ca.vouch(ca.cert, ca.key, cert)
	if err != nil {
		return nil, err
	}
	back, err := ca.vouch(cert, key, ca.cert)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write the new CA's key: %w", err)
	}
	out := append(keyPEM(der), certificatePEM(self)...)
	out = append(out, ca.olderPEM()...)
	for _, c := range [][]byte{ca.cert.Raw, forward, back} {
		out = append(out, certificatePEM(c)...)
	}
	return out, nil
}

// vouch certifies one CA's name and key by another. It holds as long as both do.
func (ca *CA) vouch(by *x509.Certificate, key *ecdsa.PrivateKey, of *x509.Certificate) ([]byte, error) {
	template, err := caTemplate(ca.cfg, 1)
	if err != nil {
		return nil, err
	}
	template.Subject, template.RawSubject = of.Subject, of.RawSubject
	template.SubjectKeyId = of.SubjectKeyId
	if by.NotAfter.Before(template.NotAfter) {
		template.NotAfter = by.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, of.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certify a CA by another: %w", err)
	}
	return der, nil
}

// promote brings a replacement to its end: each file is put in its place whole, and
// ca-next.pem goes last, so that it can be done again from the beginning.
func (ca *CA) promote() error {
	next, err := os.ReadFile(ca.path(nextFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	key, rest := pem.Decode(next)
	cert, older := pem.Decode(rest)
	if key == nil || cert == nil {
		return fmt.Errorf("%s cannot be read; put the folder back from a backup", nextFile)
	}
	for _, step := range []struct {
		point, name string
		data        []byte
		mode        os.FileMode
	}{
		{"ca.promote.before", olderFile, older, 0o644},
		{"ca.older", "ca.crt", pem.EncodeToMemory(cert), 0o644},
		{"ca.swap", "ca.key", pem.EncodeToMemory(key), 0o600},
	} {
		if err := ca.cfg.Faults.At(step.point); err != nil {
			return err
		}
		if err := durable.WriteFile(ca.path(step.name), step.data, step.mode); err != nil {
			return err
		}
	}
	if err := ca.cfg.Faults.At("ca.promote.after"); err != nil {
		return err
	}
	if err := os.Remove(ca.path(nextFile)); err != nil {
		return err
	}
	return durable.SyncDir(ca.dir)
}

// readOlder reads ca-older.pem: three certificates for each CA that was replaced.
func (ca *CA) readOlder() ([]replaced, error) {
	data, err := os.ReadFile(ca.path(olderFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", olderFile, err)
		}
		certs = append(certs, cert)
	}
	var all []replaced
	for ; len(certs) >= 3; certs = certs[3:] {
		all = append(all, replaced{cert: certs[0], forward: certs[1], back: certs[2]})
	}
	last := len(all) - 1
	if len(certs) > 0 || last < 0 || !bytes.Equal(all[last].forward.RawSubjectPublicKeyInfo, ca.cert.RawSubjectPublicKeyInfo) {
		return nil, fmt.Errorf("%s does not lead to ca.crt; put both back from one backup", olderFile)
	}
	return all, nil
}

func (ca *CA) olderPEM() []byte {
	var out []byte
	for _, r := range ca.older {
		for _, c := range []*x509.Certificate{r.cert, r.forward, r.back} {
			out = append(out, certificatePEM(c.Raw)...)
		}
	}
	return out
}

func keyPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// First is the certificate of the CA that the axis was founded with: from it, the
// journal's epochs lead to this one.
func (ca *CA) First() *x509.Certificate {
	if len(ca.older) > 0 {
		return ca.older[0].cert
	}
	return ca.cert
}

// all are the certificates of this CA and of those before it, newest first.
func (ca *CA) all() []*x509.Certificate {
	all := []*x509.Certificate{ca.cert}
	for i := len(ca.older) - 1; i >= 0; i-- {
		all = append(all, ca.older[i].cert)
	}
	return all
}

// Pinned finds the certificate of the CA whose public key has a SHA-256: this one's
// or one's that it took over from.
func (ca *CA) Pinned(pin [32]byte) (*x509.Certificate, bool) {
	for _, cert := range ca.all() {
		if PinOf(cert) == pin {
			return cert, true
		}
	}
	return nil, false
}

// Authorities are the certificates between this CA and those before it, oldest
// first, as SignedEpoch.authorities has them; none where it took over from none.
func (ca *CA) Authorities() [][]byte {
	var all [][]byte
	for _, r := range ca.older {
		all = append(all, r.forward.Raw, r.back.Raw)
	}
	return all
}

// chain is what a server shows with its certificate: this CA, and the way from
// every earlier one to it.
func (ca *CA) chain(leaf []byte) [][]byte {
	all := [][]byte{leaf, ca.cert.Raw}
	for i := len(ca.older) - 1; i >= 0; i-- {
		all = append(all, ca.older[i].forward.Raw, ca.older[i].cert.Raw)
	}
	return all
}

// RollAxis replaces the key that signs the axis's evidence, and gives the new one
// with its certificate. What the old one signed stays proved. Between the two files
// a crash leaves a key that IssueAxis certifies.
func (ca *CA) RollAxis() ([]byte, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write axis.key: %w", err)
	}
	if err := ca.keep("axis.key", "PRIVATE KEY", der, 0o600); err != nil {
		return nil, err
	}
	_, cert, err := ca.issueAxis()
	return cert, err
}
