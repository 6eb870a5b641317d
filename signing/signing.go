// Package signing owns electronic signatures: it makes CAdES-B-B signatures and
// judges those of others in the words of ETSI EN 319 102-1.
//
// Sign signs bytes with a key and its certificates; LoadKey reads both from a
// file. Verify judges a detached signature over given bytes:
//
//	verdicts, err := signing.Verify(signature, content, signing.Options{
//		At:     receivedAt,
//		Pinned: []*x509.Certificate{seal},
//	})
//
// Verify looks at nothing but its arguments: no clock, no network, no files.
// Hostile input costs at most a small multiple of its size, and never panics.
package signing

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

const (
	// MaxSize is the largest signature that Verify reads, in bytes. A detached
	// signature has 2 to 12 KB.
	MaxSize = 1 << 20
	// maxCertificates and maxSigners bound the work that a signature can ask for.
	maxCertificates = 32
	maxSigners      = 8
)

// ErrNoTime says that Options.At is missing. The caller must say which moment
// the signature is judged at: this package has no clock.
var ErrNoTime = errors.New("signing: no time to judge the signature at")

// Options say what a signature is judged by.
type Options struct {
	// At is the moment at which the certificate must be valid. It should be a
	// time at which the signature is known to have existed, not one it claims.
	At time.Time
	// Pinned certificates are trusted themselves: a signer that is one of them
	// needs no chain.
	Pinned []*x509.Certificate
	// Anchors are the certificates at which a chain may end.
	Anchors []*x509.Certificate
	// Intermediates help to build a chain, beside those in the signature. They
	// are not trusted by themselves.
	Intermediates []*x509.Certificate
}

// Verify judges every signature in a detached CMS SignedData (RFC 5652, in DER)
// over content. It returns one verdict for each signer, in the order in which
// they are encoded, and always at least one: what cannot be read gets the
// verdict FORMAT_FAILURE. The error is about the call (ErrNoTime), never about
// the signature.
func Verify(signature, content []byte, o Options) ([]Verdict, error) {
	return verify(signature, o, func(h crypto.Hash) []byte {
		w := h.New()
		w.Write(content)
		return w.Sum(nil)
	})
}

// verify is Verify with the content behind its digest, so that content which is
// no single slice (a large file, the byte ranges of a PDF) can be judged alike.
func verify(signature []byte, o Options, digest func(crypto.Hash) []byte) ([]Verdict, error) {
	if o.At.IsZero() {
		return nil, ErrNoTime
	}
	sd, err := parse(signature)
	if err != nil {
		return []Verdict{unreadable(o, err)}, nil
	}
	verdicts := make([]Verdict, len(sd.signers))
	for i := range sd.signers {
		c := &check{data: sd, signer: &sd.signers[i], options: o, digest: digest}
		verdicts[i] = c.run()
	}
	return verdicts, nil
}

// parse reads a signature behind the fence: its size first, then its shape as a
// whole, then what it says.
func parse(signature []byte) (*signedData, error) {
	if len(signature) > MaxSize {
		return nil, fmt.Errorf("signature of %d bytes; at most %d are read", len(signature), MaxSize)
	}
	if err := scan(signature); err != nil {
		return nil, err
	}
	return readSignedData(signature)
}

func unreadable(o Options, err error) Verdict {
	v := Verdict{Time: o.At, TimeSource: TimeGiven}
	return v.failed(&failure{FormatFailure, err.Error()})
}
