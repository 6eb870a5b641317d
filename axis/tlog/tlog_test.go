package tlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"docaxis/internal/evidence"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memory keeps stored hashes by index, and fails as a store does for what it has
// not.
type memory []Hash

func (m memory) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(m)) {
			return nil, fmt.Errorf("no hash %d", x)
		}
		out[i] = m[x]
	}
	return out, nil
}

// generous is storage that has a hash for everything.
type generous struct{}

func (generous) ReadHashes(indexes []int64) ([]Hash, error) { return make([]Hash, len(indexes)), nil }

// unreadable is storage that must not be touched.
type unreadable struct{}

func (unreadable) ReadHashes([]int64) ([]Hash, error) {
	return nil, errors.New("storage was read")
}

func testLeaves(n int) []Hash {
	leaves := make([]Hash, n)
	for i := range leaves {
		leaves[i] = tlog.RecordHash(fmt.Appendf(nil, "leaf %d", i))
	}
	return leaves
}

// rootOf is RFC 6962 section 2.1 word for word, sharing no code with the tree.
func rootOf(leaves []Hash) Hash {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for k*2 < n {
			k *= 2
		}
		left, right := rootOf(leaves[:k]), rootOf(leaves[k:])
		return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
	}
}

// grown is a tree with all it stored.
func grown(t testing.TB, leaves []Hash) (Tree, memory) {
	t.Helper()
	tree, stored, err := Tree{}.Extend(leaves)
	must(t, err)
	return tree, stored
}

func TestRootsOfCertificateTransparency(t *testing.T) {
	inputs := []string{
		"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
	}
	roots := []string{
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	tree := Tree{}
	if got := hex.EncodeToString(hashBytes(tree.Root())); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("root of nothing is %s", got)
	}
	for i, input := range inputs {
		data, err := hex.DecodeString(input)
		must(t, err)
		tree, _, err = tree.Extend([]Hash{tlog.RecordHash(data)})
		must(t, err)
		if got := hex.EncodeToString(hashBytes(tree.Root())); got != roots[i] {
			t.Errorf("root of %d leaves is %s, want %s", i+1, got, roots[i])
		}
	}
}

func hashBytes(h Hash) []byte { return h[:] }

// However the leaves are split into blocks, the stored hashes are those of the
// library, the root is that of the RFC, and a tree loaded anew goes on the same.
func TestExtendIsTheLibrarysTree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		blocks := rapid.SliceOfN(rapid.IntRange(0, 40), 0, 8).Draw(rt, "blocks")
		var (
			tree          Tree
			leaves        []Hash
			ours, library memory
		)
		for i, n := range blocks {
			block := make([]Hash, n)
			for j := range block {
				block[j] = sha256.Sum256(fmt.Appendf(nil, "%d %d", i, j))
				hs, err := tlog.StoredHashesForRecordHash(int64(len(leaves)+j), block[j], library)
				must(t, err)
				library = append(library, hs...)
			}
			before := tree
			next, stored, err := tree.Extend(block)
			must(t, err)
			if got := StoredCount(tree.Size()); got != uint64(len(ours)) {
				rt.Fatalf("first stored index %d, want %d", got, len(ours))
			}
			ours, leaves, tree = append(ours, stored...), append(leaves, block...), next
			if before.Root() != rootOf(leaves[:before.Size()]) {
				rt.Fatalf("the tree before changed")
			}
			loaded, err := Load(tree.Size(), ours)
			must(t, err)
			if loaded.Root() != tree.Root() || tree.Root() != rootOf(leaves) || tree.Size() != uint64(len(leaves)) {
				rt.Fatalf("roots differ at size %d", tree.Size())
			}
			if rapid.Bool().Draw(rt, "restart") {
				tree = loaded
			}
		}
		if !slices.Equal(ours, library) {
			rt.Fatalf("stored hashes differ from the library's")
		}
	})
}

// A block that was not appended after all is built again from the same tree, with
// other records: neither may disturb the other.
func TestExtendLeavesTheTreeAlone(t *testing.T) {
	leaves := testLeaves(7)
	tree, _ := grown(t, leaves)
	a, _, err := tree.Extend([]Hash{{1}})
	must(t, err)
	b, _, err := tree.Extend([]Hash{{2}, {3}})
	must(t, err)
	for name, c := range map[string]struct {
		got  Tree
		want []Hash
	}{
		"before": {tree, leaves},
		"first":  {a, append(slices.Clone(leaves), Hash{1})},
		"second": {b, append(slices.Clone(leaves), Hash{2}, Hash{3})},
	} {
		if c.got.Root() != rootOf(c.want) {
			t.Errorf("%s: root of other leaves", name)
		}
	}
}

func TestLoadRefusesWhatIsNotThere(t *testing.T) {
	_, stored := grown(t, testLeaves(10))
	if _, err := Load(11, stored[:3]); err == nil {
		t.Error("a tree was loaded from part of its hashes")
	}
	if _, err := Load(evidence.MaxTreeSize+1, generous{}); err == nil {
		t.Error("a tree over the limit was loaded")
	}
	if _, err := Load(3, tlog.HashReaderFunc(func([]int64) ([]Hash, error) { return nil, nil })); err == nil {
		t.Error("a tree was loaded from a reader that gives too little")
	}
	tree, err := Load(0, unreadable{})
	must(t, err)
	if tree.Root() != rootOf(nil) {
		t.Error("the empty tree has another root")
	}
}

