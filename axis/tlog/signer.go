package tlog

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"docaxis/internal/evidence"
)

// NewKey makes the Ed25519 key of a new log, in the forms of C2SP signed-note:
// signerKey is secret, verifierKey is announced in the epoch. An origin serves
// one key and one epoch, never again another. Random is crypto/rand.Reader but
// in tests.
func NewKey(origin string, random io.Reader) (signerKey, verifierKey string, err error) {
	signerKey, verifierKey, err = note.GenerateKey(random, origin)
	if err != nil {
		return "", "", fmt.Errorf("make log key: %w", err)
	}
	// GenerateKey takes any name; a key that nobody can read back is none.
	if _, err := note.NewVerifier(verifierKey); err != nil {
		return "", "", fmt.Errorf("make log key for origin %q: %w", origin, err)
	}
	return signerKey, verifierKey, nil
}

// Signer signs the checkpoints of one log.
type Signer struct {
	signer      note.Signer
	verifierKey string
}

// OpenSigner reads a key that NewKey made. Its errors never show the key.
func OpenSigner(signerKey string) (*Signer, error) {
	signerKey = strings.TrimSpace(signerKey)
	s, err := note.NewSigner(signerKey)
	if err != nil {
		return nil, fmt.Errorf("open log key: %w", err)
	}
	v, err := verifierKeyOf(signerKey, s.Name())
	if err != nil {
		return nil, fmt.Errorf("open log key: %w", err)
	}
	return &Signer{signer: s, verifierKey: v}, nil
}

// verifierKeyOf takes the public key out of a signer key, which note.NewSigner
// has found in order: algorithm byte and Ed25519 seed, in base64, at its end.
func verifierKeyOf(signerKey, name string) (string, error) {
	fields := strings.SplitN(signerKey, "+", 5)
	key, err := base64.StdEncoding.DecodeString(fields[len(fields)-1])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return "", errors.New("malformed signer key")
	}
	pub := ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(name, pub)
}

// Origin is the log's name, the first line of its checkpoints.
func (s *Signer) Origin() string { return s.signer.Name() }

// VerifierKey is the public form of the key, as an epoch announces it. A start
// compares it with the newest epoch's.
func (s *Signer) VerifierKey() string { return s.verifierKey }

// Checkpoint signs size and root (C2SP tlog-checkpoint). Whoever calls it must
// have the block durable, and must sync the guard before the note leaves.
func (s *Signer) Checkpoint(size uint64, root Hash) ([]byte, error) {
	if size > evidence.MaxTreeSize {
		return nil, fmt.Errorf("sign checkpoint: size %d is over the limit", size)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", s.Origin(), size, root)
	b, err := note.Sign(&note.Note{Text: text}, s.signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint of size %d: %w", size, err)
	}
	return b, nil
}
