package signing

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"hash"
	"io"
	"math/big"
	"slices"
	"time"
)

const (
	// maxTimestamps bounds the time-stamps of one signature that are looked at.
	maxTimestamps = 8
	// timestampSkew is how far the clock of an authority may be ahead of ours.
	timestampSkew = 10 * time.Minute
)

var oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// TimestampOptions say what a time-stamp is judged by.
type TimestampOptions struct {
	// At is the moment at which the authority's certificate must be in force beside
	// the moment that the token states: now, or a time at which the token is known
	// to have existed. Once its certificate has ended, a key may be known to others
	// who stamp any time with it.
	At time.Time
	// Source says what vouches for At; empty means TimeGiven.
	Source TimeSource
	// Trust is whom to believe about time.
	Trust *Trust
	// Intermediates help to build a chain, and to find the authority's certificate
	// where the token leaves it out.
	Intermediates []*x509.Certificate
	// Revocation is as in Options.
	Revocation *Revocation
	// Policies are those accepted; any where it is empty.
	Policies []asn1.ObjectIdentifier
	// Nonce is that of the request; nil where none is expected.
	Nonce *big.Int
}

// TimestampVerdict is the answer about one time-stamp: Signer is the authority,
// Token what it says. Token is empty where it could not be read.
type TimestampVerdict struct {
	Verdict
	Token TimestampToken
}

// VerifyTimestamp judges a time-stamp (RFC 3161) over content: its signature, that
// it is over this content, nonce and policy as asked for, and that it was made by
// an authority whose certificate is for time-stamps alone (section 2.3) and leads
// to an anchor. The error is about the call, as with VerifyReader.
func VerifyTimestamp(token []byte, content io.Reader, o TimestampOptions) (TimestampVerdict, error) {
	if o.At.IsZero() {
		return TimestampVerdict{}, ErrNoTime
	}
	sd, t, err := parseToken(token)
	if err != nil {
		return o.unreadable(err), nil
	}
	functions := map[crypto.Hash]hash.Hash{}
	if t.Hash != 0 {
		functions[t.Hash] = t.Hash.New()
	}
	found, err := digestAll(functions, content)
	if err != nil {
		return TimestampVerdict{}, fmt.Errorf("signing: read the content: %w", err)
	}
	return o.judge(sd, t, found[t.Hash]), nil
}

func (o *TimestampOptions) unreadable(err error) TimestampVerdict {
	return TimestampVerdict{Verdict: unreadable(o.options(), fmt.Errorf("time-stamp: %w", err))}
}

func (o *TimestampOptions) options() Options {
	return Options{At: o.At, Source: o.Source, Trust: o.Trust, Intermediates: o.Intermediates, Revocation: o.Revocation}
}

// judge runs the check of a signature, and then what a time-stamp asks for beside
// it. What it says about the content comes first, as in any check.
func (o *TimestampOptions) judge(sd *signedData, t TimestampToken, digest []byte) TimestampVerdict {
	options := o.options()
	enclosed, err := sd.digests(bytes.NewReader(sd.content))
	if err != nil {
		return o.unreadable(err)
	}
	c := &check{data: sd, signer: &sd.signers[0], options: &options, digests: enclosed, kind: tokens()}
	v := TimestampVerdict{Token: t}
	if f := t.matches(digest); f != nil {
		v.Verdict = Verdict{Time: o.At, TimeSource: options.source()}.failed(f)
		return v
	}
	if v.Verdict = c.run(); !v.Passed() {
		return v
	}
	for _, f := range []*failure{o.asked(t), o.timely(t, v.Chain), t.issuedBy(v.Signer)} {
		if f != nil {
			v.Verdict = v.failed(f)
			v.Chain = nil
			break
		}
	}
	return v
}

// matches compares what was stamped with the digest of what is at hand.
func (t TimestampToken) matches(digest []byte) *failure {
	if t.Hash == 0 {
		return &failure{CryptoConstraintsFailure, refusedAlgorithm("time-stamp: digest", t.imprint.oid).Error()}
	}
	if !bytes.Equal(t.Digest, digest) {
		return &failure{HashFailure, "the time-stamp is of another content"}
	}
	return nil
}