func TestExtendStopsAtTheLimit(t *testing.T) {
	tree := Tree{size: evidence.MaxTreeSize, edge: []Hash{{1}}}
	if _, _, err := tree.Extend([]Hash{{2}}); err == nil {
		t.Error("a tree over the limit was made")
	}
}

func TestProofsAreAcceptedByWhoChecks(t *testing.T) {
	leaves := testLeaves(33)
	_, stored := grown(t, leaves)
	for size := uint64(0); size <= 33; size++ {
		for leaf := range size {
			p, err := Inclusion(size, leaf, stored)
			must(t, err)
			must(t, evidence.CheckInclusion(p, size, rootOf(leaves[:size]), leaf, leaves[leaf]))
		}
		for from := range size + 1 {
			p, err := Consistency(from, size, stored)
			must(t, err)
			must(t, evidence.CheckConsistency(p, from, rootOf(leaves[:from]), size, rootOf(leaves[:size])))
		}
	}
}

func TestProofsOfNonsenseAreRefused(t *testing.T) {
	_, stored := grown(t, testLeaves(10))
	for name, prove := range map[string]func() ([][]byte, error){
		"leaf outside":      func() ([][]byte, error) { return Inclusion(10, 10, stored) },
		"leaf of nothing":   func() ([][]byte, error) { return Inclusion(0, 0, stored) },
		"endless tree":      func() ([][]byte, error) { return Inclusion(evidence.MaxTreeSize+1, 4, generous{}) },
		"beyond the store":  func() ([][]byte, error) { return Inclusion(1000, 4, stored) },
		"backwards":         func() ([][]byte, error) { return Consistency(9, 8, stored) },
		"to an endless one": func() ([][]byte, error) { return Consistency(9, evidence.MaxTreeSize+1, generous{}) },
		"to beyond":         func() ([][]byte, error) { return Consistency(9, 1000, stored) },
	} {
		if p, err := prove(); err == nil {
			t.Errorf("%s: proof of %d hashes", name, len(p))
		}
	}
}

// A receipt is made before the ledger has the block's hashes.
func TestOverlayProvesWhatIsNotStoredYet(t *testing.T) {
	leaves := testLeaves(40)
	tree, stored := grown(t, leaves[:23])
	next, added, err := tree.Extend(leaves[23:])
	must(t, err)
	r := Overlay(stored, StoredCount(tree.Size()), added)
	for leaf := range next.Size() {
		p, err := Inclusion(next.Size(), leaf, r)
		must(t, err)
		must(t, evidence.CheckInclusion(p, next.Size(), next.Root(), leaf, leaves[leaf]))
	}
	p, err := Consistency(tree.Size(), next.Size(), r)
	must(t, err)
	must(t, evidence.CheckConsistency(p, tree.Size(), tree.Root(), next.Size(), next.Root()))
	if _, err := r.ReadHashes([]int64{int64(StoredCount(40))}); err == nil {
		t.Error("a hash beyond the tree was read")
	}
	if _, err := Overlay(unreadable{}, StoredCount(23), added).ReadHashes([]int64{0}); err == nil {
		t.Error("an error of the store was swallowed")
	}
}

func TestTilePathsOfTheSpecification(t *testing.T) {
	for want, c := range map[string]struct {
		level int
		index uint64
		width int
	}{
		"tile/0/x001/x234/067":     {0, 1234067, 256}, // C2SP tlog-tiles
		"tile/0/273.p/112":         {0, 273, 112},     // its tree of 70,000
		"tile/1/001.p/17":          {1, 1, 17},
		"tile/2/000.p/1":           {2, 0, 1},
		"tile/0/000":               {0, 0, 256},
		"tile/0/999":               {0, 999, 256},
		"tile/0/x001/000.p/255":    {0, 1000, 255},
		"tile/1/x999/x999/999.p/1": {1, 999999999, 1},
	} {
		got, err := TilePath(c.level, c.index, c.width)
		must(t, err)
		if got != want {
			t.Errorf("path %s, want %s", got, want)
		}
	}
	for _, c := range []struct {
		level int
		index uint64
		width int
	}{{-1, 0, 1}, {7, 0, 1}, {0, 0, 0}, {0, 0, 257}, {0, 1 << 60, 1}} {
		if got, err := TilePath(c.level, c.index, c.width); err == nil {
			t.Errorf("%v has path %s", c, got)
		}
	}
}

func TestTilesHaveTheHashesOfTheirLevel(t *testing.T) {
	leaves := testLeaves(256*2 + 7)
	_, stored := grown(t, leaves)
	flat := func(hs ...Hash) []byte {
		var b []byte
		for _, h := range hs {
			b = append(b, h[:]...)
		}
		return b
	}
	for name, c := range map[string]struct {
		level int
		index uint64
		want  []byte
	}{
		"full":    {0, 1, flat(leaves[256:512]...)},
		"partial": {0, 2, flat(leaves[512:]...)},
		"above":   {1, 0, flat(rootOf(leaves[:256]), rootOf(leaves[256:512]))},
	} {
		got, err := ReadTile(c.level, c.index, len(c.want)/tlog.HashSize, stored)
		must(t, err)
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: tile of other hashes", name)
		}
	}
	if _, err := ReadTile(0, 2, 8, stored); err == nil {
		t.Error("a tile beyond the tree was read")
	}
	if _, err := ReadTile(9, 2, 8, stored); err == nil {
		t.Error("a tile of no level was read")
	}
}
