//go:build cgo

package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"io"

	"github.com/miekg/pkcs11"

	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// held is an open key.
type held struct {
	session
	object pkcs11.ObjectHandle
	id     []byte
	public crypto.PublicKey
	certs  [][]byte
}

// Open finds a key and logs in.
func Open(w Where) (Key, error) {
	m, err := load(w.Module)
	if err != nil {
		return nil, err
	}
	s, err := m.find(w.URI)
	if err != nil {
		return nil, err
	}
	in, err := m.open(s, w, false)
	if err != nil {
		return nil, err
	}
	return in.key(w.URI)
}

// key finds the one private key that an address names, and what belongs to it.
func (s session) key(u signer.URI) (*held, error) {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}
	if u.Object != "" {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_LABEL, u.Object))
	}
	if len(u.ID) > 0 {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, u.ID))
	}
	found, err := s.objects(template...)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_NO_KEY, u.Key())
	case len(found) > 1:
		return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_SEVERAL_KEYS, u.Key())
	}
	k := &held{session: s, object: found[0], id: s.attribute(found[0], pkcs11.CKA_ID)}
	if again := s.attribute(k.object, pkcs11.CKA_ALWAYS_AUTHENTICATE); len(again) == 1 && again[0] != 0 {
		return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED, "the token asks for the PIN at each signature")
	}
	own := k.readCertificates()
	if k.public, err = k.readPublic(own); err != nil {
		return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED, u.Key()+": "+err.Error())
	}
	return k, nil
}

// mostCertificates is how many a hello takes.
const mostCertificates = 16

// readCertificates reads the token's certificates, those under the key's own id first,
// and gives one of these; nil where there is none.
func (k *held) readCertificates() (own *x509.Certificate) {
	all, err := k.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE))
	if err != nil {
		return nil // the settings may name a file
	}
	var others [][]byte
	for _, o := range all {
		der := k.attribute(o, pkcs11.CKA_VALUE)
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		if len(k.id) > 0 && string(k.attribute(o, pkcs11.CKA_ID)) == string(k.id) {
			own, k.certs = cert, append(k.certs, der)
		} else {
			others = append(others, der)
		}
	}
	k.certs = append(k.certs, others...)
	k.certs = k.certs[:min(len(k.certs), mostCertificates)]
	return own
}

// readPublic reads the public half: of the private key's own attributes, of the public
// key beside it, or of its certificate. Should they not belong together, no signature
// verifies, and none is used.
func (k *held) readPublic(own *x509.Certificate) (crypto.PublicKey, error) {
	places := []pkcs11.ObjectHandle{k.object}
	if len(k.id) > 0 {
		beside, err := k.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), pkcs11.NewAttribute(pkcs11.CKA_ID, k.id))
		if err != nil {
			return nil, err
		}
		places = append(beside, places...)
	}
	for _, o := range places {
		if public, err := k.publicOf(o); err == nil {
			return public, nil
		}
	}
	if own != nil {
		return own.PublicKey, nil
	}
	return k.publicOf(k.object)
}

func (s session) publicOf(o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	if bytes.Equal(s.attribute(o, pkcs11.CKA_KEY_TYPE), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_RSA).Value) {
		return rsaKey(s.attribute(o, pkcs11.CKA_MODULUS), s.attribute(o, pkcs11.CKA_PUBLIC_EXPONENT))
	}
	return ecKey(s.attribute(o, pkcs11.CKA_EC_PARAMS), s.attribute(o, pkcs11.CKA_EC_POINT))
}

// Public is the key's public half.
func (k *held) Public() crypto.PublicKey { return k.public }

// Certificates are the token's, in DER.
func (k *held) Certificates() [][]byte { return k.certs }

// mechanism is how PKCS #11 calls a way to sign, and what it is given.
func (k *held) mechanism(scheme axispb.SignerScheme, hash crypto.Hash, digest []byte) (*pkcs11.Mechanism, []byte, error) {
	_, isRSA := k.public.(*rsa.PublicKey)
	curve, isEC := k.public.(*ecdsa.PublicKey)
	switch {
	case scheme == axispb.SignerScheme_SIGNER_SCHEME_RSA_PKCS1 && isRSA:
		info, err := digestInfo(hash, digest)
		return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), info, err
	case scheme == axispb.SignerScheme_SIGNER_SCHEME_RSA_PSS && isRSA:
		names := map[crypto.Hash][2]uint{
			crypto.SHA256: {pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
			crypto.SHA384: {pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384},
			crypto.SHA512: {pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512},
		}[hash]
		params := pkcs11.NewPSSParams(names[0], names[1], uint(hash.Size()))
		return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, params), digest, nil
	case scheme == axispb.SignerScheme_SIGNER_SCHEME_ECDSA && isEC:
		return pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), leftmost(digest, curve.Curve), nil
	}
	return nil, nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED, scheme.String())
}

// Sign makes one signature.
func (k *held) Sign(scheme axispb.SignerScheme, hash crypto.Hash, digest []byte) ([]byte, error) {
	m, input, err := k.mechanism(scheme, hash, digest)
	if err != nil {
		return nil, err
	}
	if err := k.ctx.SignInit(k.handle, []*pkcs11.Mechanism{m}, k.object); err != nil {
		if err == pkcs11.Error(pkcs11.CKR_MECHANISM_INVALID) || err == pkcs11.Error(pkcs11.CKR_MECHANISM_PARAM_INVALID) ||
			err == pkcs11.Error(pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED) {
			return nil, signer.Problemf(axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED, "C_SignInit: "+err.Error())
		}
		return nil, failed("C_SignInit", err)
	}
	raw, err := k.ctx.Sign(k.handle, input)
	if err != nil {
		return nil, failed("C_Sign", err)
	}
	if public, isEC := k.public.(*ecdsa.PublicKey); isEC {
		return ecdsaValue(raw, public.Curve)
	}
	return raw, nil
}

// Signer is the key as Go's packages use it, for a request for a certificate.
func (k *held) Signer() crypto.Signer { return plain{k} }

// plain signs as crypto.Signer says, PKCS #1 v1.5 or ECDSA.
type plain struct{ k *held }

func (p plain) Public() crypto.PublicKey { return p.k.public }

func (p plain) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	scheme := axispb.SignerScheme_SIGNER_SCHEME_ECDSA
	if _, isRSA := p.k.public.(*rsa.PublicKey); isRSA {
		scheme = axispb.SignerScheme_SIGNER_SCHEME_RSA_PKCS1
	}
	return p.k.Sign(scheme, opts.HashFunc(), digest)
}
