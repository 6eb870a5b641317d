//go:build cgo

package token

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"docaxis/internal/lang"
	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// List looks at every token of a module; with a token and its PIN named, at its private
// keys, too.
func List(w Where) ([]Found, error) {
	m, err := load(w.Module)
	if err != nil {
		return nil, err
	}
	slots, err := m.slots()
	if err != nil {
		return nil, err
	}
	var all []Found
	for _, s := range slots {
		f, err := m.look(s, w)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func (m module) look(s slot, w Where) (Found, error) {
	f := Found{
		Label: s.info.Label, Serial: s.info.SerialNumber, Manufacturer: s.info.ManufacturerID, Model: s.info.Model,
		Ready:  s.has(pkcs11.CKF_TOKEN_INITIALIZED) && s.has(pkcs11.CKF_USER_PIN_INITIALIZED),
		Locked: s.has(pkcs11.CKF_USER_PIN_LOCKED),
	}
	if !f.Ready {
		return f, nil
	}
	var (
		in  session
		err error
	)
	if named := w.Token != "" || w.Serial != ""; named && s.matches(w.URI) && w.PinFile != "" {
		in, err = m.open(s, w, false)
	} else {
		in.ctx = m.ctx
		in.handle, err = m.ctx.OpenSession(s.id, pkcs11.CKF_SERIAL_SESSION)
	}
	if err != nil {
		return f, err
	}
	f.Keys, err = in.list()
	return f, errors.Join(err, m.ctx.CloseSession(in.handle))
}

func (s session) list() ([]Object, error) {
	var all []Object
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_CERTIFICATE} {
		found, err := s.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, class))
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			one := Object{Label: string(s.attribute(o, pkcs11.CKA_LABEL)), ID: s.attribute(o, pkcs11.CKA_ID)}
			if class == pkcs11.CKO_CERTIFICATE {
				if one.Certificate, err = x509.ParseCertificate(s.attribute(o, pkcs11.CKA_VALUE)); err != nil {
					continue
				}
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// write opens a token to change it.
func write(w Where) (session, error) {
	m, err := load(w.Module)
	if err != nil {
		return session{}, err
	}
	s, err := m.find(w.URI)
	if err != nil {
		return session{}, err
	}
	return m.open(s, w, true)
}

// Generate makes a key pair in a token, which it cannot leave.
func Generate(w Where, kind Kind) error {
	in, err := write(w)
	if err != nil {
		return err
	}
	if _, err := in.key(w.URI); err == nil {
		return lang.Errorf("thiết bị đã có khóa riêng %s; hãy chọn tên khác", "the token has a private key %s already; choose another name", w.Key())
	} else if p := signer.ProblemOf(err); p == nil || p.Fault != axispb.SignerFault_SIGNER_FAULT_NO_KEY {
		return err
	}
	id := w.ID
	if len(id) == 0 {
		id = make([]byte, 8)
		if _, err := rand.Read(id); err != nil {
			return err
		}
	}
	both := func(own ...*pkcs11.Attribute) []*pkcs11.Attribute {
		return append(own, pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_LABEL, w.Object), pkcs11.NewAttribute(pkcs11.CKA_ID, id))
	}
	mechanism, public, err := kind.template()
	if err != nil {
		return err
	}
	private := both(pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true))
	_, _, err = in.ctx.GenerateKeyPair(in.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)},
		both(append(public, pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true))...), private)
	if err != nil {
		return failed("C_GenerateKeyPair", err)
	}
	return nil
}

// template is what makes a public key of this kind.
func (k Kind) template() (mechanism uint, public []*pkcs11.Attribute, err error) {
	switch k {
	case RSA2048, RSA3072:
		bits := map[Kind]int{RSA2048: 2048, RSA3072: 3072}[k]
		return pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, bits),
			pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}),
		}, nil
	}
	name := map[Kind]string{P256: "P-256", P384: "P-384"}[k]
	for params, curve := range curves() {
		if curve.Params().Name == name {
			return pkcs11.CKM_EC_KEY_PAIR_GEN, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, []byte(params))}, nil
		}
	}
	return 0, nil, fmt.Errorf("no kind of key: %q", k)
}

// Import puts a key's certificate, and those of its issuers, beside it. What is there
// already is left.
func Import(w Where, certs []*x509.Certificate) error {
	in, err := write(w)
	if err != nil {
		return err
	}
	k, err := in.key(w.URI)
	if err != nil {
		return err
	}
	label := in.attribute(k.object, pkcs11.CKA_LABEL)
	for _, cert := range certs {
		digest := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
		id, name := digest[:8], []byte(cert.Subject.CommonName)
		if public, ok := k.public.(interface{ Equal(x crypto.PublicKey) bool }); ok && public.Equal(cert.PublicKey) {
			id, name = k.id, label
		}
		if err := in.importOne(cert, id, name); err != nil {
			return err
		}
	}
	return nil
}

func (s session) importOne(cert *x509.Certificate, id, label []byte) error {
	known, err := s.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE))
	if err != nil {
		return err
	}
	for _, o := range known {
		if bytes.Equal(s.attribute(o, pkcs11.CKA_VALUE), cert.Raw) {
			return nil
		}
	}
	serial, err := asn1.Marshal(cert.SerialNumber)
	if err != nil {
		return err
	}
	_, err = s.ctx.CreateObject(s.handle, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, false),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label), pkcs11.NewAttribute(pkcs11.CKA_ID, id),
		pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, cert.RawSubject), pkcs11.NewAttribute(pkcs11.CKA_ISSUER, cert.RawIssuer),
		pkcs11.NewAttribute(pkcs11.CKA_SERIAL_NUMBER, serial), pkcs11.NewAttribute(pkcs11.CKA_VALUE, cert.Raw),
	})
	if err != nil {
		return failed("C_CreateObject", err)
	}
	return nil
}
