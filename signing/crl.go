package signing

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxCRL is the largest list that ParseCRL reads, in bytes. Reading one takes at
// most 60 times its size of memory.
const MaxCRL = 8 << 20

var (
	oidIssuingDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCRLNumber                = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidAuthorityKeyID           = asn1.ObjectIdentifier{2, 5, 29, 35}
)

// tagURI is [6] of GeneralName.
const tagURI = 0x86

// CRL is a list of revoked certificates (RFC 5280 section 5) that was read, not
// yet believed: its signature is checked with the issuer of a chain.
type CRL struct {
	list    *x509.RevocationList
	revoked map[string]revokedEntry
	scope   crlScope
}

type revokedEntry struct {
	at     time.Time
	reason int
}

// crlScope is which certificates a list is complete for.
type crlScope struct {
	usersOnly, authoritiesOnly bool
	// Where named, only for those that name one of these addresses: an authority may
	// split its list.
	named bool
	names []string
}

// about reports whether the list is about a certificate (RFC 5280 section 6.3.3
// step b 2).
func (s *crlScope) about(cert *x509.Certificate) bool {
	if s.usersOnly && cert.IsCA || s.authoritiesOnly && !cert.IsCA {
		return false
	}
	return !s.named || slices.ContainsFunc(s.names, func(n string) bool { return slices.Contains(cert.CRLDistributionPoints, n) })
}

// readNames reads the addresses of a DistributionPointName; one relative to the
// issuer's name in a directory has none.
func (s *crlScope) readNames(point reader) error {
	s.named = true
	full, ok := point.optional(tagContext0)
	if !ok {
		return nil
	}
	for names := reader(full.body); !names.empty(); {
		e, err := names.next()
		if err != nil {
			return err
		}
		if e.tag == tagURI {
			s.names = append(s.names, string(e.body))
		}
	}
	return nil
}

// ParseCRL reads a list in DER. It refuses delta lists, indirect lists, those for
// some reasons only, and those with critical extensions it does not know: what
// they leave out would look as if it were not revoked.
func ParseCRL(der []byte) (*CRL, error) {
	if len(der) > MaxCRL {
		return nil, fmt.Errorf("signing: CRL of %d bytes; at most %d are read", len(der), MaxCRL)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("signing: read the CRL: %w", err)
	}
	crl := &CRL{list: list, revoked: make(map[string]revokedEntry, len(list.RevokedCertificateEntries))}
	if crl.scope, err = readScope(list); err != nil {
		return nil, fmt.Errorf("signing: CRL: %w", err)
	}
	for _, e := range list.RevokedCertificateEntries {
		for _, extension := range e.Extensions {
			if extension.Critical {
				return nil, fmt.Errorf("signing: CRL: critical extension %v of an entry is unknown", extension.Id)
			}
		}
		key := string(e.SerialNumber.Bytes())
		if old, ok := crl.revoked[key]; !ok || e.RevocationTime.Before(old.at) {
			crl.revoked[key] = revokedEntry{e.RevocationTime, e.ReasonCode}
		}
	}
	//lint:ignore SA1019 The old field repeats the new one; the map has what is in both.
	list.RevokedCertificateEntries, list.RevokedCertificates = nil, nil
	return crl, nil
}

func readScope(list *x509.RevocationList) (s crlScope, err error) {
	for _, e := range list.Extensions {
		switch {
		case e.Id.Equal(oidIssuingDistributionPoint):
			if s, err = readDistributionPoint(e.Value); err != nil {
				return s, err
			}
		case e.Id.Equal(oidCRLNumber), e.Id.Equal(oidAuthorityKeyID):
		case e.Critical:
			return s, fmt.Errorf("critical extension %v is unknown", e.Id)
		}
	}
	return s, nil
}

// readDistributionPoint reads IssuingDistributionPoint (RFC 5280 section 5.2.5).
func readDistributionPoint(der []byte) (s crlScope, err error) {
	if err := scan(der); err != nil {
		return s, err
	}
	r := reader(der)
	body, err := r.open(tagSequence, "issuingDistributionPoint")
	if err != nil {
		return s, err
	}
	for !body.empty() {
		e, err := body.next()
		if err != nil {
			return s, err
		}
		isTrue := len(e.body) == 1 && e.body[0] != 0
		switch {
		case e.tag == tagContext0:
			if err := s.readNames(e.body); err != nil {
				return s, err
			}
		case e.tag == 0x81:
			s.usersOnly = isTrue
		case e.tag == 0x82:
			s.authoritiesOnly = isTrue
		case e.tag == 0x84 && !isTrue, e.tag == 0x85 && !isTrue:
		default:
			return s, errors.New("the list is indirect, or for some reasons or kinds of certificates only")
		}
	}
	return s, nil
}

// ThisUpdate is when the list was made.
func (l *CRL) ThisUpdate() time.Time { return l.list.ThisUpdate }

// NextUpdate is when the next one is to be expected; zero where it does not say.
func (l *CRL) NextUpdate() time.Time { return l.list.NextUpdate }

// status is what the list says about a certificate; ok is false where it does not
// speak about it, or the issuer did not sign it.
func (l *CRL) status(cert, issuer *x509.Certificate) (s RevocationStatus, ok bool) {
	if !bytes.Equal(l.list.RawIssuer, cert.RawIssuer) || !bytes.Equal(issuer.RawSubject, cert.RawIssuer) {
		return s, false
	}
	if !l.scope.about(cert) {
		return s, false
	}
	if checkKey(issuer.PublicKey) != nil || l.list.CheckSignatureFrom(issuer) != nil {
		return s, false
	}
	s = RevocationStatus{Certificate: cert, Source: "CRL", ThisUpdate: l.list.ThisUpdate, NextUpdate: l.list.NextUpdate}
	if e, found := l.revoked[string(cert.SerialNumber.Bytes())]; found {
		s.RevokedAt, s.Reason = e.at, e.reason
		return s, true
	}
	// A list may leave out what has expired (section 3.3): its silence about such a
	// certificate says nothing.
	return s, !l.list.ThisUpdate.After(cert.NotAfter)
}