// asked compares nonce and policy with the request.
func (o *TimestampOptions) asked(t TimestampToken) *failure {
	if o.Nonce != nil && (t.Nonce == nil || t.Nonce.Cmp(o.Nonce) != 0) {
		return &failure{SigConstraintsFailure, "the time-stamp does not have the nonce of the request"}
	}
	if len(o.Policies) > 0 && !slices.ContainsFunc(o.Policies, t.Policy.Equal) {
		return &failure{SigConstraintsFailure, fmt.Sprintf("the time-stamp is of policy %v, which is not accepted", t.Policy)}
	}
	return nil
}

// timely asks that the chain was in force when the token was made, and not after
// the time relied on.
func (o *TimestampOptions) timely(t TimestampToken, chain []*x509.Certificate) *failure {
	for _, cert := range chain {
		if outside(cert, t.Time) {
			return &failure{OutOfBoundsNoPOE, fmt.Sprintf("the certificate of %s was not in force when the time-stamp was made, at %s",
				name(cert, "en"), stamp(t.Time))}
		}
	}
	if t.Time.After(o.At.Add(timestampSkew)) {
		return &failure{TimestampOrderFailure, fmt.Sprintf("the time-stamp says %s, which is later than %s", stamp(t.Time), stamp(o.At))}
	}
	return nil
}

// issuedBy compares the name that the token gives its authority.
func (t TimestampToken) issuedBy(cert *x509.Certificate) *failure {
	if t.issuer != nil && !bytes.Equal(t.issuer, cert.RawSubject) {
		return &failure{SigConstraintsFailure, "the time-stamp names another authority than the one that signed it"}
	}
	return nil
}

// tokens is the kind of signature that a time-stamp is.
func tokens() *kind {
	return &kind{
		use: useTimestamping, extended: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
		usage: mayNotStamp, olderBinding: true,
	}
}

// mayNotStamp asks for the extended key usage of RFC 3161 section 2.3: critical,
// and timeStamping alone.
func mayNotStamp(cert *x509.Certificate) *failure {
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if cert.KeyUsage != 0 && (cert.KeyUsage&signs == 0 || cert.KeyUsage&^signs != 0) {
		return &failure{ChainConstraintsFailure, "the certificate is not for signing alone"}
	}
	if len(cert.UnknownExtKeyUsage) != 0 || !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}) {
		return &failure{ChainConstraintsFailure, "the certificate is not for time-stamps, or not for them alone"}
	}
	for _, e := range cert.Extensions {
		if e.Id.Equal(oidExtendedKeyUsage) && !e.Critical {
			return &failure{ChainConstraintsFailure, "that the certificate is for time-stamps is not marked critical"}
		}
	}
	return nil
}

// bestTime looks at the time-stamps over the signature value (ETSI EN 319 122-1
// clause 5.3). The earliest time that is proven counts; one that does not pass
// proves nothing and harms nothing.
func (c *check) bestTime() *failure {
	if c.options.Timestamping == nil || c.kind.use == useTimestamping {
		return nil
	}
	o := TimestampOptions{
		At: c.options.At, Source: c.options.source(), Trust: c.options.Timestamping,
		Intermediates: c.options.Intermediates, Revocation: c.options.Revocation,
	}
	for _, raw := range c.signer.unsigned.all(oidSignatureTimestamp, maxTimestamps) {
		v := o.over(raw.full, c.signer.value)
		c.timestamps = append(c.timestamps, v)
		if latest := v.Token.Latest(); v.Passed() && latest.Before(c.time) {
			c.time, c.source = latest, TimeTimestamp
		}
	}
	return nil
}

// over judges a time-stamp over bytes at hand.
func (o *TimestampOptions) over(token, content []byte) TimestampVerdict {
	v, err := VerifyTimestamp(token, bytes.NewReader(content), *o)
	if err != nil {
		return o.unreadable(err)
	}
	return v
}
