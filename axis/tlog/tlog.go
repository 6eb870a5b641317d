// Package tlog owns the journal's Merkle tree: how it grows, its proofs, the key
// that signs its checkpoints, the announcement of an epoch, and the guard that
// remembers what was signed.
package tlog

import (
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/internal/evidence"
)

// Hash is a hash of the tree (RFC 6962 section 2.1).
type Hash = tlog.Hash

// HashReader reads stored hashes by the index that golang.org/x/mod/sumdb/tlog
// gives them (StoredHashIndex).
type HashReader = tlog.HashReader

// Tree is the state of a Merkle tree (RFC 6962) that is needed to make it grow:
// its size and the roots of the complete subtrees along its right edge. It is a
// value that never changes; the zero Tree has no leaves.
type Tree struct {
	size uint64
	// edge has one root for each bit of size, the largest subtree first. It is
	// shared between trees, so nobody writes to it.
	edge []Hash
}

// Load reads the right edge of a stored tree, at most 48 hashes. It does not know
// whether they are right: the caller compares Root with what it trusts.
func Load(size uint64, r HashReader) (Tree, error) {
	if size > evidence.MaxTreeSize {
		return Tree{}, fmt.Errorf("load tree: size %d is over the limit", size)
	}
	edge, err := readHashes(r, edgeIndexes(size))
	if err != nil {
		return Tree{}, fmt.Errorf("load tree of size %d: %w", size, err)
	}
	return Tree{size: size, edge: edge}, nil
}

// edgeIndexes walks the bits of size from the highest: each is a complete subtree
// that begins where the one before it ended.
func edgeIndexes(size uint64) []int64 {
	var indexes []int64
	var begin uint64
	for rest := size; rest != 0; {
		level := bits.Len64(rest) - 1
		indexes = append(indexes, tlog.StoredHashIndex(level, int64(begin>>level)))
		begin += 1 << level
		rest -= 1 << level
	}
	return indexes
}

func readHashes(r HashReader, indexes []int64) ([]Hash, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	hashes, err := r.ReadHashes(indexes)
	if err != nil {
		return nil, err
	}
	if len(hashes) != len(indexes) {
		return nil, fmt.Errorf("asked for %d hashes, read %d", len(indexes), len(hashes))
	}
	return hashes, nil
}

// Size is the number of leaves.
func (t Tree) Size() uint64 { return t.size }

// Root is the root hash; without leaves it is the SHA-256 of nothing (RFC 6962
// section 2.1).
func (t Tree) Root() Hash {
	if t.size == 0 {
		return evidence.EmptyRoot()
	}
	last := len(t.edge) - 1
	h := t.edge[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return h
}

// Extend adds leaf hashes. It reads nothing: what it needs is in t, which stays
// as it was, so that a block whose append failed is simply forgotten. Stored are
// the hashes to keep for proofs, in the order of their indexes, the first being
// StoredCount(t.Size()). It fails only over evidence.MaxTreeSize.
func (t Tree) Extend(leaves []Hash) (next Tree, stored []Hash, err error) {
	if uint64(len(leaves)) > evidence.MaxTreeSize-t.size {
		return Tree{}, nil, fmt.Errorf("extend tree of size %d by %d: over the limit", t.size, len(leaves))
	}
	size, edge := t.size, slices.Clone(t.edge)
	stored = make([]Hash, 0, 2*len(leaves))
	for _, h := range leaves {
		stored = append(stored, h)
		// Each trailing 1 of size is a complete subtree that this leaf pairs with.
		for n := size; n&1 == 1; n >>= 1 {
			h = tlog.NodeHash(edge[len(edge)-1], h)
			edge = edge[:len(edge)-1]
			stored = append(stored, h)
		}
		edge = append(edge, h)
		size++
	}
	return Tree{size: size, edge: edge}, stored, nil
}

// StoredCount is the number of hashes stored for a tree of the given size, and so
// the index of the first that a further leaf adds.
func StoredCount(size uint64) uint64 { return uint64(tlog.StoredHashCount(int64(size))) }
