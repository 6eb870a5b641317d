package signer

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"docaxis/proto/axispb"
)

// Config says how a key in a token is reached. The zero value of a duration or of Now
// means its default.
type Config struct {
	// Program is the signer; see Beside.
	Program string
	// Base is the folder in which a relative path of the PIN's file begins.
	Base string
	// Memory is a folder for what a start without the token must know: certificates, and
	// which PINs were refused. It is made where it is not there.
	Memory string
	// Certificates are further ones, the key's own among them where the token has none.
	Certificates []*x509.Certificate
	// Patience is how long one start, or one signature, may take; 30 s.
	Patience time.Duration
	// Rest is how long after a failure nothing is started; 5 s.
	Rest time.Duration
	Now  func() time.Time
}

func (c Config) complete() Config {
	c.Patience, c.Rest = cmp.Or(c.Patience, 30*time.Second), cmp.Or(c.Rest, 5*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Key is a key in a token: a crypto.Signer whose signatures a signer process makes, one
// at a time. The process is started when it is needed and again after it died or hung;
// nothing but Close ends it for good. Safe for concurrent use.
type Key struct {
	cfg   Config
	uri   URI
	chain []*x509.Certificate

	// turn holds a token for whoever uses what is below.
	turn   chan struct{}
	child  *child
	closed bool
	// failed is the last start's error, of failedAt; nil after a good one.
	failed   error
	failedAt time.Time
}

var errClosed = errors.New("signer: the key is closed")

// Public is the key of the certificate.
func (k *Key) Public() crypto.PublicKey { return k.chain[0].PublicKey }

// Chain is the key's certificate, then its issuers as far as they are known.
func (k *Key) Chain() []*x509.Certificate { return slices.Clone(k.chain) }

// Sign signs a digest, as crypto.Signer says: SHA-256, SHA-384 or SHA-512; PKCS #1 v1.5,
// PSS with a salt as long as the digest, or ECDSA in DER. Randomness is the token's own.
// A signature that does not verify is never given. Errors have a *Problem: where that is
// temporary, the same may succeed later.
//
// It may take twice Config.Patience: a child that was there before and failed is
// started once again, since a token that was taken out and put back looks like that.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	request, err := k.request(digest, opts)
	if err != nil {
		return nil, err
	}
	if err := k.take(); err != nil {
		return nil, err
	}
	defer k.give()
	fresh := k.child == nil
	signature, err := k.sign(request, digest, opts)
	if p := ProblemOf(err); p != nil && !fresh && p.Temporary() && p.Fault != axispb.SignerFault_SIGNER_FAULT_HUNG {
		return k.sign(request, digest, opts)
	}
	return signature, err
}

// take waits for the turn of its caller.
func (k *Key) take() error {
	timer := time.NewTimer(k.cfg.Patience)
	defer timer.Stop()
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-timer.C:
		return Problemf(axispb.SignerFault_SIGNER_FAULT_HUNG, k.cfg.Patience.String())
	}
}

func (k *Key) give() { <-k.turn }

// sign makes one attempt, and drops a child that failed.
func (k *Key) sign(r *axispb.SignerRequest, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := k.begin(); err != nil {
		return nil, err
	}
	signature, err := k.child.ask(r, k.cfg.Patience)
	if err == nil {
		if err = verify(k.Public(), digest, signature, opts); err == nil {
			return signature, nil
		}
	}
	if !usable(err) {
		k.drop(0)
		if p := ProblemOf(err); p != nil && p.Fault == axispb.SignerFault_SIGNER_FAULT_HUNG {
			k.failed, k.failedAt = err, k.cfg.Now()
		}
	}
	return nil, err
}

// begin starts a child where there is none, unless one has just failed: many who wait
// for a token that is away do not start a process each.
func (k *Key) begin() error {
	switch {
	case k.closed:
		return errClosed
	case k.child != nil:
		return nil
	case k.failed != nil && k.cfg.Now().Before(k.failedAt.Add(k.cfg.Rest)):
		return k.failed
	}
	_, err := k.launch()
	return err
}

// launch starts a child and holds it to be of this key.
func (k *Key) launch() (greeting, error) {
	c, g, err := start(k.cfg.Program, k.uri.args(k.cfg.Memory), k.cfg.Patience)
	if err == nil && len(k.chain) > 0 && !same(g.public, k.Public()) {
		c.stop(0)
		err = Problemf(axispb.SignerFault_SIGNER_FAULT_OTHER_KEY, k.chain[0].Subject.String())
	}
	k.failed, k.failedAt = err, k.cfg.Now()
	if err == nil {
		k.child = c
	}
	return g, err
}

func (k *Key) drop(grace time.Duration) {
	if k.child != nil {
		k.child.stop(grace)
		k.child = nil
	}
}

// Away is why the last start failed; nil where the key could be reached then.
func (k *Key) Away() error {
	if err := k.take(); err != nil {
		return err
	}
	defer k.give()
	return k.failed
}

// closeGrace is how long a signer may take to end by itself.
const closeGrace = time.Second

// Close ends the signer. A signature under way comes first, at most Config.Patience.
func (k *Key) Close() error {
	k.turn <- struct{}{}
	defer k.give()
	k.closed = true
	k.drop(closeGrace)
	return nil
}

func same(a, b crypto.PublicKey) bool {
	x, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && x.Equal(b)
}

// request says what a signer is asked for.
func (k *Key) request(digest []byte, opts crypto.SignerOpts) (*axispb.SignerRequest, error) {
	hashes := map[crypto.Hash]axispb.SignerHash{
		crypto.SHA256: axispb.SignerHash_SIGNER_HASH_SHA256,
		crypto.SHA384: axispb.SignerHash_SIGNER_HASH_SHA384,
		crypto.SHA512: axispb.SignerHash_SIGNER_HASH_SHA512,
	}
	hash, known := hashes[opts.HashFunc()]
	if !known || len(digest) != opts.HashFunc().Size() {
		return nil, fmt.Errorf("signer: %d bytes are no digest of %v; SHA-256, SHA-384 and SHA-512 are signed", len(digest), opts.HashFunc())
	}
	r := &axispb.SignerRequest{Hash: hash, Digest: digest}
	pss, isPSS := opts.(*rsa.PSSOptions)
	_, isRSA := k.Public().(*rsa.PublicKey)
	switch {
	case isRSA && isPSS:
		r.Scheme = axispb.SignerScheme_SIGNER_SCHEME_RSA_PSS
		if n := pss.SaltLength; n != rsa.PSSSaltLengthAuto && n != rsa.PSSSaltLengthEqualsHash && n != opts.HashFunc().Size() {
			return nil, fmt.Errorf("signer: a salt of %d bytes; it is as long as the digest", n)
		}
	case isRSA:
		r.Scheme = axispb.SignerScheme_SIGNER_SCHEME_RSA_PKCS1
	default:
		r.Scheme = axispb.SignerScheme_SIGNER_SCHEME_ECDSA
	}
	return r, nil
}

// verify holds a signature against the key: nobody has to trust a token's driver.
func verify(public crypto.PublicKey, digest, signature []byte, opts crypto.SignerOpts) error {
	ok := false
	switch key := public.(type) {
	case *rsa.PublicKey:
		if _, pss := opts.(*rsa.PSSOptions); pss {
			ok = rsa.VerifyPSS(key, opts.HashFunc(), digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(key, opts.HashFunc(), digest, signature) == nil
		}
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(key, digest, signature)
	}
	if !ok {
		return Problemf(axispb.SignerFault_SIGNER_FAULT_BAD_ANSWER, fmt.Sprintf("%d bytes", len(signature)))
	}
	return nil
}
