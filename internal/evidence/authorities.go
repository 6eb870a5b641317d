package evidence

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

// maxAuthorities is how many certificates a list of authorities may have; two for
// each replacement of the CA.
const maxAuthorities = 64

// trustedCA is a CA that is trusted: the pinned one, or one that leads from it.
type trustedCA struct {
	cert *x509.Certificate
	key  *ecdsa.PublicKey
}

// Learn trusts the CAs that lead from one that is trusted: certificates, DER, as
// SignedEpoch.authorities and RenewAnswer.authorities have them. Each proves
// itself, by the key of its issuer; those that nothing trusted vouches for are
// passed over, so a list of somebody else's does no harm.
func (t *Trust) Learn(authorities [][]byte) {
	if len(authorities) > maxAuthorities {
		authorities = authorities[:maxAuthorities]
	}
	var offered []trustedCA
	for _, der := range authorities {
		if a, err := parseAuthority(der); err == nil {
			offered = append(offered, a)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// Whoever pinned a later CA comes to the earlier ones from behind.
	for again := true; again; {
		again = false
		for _, a := range offered {
			if !t.knows(a) && t.issuedBy(a.cert) {
				t.authorities = append(t.authorities, a)
				again = true
			}
		}
	}
}

func parseAuthority(der []byte) (trustedCA, error) {
	cert, key, err := parseCertificate(der)
	switch {
	case err != nil:
		return trustedCA{}, err
	case !cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign == 0 || len(cert.UnhandledCriticalExtensions) > 0:
		return trustedCA{}, errors.New("not a CA's certificate")
	}
	return trustedCA{cert, key}, nil
}

// knows needs the lock.
func (t *Trust) knows(a trustedCA) bool {
	for _, known := range t.authorities {
		if known.key.Equal(a.key) {
			return true
		}
	}
	return false
}

// issuedBy reports whether a CA that is trusted issued a certificate; it needs the
// lock.
func (t *Trust) issuedBy(cert *x509.Certificate) bool {
	for _, a := range t.authorities {
		if cert.CheckSignatureFrom(a.cert) == nil {
			return true
		}
	}
	return false
}

// CheckIssued holds a certificate to be issued by a CA that is trusted. The chain
// has one step, and the CA is pinned or was vouched for by one that is, so its own
// validity is not asked.
func (t *Trust) CheckIssued(cert *x509.Certificate) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	switch {
	case len(t.authorities) == 0:
		return errors.New("no CA with an ECDSA P-256 key is trusted")
	case !t.issuedBy(cert):
		return errors.New("the certificate was not issued by the axis's CA")
	}
	return nil
}

// CAs gives a certificate of every CA that is trusted, the pinned one first.
func (t *Trust) CAs() []*x509.Certificate {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []*x509.Certificate
	for _, a := range t.authorities {
		all = append(all, a.cert)
	}
	return all
}

// signedEpoch checks the CA's signature over an epoch.
func (t *Trust) signedEpoch(signed *axispb.SignedEpoch) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, a := range t.authorities {
		if verify(a.key, EpochPrefix, signed.Epoch, signed.Signature) {
			return true
		}
	}
	return false
}

// AddEpochs is AddEpoch for several, oldest first. What any of them says of the
// CAs counts for all: whoever pinned the present CA has to check epochs that
// earlier ones signed.
func (t *Trust) AddEpochs(all [][]byte) error {
	for _, raw := range all {
		var signed axispb.SignedEpoch
		if len(raw) <= MaxSignedEpoch && proto.Unmarshal(raw, &signed) == nil {
			t.Learn(signed.Authorities)
		}
	}
	for i, raw := range all {
		if _, err := t.AddEpoch(raw); err != nil {
			return fmt.Errorf("number %d of %d: %w", i+1, len(all), err)
		}
	}
	return nil
}
