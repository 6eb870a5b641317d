package evidence

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/proto/axispb"
)

const (
	// MaxSealed is the limit of a marshalled SealedCheckpoint: the axis seals nothing
	// larger, so that a record of it fits into any block.
	MaxSealed = 128 << 10
	// MaxTimeProof is the limit of a marshalled TimeProof.
	MaxTimeProof = 1 << 20
)

// Sealed is a SealedCheckpoint that was read, and believed in nothing.
type Sealed struct {
	// Note is the signed checkpoint and Seal the CAdES over it, exact bytes.
	Note, Seal []byte
	// Size is what the checkpoint says of itself: it covers every leaf below.
	Size uint64
}

// OpenSealed reads a SealedCheckpoint. Who signed its checkpoint, and whether seal and
// time-stamp hold, is another matter: see Trust.Checkpoint and package signing.
func OpenSealed(raw []byte) (Sealed, error) {
	s := new(axispb.SealedCheckpoint)
	if err := decode("sealed checkpoint", raw, MaxSealed, s); err != nil {
		return Sealed{}, err
	}
	text, _, found := bytes.Cut(s.Checkpoint, []byte("\n\n"))
	switch {
	case s.Version != 1:
		return Sealed{}, fmt.Errorf("sealed checkpoint of unknown version %d", s.Version)
	case !found || len(s.Seal) == 0:
		return Sealed{}, errors.New("sealed checkpoint without a checkpoint or a seal")
	}
	c, err := parseCheckpoint(string(text) + "\n")
	if err != nil {
		return Sealed{}, fmt.Errorf("sealed checkpoint: %w", err)
	}
	return Sealed{Note: s.Checkpoint, Seal: s.Seal, Size: c.Size}, nil
}

// TimeProven is a record whose place under a sealed checkpoint was proven. When it was
// there is said by the time-stamp in the seal, which package signing judges: over Note,
// exact bytes.
type TimeProven struct {
	Sealed
	Header    *axispb.RecordHeader
	LeafIndex uint64
	// Checkpoint is the sealed one.
	Checkpoint Checkpoint
}

// NewTimeProof makes the marshalled TimeProof of a record from what the axis gives. It
// checks nothing: Trust.TimeProof does.
func NewTimeProof(sealed []byte, r *axispb.Record, leafIndex uint64, inclusion [][]byte) ([]byte, error) {
	p := &axispb.TimeProof{Version: 1, Sealed: sealed, LeafIndex: leafIndex, Header: r.GetHeader(), Inclusion: inclusion}
	h, err := openHeader(r.GetHeader())
	if err != nil {
		return nil, err
	}
	if h.Kind == axispb.Kind_KIND_RECOVERED {
		p.Recovered = r.GetBody()
	}
	return proto.Marshal(p)
}

// TimeProof checks a time proof as far as the log goes: that its header is that of the
// record with this body, that the header's leaf is under the sealed checkpoint, and that
// the log of its epoch signed that. A nil body is not compared: it is proven then that
// there is a record, not what it says.
//
// ErrUnknownEpoch, ErrNotProven and ErrSplitView are told apart, and
// ErrOtherRecord; any other error means that the proof is none.
func (t *Trust) TimeProof(raw, body []byte) (TimeProven, error) {
	p := new(axispb.TimeProof)
	if err := decode("time proof", raw, MaxTimeProof, p); err != nil {
		return TimeProven{}, err
	}
	if p.Version != 1 {
		return TimeProven{}, fmt.Errorf("time proof of unknown version %d", p.Version)
	}
	sealed, err := OpenSealed(p.Sealed)
	if err != nil {
		return TimeProven{}, fmt.Errorf("time proof: %w", err)
	}
	h, err := openHeader(p.Header)
	if err != nil {
		return TimeProven{}, fmt.Errorf("time proof: %w", err)
	}
	if err := isOf(h, p.Recovered, body); err != nil {
		return TimeProven{}, fmt.Errorf("time proof: %w", err)
	}
	c, err := t.placed(&axispb.Receipt{
		LeafIndex: p.LeafIndex, Header: p.Header, Inclusion: p.Inclusion, Checkpoint: sealed.Note,
	}, h.Epoch)
	if err != nil {
		return TimeProven{}, fmt.Errorf("time proof: %w", err)
	}
	return TimeProven{sealed, h, p.LeafIndex, c}, nil
}

// ErrOtherRecord says that a time proof is of another record than the one at hand. Ask
// the axis for the right one.
var ErrOtherRecord = errors.New("it is of another record")

// isOf compares the header of a time proof with a body, which what came back of an
// earlier epoch carries within.
func isOf(h *axispb.RecordHeader, recovered, body []byte) error {
	if body == nil {
		return nil
	}
	if h.Kind == axispb.Kind_KIND_RECOVERED && len(recovered) > 0 {
		past, err := OpenRecovered(recovered)
		if err != nil {
			return err
		}
		if !bytes.Equal(past.Record.Body, body) {
			return ErrOtherRecord
		}
		body = recovered
	}
	if checkDigest("body", body, h.BodyDigest) != nil {
		return ErrOtherRecord
	}
	return nil
}
