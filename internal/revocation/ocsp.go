package revocation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"

	"golang.org/x/crypto/ocsp"

	"docaxis/internal/lang"
)

// request is an OCSPRequest for the target. It names the issuer by SHA-1, which
// every responder understands; nothing is proven by it.
func (t target) request() ([]byte, error) {
	return ocsp.CreateRequest(&x509.Certificate{SerialNumber: t.serial}, t.issuer, nil)
}

// judgeOCSP checks that an answer is about the target's certificate and signed by
// its issuer, or by somebody whom the issuer appointed for that (RFC 6960 section
// 4.2.2.2). "Revoked" and "good" are answers; "unknown" is none.
func judgeOCSP(raw []byte, t target) (*answer, error) {
	response, err := ocsp.ParseResponseForCert(raw, &x509.Certificate{SerialNumber: t.serial}, nil)
	var said ocsp.ResponseError
	switch {
	case errors.As(err, &said):
		return nil, lang.Errorf("máy chủ OCSP trả lời lỗi: %s", "the OCSP responder answered with an error: %s", said.Status)
	case err != nil:
		return nil, unreadable(err)
	}
	if !sameIssuer(response, t) {
		return nil, lang.Errorf("trả lời OCSP về chứng thư khác", "the OCSP answer is about another certificate")
	}
	if err := signedFor(response, t.issuer); err != nil {
		return nil, err
	}
	if response.Status == ocsp.Unknown {
		return nil, lang.Errorf("máy chủ OCSP không biết chứng thư này", "the OCSP responder does not know the certificate")
	}
	return &answer{ThisUpdate: response.ThisUpdate.UTC(), NextUpdate: response.NextUpdate.UTC()}, nil
}

// singleResponse is the beginning of one (RFC 6960 section 4.2.1).
type singleResponse struct {
	ID struct {
		Hash      pkix.AlgorithmIdentifier
		Name, Key []byte
		Serial    *big.Int
	}
	Rest asn1.RawValue
	This asn1.RawValue
	Next asn1.RawValue    `asn1:"optional,explicit,tag:0"`
	Ext  []pkix.Extension `asn1:"optional,explicit,tag:1"`
}

// responseData is ResponseData.
type responseData struct {
	Version   int `asn1:"optional,default:0,explicit,tag:0"`
	Responder asn1.RawValue
	Produced  asn1.RawValue
	Responses []singleResponse
	Ext       []pkix.Extension `asn1:"optional,explicit,tag:1"`
}

// sameIssuer compares the issuer that the answer names, which x/crypto leaves to
// its caller. Of several answers about one serial number it reads the first; so
// does this.
func sameIssuer(response *ocsp.Response, t target) bool {
	var data responseData
	if rest, err := asn1.Unmarshal(response.TBSResponseData, &data); err != nil || len(rest) > 0 {
		return false
	}
	i := slices.IndexFunc(data.Responses, func(s singleResponse) bool { return s.ID.Serial.Cmp(t.serial) == 0 })
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(t.issuer.RawSubjectPublicKeyInfo, &info); err != nil || i < 0 {
		return false
	}
	id := data.Responses[i].ID
	return bytes.Equal(id.Name, digest(response.IssuerHash, t.issuer.RawSubject)) &&
		bytes.Equal(id.Key, digest(response.IssuerHash, info.Key.RightAlign()))
}

func digest(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

// signedFor checks the signature. The responder's own certificate is not asked
// about: its lifetime is what bounds it (id-pkix-ocsp-nocheck).
func signedFor(response *ocsp.Response, issuer *x509.Certificate) error {
	by := response.Certificate
	if by == nil || bytes.Equal(by.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) {
		if err := response.CheckSignatureFrom(issuer); err != nil {
			return notSigned(issuer, err)
		}
		return nil
	}
	switch {
	case !bytes.Equal(by.RawIssuer, issuer.RawSubject), by.CheckSignatureFrom(issuer) != nil:
		return notSigned(issuer, errors.New("the responder's certificate is of another issuer"))
	case !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return notSigned(issuer, errors.New("the responder's certificate is not for OCSP"))
	case response.ProducedAt.Before(by.NotBefore), response.ProducedAt.After(by.NotAfter):
		return notSigned(issuer, errors.New("the responder's certificate was not valid then"))
	}
	if err := response.CheckSignatureFrom(by); err != nil {
		return notSigned(issuer, err)
	}
	return nil
}

func notSigned(issuer *x509.Certificate, err error) error {
	return lang.Errorf("trả lời OCSP không do %s hoặc bên được ủy quyền ký", "the OCSP answer is not signed by %s or a responder that it appointed",
		clip(issuer.Subject.CommonName)).Because(err)
}
