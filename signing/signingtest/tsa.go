package signingtest

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"sync/atomic"
	"time"

	"github.com/digitorus/pkcs7"
)

// Policy is that of every TimestampAuthority: an arc for examples.
var Policy = asn1.ObjectIdentifier{2, 999, 3161, 1}

var (
	oidTSTInfo           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCertV2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidExtendedKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidTimestamping      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	errUnreadableRequest = errors.New("signingtest: no request for a time-stamp")
)

// TimestampAuthority makes time-stamps (RFC 3161) of whatever it is sent. It may
// be used by several goroutines at once.
type TimestampAuthority struct {
	Identity
	// Now is the clock that it stamps.
	Now func() time.Time

	serial atomic.Int64
}

// NewTimestampAuthority issues a certificate for time-stamps alone, and makes an
// authority of it.
func (i Identity) NewTimestampAuthority(name string, now func() time.Time) (*TimestampAuthority, error) {
	id, err := i.Issue(name, nil, Timestamping)
	if err != nil {
		return nil, err
	}
	return &TimestampAuthority{Identity: id, Now: now}, nil
}

// Timestamping makes a template that of an authority for time-stamps: its extended
// key usage is that alone, and critical (RFC 3161 section 2.3).
func Timestamping(c *x509.Certificate) {
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{oidTimestamping})
	if err != nil {
		return // cannot be: the value is a constant
	}
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidExtendedKeyUsage, Critical: true, Value: value})
}

// Request is TimeStampReq (RFC 3161 section 2.4.1).
type Request struct {
	Version int
	Imprint Imprint
	Policy  asn1.ObjectIdentifier `asn1:"optional"`
	Nonce   *big.Int              `asn1:"optional"`
	CertReq bool                  `asn1:"optional"`
}

// Imprint is MessageImprint.
type Imprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Digest    []byte
}

// Info is TSTInfo (RFC 3161 section 2.4.2) as this authority writes it.
type Info struct {
	Version  int
	Policy   asn1.ObjectIdentifier
	Imprint  Imprint
	Serial   *big.Int
	Time     time.Time `asn1:"generalized"`
	Accuracy accuracy
	Nonce    *big.Int `asn1:"optional"`
}

type accuracy struct {
	Seconds int `asn1:"optional"`
}

// Respond answers a request with a TimeStampResp: a token, or a refusal where the
// request cannot be read.
func (a *TimestampAuthority) Respond(request []byte) []byte {
	const granted, rejection = 0, 2
	token, err := a.stamp(request)
	status := granted
	if err != nil {
		status, token = rejection, nil
	}
	response, err := asn1.Marshal(struct {
		Status struct{ Status int }
		Token  asn1.RawValue `asn1:"optional"`
	}{struct{ Status int }{status}, asn1.RawValue{FullBytes: token}})
	if err != nil {
		return nil
	}
	return response
}

func (a *TimestampAuthority) stamp(request []byte) ([]byte, error) {
	var r Request
	if rest, err := asn1.Unmarshal(request, &r); err != nil || len(rest) > 0 {
		return nil, errUnreadableRequest
	}
	return a.Token(Info{
		Version: 1, Policy: Policy, Imprint: r.Imprint, Serial: big.NewInt(a.serial.Add(1)),
		Time: a.Now().UTC().Truncate(time.Second), Accuracy: accuracy{1}, Nonce: r.Nonce,
	})
}

// Token signs what it is told to: any time, and anything else.
func (a *TimestampAuthority) Token(info Info) ([]byte, error) {
	der, err := asn1.Marshal(info)
	if err != nil {
		return nil, err
	}
	sd, err := pkcs7.NewSignedData(der)
	if err != nil {
		return nil, err
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	sd.SetContentType(oidTSTInfo)
	sd.GetSignedData().Version = 3
	digest := sha256.Sum256(a.Certificate().Raw)
	type essCertID struct{ Digest []byte }
	err = sd.AddSigner(a.Certificate(), a.Key, pkcs7.SignerInfoConfig{
		ExtraSignedAttributes: []pkcs7.Attribute{{
			Type:  oidSigningCertV2,
			Value: struct{ Certs []essCertID }{[]essCertID{{digest[:]}}},
		}},
	})
	if err != nil {
		return nil, err
	}
	return sd.Finish()
}
