package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// What PKCS #11 gives and takes, as the rest of the world writes it.

// digestInfo is what CKM_RSA_PKCS signs: DigestInfo of RFC 8017 section 9.2.
func digestInfo(hash crypto.Hash, digest []byte) ([]byte, error) {
	last := map[crypto.Hash]byte{crypto.SHA256: 1, crypto.SHA384: 2, crypto.SHA512: 3}[hash]
	if last == 0 || len(digest) != hash.Size() {
		return nil, fmt.Errorf("%d bytes are no digest of %v", len(digest), hash)
	}
	// SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.2.last, NULL }, OCTET STRING }
	prefix := []byte{
		0x30, byte(0x11 + len(digest)), 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0x00,
		0x04, byte(len(digest)),
	}
	return append(prefix, digest...), nil
}

// ecdsaValue writes r and s, of one length each, as ECDSA-Sig-Value (RFC 3279 section
// 2.2.3).
func ecdsaValue(raw []byte, curve elliptic.Curve) ([]byte, error) {
	size := (curve.Params().BitSize + 7) / 8
	if len(raw) != 2*size {
		return nil, fmt.Errorf("%d bytes are no ECDSA signature on %s", len(raw), curve.Params().Name)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])})
}

// leftmost are the bytes of a digest that ECDSA signs (FIPS 186-5 section 6.4.1): not
// every token cuts them by itself.
func leftmost(digest []byte, curve elliptic.Curve) []byte {
	return digest[:min(len(digest), (curve.Params().BitSize+7)/8)]
}

// curves that keys may be on, by CKA_EC_PARAMS: an OID in DER (RFC 5480 section 2.1.1.1).
func curves() map[string]elliptic.Curve {
	return map[string]elliptic.Curve{
		"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07": elliptic.P256(),
		"\x06\x05\x2b\x81\x04\x00\x22":             elliptic.P384(),
	}
}

// ecKey reads CKA_EC_PARAMS and CKA_EC_POINT. The point is a DER OCTET STRING by the
// standard, and bare in some tokens; one bare point in 256 reads as an OCTET STRING, too,
// so that its length decides.
func ecKey(params, point []byte) (*ecdsa.PublicKey, error) {
	curve, known := curves()[string(params)]
	if !known {
		return nil, errors.New("its curve is neither P-256 nor P-384")
	}
	var inner []byte
	if bare := 1 + 2*((curve.Params().BitSize+7)/8); len(point) == bare {
		return ecdsa.ParseUncompressedPublicKey(curve, point)
	}
	if rest, err := asn1.Unmarshal(point, &inner); err == nil && len(rest) == 0 {
		point = inner
	}
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}

// rsaKey reads CKA_MODULUS and CKA_PUBLIC_EXPONENT.
func rsaKey(modulus, exponent []byte) (*rsa.PublicKey, error) {
	e := new(big.Int).SetBytes(exponent)
	if len(modulus) == 0 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
		return nil, errors.New("it is no RSA key")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(e.Int64())}, nil
}
