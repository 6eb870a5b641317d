//go:build !cgo

package token

import (
	"crypto/x509"

	"docaxis/internal/signer"
	"docaxis/proto/axispb"
)

// unbuilt says that this build reaches no token, and how to get one that does.
func unbuilt() error { return signer.Problemf(axispb.SignerFault_SIGNER_FAULT_NO_PKCS11, "") }

// Open finds a key and logs in.
func Open(Where) (Key, error) { return nil, unbuilt() }

// List looks at every token of a module.
func List(Where) ([]Found, error) { return nil, unbuilt() }

// Generate makes a key pair in a token, which it cannot leave.
func Generate(Where, Kind) error { return unbuilt() }

// Import puts a key's certificate, and those of its issuers, beside it.
func Import(Where, []*x509.Certificate) error { return unbuilt() }
