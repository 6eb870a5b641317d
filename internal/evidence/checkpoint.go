package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"docaxis/proto/axispb"
)

// Checkpoint is a state of the log: so many leaves, this root.
type Checkpoint struct {
	Epoch uint64
	Size  uint64
	Root  tlog.Hash
	// Note is the signed checkpoint, exact bytes. It is empty where the
	// checkpoint is only named, by evidence or by an epoch.
	Note []byte
}

// Ref names the checkpoint without its signature.
func (c Checkpoint) Ref() *axispb.CheckpointRef {
	return &axispb.CheckpointRef{Epoch: c.Epoch, Size: c.Size, Root: c.Root[:]}
}

// RefCheckpoint reads a checkpoint that is only named. Nothing vouches for it but
// who named it; Trust.Extends shows whether the log agrees.
func RefCheckpoint(ref *axispb.CheckpointRef) (Checkpoint, error) {
	switch {
	case ref.GetEpoch() == 0:
		return Checkpoint{}, errors.New("checkpoint without an epoch")
	case ref.Size > MaxTreeSize:
		return Checkpoint{}, fmt.Errorf("checkpoint of size %d", ref.Size)
	case len(ref.Root) != tlog.HashSize:
		return Checkpoint{}, fmt.Errorf("checkpoint's root has %d bytes, not 32", len(ref.Root))
	case ref.Size == 0 && tlog.Hash(ref.Root) != EmptyRoot():
		return Checkpoint{}, errors.New("checkpoint of the empty log with another root")
	}
	return Checkpoint{Epoch: ref.Epoch, Size: ref.Size, Root: tlog.Hash(ref.Root)}, nil
}

// Checkpoint checks a signed checkpoint (C2SP tlog-checkpoint: origin, size and
// root, each a line; extension lines, which nobody could audit, are refused)
// under the key of the epoch whose origin it bears. Signatures by others, as
// witnesses' cosignatures, are passed over. ErrUnknownEpoch: see there.
func (t *Trust) Checkpoint(signed []byte) (Checkpoint, error) {
	if len(signed) > MaxCheckpoint {
		return Checkpoint{}, fmt.Errorf("checkpoint has %d bytes, over the limit of %d", len(signed), MaxCheckpoint)
	}
	digest := sha256.Sum256(signed)
	if c, ok := t.checkpoints.get(digest); ok {
		c.Note = bytes.Clone(signed)
		return c, nil
	}
	c, err := t.verifyCheckpoint(signed)
	if err == nil {
		// Epochs are only ever added, and never with an origin that there is.
		t.checkpoints.put(digest, c)
	}
	return c, err
}

func (t *Trust) verifyCheckpoint(signed []byte) (Checkpoint, error) {
	origin, _, _ := bytes.Cut(signed, []byte("\n"))
	e, ok := t.byOrigin(string(origin))
	if !ok {
		return Checkpoint{}, fmt.Errorf("checkpoint of origin %q: %w", clip(string(origin)), ErrUnknownEpoch)
	}
	text, err := openNote(signed, e.verifier)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := parseCheckpoint(text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	c.Epoch, c.Note = e.pb.Number, bytes.Clone(signed)
	if err := checkAboveBase(c, e.pb); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

// openNote checks the log's signature. The note package reads base64 with stray
// bits at its end; that would give one signature many forms, so they are refused.
func openNote(signed []byte, v note.Verifier) (string, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return "", err
	}
	for _, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return "", fmt.Errorf("signature: %w", err)
		}
	}
	return n.Text, nil
}

func (t *Trust) byOrigin(origin string) (epoch, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, e := range t.epochs {
		if e.pb.Origin == origin {
			return e, true
		}
	}
	return epoch{}, false
}

// parseCheckpoint reads all but the origin, by which the epoch was found. That
// the empty tree has its root follows from checkAboveBase.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, errors.New("text is not origin, size and root")
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil || size > MaxTreeSize || lines[1] != strconv.FormatUint(size, 10) {
		return Checkpoint{}, fmt.Errorf("size %q is not a size in decimal", clip(lines[1]))
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("root %q is not 32 bytes in base64", clip(lines[2]))
	}
	return Checkpoint{Size: size, Root: tlog.Hash(root)}, nil
}

// checkAboveBase: an epoch's tree goes on from its base, so its log signs nothing
// smaller, and at that size nothing else.
func checkAboveBase(c Checkpoint, e *axispb.Epoch) error {
	switch {
	case c.Size < e.BaseSize:
		return fmt.Errorf("%w: epoch %d began at size %d and signed size %d", ErrSplitView, e.Number, e.BaseSize, c.Size)
	case c.Size == e.BaseSize && c.Root != tlog.Hash(e.BaseRoot):
		return fmt.Errorf("%w: epoch %d signed another root than it began with", ErrSplitView, e.Number)
	}
	return nil
}
