package signing

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

var (
	oidContentType          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

type attribute struct {
	oid    asn1.ObjectIdentifier
	values reader
}

type attributes []attribute

// readAttributes reads a SET OF Attribute (RFC 5652 section 5.3).
func readAttributes(r reader) (attributes, error) {
	var all attributes
	for !r.empty() {
		body, err := r.open(tagSequence, "attribute")
		if err != nil {
			return nil, err
		}
		var a attribute
		if a.oid, err = readOID(&body, "attribute"); err != nil {
			return nil, err
		}
		if a.values, err = body.open(tagSet, "attribute values"); err != nil {
			return nil, err
		}
		if err := body.end("attribute"); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// one finds the only value of the only attribute of a type; ok is false where
// there is none. More than one of either is an error: two answers to one
// question let two readers see different signatures.
func (all attributes) one(oid asn1.ObjectIdentifier, name string) (value element, ok bool, err error) {
	for _, a := range all {
		if !a.oid.Equal(oid) {
			continue
		}
		if ok {
			return element{}, false, fmt.Errorf("attribute %s occurs twice", name)
		}
		values := a.values
		if value, err = values.next(); err != nil {
			return element{}, false, fmt.Errorf("attribute %s: %w", name, err)
		}
		if err := values.end("attribute " + name); err != nil {
			return element{}, false, err
		}
		ok = true
	}
	return value, ok, nil
}

// all are the values of every attribute of a type, up to a number.
func (all attributes) all(oid asn1.ObjectIdentifier, most int) (found []element) {
	for _, a := range all {
		if !a.oid.Equal(oid) {
			continue
		}
		for values := a.values; !values.empty() && len(found) < most; {
			e, err := values.next()
			if err != nil {
				break
			}
			found = append(found, e)
		}
	}
	return found
}

// statements are the signed attributes that a check reads.
type statements struct {
	messageDigest []byte
	claimed       time.Time
	// bound is nil where signing-certificate-v2 is missing.
	bound *certificateReference
}

// readStatements reads what CAdES asks for (ETSI EN 319 122-1 clause 6.3, B-B):
// content-type, which must be that of the content, and message-digest once each,
// and signing-certificate-v2.
func readStatements(signed attributes, contentType asn1.ObjectIdentifier, older bool) (st statements, err error) {
	if len(signed) == 0 {
		return st, errors.New("no signed attributes, which is too weak: the content could be passed off as them")
	}
	if err := readContentType(signed, contentType); err != nil {
		return st, err
	}
	md, ok, err := signed.one(oidMessageDigest, "message-digest")
	if err != nil {
		return st, err
	}
	if !ok || md.tag != tagOctetString {
		return st, errors.New("attribute message-digest is missing")
	}
	st.messageDigest = md.body
	if st.claimed, err = readSigningTime(signed); err != nil {
		return st, err
	}
	st.bound, err = readReference(signed, older)
	return st, err
}

func readContentType(signed attributes, want asn1.ObjectIdentifier) error {
	e, ok, err := signed.one(oidContentType, "content-type")
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("attribute content-type is missing")
	}
	r := reader(e.full)
	return expectOID(&r, want, "attribute content-type")
}

func readSigningTime(signed attributes) (t time.Time, err error) {
	e, ok, err := signed.one(oidSigningTime, "signing-time")
	if err != nil || !ok {
		return time.Time{}, err
	}
	if _, err := asn1.Unmarshal(e.full, &t); err != nil {
		return time.Time{}, fmt.Errorf("attribute signing-time: %w", err)
	}
	return t.UTC(), nil
}

// certificateReference is the first ESSCertIDv2 of signing-certificate-v2 (RFC
// 5035 section 4): which certificate the signer signed with.
type certificateReference struct {
	hash   algorithm
	digest []byte
	issuer []byte   // Name, nil where not stated
	serial *big.Int // nil where not stated
}

func readReference(signed attributes, older bool) (*certificateReference, error) {
	hash := algorithm{oid: oidSHA256}
	e, ok, err := signed.one(oidSigningCertificateV2, "signing-certificate-v2")
	if err == nil && !ok && older {
		hash = algorithm{oid: oidSHA1}
		e, ok, err = signed.one(oidSigningCertificate, "signing-certificate")
	}
	if err != nil || !ok {
		return nil, err
	}
	r := reader(e.full)
	attr, err := r.open(tagSequence, "SigningCertificateV2")
	if err != nil {
		return nil, err
	}
	certs, err := attr.open(tagSequence, "SigningCertificateV2 certs")
	if err != nil {
		return nil, err
	}
	id, err := certs.open(tagSequence, "ESSCertIDv2")
	if err != nil {
		return nil, err
	}
	ref := &certificateReference{hash: hash}
	if !id.empty() && id[0] == tagSequence {
		if ref.hash, err = readAlgorithm(&id, "ESSCertIDv2 hashAlgorithm"); err != nil {
			return nil, err
		}
	}
	digest, err := id.take(tagOctetString, "ESSCertIDv2 certHash")
	if err != nil {
		return nil, err
	}
	ref.digest = digest.body
	return ref, ref.readIssuerSerial(id)
}

// readIssuerSerial reads the optional IssuerSerial: one directoryName, and the
// serial number.
func (ref *certificateReference) readIssuerSerial(id reader) error {
	if id.empty() {
		return nil
	}
	is, err := id.open(tagSequence, "issuerSerial")
	if err != nil {
		return err
	}
	names, err := is.open(tagSequence, "issuerSerial issuer")
	if err != nil {
		return err
	}
	const directoryName = 0xa4
	name, err := names.take(directoryName, "issuerSerial directoryName")
	if err != nil {
		return err
	}
	ref.issuer = name.body
	if ref.serial, err = readInteger(&is, "issuerSerial serialNumber"); err != nil {
		return err
	}
	return errors.Join(names.end("issuerSerial issuer"), is.end("issuerSerial"), id.end("ESSCertIDv2"))
}

// function is the digest function of the reference.
func (ref *certificateReference) function(older bool) (crypto.Hash, error) {
	if older && ref.hash.oid.Equal(oidSHA1) {
		return crypto.SHA1, nil
	}
	return ref.hash.hash()
}

// matches reports whether the reference is to cert.
func (ref *certificateReference) matches(cert *x509.Certificate, h crypto.Hash) bool {
	w := h.New()
	w.Write(cert.Raw)
	if !bytes.Equal(w.Sum(nil), ref.digest) {
		return false
	}
	if ref.serial == nil {
		return true
	}
	return ref.serial.Cmp(cert.SerialNumber) == 0 && bytes.Equal(ref.issuer, cert.RawIssuer)
}
