package sealing

import (
	"errors"
	"fmt"
	"time"

	"docaxis/internal/evidence"
	"docaxis/signing"
)

// errNoToken says that a sealed checkpoint was journaled without a time-stamp: the
// journal is not this program's.
var errNoToken = errors.New("a sealed checkpoint without a time-stamp")

// TimeOf is what the time-stamp of a marshalled SealedCheckpoint says. Nothing is
// judged: it was before it was journaled.
func TimeOf(raw []byte) (time.Time, error) {
	s, err := evidence.OpenSealed(raw)
	if err != nil {
		return time.Time{}, err
	}
	nobody := signing.NewTrust(nil, nil)
	verdicts, err := signing.Verify(s.Seal, s.Note, signing.Options{At: time.Unix(0, 0), Trust: nobody, Timestamping: nobody})
	if err != nil {
		return time.Time{}, fmt.Errorf("read a seal: %w", err)
	}
	for _, t := range verdicts[0].Timestamps {
		if !t.Token.Time.IsZero() {
			return t.Token.Time, nil
		}
	}
	return time.Time{}, errNoToken
}
