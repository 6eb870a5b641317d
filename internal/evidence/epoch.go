package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"docaxis/proto/axispb"
)

// maxOrigin is the size of an origin line, in bytes.
const maxOrigin = 255

// EmptyRoot is the root of a tree without leaves: SHA-256 of nothing (RFC 6962
// section 2.1).
func EmptyRoot() tlog.Hash {
	h, _ := tlog.TreeHash(0, nil) // reads nothing and cannot fail for 0
	return h
}

// CheckEpoch holds an epoch to the rules that need no other epoch: version,
// origin, key, base. AddEpoch asks the rest.
func CheckEpoch(e *axispb.Epoch) error {
	_, err := checkEpoch(e)
	return err
}

func checkEpoch(e *axispb.Epoch) (note.Verifier, error) {
	switch {
	case e.GetVersion() != 1:
		return nil, fmt.Errorf("epoch of unknown version %d", e.GetVersion())
	case e.Number == 0:
		return nil, errors.New("epoch without a number")
	case e.OpenedMs <= 0:
		return nil, errors.New("epoch without a time")
	case len(e.Origin) > maxOrigin:
		return nil, fmt.Errorf("origin has %d bytes, over the limit of %d", len(e.Origin), maxOrigin)
	case strings.ContainsFunc(e.Origin, unicode.IsControl):
		return nil, fmt.Errorf("origin %q has control characters", e.Origin)
	}
	if err := errors.Join(checkBase(e), checkPrevious(e)); err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(e.VerifierKey)
	if err != nil {
		return nil, fmt.Errorf("verifier key: %w", err)
	}
	if v.Name() != e.Origin {
		return nil, fmt.Errorf("verifier key is named %q, not as the origin %q", clip(v.Name()), clip(e.Origin))
	}
	return v, nil
}

func checkBase(e *axispb.Epoch) error {
	switch {
	case e.BaseSize > MaxTreeSize:
		return fmt.Errorf("base size %d is over the limit", e.BaseSize)
	case len(e.BaseRoot) != tlog.HashSize:
		return fmt.Errorf("base root has %d bytes, not 32", len(e.BaseRoot))
	case e.BaseSize == 0 && tlog.Hash(e.BaseRoot) != EmptyRoot():
		return errors.New("base root of an empty journal is not the empty tree's")
	}
	return nil
}

func checkPrevious(e *axispb.Epoch) error {
	if e.Number == 1 {
		if e.Previous != nil || e.BaseSize != 0 {
			return errors.New("the first epoch names something before it")
		}
		return nil
	}
	if e.Previous == nil {
		return fmt.Errorf("epoch %d does not name a checkpoint before it", e.Number)
	}
	if e.Previous.Epoch >= e.Number {
		return fmt.Errorf("epoch %d names epoch %d as before it", e.Number, e.Previous.Epoch)
	}
	_, err := RefCheckpoint(e.Previous)
	return err
}

// AddEpoch checks a marshalled SignedEpoch and trusts its log key from then on.
// Epochs are added oldest first; one that is known already is no error. Where the
// CA was replaced, its authorities are learned first (Learn).
//
// Numbers grow, and gaps between them mean nothing: an axis that was restored
// takes its next number from the clock, since it cannot know which were used after
// its backup was made (docs/decisions/0015). What it knew as the last epoch is named
// by Epoch.previous, which is another one than the number before where it had
// forgotten some. ErrSplitView means that the CA announced two epochs under one
// number, origin or key: stop, and tell people.
func (t *Trust) AddEpoch(signedEpoch []byte) (*axispb.Epoch, error) {
	e, err := t.openEpoch(signedEpoch)
	if err != nil {
		return nil, fmt.Errorf("epoch: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.epochs[e.pb.Number]; ok && bytes.Equal(known.raw, e.raw) {
		return known.pb, nil
	}
	if err := t.checkPlace(e.pb); err != nil {
		return nil, fmt.Errorf("epoch %d: %w", e.pb.Number, err)
	}
	t.epochs[e.pb.Number] = e
	return e.pb, nil
}

func (t *Trust) openEpoch(signedEpoch []byte) (epoch, error) {
	signed, pb := new(axispb.SignedEpoch), new(axispb.Epoch)
	if err := decode("signed epoch", signedEpoch, MaxSignedEpoch, signed); err != nil {
		return epoch{}, err
	}
	t.Learn(signed.Authorities)
	if !t.signedEpoch(signed) {
		return epoch{}, errors.New("not signed by the axis's CA")
	}
	if err := decode("epoch", signed.Epoch, MaxSignedEpoch, pb); err != nil {
		return epoch{}, err
	}
	v, err := checkEpoch(pb)
	return epoch{raw: signed.Epoch, signed: bytes.Clone(signedEpoch), pb: pb, verifier: v}, err
}

// checkPlace needs the lock.
func (t *Trust) checkPlace(e *axispb.Epoch) error {
	for _, known := range t.epochs {
		switch {
		case known.pb.Number == e.Number:
			return fmt.Errorf("%w: announced twice, not alike", ErrSplitView)
		case known.pb.Origin == e.Origin, known.pb.VerifierKey == e.VerifierKey:
			return fmt.Errorf("%w: it has the origin or key of epoch %d", ErrSplitView, known.pb.Number)
		}
	}
	return nil
}
