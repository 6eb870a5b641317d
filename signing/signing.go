package signing

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
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
	// Source says what vouches for At; empty means TimeGiven.
	Source TimeSource
	// NotBefore is a time before which the signature cannot have been made, as
	// somebody proves (zero: nobody does). By it alone a revoked or expired signer is
	// final.
	NotBefore time.Time
	// Pinned certificates are trusted themselves: a signer that is one of them
	// needs no chain.
	Pinned []*x509.Certificate
	// Anchors are the certificates at which a chain may end.
	Anchors []*x509.Certificate
	// Intermediates help to build a chain, beside those in the signature. They
	// are not trusted by themselves.
	Intermediates []*x509.Certificate
	// Trust stands for Anchors and Intermediates and remembers chains. Where it is
	// set, Anchors must be empty; Intermediates are used, too.
	Trust *Trust
	// Timestamping is whom to believe about time. Where it is nil, time-stamps in
	// signatures are not looked at.
	Timestamping *Trust
	// Revocation is what is known about revoked certificates; it is used for those
	// of time-stamps, too. Where it is nil, nothing is asked, and a revoked signer
	// passes. Pinned signers are not asked about: who pins them, unpins them.
	Revocation *Revocation
	// DER refuses, as FORMAT_FAILURE, encodings that are BER only. Without it they
	// are read as other systems do.
	DER bool
	// Unbound accepts a signature without signing-certificate-v2: the older form of
	// signatures in PDF files, adbe.pkcs7.detached, does not ask for it.
	Unbound bool
}

// ErrTwoTrusts says that both Options.Trust and Options.Anchors are given. Put the
// anchors into the Trust.
var ErrTwoTrusts = errors.New("signing: both Trust and Anchors are given")

// check refuses what cannot be meant.
func (o *Options) check() error {
	if o.At.IsZero() {
		return ErrNoTime
	}
	if o.Trust != nil && len(o.Anchors) > 0 {
		return ErrTwoTrusts
	}
	return nil
}

// trust makes a Trust for one call, as soon as somebody is not pinned.
func (o *Options) trust() *Trust {
	if o.Trust == nil {
		o.Trust = NewTrust(o.Anchors, nil)
	}
	return o.Trust
}

func (o *Options) source() TimeSource {
	if o.Source == "" {
		return TimeGiven
	}
	return o.Source
}

// Verify judges every signature in a detached CMS SignedData (RFC 5652) over
// content. It returns one verdict for each signer, in the order in which they are
// encoded, and always at least one: what cannot be read gets the verdict
// FORMAT_FAILURE. The error is about the call (ErrNoTime), never about the
// signature.
func Verify(signature, content []byte, o Options) ([]Verdict, error) {
	return VerifyReader(signature, bytes.NewReader(content), o)
}

// VerifyReader is Verify for content of any size: it is read once, to its end, and
// not kept. What a signature in a PDF is over is an io.MultiReader of the parts
// around it. The content is not read where the signature cannot be. The error is
// about the call: ErrNoTime, or what the reader said, after which nothing is
// known about the signature.
func VerifyReader(signature []byte, content io.Reader, o Options) ([]Verdict, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	sd, err := parse(signature, o.DER)
	if err == nil {
		err = sd.expectDetached()
	}
	if err != nil {
		return []Verdict{unreadable(o, err)}, nil
	}
	found, err := sd.digests(content)
	if err != nil {
		return nil, fmt.Errorf("signing: read the content: %w", err)
	}
	verdicts := make([]Verdict, len(sd.signers))
	for i := range sd.signers {
		c := &check{data: sd, signer: &sd.signers[i], options: &o, digests: found, kind: documents()}
		verdicts[i] = c.run()
	}
	return verdicts, nil
}

// parse reads a signature behind the fence: its size first, then its shape as a
// whole, then what it says.
func parse(signature []byte, strict bool) (*signedData, error) {
	if len(signature) > MaxSize {
		return nil, fmt.Errorf("signature of %d bytes; at most %d are read", len(signature), MaxSize)
	}
	if strict {
		if err := scan(signature); err != nil {
			return nil, err
		}
		return readSignedData(signature)
	}
	der, err := toDER(signature)
	if err != nil {
		return nil, err
	}
	return readSignedData(der)
}

func unreadable(o Options, err error) Verdict {
	v := Verdict{Time: o.At, TimeSource: o.source()}
	return v.failed(&failure{FormatFailure, err.Error()})
}
