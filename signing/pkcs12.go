package signing

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// maxIterations bounds how often all passwords of a PKCS#12 file are hashed, together.
// Programs write 2,000 to 600,000; this many take a few seconds.
const maxIterations = 4_000_000

// ErrIterations says that opening a PKCS#12 file would take too long: its password is to
// be hashed too often. Have it exported again.
var ErrIterations = fmt.Errorf("signing: the PKCS#12 file has its password hashed more than %d times", maxIterations)

func readPKCS12(data []byte, password string) (any, []*x509.Certificate, error) {
	if err := boundIterations(data, maxIterations); err != nil {
		return nil, nil, err
	}
	key, cert, more, err := pkcs12.DecodeChain(data, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, nil, ErrPassword
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read PKCS#12: %w", err)
	}
	return key, append([]*x509.Certificate{cert}, more...), nil
}

// boundIterations adds up every count of iterations (RFC 7292 sections 4 and B, RFC 8018
// section A.2, RFC 9579) that can be seen without the password, before anything is
// hashed. What is encrypted inside is not seen: that was written by somebody who knows
// the password.
func boundIterations(data []byte, most uint64) error {
	if err := scan(data); err != nil {
		return fmt.Errorf("read PKCS#12: %w", err)
	}
	w := iterations{most: most}
	if err := w.mac(data); err != nil {
		return err
	}
	return w.walk(data, 0)
}

// iterations is their sum so far, and how much it may be.
type iterations struct{ sum, most uint64 }

func (w *iterations) add(count element) error {
	if len(count.body) > 4 {
		return ErrIterations
	}
	var n uint64
	for _, b := range count.body {
		n = n<<8 | uint64(b)
	}
	if w.sum += n; w.sum > w.most {
		return ErrIterations
	}
	return nil
}

// mac counts those of MacData, the third member of a PFX: its own third member.
func (w *iterations) mac(data []byte) error {
	r := reader(data)
	pfx, err := r.open(tagSequence, "PFX")
	if err != nil {
		return fmt.Errorf("read PKCS#12: %w", err)
	}
	return w.third(pfx, func(e element) error {
		return w.third(e.body, w.add)
	})
}

func (w *iterations) third(r reader, found func(element) error) error {
	for range 2 {
		if r.empty() {
			return nil
		}
		if _, err := r.next(); err != nil {
			return fmt.Errorf("read PKCS#12: %w", err)
		}
	}
	if r.empty() {
		return nil
	}
	e, err := r.next()
	if err != nil {
		return fmt.Errorf("read PKCS#12: %w", err)
	}
	return found(e)
}

// maxNested is how deep one encoding may lie in an octet string of another; in a
// PKCS#12 file it is four.
const maxNested = 8

// walk looks at every element, also of encodings within octet strings.
func (w *iterations) walk(r reader, nested int) error {
	for !r.empty() {
		e, err := r.next()
		if err != nil {
			return fmt.Errorf("read PKCS#12: %w", err)
		}
		if e.tag == tagSequence {
			if err := w.derivation(e.body); err != nil {
				return err
			}
		}
		switch {
		case e.tag&constructed != 0:
			err = w.walk(e.body, nested)
		case e.tag == tagOctetString && isSequence(e.body):
			err = w.inner(e.body, nested+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *iterations) inner(body []byte, nested int) error {
	if nested > maxNested {
		return fmt.Errorf("read PKCS#12: %w", errDepth)
	}
	if err := scan(body); err != nil {
		return fmt.Errorf("read PKCS#12: %w", err)
	}
	return w.walk(body, nested)
}

// isSequence reports whether all of it is one sequence, by its header.
func isSequence(b []byte) bool {
	tag, head, body, err := header(b)
	return err == nil && tag == tagSequence && head+body == len(b)
}

// derivation counts the iterations of an AlgorithmIdentifier that makes a key of a
// password: PBKDF2, or one of PKCS#12's own; both have a salt, then the count.
func (w *iterations) derivation(r reader) error {
	if r.empty() {
		return nil
	}
	oid, err := r.next()
	pbkdf2 := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c}
	pkcs12 := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01}
	if err != nil || oid.tag != tagOID || !bytes.Equal(oid.body, pbkdf2) && !bytes.HasPrefix(oid.body, pkcs12) || r.empty() {
		return nil
	}
	params, err := r.open(tagSequence, "parameters of a password's hash")
	if err != nil || params.empty() {
		return nil // who opens it refuses it
	}
	if _, err := params.next(); err != nil || params.empty() {
		return nil
	}
	count, err := params.next()
	if err != nil {
		return nil
	}
	return w.add(count)
}
