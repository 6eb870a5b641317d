package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"math/big"
	"testing"
)

func digests() map[crypto.Hash][]byte {
	a, b, c := sha256.Sum256([]byte("x")), sha512.Sum384([]byte("x")), sha512.Sum512([]byte("x"))
	return map[crypto.Hash][]byte{crypto.SHA256: a[:], crypto.SHA384: b[:], crypto.SHA512: c[:]}
}

// What a token signs without knowing the hash is what everybody verifies with it.
func TestDigestInfo(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for hash, digest := range digests() {
		info, err := digestInfo(hash, digest)
		if err != nil {
			t.Fatal(err)
		}
		bare, err := rsa.SignPKCS1v15(rand.Reader, key, 0, info)
		if err != nil || rsa.VerifyPKCS1v15(&key.PublicKey, hash, digest, bare) != nil {
			t.Errorf("%v does not verify: %v", hash, err)
		}
		if _, err := digestInfo(hash, digest[1:]); err == nil {
			t.Errorf("%v of %d bytes was taken", hash, len(digest)-1)
		}
	}
	if _, err := digestInfo(crypto.SHA1, make([]byte, 20)); err == nil {
		t.Error("SHA-1 was taken")
	}
}

// r and s as tokens give them, with every length of each, verify as everybody has them.
func TestECDSAValue(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		size := curve.Params().BitSize / 8
		for _, digest := range digests() {
			want, err := ecdsa.SignASN1(rand.Reader, key, leftmost(digest, curve))
			if err != nil {
				t.Fatal(err)
			}
			var v struct{ R, S *big.Int }
			if _, err := asn1.Unmarshal(want, &v); err != nil {
				t.Fatal(err)
			}
			got, err := ecdsaValue(append(v.R.FillBytes(make([]byte, size)), v.S.FillBytes(make([]byte, size))...), curve)
			if err != nil || !bytes.Equal(got, want) || !ecdsa.VerifyASN1(&key.PublicKey, digest, got) {
				t.Errorf("%s: %x, want %x (%v)", curve.Params().Name, got, want, err)
			}
		}
		for _, n := range []int{0, 2*size - 1, 2*size + 1} {
			if _, err := ecdsaValue(make([]byte, n), curve); err == nil {
				t.Errorf("%d bytes on %s were taken", n, curve.Params().Name)
			}
		}
	}
}

// A bare point whose second byte is the length of what follows it is also a DER OCTET
// STRING by its form.
func TestABarePointIsNoOctetString(t *testing.T) {
	for params, curve := range curves() {
		size := (curve.Params().BitSize + 7) / 8
		var key *ecdsa.PrivateKey
		var bare []byte
		for bare == nil || int(bare[1]) != 2*size-1 {
			var err error
			if key, err = ecdsa.GenerateKey(curve, rand.Reader); err == nil {
				bare, err = key.PublicKey.Bytes()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, err := ecKey([]byte(params), bare); err != nil || !got.Equal(&key.PublicKey) {
			t.Errorf("%s: %v", curve.Params().Name, err)
		}
	}
}

func TestPublicKeysAreRead(t *testing.T) {
	for params, curve := range curves() {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		bare, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := asn1.Marshal(bare)
		if err != nil {
			t.Fatal(err)
		}
		for _, point := range [][]byte{bare, wrapped} {
			if got, err := ecKey([]byte(params), point); err != nil || !got.Equal(&key.PublicKey) {
				t.Errorf("%s: %v", curve.Params().Name, err)
			}
		}
		bare[len(bare)-1] ^= 1
		if _, err := ecKey([]byte(params), bare); err == nil {
			t.Errorf("a point off %s was taken", curve.Params().Name)
		}
	}
	if _, err := ecKey([]byte{6, 5, 0x2b, 0x81, 4, 0, 0x0a}, nil); err == nil {
		t.Error("secp256k1 was taken")
	}
	if k, err := rsaKey([]byte{0xc1}, []byte{1, 0, 1}); err != nil || k.E != 65537 {
		t.Errorf("%v, %v", k, err)
	}
	for _, e := range [][]byte{nil, {1}, {1, 0, 0, 0, 0, 0, 0, 0, 0}} {
		if _, err := rsaKey([]byte{0xc1}, e); err == nil {
			t.Errorf("exponent %x was taken", e)
		}
	}
}
