package tlog

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// EpochParams is what an epoch announces; see Epoch in proto/journal.proto.
type EpochParams struct {
	// Number is one more than the largest that the journal, the guard (and, in a
	// cluster, the guards of the others) know.
	Number uint64
	// Origin and VerifierKey are of the key that NewKey made for this epoch.
	Origin      string
	VerifierKey string
	Opened      time.Time
	// BaseSize and BaseRoot are the tree of the journal as it was found.
	BaseSize uint64
	BaseRoot Hash
	// Previous is the largest checkpoint known of an earlier epoch; nil for the
	// first epoch alone.
	Previous *axispb.CheckpointRef
	// Reason is for people.
	Reason string
	// Authorities lead from every earlier CA to the one that signs; see
	// SignedEpoch in proto/journal.proto.
	Authorities [][]byte
}

// OpenEpoch makes the marshalled SignedEpoch: the body of the epoch's first
// record, and what endpoints add to their Trust. Sign is the CA's: it signs
// evidence.EpochPrefix followed by the bytes it is given.
func OpenEpoch(p EpochParams, sign func(epoch []byte) ([]byte, error)) ([]byte, error) {
	e := &axispb.Epoch{
		Version:     1,
		Number:      p.Number,
		Origin:      p.Origin,
		VerifierKey: p.VerifierKey,
		OpenedMs:    p.Opened.UnixMilli(),
		BaseSize:    p.BaseSize,
		BaseRoot:    p.BaseRoot[:],
		Previous:    p.Previous,
		Reason:      p.Reason,
	}
	if err := evidence.CheckEpoch(e); err != nil {
		return nil, fmt.Errorf("open epoch %d: %w", p.Number, err)
	}
	raw, err := proto.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("open epoch %d: %w", p.Number, err)
	}
	signature, err := sign(raw)
	if err != nil {
		return nil, fmt.Errorf("sign epoch %d: %w", p.Number, err)
	}
	signed, err := proto.Marshal(&axispb.SignedEpoch{Epoch: raw, Signature: signature, Authorities: p.Authorities})
	if err != nil {
		return nil, fmt.Errorf("open epoch %d: %w", p.Number, err)
	}
	if len(signed) > evidence.MaxSignedEpoch {
		return nil, fmt.Errorf("open epoch %d: %d bytes, over the limit of %d", p.Number, len(signed), evidence.MaxSignedEpoch)
	}
	return signed, nil
}
