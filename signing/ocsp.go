package signing

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // OCSP names certificates by SHA-1; nothing is proven by it
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// MaxOCSP is the largest answer that ParseOCSP reads, in bytes.
const MaxOCSP = 1 << 20

var (
	oidOCSPBasic = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidSHA1      = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
)

// OCSP is an answer about revocation (RFC 6960) that was read, not yet believed:
// its signature is checked with the issuer of a chain.
type OCSP struct {
	tbs          []byte
	producedAt   time.Time
	responses    []singleResponse
	algorithm    algorithm
	value        []byte
	certificates []rawCertificate
}

// singleResponse is what it says about one certificate.
type singleResponse struct {
	hash              crypto.Hash
	nameHash, keyHash []byte
	serial            *big.Int
	good              bool
	revokedAt         time.Time
	reason            int
	this, next        time.Time
}

// ParseOCSP reads an OCSPResponse in DER. An answer that is an error (tryLater,
// unauthorized …) is one here, too.
func ParseOCSP(der []byte) (*OCSP, error) {
	if len(der) > MaxOCSP {
		return nil, fmt.Errorf("signing: OCSP answer of %d bytes; at most %d are read", len(der), MaxOCSP)
	}
	if err := scan(der); err != nil {
		return nil, fmt.Errorf("signing: read the OCSP answer: %w", err)
	}
	o, err := readOCSP(der)
	if err != nil {
		return nil, fmt.Errorf("signing: read the OCSP answer: %w", err)
	}
	return o, nil
}

func readOCSP(der reader) (*OCSP, error) {
	r, err := der.open(tagSequence, "OCSPResponse")
	if err != nil {
		return nil, err
	}
	const enumerated = 0x0a
	status, err := r.take(enumerated, "responseStatus")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(status.body, []byte{0}) {
		return nil, fmt.Errorf("the responder answered with error %x", status.body)
	}
	explicit, err := r.open(tagContext0, "responseBytes")
	if err != nil {
		return nil, err
	}
	body, err := explicit.open(tagSequence, "ResponseBytes")
	if err != nil {
		return nil, err
	}
	if err := expectOID(&body, oidOCSPBasic, "ResponseBytes"); err != nil {
		return nil, err
	}
	basic, err := body.take(tagOctetString, "response")
	if err != nil {
		return nil, err
	}
	// The answer proper is a DER of its own within the string.
	if err := scan(basic.body); err != nil {
		return nil, err
	}
	return readBasic(basic.body)
}

// readBasic reads BasicOCSPResponse (RFC 6960 section 4.2.1).
func readBasic(der reader) (*OCSP, error) {
	r, err := der.open(tagSequence, "BasicOCSPResponse")
	if err != nil {
		return nil, err
	}
	tbs, err := r.take(tagSequence, "ResponseData")
	if err != nil {
		return nil, err
	}
	o := &OCSP{tbs: tbs.full}
	if o.algorithm, err = readAlgorithm(&r, "signatureAlgorithm"); err != nil {
		return nil, err
	}
	value, err := r.take(tagBitString, "signature")
	if err != nil {
		return nil, err
	}
	if len(value.body) < 1 || value.body[0] != 0 {
		return nil, errors.New("signature is no whole number of bytes")
	}
	o.value = value.body[1:]
	if err := o.readCertificates(&r); err != nil {
		return nil, err
	}
	return o, errors.Join(r.end("BasicOCSPResponse"), o.readData(tbs.body))
}

func (o *OCSP) readCertificates(r *reader) error {
	e, ok := r.optional(tagContext0)
	if !ok {
		return nil
	}
	explicit := reader(e.body)
	list, err := explicit.open(tagSequence, "certs")
	if err != nil {
		return err
	}
	var sd signedData
	err = sd.readCertificates(list)
	o.certificates = sd.certificates
	return err
}

func (o *OCSP) readData(r reader) error {
	r.optional(tagContext0) // version
	if _, err := r.next(); err != nil {
		return fmt.Errorf("responderID: %w", err)
	}
	var err error
	if o.producedAt, err = readTime(&r, "producedAt"); err != nil {
		return err
	}
	list, err := r.open(tagSequence, "responses")
	if err != nil {
		return err
	}
	for !list.empty() {
		body, err := list.open(tagSequence, "SingleResponse")
		if err != nil {
			return err
		}
		var s singleResponse
		if err := s.read(body); err != nil {
			return err
		}
		o.responses = append(o.responses, s)
	}
	return nil
}

func (s *singleResponse) read(r reader) error {
	if err := s.readID(&r); err != nil {
		return err
	}
	status, err := r.next()
	if err != nil {
		return fmt.Errorf("certStatus: %w", err)
	}
	switch status.tag {
	case 0x80:
		s.good = true
	case 0xa1:
		if err := s.readRevoked(status.body); err != nil {
			return err
		}
	}
	if s.this, err = readTime(&r, "thisUpdate"); err != nil {
		return err
	}
	if e, ok := r.optional(tagContext0); ok {
		explicit := reader(e.body)
		s.next, err = readTime(&explicit, "nextUpdate")
	}
	return err
}

func (s *singleResponse) readID(r *reader) error {
	id, err := r.open(tagSequence, "CertID")
	if err != nil {
		return err
	}
	a, err := readAlgorithm(&id, "CertID hashAlgorithm")
	if err != nil {
		return err
	}
	if s.hash, err = a.hash(); err != nil && a.oid.Equal(oidSHA1) {
		s.hash = crypto.SHA1
	}
	name, err := id.take(tagOctetString, "issuerNameHash")
	if err != nil {
		return err
	}
	key, err := id.take(tagOctetString, "issuerKeyHash")
	if err != nil {
		return err
	}
	s.nameHash, s.keyHash = name.body, key.body
	s.serial, err = readInteger(&id, "serialNumber")
	return err
}

func (s *singleResponse) readRevoked(r reader) (err error) {
	if s.revokedAt, err = readTime(&r, "revocationTime"); err != nil {
		return err
	}
	if e, ok := r.optional(tagContext0); ok && len(e.body) == 3 {
		s.reason = int(e.body[2])
	}
	return nil
}
