package signer

import (
	"crypto"
	"crypto/x509"
	"errors"
	"io"

	"docaxis/proto/axispb"
)

// Token is an open key in a token, as the signer process has it.
type Token interface {
	Public() crypto.PublicKey
	// Certificates of the token in DER, at most maxCertificates.
	Certificates() [][]byte
	// Sign signs a digest: RSA as long as the modulus, ECDSA in DER. Its errors are a
	// *Problem, or are told as one of the token.
	Sign(scheme axispb.SignerScheme, hash crypto.Hash, digest []byte) ([]byte, error)
}

// maxCertificates bounds the certificates of a hello.
const maxCertificates = 16

// Serve is the signer's side of the conversation. It opens the token, says what it
// found, and signs one digest after the other until in ends, at which it returns at
// once, though the module may still be at work: the process is to end then. A token
// that could not be opened was told to the other side and is no error.
func Serve(in io.Reader, out io.Writer, open func() (Token, error)) error {
	requests, ended := make(chan []byte), make(chan error, 1)
	go func() { ended <- pump(in, requests) }()
	worked := make(chan error, 1)
	go func() { worked <- work(out, requests, open) }()
	select {
	case err := <-ended:
		return err
	case err := <-worked:
		return err
	}
}

// pump reads frames until in ends; nil where it ended between two.
func pump(in io.Reader, requests chan<- []byte) error {
	for {
		frame, err := readFrame(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		requests <- frame
	}
}

func work(out io.Writer, requests <-chan []byte, open func() (Token, error)) error {
	token, err := open()
	if err := writeMessage(out, helloOf(token, err)); err != nil || token == nil {
		return err
	}
	for frame := range requests {
		if err := writeMessage(out, answer(token, frame)); err != nil {
			return err
		}
	}
	return nil
}

func helloOf(token Token, err error) *axispb.SignerHello {
	hello := &axispb.SignerHello{Version: version}
	if err == nil {
		hello.PublicKey, err = x509.MarshalPKIXPublicKey(token.Public())
	}
	if err != nil {
		hello.Problem = told(err)
		return hello
	}
	hello.Certificates = token.Certificates()
	return hello
}

func answer(token Token, frame []byte) *axispb.SignerAnswer {
	var r axispb.SignerRequest
	if err := parse(frame, &r); err != nil {
		return &axispb.SignerAnswer{Problem: told(Problemf(axispb.SignerFault_SIGNER_FAULT_MALFORMED, err.Error()))}
	}
	a := &axispb.SignerAnswer{Number: r.Number}
	hash := hashOf(r.Hash)
	if hash == 0 || len(r.Digest) != hash.Size() {
		a.Problem = told(Problemf(axispb.SignerFault_SIGNER_FAULT_MALFORMED, "digest"))
		return a
	}
	signature, err := token.Sign(r.Scheme, hash, r.Digest)
	if err != nil {
		a.Problem = told(err)
		return a
	}
	a.Signature = signature
	return a
}

// told is an error as the other side is told it.
func told(err error) *axispb.SignerProblem {
	p := ProblemOf(err)
	if p == nil {
		p = Problemf(axispb.SignerFault_SIGNER_FAULT_TOKEN, err.Error())
	}
	return &axispb.SignerProblem{Fault: p.Fault, Detail: p.Detail}
}

func hashOf(h axispb.SignerHash) crypto.Hash {
	switch h {
	case axispb.SignerHash_SIGNER_HASH_SHA256:
		return crypto.SHA256
	case axispb.SignerHash_SIGNER_HASH_SHA384:
		return crypto.SHA384
	case axispb.SignerHash_SIGNER_HASH_SHA512:
		return crypto.SHA512
	}
	return 0
}
