package auditor

import (
	"google.golang.org/protobuf/proto"

	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// maxProof is the largest file that may be a proof, in bytes: a receipt.
const maxProof = evidence.MaxReceipt

// What a file of an axis's proofs may be. The bytes are judged, never what they were
// parsed into.
type (
	epochProof struct {
		raw   []byte
		epoch *axispb.Epoch
	}
	receiptProof struct {
		raw     []byte
		receipt *axispb.Receipt
		header  *axispb.RecordHeader
	}
	evidenceProof struct {
		evidence  *axispb.Evidence
		statement *axispb.Statement
	}
	envelopeProof  struct{}
	recoveredProof struct{}
)

// proofOf tells the messages apart by what they must have; nil for anything else. It
// believes nothing: what it takes for a proof is still to be checked.
func proofOf(raw []byte) any {
	for _, read := range []func([]byte) any{asTime, asReceipt, asEpoch, asEvidence, asEnvelope, asRecovered} {
		if p := read(raw); p != nil {
			return p
		}
	}
	return nil
}

// parsed reads a message; members that it does not know make it another one.
func parsed(raw []byte, m proto.Message) bool {
	return len(raw) > 0 && proto.Unmarshal(raw, m) == nil && len(m.ProtoReflect().GetUnknown()) == 0
}

func asReceipt(raw []byte) any {
	p := &receiptProof{raw, new(axispb.Receipt), new(axispb.RecordHeader)}
	if !parsed(raw, p.receipt) || !parsed(p.receipt.Header, p.header) || len(p.receipt.Checkpoint) == 0 {
		return nil
	}
	return p
}

func asEpoch(raw []byte) any {
	p := &epochProof{raw, new(axispb.Epoch)}
	var signed axispb.SignedEpoch
	if len(raw) > evidence.MaxSignedEpoch || !parsed(raw, &signed) || !parsed(signed.Epoch, p.epoch) || p.epoch.VerifierKey == "" {
		return nil
	}
	return p
}

func asEvidence(raw []byte) any {
	p := &evidenceProof{new(axispb.Evidence), new(axispb.Statement)}
	if len(raw) > evidence.MaxEvidence || !parsed(raw, p.evidence) || !parsed(p.evidence.Statement, p.statement) || p.statement.Issuer == "" {
		return nil
	}
	return p
}

func asEnvelope(raw []byte) any {
	var e axispb.Envelope
	if len(raw) > envelope.MaxSize || !parsed(raw, &e) || len(e.Manifest) == 0 || len(e.Signature) == 0 {
		return nil
	}
	return new(envelopeProof)
}

func asRecovered(raw []byte) any {
	var r axispb.Recovered
	if len(raw) > evidence.MaxRecovered || !parsed(raw, &r) || len(r.Receipt) == 0 || asReceipt(r.Receipt) == nil {
		return nil
	}
	return new(recoveredProof)
}
