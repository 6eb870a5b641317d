package evidence

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// What can be wrong between two checkpoints. None of these lets the newer one be
// adopted but *LostRecordsError, after which the new epoch is what there is.
var (
	// ErrSplitView means two statements of the log that cannot both be true.
	// They are proof of misuse: keep both, stop, and tell people.
	ErrSplitView = errors.New("split view: the log contradicts itself")
	// ErrNotProven means that a proof does not show what it should. An honest
	// log can always make the right one: ask again, and treat a log that still
	// does not as one that contradicts itself.
	ErrNotProven = errors.New("the log did not prove it")
	// ErrOlder means that the checkpoint is older than the one it should
	// extend, as from a node that lags: keep the newer one.
	ErrOlder = errors.New("the checkpoint is older than one already seen")
)

// LostRecordsError says that a new epoch begins before what was already seen:
// the leaves From (first) to To (after the last) are lost to this journal. The
// axis said so itself, signed by its CA, so this is no split view; endpoints
// offer again what they kept.
type LostRecordsError struct {
	// From is the size of the tree that is still common.
	From uint64
	// To is the size that was seen.
	To uint64
}

func (e *LostRecordsError) Error() string {
	return fmt.Sprintf("the journal lost leaves %d to %d", e.From, e.To-1)
}

// maxProof is the number of hashes in the longest proof for MaxTreeSize leaves;
// a consistency proof has at most one more than the tree is high.
const maxProof = 64

func hashes(proof [][]byte) ([]tlog.Hash, error) {
	if len(proof) > maxProof {
		return nil, fmt.Errorf("%w: proof of %d hashes", ErrNotProven, len(proof))
	}
	hs := make([]tlog.Hash, len(proof))
	for i, b := range proof {
		if len(b) != tlog.HashSize {
			return nil, fmt.Errorf("%w: hash of %d bytes in the proof", ErrNotProven, len(b))
		}
		hs[i] = tlog.Hash(b)
	}
	return hs, nil
}

// CheckInclusion checks that a leaf is in the tree of the given size and root
// (RFC 6962 section 2.1.1). Its error is ErrNotProven.
func CheckInclusion(proof [][]byte, size uint64, root tlog.Hash, leafIndex uint64, leaf tlog.Hash) error {
	if size > MaxTreeSize || leafIndex >= size {
		return fmt.Errorf("%w: leaf %d is not in a tree of %d", ErrNotProven, leafIndex, size)
	}
	hs, err := hashes(proof)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(hs, int64(size), root, int64(leafIndex), leaf); err != nil {
		return fmt.Errorf("%w: inclusion of leaf %d at size %d: %w", ErrNotProven, leafIndex, size, err)
	}
	return nil
}

// CheckConsistency checks that the tree at size to extends the one at size from
// (RFC 6962 section 2.1.2). Every tree extends the empty one, by an empty proof.
// Its errors are ErrSplitView where the sizes are equal and the roots are not,
// ErrOlder where to is the smaller, else ErrNotProven.
func CheckConsistency(proof [][]byte, from uint64, fromRoot tlog.Hash, to uint64, toRoot tlog.Hash) error {
	switch {
	case to > MaxTreeSize:
		return fmt.Errorf("%w: tree of size %d", ErrNotProven, to)
	case from > to:
		return fmt.Errorf("%w: size %d after %d", ErrOlder, to, from)
	case from == to && fromRoot != toRoot:
		return fmt.Errorf("%w: two roots at size %d", ErrSplitView, to)
	case from == 0:
		return checkFromEmpty(proof, fromRoot)
	}
	hs, err := hashes(proof)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(hs, int64(to), toRoot, int64(from), fromRoot); err != nil {
		return fmt.Errorf("%w: consistency of size %d with %d: %w", ErrNotProven, to, from, err)
	}
	return nil
}

func checkFromEmpty(proof [][]byte, root tlog.Hash) error {
	if len(proof) != 0 || root != EmptyRoot() {
		return fmt.Errorf("%w: from the empty tree there is nothing to prove", ErrNotProven)
	}
	return nil
}

// Extends checks that the log which said older has kept to it in newer; older may
// be the zero value (nothing seen yet) or only named (RefCheckpoint). Across
// epochs the new tree goes on from the new epoch's base: what was seen up to there
// is provable, and where more was seen the error is *LostRecordsError. Other
// errors: ErrSplitView, ErrNotProven, ErrOlder, ErrUnknownEpoch.
func (t *Trust) Extends(older, newer Checkpoint, proof [][]byte) error {
	if older.Epoch == 0 && older.Size == 0 {
		return checkFromEmpty(proof, EmptyRoot())
	}
	if newer.Epoch < older.Epoch {
		return fmt.Errorf("%w: epoch %d after %d", ErrOlder, newer.Epoch, older.Epoch)
	}
	if err := t.crossEpochs(older, newer.Epoch); err != nil {
		return err
	}
	return CheckConsistency(proof, older.Size, older.Root, newer.Size, newer.Root)
}

// crossEpochs follows a checkpoint through the bases of the epochs after its own.
func (t *Trust) crossEpochs(c Checkpoint, to uint64) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range []uint64{c.Epoch, to} {
		if _, ok := t.epochs[n]; !ok {
			return fmt.Errorf("epoch %d: %w", n, ErrUnknownEpoch)
		}
	}
	common := c.Size
	for n, e := range t.epochs {
		if n > c.Epoch && n <= to {
			common = min(common, e.pb.BaseSize)
		}
	}
	if common < c.Size {
		return &LostRecordsError{From: common, To: c.Size}
	}
	for n, e := range t.epochs {
		if n > c.Epoch && n <= to && e.pb.BaseSize == c.Size && tlog.Hash(e.pb.BaseRoot) != c.Root {
			return fmt.Errorf("%w: epoch %d began at size %d with another root", ErrSplitView, n, c.Size)
		}
	}
	return nil
}
