package signing

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"
)

var (
	oidTSTInfo            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSignatureTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
)

// TimestampToken is what a time-stamp says (RFC 3161 section 2.4.2). Only
// VerifyTimestamp knows whether it is true.
type TimestampToken struct {
	// Time is when the authority saw the digest, give or take Accuracy.
	Time     time.Time
	Accuracy time.Duration
	// Hash and Digest are of what was stamped. Hash is 0 where the function is not
	// accepted.
	Hash   crypto.Hash
	Digest []byte
	// Policy is that under which the authority works.
	Policy asn1.ObjectIdentifier
	// Serial is the token's number at its authority.
	Serial *big.Int
	// Nonce repeats that of the request, nil where there was none.
	Nonce *big.Int

	imprint algorithm
	issuer  []byte // Name, nil where not stated
}

// Latest is the latest moment that the time may mean: by then the stamped data
// existed for certain.
func (t TimestampToken) Latest() time.Time { return t.Time.Add(t.Accuracy) }

// ParseTimestamp reads a token and checks nothing but its form.
func ParseTimestamp(token []byte) (TimestampToken, error) {
	_, t, err := parseToken(token)
	if err != nil {
		return TimestampToken{}, fmt.Errorf("signing: read the time-stamp: %w", err)
	}
	return t, nil
}

// parseToken reads a TimeStampToken: a SignedData with one signer that encloses a
// TSTInfo.
func parseToken(token []byte) (*signedData, TimestampToken, error) {
	var t TimestampToken
	sd, err := parse(token, false)
	if err != nil {
		return nil, t, err
	}
	if !sd.contentType.Equal(oidTSTInfo) || sd.content == nil {
		return nil, t, errors.New("encloses no TSTInfo")
	}
	if len(sd.signers) != 1 {
		return nil, t, fmt.Errorf("%d signers; a time-stamp has one", len(sd.signers))
	}
	if err := scan(sd.content); err != nil {
		return nil, t, fmt.Errorf("TSTInfo: %w", err)
	}
	return sd, t, t.read(sd.content)
}

func (t *TimestampToken) read(der reader) error {
	r, err := der.open(tagSequence, "TSTInfo")
	if err != nil {
		return err
	}
	version, err := readInteger(&r, "TSTInfo version")
	if err != nil {
		return err
	}
	if version.Cmp(big.NewInt(1)) != 0 {
		return fmt.Errorf("TSTInfo of version %.20s", version)
	}
	if t.Policy, err = readOID(&r, "policy"); err != nil {
		return err
	}
	if err := t.readImprint(&r); err != nil {
		return err
	}
	if t.Serial, err = readInteger(&r, "serialNumber"); err != nil {
		return err
	}
	if t.Time, err = readTime(&r, "genTime"); err != nil {
		return err
	}
	return t.readOptional(&r)
}

func (t *TimestampToken) readImprint(r *reader) error {
	imprint, err := r.open(tagSequence, "messageImprint")
	if err != nil {
		return err
	}
	if t.imprint, err = readAlgorithm(&imprint, "messageImprint"); err != nil {
		return err
	}
	digest, err := imprint.take(tagOctetString, "hashedMessage")
	if err != nil {
		return err
	}
	t.Digest = digest.body
	if h, err := t.imprint.hash(); err == nil {
		t.Hash = h
	}
	return imprint.end("messageImprint")
}

// readOptional reads what may follow genTime, in its order.
func (t *TimestampToken) readOptional(r *reader) (err error) {
	const boolean = 0x01
	if e, ok := r.optional(tagSequence); ok {
		if t.Accuracy, err = readAccuracy(e.body); err != nil {
			return err
		}
	}
	r.optional(boolean) // ordering
	if !r.empty() && (*r)[0] == tagInteger {
		if t.Nonce, err = readInteger(r, "nonce"); err != nil {
			return err
		}
	}
	if e, ok := r.optional(tagContext0); ok {
		const directoryName = 0xa4
		general := reader(e.body)
		if name, ok := general.optional(directoryName); ok {
			t.issuer = name.body
		}
	}
	if e, ok := r.optional(tagContext1); ok {
		if err := refuseCritical(e.body); err != nil {
			return err
		}
	}
	return r.end("TSTInfo")
}

// readAccuracy reads seconds, millis and micros; a fraction beyond its range is no
// accuracy.
func readAccuracy(r reader) (d time.Duration, err error) {
	units := []struct {
		tag  byte
		unit time.Duration
		most int
	}{{tagInteger, time.Second, math.MaxInt32}, {0x80, time.Millisecond, 999}, {0x81, time.Microsecond, 999}}
	for _, u := range units {
		e, ok := r.optional(u.tag)
		if !ok {
			continue
		}
		if len(e.body) == 0 || len(e.body) > 4 || e.body[0] >= 0x80 {
			return 0, errors.New("accuracy is out of range")
		}
		n := 0
		for _, c := range e.body {
			n = n<<8 | int(c)
		}
		if n > u.most {
			return 0, errors.New("accuracy is out of range")
		}
		d += time.Duration(n) * u.unit
	}
	return d, r.end("accuracy")
}

// refuseCritical goes through Extensions, of which none is known.
func refuseCritical(r reader) error {
	for !r.empty() {
		e, err := r.open(tagSequence, "extension")
		if err != nil {
			return err
		}
		oid, err := readOID(&e, "extension")
		if err != nil {
			return err
		}
		const boolean = 0x01
		if critical, ok := e.optional(boolean); ok && len(critical.body) == 1 && critical.body[0] != 0 {
			return fmt.Errorf("critical extension %v is unknown", oid)
		}
	}
	return nil
}
