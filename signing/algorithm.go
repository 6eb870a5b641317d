package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

const (
	minRSABits = 2048
	// maxRSABits keeps hostile certificates from making one check take minutes: the
	// cost grows with the square of the modulus, and a chain may try a hundred.
	maxRSABits = 4096
)

var (
	oidSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidRSA             = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidMGF1            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidRSAPSS          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidSHA256WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidSHA384WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidSHA512WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSAWithSHA384 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidECDSAWithSHA512 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
)

var errNotOfKey = errors.New("the signature value is not of the signer's key")

// algorithm is an AlgorithmIdentifier; parameters is nil where there are none.
type algorithm struct {
	oid        asn1.ObjectIdentifier
	parameters []byte
}

func readAlgorithm(r *reader, what string) (a algorithm, err error) {
	body, err := r.open(tagSequence, what)
	if err != nil {
		return a, err
	}
	if a.oid, err = readOID(&body, what); err != nil || body.empty() {
		return a, err
	}
	p, err := body.next()
	if err != nil {
		return a, fmt.Errorf("%s parameters: %w", what, err)
	}
	a.parameters = p.full
	return a, body.end(what)
}

// hash is the function that an algorithm of digests names. Only those without
// known weakness are accepted: not MD5, not SHA-1.
func (a algorithm) hash() (crypto.Hash, error) {
	switch {
	case a.oid.Equal(oidSHA256):
		return crypto.SHA256, nil
	case a.oid.Equal(oidSHA384):
		return crypto.SHA384, nil
	case a.oid.Equal(oidSHA512):
		return crypto.SHA512, nil
	}
	return 0, refusedAlgorithm("digest", a.oid)
}

// scheme is how a signature value is checked.
type scheme struct {
	hash crypto.Hash
	// check says whether value is the key's signature of digest.
	check func(key crypto.PublicKey, hash crypto.Hash, digest, value []byte) error
}

// scheme is the way of checking that an algorithm of signatures names, where the
// digest algorithm beside it is h.
func (a algorithm) scheme(h crypto.Hash) (scheme, error) {
	s := scheme{hash: h, check: checkPKCS1v15}
	switch {
	case a.oid.Equal(oidRSA):
	case a.oid.Equal(oidSHA256WithRSA):
		s.hash = crypto.SHA256
	case a.oid.Equal(oidSHA384WithRSA):
		s.hash = crypto.SHA384
	case a.oid.Equal(oidSHA512WithRSA):
		s.hash = crypto.SHA512
	case a.oid.Equal(oidECDSAWithSHA256):
		s = scheme{crypto.SHA256, checkECDSA}
	case a.oid.Equal(oidECDSAWithSHA384):
		s = scheme{crypto.SHA384, checkECDSA}
	case a.oid.Equal(oidECDSAWithSHA512):
		s = scheme{crypto.SHA512, checkECDSA}
	case a.oid.Equal(oidRSAPSS):
		return pssScheme(a.parameters, h)
	default:
		return s, refusedAlgorithm("signature", a.oid)
	}
	if s.hash != h {
		return s, fmt.Errorf("digest by %v, but signature by %v", h, s.hash)
	}
	return s, nil
}

// ownHash is the digest function that an algorithm of signatures names itself,
// for structures that name none beside it.
func (a algorithm) ownHash() (crypto.Hash, error) {
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if _, err := a.scheme(h); err == nil && !a.oid.Equal(oidRSA) {
			return h, nil
		}
	}
	return 0, refusedAlgorithm("signature", a.oid)
}

// pssParameters is RSASSA-PSS-params (RFC 4055 section 3.1). Its defaults are
// SHA-1, so a field that is left out is refused.
type pssParameters struct {
	Hash         pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
	MGF          pkix.AlgorithmIdentifier `asn1:"explicit,tag:1"`
	SaltLength   int                      `asn1:"explicit,tag:2"`
	TrailerField int                      `asn1:"optional,explicit,tag:3,default:1"`
}

func pssScheme(der []byte, h crypto.Hash) (scheme, error) {
	var p pssParameters
	if rest, err := asn1.Unmarshal(der, &p); err != nil || len(rest) > 0 {
		return scheme{}, errors.New("RSASSA-PSS parameters are not accepted")
	}
	var mgfHash pkix.AlgorithmIdentifier
	if _, err := asn1.Unmarshal(p.MGF.Parameters.FullBytes, &mgfHash); err != nil {
		return scheme{}, errors.New("RSASSA-PSS mask function is not accepted")
	}
	hash, err := algorithm{oid: p.Hash.Algorithm}.hash()
	if err != nil {
		return scheme{}, err
	}
	switch {
	case hash != h, !mgfHash.Algorithm.Equal(p.Hash.Algorithm), !p.MGF.Algorithm.Equal(oidMGF1):
		return scheme{}, errors.New("RSASSA-PSS with several digest algorithms is not accepted")
	case p.SaltLength < 1, p.SaltLength > maxRSABits/8, p.TrailerField != 1:
		return scheme{}, errors.New("RSASSA-PSS salt or trailer is not accepted")
	}
	return scheme{hash, checkPSS(p.SaltLength)}, nil
}

func checkPSS(salt int) func(crypto.PublicKey, crypto.Hash, []byte, []byte) error {
	return func(key crypto.PublicKey, h crypto.Hash, digest, value []byte) error {
		k, ok := key.(*rsa.PublicKey)
		if !ok {
			return errNotOfKey
		}
		if rsa.VerifyPSS(k, h, digest, value, &rsa.PSSOptions{SaltLength: salt, Hash: h}) != nil {
			return errNotOfKey
		}
		return nil
	}
}

func checkPKCS1v15(key crypto.PublicKey, h crypto.Hash, digest, value []byte) error {
	k, ok := key.(*rsa.PublicKey)
	if !ok || rsa.VerifyPKCS1v15(k, h, digest, value) != nil {
		return errNotOfKey
	}
	return nil
}

func checkECDSA(key crypto.PublicKey, _ crypto.Hash, digest, value []byte) error {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok || !ecdsa.VerifyASN1(k, digest, value) {
		return errNotOfKey
	}
	return nil
}

// checkKey refuses keys that are too weak, too costly or of an unknown kind.
func checkKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("RSA key of %d bits; %d to %d are accepted", bits, minRSABits, maxRSABits)
		}
		return nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			return fmt.Errorf("curve %s; P-256 and P-384 are accepted", k.Params().Name)
		}
		return nil
	}
	return fmt.Errorf("key of type %T; RSA and ECDSA are accepted", key)
}
