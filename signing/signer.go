package signing

import (
	"crypto"
	"crypto/x509"
)

// VerifySigner judges who made a signature whose form, content and value another
// package has found to be right: whether the certificate may be used for it, was in
// force, leads to an anchor and was not revoked, by the options. beside are the
// certificates that the signature has; they help to build a chain and are not trusted.
// The error is about the call (ErrNoTime, ErrTwoTrusts).
func VerifySigner(cert *x509.Certificate, beside []*x509.Certificate, o Options) (Verdict, error) {
	if err := o.check(); err != nil {
		return Verdict{}, err
	}
	o.Intermediates = append(beside[:len(beside):len(beside)], o.Intermediates...)
	c := &check{data: new(signedData), signer: new(signerInfo), options: &o, kind: documents(), cert: cert, time: o.At, source: o.source()}
	return c.steps(c.usage, c.validity, c.trust), nil
}

// CheckKey refuses keys that are too weak, too costly or of an unknown kind: accepted
// are RSA of 2048 to 4096 bits and ECDSA on P-256 and P-384. Whoever checks a
// signature value calls it first.
func CheckKey(key crypto.PublicKey) error { return checkKey(key) }
