package signing

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"
)

// maxOID bounds object identifiers, in bytes: one takes eight times its size of
// memory, and more in a message. Those in use have up to 20.
const maxOID = 64

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

// signedData is what RFC 5652 section 5.1 calls SignedData, as far as a check
// needs it.
type signedData struct {
	// contentType and content are what is enclosed; content is nil where the
	// signature is detached.
	contentType  asn1.ObjectIdentifier
	content      []byte
	certificates []rawCertificate
	// crls is RevocationInfoChoices as it stands.
	crls     reader
	embedded *embedded // what of it was read
	signers  []signerInfo
}

// signerInfo is RFC 5652 section 5.3. A signer is named by issuer and serial
// number, each as encoded, or by keyID.
type signerInfo struct {
	issuer, serial, keyID []byte
	digest                algorithm
	signature             algorithm
	value                 []byte
	signed                attributes
	// toVerify is what the signature value is over: the signed attributes under
	// the tag of a SET.
	toVerify []byte
	// unsigned attributes carry time-stamps and the like.
	unsigned attributes
}

// readSignedData reads a ContentInfo that scan has passed.
func readSignedData(b []byte) (*signedData, error) {
	r := reader(b)
	info, err := r.open(tagSequence, "ContentInfo")
	if err != nil {
		return nil, err
	}
	if err := expectOID(&info, oidSignedData, "ContentInfo"); err != nil {
		return nil, err
	}
	explicit, err := info.open(tagContext0, "content")
	if err != nil {
		return nil, err
	}
	body, err := explicit.open(tagSequence, "SignedData")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(info.end("ContentInfo"), explicit.end("content")); err != nil {
		return nil, err
	}
	return readBody(body)
}

// readBody reads version, digestAlgorithms, encapContentInfo, certificates,
// crls and signerInfos, in that order.
func readBody(r reader) (*signedData, error) {
	if _, err := r.take(tagInteger, "SignedData version"); err != nil {
		return nil, err
	}
	if _, err := r.take(tagSet, "digestAlgorithms"); err != nil {
		return nil, err
	}
	var sd signedData
	if err := sd.readEncapsulated(&r); err != nil {
		return nil, err
	}
	if e, ok := r.optional(tagContext0); ok {
		if err := sd.readCertificates(e.body); err != nil {
			return nil, err
		}
	}
	if e, ok := r.optional(tagContext1); ok {
		sd.crls = e.body
	}
	infos, err := r.open(tagSet, "signerInfos")
	if err != nil {
		return nil, err
	}
	if err := r.end("SignedData"); err != nil {
		return nil, err
	}
	return &sd, sd.readSigners(infos)
}

// readEncapsulated reads EncapsulatedContentInfo (RFC 5652 section 5.2).
func (sd *signedData) readEncapsulated(r *reader) error {
	e, err := r.open(tagSequence, "encapContentInfo")
	if err != nil {
		return err
	}
	if sd.contentType, err = readOID(&e, "encapContentInfo"); err != nil || e.empty() {
		return err
	}
	explicit, err := e.open(tagContext0, "eContent")
	if err != nil {
		return err
	}
	content, err := explicit.take(tagOctetString, "eContent")
	if err != nil {
		return err
	}
	sd.content = content.body
	return errors.Join(explicit.end("eContent"), e.end("encapContentInfo"))
}

// expectDetached makes sure that the content is plain data and is not inside: two
// contents, the enclosed and the one at hand, would leave open which of them was
// judged.
func (sd *signedData) expectDetached() error {
	if !sd.contentType.Equal(oidData) {
		return fmt.Errorf("the content is of type %v, not %v", sd.contentType, oidData)
	}
	if sd.content != nil {
		return errors.New("the signature encloses a content; a detached one is needed")
	}
	return nil
}

func (sd *signedData) readSigners(r reader) error {
	if r.empty() {
		return errors.New("nobody signed")
	}
	for !r.empty() {
		if len(sd.signers) == maxSigners {
			return fmt.Errorf("more than %d signers", maxSigners)
		}
		info, err := r.open(tagSequence, "SignerInfo")
		if err != nil {
			return err
		}
		var s signerInfo
		if err := s.read(info); err != nil {
			return err
		}
		sd.signers = append(sd.signers, s)
	}
	return nil
}

