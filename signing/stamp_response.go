package signing

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// TimestampRefusal is an authority's answer that it will not stamp.
type TimestampRefusal struct {
	// Status is PKIStatus (RFC 3161 section 2.4.2): 2 to 5.
	Status int
	// Text is what the authority says about it, at most 200 bytes, perhaps empty.
	Text string
	// Failure is the number of the first bit of PKIFailureInfo, -1 where there is
	// none.
	Failure int
}

func (e *TimestampRefusal) Error() string {
	s := fmt.Sprintf("signing: the time-stamping authority refused: status %d", e.Status)
	if e.Failure >= 0 {
		s += fmt.Sprintf(", failure %d", e.Failure)
	}
	if e.Text != "" {
		s += fmt.Sprintf(": %q", e.Text)
	}
	return s
}

// Temporary reports whether the same request may succeed later: the authority has
// no time to offer (timeNotAvailable), or trouble of its own (systemFailure).
func (e *TimestampRefusal) Temporary() bool {
	const timeNotAvailable, systemFailure = 14, 25
	return e.Failure == timeNotAvailable || e.Failure == systemFailure
}

// ReadTimestampResponse takes the token out of a TimeStampResp in DER. A refusal
// is a *TimestampRefusal; other errors mean that it is no answer of an authority.
// Judge the token with VerifyTimestamp.
func ReadTimestampResponse(response []byte) ([]byte, error) {
	if len(response) > MaxSize {
		return nil, fmt.Errorf("signing: time-stamp of %d bytes; at most %d are read", len(response), MaxSize)
	}
	der, err := toDER(response)
	if err != nil {
		return nil, fmt.Errorf("signing: read the time-stamping authority's answer: %w", err)
	}
	token, err := readResponse(der)
	var refusal *TimestampRefusal
	if err != nil && !errors.As(err, &refusal) {
		return nil, fmt.Errorf("signing: read the time-stamping authority's answer: %w", err)
	}
	return token, err
}

func readResponse(der reader) ([]byte, error) {
	r, err := der.open(tagSequence, "TimeStampResp")
	if err != nil {
		return nil, err
	}
	status, err := r.open(tagSequence, "PKIStatusInfo")
	if err != nil {
		return nil, err
	}
	code, err := status.take(tagInteger, "PKIStatus")
	if err != nil {
		return nil, err
	}
	if len(code.body) != 1 || code.body[0] > 5 {
		return nil, errors.New("PKIStatus is unknown")
	}
	const grantedWithMods = 1
	if code.body[0] > grantedWithMods {
		return nil, readRefusal(int(code.body[0]), status)
	}
	token, err := r.take(tagSequence, "timeStampToken")
	if err != nil {
		return nil, err
	}
	return token.full, r.end("TimeStampResp")
}

func readRefusal(status int, r reader) *TimestampRefusal {
	refusal := &TimestampRefusal{Status: status, Failure: -1}
	if e, ok := r.optional(tagSequence); ok {
		texts := reader(e.body)
		if text, ok := texts.optional(tagUTF8String); ok && utf8.Valid(text.body) {
			refusal.Text = strings.ToValidUTF8(string(text.body[:min(len(text.body), 200)]), "")
		}
	}
	if e, ok := r.optional(tagBitString); ok && len(e.body) > 1 {
		for i, c := range e.body[1:min(len(e.body), 8)] {
			for bit := range 8 {
				if c&(0x80>>bit) != 0 {
					refusal.Failure = 8*i + bit
					return refusal
				}
			}
		}
	}
	return refusal
}
