package signingtest

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Revoked is one certificate that an authority has revoked.
type Revoked struct {
	Certificate *x509.Certificate
	At          time.Time
	// Reason is the code of RFC 5280 section 5.3.1; 0 leaves it out.
	Reason int
}

// CRL makes a list of revoked certificates in DER. change, which may be nil,
// changes the template first.
func (i Identity) CRL(thisUpdate, nextUpdate time.Time, revoked []Revoked, change func(*x509.RevocationList)) ([]byte, error) {
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: thisUpdate, NextUpdate: nextUpdate}
	for _, r := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: r.Certificate.SerialNumber, RevocationTime: r.At, ReasonCode: r.Reason,
		})
	}
	if change != nil {
		change(template)
	}
	return x509.CreateRevocationList(rand.Reader, template, i.Certificate(), i.Key)
}

// OCSP makes an answer about a certificate that this authority issued. responder
// signs it: the authority itself, or whom it appointed. change, which may be nil,
// changes the template of "good" first.
func (i Identity) OCSP(responder Identity, cert *x509.Certificate, thisUpdate, nextUpdate time.Time, change func(*ocsp.Response)) ([]byte, error) {
	template := ocsp.Response{
		Status: ocsp.Good, SerialNumber: cert.SerialNumber, ThisUpdate: thisUpdate, NextUpdate: nextUpdate,
	}
	if !responder.Certificate().Equal(i.Certificate()) {
		template.Certificate = responder.Certificate()
	}
	if change != nil {
		change(&template)
	}
	return ocsp.CreateResponse(i.Certificate(), responder.Certificate(), template, responder.Key)
}
