package signing

import (
	"crypto/sha256"
	"crypto/x509"
	"time"
)

// Indication is the main answer of a check (ETSI EN 319 102-1 clause 5.1.3).
type Indication string

// The three answers.
const (
	// TotalPassed: the signature is genuine and its signer trusted.
	TotalPassed Indication = "TOTAL-PASSED"
	// TotalFailed: it is not; nothing that becomes known later can mend it.
	TotalFailed Indication = "TOTAL-FAILED"
	// Indeterminate: what is at hand does not suffice. Treat it as not passed.
	Indeterminate Indication = "INDETERMINATE"
)

// SubIndication says why a signature did not pass (ETSI EN 319 102-1 clause
// 5.1.3, tables 5 and 6).
type SubIndication string

// The reasons that TOTAL-FAILED can have.
const (
	// FormatFailure: it is no CMS signature with what CAdES asks for.
	FormatFailure SubIndication = "FORMAT_FAILURE"
	// HashFailure: the content is not what was signed.
	HashFailure SubIndication = "HASH_FAILURE"
	// SigCryptoFailure: the signature value is not of the signer's key.
	SigCryptoFailure SubIndication = "SIG_CRYPTO_FAILURE"
	// Revoked: the certificate was revoked before the signature was made, as
	// Options.NotBefore proves.
	Revoked SubIndication = "REVOKED"
	// Expired: the certificate had expired before the signature was made, as
	// Options.NotBefore proves.
	Expired SubIndication = "EXPIRED"
	// NotYetValid: a time-stamp proves that the signature is older than the
	// certificate.
	NotYetValid SubIndication = "NOT_YET_VALID"
)

// The reasons that INDETERMINATE can have.
const (
	// SigConstraintsFailure: an attribute that our rules ask for is missing.
	SigConstraintsFailure SubIndication = "SIG_CONSTRAINTS_FAILURE"
	// ChainConstraintsFailure: a certificate may not be used for this.
	ChainConstraintsFailure SubIndication = "CHAIN_CONSTRAINTS_FAILURE"
	// CertificateChainGeneralFailure: a chain was found, and does not hold.
	CertificateChainGeneralFailure SubIndication = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
	// CryptoConstraintsFailure: an algorithm or key is too weak, or unknown.
	CryptoConstraintsFailure SubIndication = "CRYPTO_CONSTRAINTS_FAILURE"
	// NoSigningCertificateFound: the signer's certificate is not at hand, or is
	// not the one the signature names.
	NoSigningCertificateFound SubIndication = "NO_SIGNING_CERTIFICATE_FOUND"
	// NoCertificateChainFound: no chain leads to an anchor.
	NoCertificateChainFound SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"
	// OutOfBoundsNoPOE: the certificate was not valid at the time relied on, and
	// there is no proof that the signature existed when it was.
	OutOfBoundsNoPOE SubIndication = "OUT_OF_BOUNDS_NO_POE"
	// RevokedNoPOE: the certificate is revoked, and there is no proof that the
	// signature existed before.
	RevokedNoPOE SubIndication = "REVOKED_NO_POE"
	// RevokedCANoPOE: the same for the certificate of an issuer.
	RevokedCANoPOE SubIndication = "REVOKED_CA_NO_POE"
	// TimestampOrderFailure: a time-stamp states a time that cannot be.
	TimestampOrderFailure SubIndication = "TIMESTAMP_ORDER_FAILURE"
	// NoPOE: there is no time to rely on.
	NoPOE SubIndication = "NO_POE"
	// SignedDataNotFound: what was signed is not at hand; nothing outside a file is
	// looked for.
	SignedDataNotFound SubIndication = "SIGNED_DATA_NOT_FOUND"
	// TryLater: nothing usable is known about revocation yet, or the certificate is
	// suspended.
	TryLater SubIndication = "TRY_LATER"
)

// SubIndications are all that a verdict may have, but for the empty one of a
// signature that passed.
func SubIndications() []SubIndication {
	return []SubIndication{
		FormatFailure, HashFailure, SigCryptoFailure, Revoked, Expired, NotYetValid,
		SigConstraintsFailure, ChainConstraintsFailure, CertificateChainGeneralFailure, CryptoConstraintsFailure,
		NoSigningCertificateFound, NoCertificateChainFound, OutOfBoundsNoPOE, RevokedNoPOE, RevokedCANoPOE,
		TimestampOrderFailure, NoPOE, SignedDataNotFound, TryLater,
	}
}

// Indication is the answer that goes with the reason.
func (s SubIndication) Indication() Indication {
	switch s {
	case "":
		return TotalPassed
	case FormatFailure, HashFailure, SigCryptoFailure, Revoked, Expired, NotYetValid:
		return TotalFailed
	}
	return Indeterminate
}

// TimeSource says where the time relied on comes from.
type TimeSource string

// Where a time comes from. What it proves is that the signature existed then.
const (
	// TimeGiven: the caller vouches for it (Options.At).
	TimeGiven TimeSource = "given"
	// TimeNow: it is the moment of judging, as nothing proves an earlier one.
	TimeNow TimeSource = "now"
	// TimeCheckpoint: a signed checkpoint of a log that holds the signature.
	TimeCheckpoint TimeSource = "checkpoint"
	// TimeTimestamp: a time-stamp (RFC 3161) in the signature.
	TimeTimestamp TimeSource = "timestamp"
)

// Verdict is the answer about one signature.
type Verdict struct {
	Indication Indication
	// SubIndication is empty where the signature passed.
	SubIndication SubIndication
	// Detail says in English what was found wrong, for logs and experts.
	Detail string
	// Signer is the signer's certificate; nil where it was not found.
	Signer *x509.Certificate
	// Chain leads from the signer to the anchor, or is the signer alone where it
	// is pinned. Empty unless the signature passed.
	Chain []*x509.Certificate
	// Pinned: the signer was trusted by itself.
	Pinned bool
	// Time is the time relied on, and TimeSource where it comes from.
	Time       time.Time
	TimeSource TimeSource
	// ClaimedTime is the signing-time that the signer states, zero where there
	// is none. Nobody else vouches for it.
	ClaimedTime time.Time
	// Timestamps are what was found about the signature's time-stamps, where
	// Options.Timestamping was given; those that passed prove a time.
	Timestamps []TimestampVerdict
	// Revocation is what was found about the certificates of the chain, where
	// Options.Revocation was given, as far as it was asked.
	Revocation []RevocationStatus
}

// Passed reports whether the signature may be relied on.
func (v Verdict) Passed() bool { return v.Indication == TotalPassed }

// SignerDigest is the SHA-256 of the signer's certificate, by which a registry
// knows it; zero where the signer was not found.
func (v Verdict) SignerDigest() [sha256.Size]byte {
	if v.Signer == nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(v.Signer.Raw)
}

func (v Verdict) failed(f *failure) Verdict {
	v.Indication, v.SubIndication, v.Detail = f.sub.Indication(), f.sub, short(f.detail)
	return v
}

// failure is why a check did not pass.
type failure struct {
	sub    SubIndication
	detail string
}
