package signing

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// ErrOtherTimestamp says that a time-stamp is not of the signature that it was
// asked for. Ask again, or another authority.
var ErrOtherTimestamp = errors.New("signing: the time-stamp is of something else")

// AddTimestamp makes a signature CAdES-B-T (ETSI EN 319 122-1 clause 6.3): it asks
// stamp for a token over the signature value of one signer, by its place among the
// verdicts, and puts it beside those that are there. Nothing that anybody signed
// is touched, so it may be done to signatures of others and long after signing.
// Lengths of BER become those of DER.
//
// That the token is of this value is checked, who made it is not: judge the
// outcome with Verify.
func AddTimestamp(signature []byte, signer int, stamp func(value []byte) (token []byte, err error)) ([]byte, error) {
	sd, err := parse(signature, false)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if signer < 0 || signer >= len(sd.signers) {
		return nil, fmt.Errorf("signing: no signer %d among %d", signer, len(sd.signers))
	}
	token, err := stamp(sd.signers[signer].value)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if token, err = checkToken(token, sd.signers[signer].value); err != nil {
		return nil, err
	}
	der, err := toDER(signature)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	stamped, err := addToken(der, signer, token)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if len(stamped) > MaxSize {
		return nil, fmt.Errorf("signing: %d bytes with the time-stamp; at most %d are read", len(stamped), MaxSize)
	}
	return stamped, nil
}

// checkToken gives the token in DER.
func checkToken(token, value []byte) ([]byte, error) {
	t, err := ParseTimestamp(token)
	if err != nil {
		return nil, err
	}
	if t.Hash == 0 {
		return nil, fmt.Errorf("signing: %w", refusedAlgorithm("time-stamp: digest", t.imprint.oid))
	}
	h := t.Hash.New()
	h.Write(value)
	if !bytes.Equal(h.Sum(nil), t.Digest) {
		return nil, ErrOtherTimestamp
	}
	return toDER(token)
}

// addToken writes every length around the new attribute again, and copies all
// else.
func addToken(der reader, signer int, token []byte) ([]byte, error) {
	info, err := der.open(tagSequence, "ContentInfo")
	if err != nil {
		return nil, err
	}
	contentType, err := info.take(tagOID, "ContentInfo")
	if err != nil {
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
	parts, err := split(body)
	if err != nil {
		return nil, err
	}
	last := len(parts) - 1 // signerInfos
	infos, err := split(parts[last].body)
	if err != nil {
		return nil, err
	}
	if infos[signer].full, err = addAttribute(infos[signer].body, token); err != nil {
		return nil, err
	}
	parts[last].full = encode(tagSet, join(infos))
	return encode(tagSequence, contentType.full, encode(tagContext0, encode(tagSequence, join(parts)))), nil
}

// addAttribute puts a signature-time-stamp into a SignerInfo. Where there is one,
// the token becomes another attribute of its type: each has one value.
func addAttribute(info reader, token []byte) ([]byte, error) {
	oid, err := asn1.Marshal(oidSignatureTimestamp)
	if err != nil {
		return nil, err
	}
	attribute := encode(tagSequence, oid, encode(tagSet, token))
	parts, err := split(info)
	if err != nil {
		return nil, err
	}
	if last := len(parts) - 1; parts[last].tag == tagContext1 {
		all, err := split(parts[last].body)
		if err != nil {
			return nil, err
		}
		all = append(all, element{full: attribute})
		slices.SortFunc(all, func(a, b element) int { return bytes.Compare(a.full, b.full) }) // X.690 section 11.6
		parts[last].full = encode(tagContext1, join(all))
	} else {
		parts = append(parts, element{full: encode(tagContext1, attribute)})
	}
	return encode(tagSequence, join(parts)), nil
}

func split(r reader) (parts []element, err error) {
	for !r.empty() {
		e, err := r.next()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
	}
	return parts, nil
}

func join(parts []element) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p.full...)
	}
	return b
}

// TimestampRequest is the request (RFC 3161 section 2.4.1) for a time-stamp of a
// digest, with the authority's certificate in it. The nonce, which should be
// random and may be nil, ties the answer to the request.
func TimestampRequest(h crypto.Hash, digest []byte, nonce *big.Int) ([]byte, error) {
	oids := map[crypto.Hash]asn1.ObjectIdentifier{crypto.SHA256: oidSHA256, crypto.SHA384: oidSHA384, crypto.SHA512: oidSHA512}
	oid, ok := oids[h]
	if !ok || len(digest) != h.Size() {
		return nil, fmt.Errorf("signing: no digest by SHA-256, SHA-384 or SHA-512, but %d bytes by %v", len(digest), h)
	}
	id, err := asn1.Marshal(oid)
	if err != nil {
		return nil, err
	}
	var n []byte
	if nonce != nil {
		if n, err = asn1.Marshal(nonce); err != nil {
			return nil, err
		}
	}
	version, certReq := []byte{tagInteger, 1, 1}, []byte{0x01, 1, 0xff}
	imprint := encode(tagSequence, encode(tagSequence, id, []byte{tagNull, 0}), encode(tagOctetString, digest))
	return encode(tagSequence, version, imprint, n, certReq), nil
}
