// Package signer owns the way to keys in PKCS#11 tokens and HSMs: the address of a key
// (RFC 7512), the signer process that alone loads the token's module, and the small
// protocol over its standard input and output (proto/signer.proto).
//
// PKCS#11 needs cgo and runs a vendor's code, which may crash or hang. In a process of
// its own it takes nobody else along: Key starts it, ends it, and starts it again.
// Serve and Pin are the signer's own side; the token itself is package internal/token.
package signer
