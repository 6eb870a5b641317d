// Package evidence owns what proves that something happened: signed statements,
// receipts, checkpoints of the log and the epochs whose keys sign them. It is
// pure: no clock, log, file or network, so that an auditor can trust it alone.
package evidence

import (
	"crypto/sha256"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/proto/axispb"
)

// Domain prefixes of what is signed: a signature made for one purpose is never
// valid for another.
const (
	// StatementPrefix stands before the bytes of a Statement.
	StatementPrefix = "docaxis/evidence/v1\n"
	// EpochPrefix stands before the bytes of an Epoch, which the CA signs.
	EpochPrefix = "docaxis/epoch/v1\n"
)

// AxisIssuer is the name under which the axis states evidence, and the common
// name of its certificate. No endpoint may have it.
const AxisIssuer = "axis"

// Sizes over which nothing is even parsed, in bytes.
const (
	// MaxEvidence is the limit of a marshalled Evidence.
	MaxEvidence = 32 << 10
	// MaxReceipt is the limit of a marshalled Receipt.
	MaxReceipt = 1 << 20
	// MaxSignedEpoch is the limit of a marshalled SignedEpoch.
	MaxSignedEpoch = 16 << 10
	// MaxCheckpoint is the limit of a checkpoint note; it leaves room for the
	// cosignatures of witnesses.
	MaxCheckpoint = 16 << 10

	maxHeader   = 1 << 10
	maxDecision = 1 << 20
)

// MaxTreeSize is the largest tree that is believed. Sizes near 2^63 would make
// the arithmetic of proofs overflow; 2^48 leaves are more than there will be.
const MaxTreeSize = 1 << 48

// entryVersion is the first byte of the public entry of a leaf.
const entryVersion = 0x01

// Commitment is what a leaf says of a record: the SHA-256 of its marshalled
// RecordHeader.
func Commitment(header []byte) [32]byte { return sha256.Sum256(header) }

// Entry is the public entry of a leaf, 33 bytes: version and commitment. It is
// all that a log without its bodies shows.
func Entry(commitment [32]byte) []byte {
	return append([]byte{entryVersion}, commitment[:]...)
}

// LeafHash is the hash of a record's leaf, SHA-256(0x00 || entry), as RFC 6962
// section 2.1 defines it.
func LeafHash(header []byte) tlog.Hash {
	return tlog.RecordHash(Entry(Commitment(header)))
}

// OpenRecord checks that the header of a record bears out its body and decision,
// and parses header and decision. That the record is in the journal is another
// matter: see CheckInclusion. An error means that the record was altered or is
// of a version that this program does not know; nothing of it may be used.
func OpenRecord(r *axispb.Record) (*axispb.RecordHeader, *axispb.Decision, error) {
	h, err := openHeader(r.GetHeader())
	if err != nil {
		return nil, nil, err
	}
	if err := checkDigest("body", r.GetBody(), h.BodyDigest); err != nil {
		return nil, nil, err
	}
	d, err := openDecision(h, r.GetDecision())
	if err != nil {
		return nil, nil, err
	}
	return h, d, nil
}

func openHeader(b []byte) (*axispb.RecordHeader, error) {
	h := new(axispb.RecordHeader)
	if err := decode("record header", b, maxHeader, h); err != nil {
		return nil, err
	}
	switch {
	case h.Version != 1:
		return nil, fmt.Errorf("record header of unknown version %d", h.Version)
	case h.Epoch == 0:
		return nil, fmt.Errorf("record header without an epoch")
	case h.Kind <= axispb.Kind_KIND_UNSPECIFIED:
		return nil, fmt.Errorf("record header without a kind")
	case h.TimeMs <= 0:
		return nil, fmt.Errorf("record header without a time")
	case len(h.Nonce) != 16:
		return nil, fmt.Errorf("nonce of %d bytes in a record header, not 16", len(h.Nonce))
	case len(h.BodyDigest) != 32 || len(h.DecisionDigest) != 32:
		return nil, fmt.Errorf("record header without digests of 32 bytes")
	}
	return h, nil
}

// openDecision does not refuse unknown members: a decision has no version of its
// own, and an endpoint with an older program must still be able to read what it
// understands. Its bytes are bound by the header all the same.
func openDecision(h *axispb.RecordHeader, b []byte) (*axispb.Decision, error) {
	if err := checkDigest("decision", b, h.DecisionDigest); err != nil {
		return nil, err
	}
	d := new(axispb.Decision)
	if err := decodeLax("decision", b, maxDecision, d); err != nil {
		return nil, err
	}
	return d, nil
}

func checkDigest(what string, b, digest []byte) error {
	if sha256.Sum256(b) != [32]byte(digest) {
		return fmt.Errorf("the record's %s is not what its header committed to", what)
	}
	return nil
}
