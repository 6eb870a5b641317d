// Package token owns the conversation with a PKCS#11 module (OASIS PKCS #11 v2.40): it
// finds the token and the key, logs in, signs, and does what setting one up needs. Built
// without cgo it has no module to talk to, and every function says so. Only the signer
// process uses it.
package token

import (
	"crypto"
	"crypto/x509"

	"docaxis/internal/signer"
)

// Where names a token and, but for List, a key in it: the fields of signer.URI.
type Where struct {
	// Token is the module, the token and the key.
	signer.URI
	// Memory is where refused PINs are remembered; empty for a person's command.
	Memory string
}

// Found is a token that List found.
type Found struct {
	Label, Serial, Manufacturer, Model string
	// Ready reports whether it was initialised and has a PIN; Locked that the PIN is.
	Ready, Locked bool
	Keys          []Object
}

// Object is a private key, which is seen only with a PIN, or a certificate.
type Object struct {
	Label       string
	ID          []byte
	Certificate *x509.Certificate // nil for a key
}

// Kind of key that Generate makes.
type Kind string

// The kinds of keys.
const (
	P256    Kind = "p256"
	P384    Kind = "p384"
	RSA2048 Kind = "rsa2048"
	RSA3072 Kind = "rsa3072"
)

// Key is an open private key in a token.
type Key interface {
	signer.Token
	// Signer is the key as Go's packages use it, for a request for a certificate.
	Signer() crypto.Signer
}