func (s *signerInfo) read(r reader) (err error) {
	if _, err = r.take(tagInteger, "SignerInfo version"); err != nil {
		return err
	}
	if err = s.readIdentifier(&r); err != nil {
		return err
	}
	if s.digest, err = readAlgorithm(&r, "digestAlgorithm"); err != nil {
		return err
	}
	if err = s.readSignedAttributes(&r); err != nil {
		return err
	}
	if s.signature, err = readAlgorithm(&r, "signatureAlgorithm"); err != nil {
		return err
	}
	value, err := r.take(tagOctetString, "signature")
	if err != nil {
		return err
	}
	s.value = value.body
	if e, ok := r.optional(tagContext1); ok {
		if s.unsigned, err = readAttributes(e.body); err != nil {
			return err
		}
	}
	return r.end("SignerInfo")
}

// readIdentifier reads a SignerIdentifier: IssuerAndSerialNumber or a subject
// key identifier.
func (s *signerInfo) readIdentifier(r *reader) error {
	if e, ok := r.optional(tagKeyID); ok {
		s.keyID = e.body
		return nil
	}
	id, err := r.open(tagSequence, "issuerAndSerialNumber")
	if err != nil {
		return err
	}
	issuer, err := id.take(tagSequence, "issuer")
	if err != nil {
		return err
	}
	s.issuer = issuer.full
	serial, err := id.take(tagInteger, "serialNumber")
	if err != nil {
		return err
	}
	s.serial = serial.full
	return id.end("issuerAndSerialNumber")
}

// readSignedAttributes keeps the attributes' exact bytes: RFC 5652 section 5.4
// has them signed under the tag of a SET instead of [0].
func (s *signerInfo) readSignedAttributes(r *reader) (err error) {
	e, ok := r.optional(tagContext0)
	if !ok {
		return nil
	}
	s.toVerify = append([]byte{tagSet}, e.full[1:]...)
	s.signed, err = readAttributes(e.body)
	return err
}

func readOID(r *reader, what string) (asn1.ObjectIdentifier, error) {
	e, err := r.take(tagOID, what)
	if err != nil {
		return nil, err
	}
	oid, err := decodeOID(e.body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return oid, nil
}

// decodeOID reads an object identifier (X.690 section 8.19). A signature has a
// dozen of them: by reflection, they would cost more than all else but the
// cryptography.
func decodeOID(b []byte) (asn1.ObjectIdentifier, error) {
	if len(b) == 0 || len(b) > maxOID || b[len(b)-1]&0x80 != 0 {
		return nil, fmt.Errorf("object identifier of %d bytes", len(b))
	}
	oid := make(asn1.ObjectIdentifier, 0, len(b)+1)
	n, first := 0, true
	for _, c := range b {
		if first && c == 0x80 || n > math.MaxInt32>>7 {
			return nil, errors.New("object identifier has a number that is too long")
		}
		n = n<<7 | int(c&0x7f)
		if first = c&0x80 == 0; !first {
			continue
		}
		if len(oid) == 0 {
			oid = append(oid, min(n/40, 2))
			n -= 40 * oid[0]
		}
		oid, n = append(oid, n), 0
	}
	return oid, nil
}

func expectOID(r *reader, want asn1.ObjectIdentifier, what string) error {
	oid, err := readOID(r, what)
	if err != nil {
		return err
	}
	if !oid.Equal(want) {
		return fmt.Errorf("%s is of type %v, not %v", what, oid, want)
	}
	return nil
}

func readInteger(r *reader, what string) (*big.Int, error) {
	e, err := r.take(tagInteger, what)
	if err != nil {
		return nil, err
	}
	var n *big.Int
	if _, err := asn1.Unmarshal(e.full, &n); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}

// readTime reads a GeneralizedTime as RFC 5280 section 4.1.2.5.2 and RFC 3161
// section 2.4.2 want it: in UTC, with seconds, perhaps with a fraction of them.
func readTime(r *reader, what string) (time.Time, error) {
	e, err := r.take(tagGeneralized, what)
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse("20060102150405Z", string(e.body))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: no time in UTC: %q", what, e.body[:min(len(e.body), 30)])
	}
	return t, nil
}
