package xmldsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // the digests that are accepted
	_ "crypto/sha512"
	"fmt"
	"math/big"
	"strings"
)

// The prefixes of algorithm identifiers (XML-DSig 1.1 section 6, RFC 6931).
const (
	uriDSig   = "http://www.w3.org/2000/09/xmldsig#"
	uriMore   = "http://www.w3.org/2001/04/xmldsig-more#"
	uriMore07 = "http://www.w3.org/2007/05/xmldsig-more#"
	uriEnc    = "http://www.w3.org/2001/04/xmlenc#"

	uriEnveloped = uriDSig + "enveloped-signature"
)

// hashOf is the function that a DigestMethod names.
func hashOf(uri string) (crypto.Hash, error) {
	switch uri {
	case uriEnc + "sha256":
		return crypto.SHA256, nil
	case uriMore + "sha384":
		return crypto.SHA384, nil
	case uriEnc + "sha512":
		return crypto.SHA512, nil
	}
	return 0, refusedAlgorithm("digest", uri)
}

// scheme is how a signature value is checked.
type scheme struct {
	hash  crypto.Hash
	check func(key crypto.PublicKey, h crypto.Hash, digest, value []byte) bool
}

func schemeOf(uri string) (scheme, error) {
	for name, h := range map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512} {
		switch uri {
		case uriMore + "rsa-" + name:
			return scheme{h, checkPKCS1v15}, nil
		case uriMore + "ecdsa-" + name:
			return scheme{h, checkECDSA}, nil
		case uriMore07 + name + "-rsa-MGF1":
			return scheme{h, checkPSS}, nil
		}
	}
	return scheme{}, refusedAlgorithm("signature", uri)
}

// refusedAlgorithm says which of three things an algorithm is: weak, a shared secret
// that proves nobody, or unknown.
func refusedAlgorithm(what, uri string) error {
	name := strings.ToLower(uri[strings.LastIndexByte(uri, '#')+1:])
	if strings.Contains(name, "hmac") {
		return fmt.Errorf("%s algorithm %s rests on a secret that both sides know, and proves nobody", what, short(uri))
	}
	for _, weak := range []struct{ in, said string }{
		{"md5", "MD5"}, {"sha1", "SHA-1"}, {"sha224", "SHA-224"}, {"ripemd", "RIPEMD-160"}, {"dsa-sha", "DSA"},
	} {
		if strings.Contains(name, weak.in) && !strings.HasPrefix(name, "ecdsa-sha3") {
			return fmt.Errorf("%s algorithm %s (%s) is too weak", what, short(name), weak.said)
		}
	}
	return fmt.Errorf("%s algorithm %q is not accepted", what, short(uri))
}

func checkPKCS1v15(key crypto.PublicKey, h crypto.Hash, digest, value []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	return ok && rsa.VerifyPKCS1v15(k, h, digest, value) == nil
}

// checkPSS is for the identifiers without parameters: one function throughout, and a
// salt of its length (RFC 6931 section 2.3.10).
func checkPSS(key crypto.PublicKey, h crypto.Hash, digest, value []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	return ok && rsa.VerifyPSS(k, h, digest, value, &rsa.PSSOptions{SaltLength: h.Size(), Hash: h}) == nil
}

// checkECDSA is for r and s one after the other, each as long as the order (XML-DSig
// 1.1 section 6.4.3).
func checkECDSA(key crypto.PublicKey, _ crypto.Hash, digest, value []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return false
	}
	n := (k.Params().BitSize + 7) / 8
	if len(value) != 2*n {
		return false
	}
	return ecdsa.Verify(k, digest, new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:]))
}

// methodOf is the way of canonicalisation that an identifier names.
func methodOf(uri string) (m method, ok bool) {
	switch uri {
	case "http://www.w3.org/TR/2001/REC-xml-c14n-20010315":
		return method{}, true
	case "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments":
		return method{comments: true}, true
	case "http://www.w3.org/2006/12/xml-c14n11":
		return method{newer: true}, true
	case "http://www.w3.org/2006/12/xml-c14n11#WithComments":
		return method{newer: true, comments: true}, true
	case spaceExclusive:
		return method{exclusive: true}, true
	case spaceExclusive + "WithComments":
		return method{exclusive: true, comments: true}, true
	}
	return m, false
}

// spaceExclusive names Exclusive XML Canonicalization, and its parameter's namespace.
const spaceExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
