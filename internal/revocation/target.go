package revocation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"net/url"
	"strings"
)

const (
	// maxURLs are tried of each certificate and kind; maxURLsRead are looked at.
	maxURLs     = 4
	maxURLsRead = 16
)

// Kind is what is fetched.
type Kind string

// The kinds.
const (
	CRL  Kind = "CRL"
	OCSP Kind = "OCSP"
)

// target is one thing to look after: a list of an issuer, or an answer about one
// certificate, with the addresses that may have it. Lists are told apart by their
// addresses, too: an issuer may split its list.
type target struct {
	kind   Kind
	issuer *x509.Certificate
	serial *big.Int // OCSP alone
	urls   []string
	// refused is why none of the addresses can be asked; urls is empty then.
	refused error
}

// targetsOf are those of one certificate.
func targetsOf(cert, issuer *x509.Certificate) (all []target) {
	if t, ok := newTarget(CRL, issuer, cert.CRLDistributionPoints); ok {
		all = append(all, t)
	}
	if t, ok := newTarget(OCSP, issuer, cert.OCSPServer); ok {
		t.serial = cert.SerialNumber
		all = append(all, t)
	}
	return all
}

func newTarget(kind Kind, issuer *x509.Certificate, urls []string) (t target, ok bool) {
	t = target{kind: kind, issuer: issuer}
	for _, raw := range urls[:min(len(urls), maxURLsRead)] {
		_, err := readURL(raw)
		switch {
		case err != nil && t.refused == nil:
			t.refused = err
		case err == nil && len(t.urls) < maxURLs:
			t.urls = append(t.urls, raw)
		}
	}
	if len(t.urls) > 0 {
		t.refused = nil
	}
	return t, len(urls) > 0
}

// links gives every certificate of a chain with its issuer; the last one, the
// anchor, is nobody's to revoke. Certificates that do not follow each other end it.
func links(chain []*x509.Certificate, do func(cert, issuer *x509.Certificate)) {
	for i := 0; i+1 < len(chain); i++ {
		if !bytes.Equal(chain[i].RawIssuer, chain[i+1].RawSubject) {
			return
		}
		do(chain[i], chain[i+1])
	}
}

// key names the target, and its file.
func (t target) key() string {
	h := sha256.New()
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		h.Write(b)
	}
	part([]byte(t.kind))
	part(t.issuer.RawSubject)
	part(t.issuer.RawSubjectPublicKeyInfo)
	if t.serial != nil {
		part(t.serial.Bytes())
	}
	part([]byte(strings.Join(t.urls, "\n")))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// hostOf is the authority that an address belongs to: one machine and port.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return strings.ToLower(u.Host)
}
