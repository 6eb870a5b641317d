package signing

import (
	"crypto/x509"
	"fmt"
	"time"
)

// answerHoldsFor is how long a revocation answer that names no next update is
// relied on.
const answerHoldsFor = time.Hour

// certificateHold is the reason code for a certificate that is suspended only
// (RFC 5280 section 5.3.1).
const certificateHold = 6

// Revocation is what is known about revoked certificates. Whoever makes one
// fetches it and keeps it fresh; checks only judge it: who signed it, and whether
// it speaks about the time relied on. Lists and answers of others do no harm.
type Revocation struct {
	CRLs  []*CRL
	OCSPs []*OCSP
}

// RevocationStatus says what was found about one certificate of a chain.
type RevocationStatus struct {
	Certificate *x509.Certificate
	// Source is "CRL" or "OCSP".
	Source string
	// ThisUpdate is when this was known; NextUpdate, which may be zero, when
	// something newer was to be expected.
	ThisUpdate, NextUpdate time.Time
	// RevokedAt is zero where the certificate was not revoked.
	RevokedAt time.Time
	// Reason is the code of RFC 5280 section 5.3.1, 0 where there is none.
	Reason int
}

// speaksOf reports whether the status, which says "not revoked", holds at a time.
func (s RevocationStatus) speaksOf(at time.Time) bool {
	if s.NextUpdate.IsZero() {
		return !at.After(s.ThisUpdate.Add(answerHoldsFor))
	}
	return !at.After(s.NextUpdate)
}

// status finds what is known about a certificate of an issuer at a time. Of
// several findings the earliest revocation counts: it does not end. ok is false
// where nothing usable is known.
func (r *Revocation) status(cert, issuer *x509.Certificate, at time.Time) (found RevocationStatus, ok bool) {
	for _, s := range r.statuses(cert, issuer) {
		switch {
		case s.RevokedAt.IsZero() && !s.speaksOf(at):
			continue
		case !ok, found.RevokedAt.IsZero() && !s.RevokedAt.IsZero():
			found, ok = s, true
		case !s.RevokedAt.IsZero() && s.RevokedAt.Before(found.RevokedAt),
			s.RevokedAt.IsZero() && found.RevokedAt.IsZero() && s.ThisUpdate.After(found.ThisUpdate):
			found = s
		}
	}
	return found, ok
}

func (r *Revocation) statuses(cert, issuer *x509.Certificate) (all []RevocationStatus) {
	for _, answer := range r.OCSPs {
		if s, ok := answer.status(cert, issuer); ok {
			all = append(all, s)
		}
	}
	for _, list := range r.CRLs {
		if s, ok := list.status(cert, issuer); ok {
			all = append(all, s)
		}
	}
	return all
}

// revocation takes the first chain of which nothing was revoked at the time
// relied on. Where there is none it reports what the first chain fails by.
func (c *check) revocation() *failure {
	if c.options.Revocation == nil {
		c.chain = c.paths[0]
		return nil
	}
	var first *failure
	for _, path := range c.paths {
		statuses, f := c.chainStatus(path)
		if f == nil {
			c.chain, c.statuses = path, statuses
			return nil
		}
		if first == nil {
			first, c.statuses = f, statuses
		}
	}
	return first
}

// chainStatus asks for every certificate but the anchor, which is trusted for
// itself.
func (c *check) chainStatus(path []*x509.Certificate) (all []RevocationStatus, f *failure) {
	for i, cert := range path[:len(path)-1] {
		s, ok := c.known().status(cert, path[i+1], c.time)
		if !ok {
			return all, &failure{TryLater, fmt.Sprintf("nothing usable is known about the revocation of %s", name(cert, "en"))}
		}
		all = append(all, s)
		if s.RevokedAt.IsZero() || s.RevokedAt.After(c.time) {
			continue
		}
		return all, c.recalled(s, i)
	}
	return all, nil
}

// recalled chooses the sub-indication of clause 5.2.6.4 and 5.5.4: that the signer
// was revoked is final only where the signature is proven to be younger.
func (c *check) recalled(s RevocationStatus, depth int) *failure {
	detail := fmt.Sprintf("%s was revoked at %s (reason %d)", name(s.Certificate, "en"), stamp(s.RevokedAt), s.Reason)
	switch {
	case s.Reason == certificateHold:
		return &failure{TryLater, fmt.Sprintf("%s is suspended since %s", name(s.Certificate, "en"), stamp(s.RevokedAt))}
	case depth > 0:
		return &failure{RevokedCANoPOE, detail}
	case !c.options.NotBefore.IsZero() && !c.options.NotBefore.Before(s.RevokedAt):
		return &failure{Revoked, detail}
	}
	return &failure{RevokedNoPOE, detail}
}
