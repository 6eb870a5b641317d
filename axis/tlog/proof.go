package tlog

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"docaxis/internal/evidence"
)

// Inclusion makes the proof that the leaf is in the tree of the given size (RFC
// 6962 section 2.1.1), reading at most about 48 hashes at once.
func Inclusion(size, leaf uint64, r HashReader) ([][]byte, error) {
	if size > evidence.MaxTreeSize || leaf >= size {
		return nil, fmt.Errorf("inclusion proof: there is no leaf %d in a tree of %d", leaf, size)
	}
	p, err := tlog.ProveRecord(int64(size), int64(leaf), r)
	if err != nil {
		return nil, fmt.Errorf("inclusion proof of leaf %d at size %d: %w", leaf, size, err)
	}
	return raw(p), nil
}

// Consistency makes the proof that the tree at size to extends the one at size
// from (RFC 6962 section 2.1.2). From the empty tree it is empty.
func Consistency(from, to uint64, r HashReader) ([][]byte, error) {
	if to > evidence.MaxTreeSize || from > to {
		return nil, fmt.Errorf("consistency proof: size %d does not extend size %d", to, from)
	}
	if from == 0 {
		return nil, nil
	}
	p, err := tlog.ProveTree(int64(to), int64(from), r)
	if err != nil {
		return nil, fmt.Errorf("consistency proof from size %d to %d: %w", from, to, err)
	}
	return raw(p), nil
}

func raw(hashes []Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

// Overlay reads hashes that Extend gave and that are not stored yet, and all
// others from r: so proofs under a new checkpoint need not wait for the ledger.
// First is the index of the first stored hash, StoredCount of the tree before.
func Overlay(r HashReader, first uint64, stored []Hash) HashReader {
	return overlay{below: r, first: int64(first), stored: stored}
}

type overlay struct {
	below  HashReader
	first  int64
	stored []Hash
}

func (o overlay) ReadHashes(indexes []int64) ([]Hash, error) {
	var missing []int64
	for _, x := range indexes {
		if x < o.first {
			missing = append(missing, x)
		}
	}
	below, err := readHashes(o.below, missing)
	if err != nil {
		return nil, err
	}
	out := make([]Hash, len(indexes))
	for i, x := range indexes {
		switch {
		case x < o.first:
			out[i], below = below[0], below[1:]
		case x-o.first < int64(len(o.stored)):
			out[i] = o.stored[x-o.first]
		default:
			return nil, fmt.Errorf("hash %d is beyond the tree", x)
		}
	}
	return out, nil
}
