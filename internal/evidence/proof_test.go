package evidence

import (
	"encoding/hex"
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// Vectors of certificate-transparency (RFC 6962): the tree of eight leaves.
const (
	ctRoot1 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
	ctRoot6 = "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"
	ctRoot8 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
)

func unhex(t *testing.T, hs ...string) [][]byte {
	t.Helper()
	var out [][]byte
	for _, h := range hs {
		b, err := hex.DecodeString(h)
		must(t, err)
		out = append(out, b)
	}
	return out
}

func TestProofsOfCertificateTransparency(t *testing.T) {
	root := func(h string) tlog.Hash { return tlog.Hash(unhex(t, h)[0]) }
	first := unhex(t,
		"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
		"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
		"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")
	six := unhex(t,
		"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
		"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")
	leaf := tlog.RecordHash(nil)
	for name, err := range map[string]error{
		"leaf 0 of 8": CheckInclusion(first, 8, root(ctRoot8), 0, leaf),
		"8 after 1":   CheckConsistency(first, 1, root(ctRoot1), 8, root(ctRoot8)),
		"8 after 6":   CheckConsistency(six, 6, root(ctRoot6), 8, root(ctRoot8)),
		"6 after 6":   CheckConsistency(nil, 6, root(ctRoot6), 6, root(ctRoot6)),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryProofOfASmallTree(t *testing.T) {
	l := newLog(t, 1, log1Seed, &testTree{})
	l.fill(20)
	for size := uint64(1); size <= 20; size++ {
		for leaf := range size {
			h := tlog.RecordHash([]byte(l.origin + " " + itoa(leaf)))
			must(t, CheckInclusion(l.inclusion(size, leaf), size, l.root(size), leaf, h))
			if err := CheckInclusion(l.inclusion(size, leaf), size, l.root(size), (leaf+1)%(size+1), h); !errors.Is(err, ErrNotProven) {
				t.Errorf("leaf %d of %d in another place: error %v", leaf, size, err)
			}
		}
		for from := uint64(1); from <= size; from++ {
			must(t, CheckConsistency(l.consistency(from, size), from, l.root(from), size, l.root(size)))
		}
	}
}

func itoa(n uint64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestWrongProofsAreRefused(t *testing.T) {
	l := newLog(t, 1, log1Seed, &testTree{})
	l.fill(20)
	good, r5, r20 := l.consistency(5, 20), l.root(5), l.root(20)
	var longest [][]byte
	for range maxProof {
		longest = append(longest, make([]byte, tlog.HashSize))
	}
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"another root before":   {CheckConsistency(good, 5, l.root(6), 20, r20), ErrNotProven},
		"another root after":    {CheckConsistency(good, 5, r5, 20, l.root(19)), ErrNotProven},
		"another size before":   {CheckConsistency(good, 6, r5, 20, r20), ErrNotProven},
		"proof too short":       {CheckConsistency(good[1:], 5, r5, 20, r20), ErrNotProven},
		"proof too long":        {CheckConsistency(append(good[:len(good):len(good)], good[0]), 5, r5, 20, r20), ErrNotProven},
		"no proof":              {CheckConsistency(nil, 5, r5, 20, r20), ErrNotProven},
		"short hashes":          {CheckConsistency([][]byte{{1}}, 5, r5, 20, r20), ErrNotProven},
		"smaller after":         {CheckConsistency(good, 20, r20, 5, r5), ErrOlder},
		"two roots at one size": {CheckConsistency(nil, 20, r20, 20, r5), ErrSplitView},
		"endless tree":          {CheckConsistency(longest, 5, r5, 1<<63-1, r20), ErrNotProven},
		"broken and needless":   {CheckConsistency([][]byte{{1}}, 5, r5, 5, r5), ErrNotProven},
		"proof from nothing":    {CheckConsistency(good, 0, EmptyRoot(), 20, r20), ErrNotProven},
		"odd root of nothing":   {CheckConsistency(nil, 0, r5, 20, r20), ErrNotProven},
		"proof of the same":     {CheckConsistency(good, 20, r20, 20, r20), ErrNotProven},
		"leaf outside":          {CheckInclusion(nil, 20, r20, 20, r5), ErrNotProven},
		"leaf of nothing":       {CheckInclusion(nil, 0, EmptyRoot(), 0, r5), ErrNotProven},
		"leaf of endless tree":  {CheckInclusion(longest, 1<<63-1, r20, 1<<62, r5), ErrNotProven},
		"endless inclusion":     {CheckInclusion(append(longest, longest...), 20, r20, 1, r5), ErrNotProven},
		"broken and only leaf":  {CheckInclusion([][]byte{{1}}, 1, r5, 0, r5), ErrNotProven},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: error %v, want %v", name, c.err, c.want)
		}
	}
	if err := CheckConsistency(nil, 0, EmptyRoot(), 20, r20); err != nil {
		t.Errorf("after nothing: %v", err)
	}
}

func (l *testLog) seen(t *testing.T, trust *Trust, size uint64) Checkpoint {
	t.Helper()
	c, err := trust.Checkpoint(l.checkpoint(size))
	must(t, err)
	return c
}

func TestExtendsWithinAnEpoch(t *testing.T) {
	w := newWorld(t)
	w.log.fill(20)
	five, twenty := w.log.seen(t, w.trust, 5), w.log.seen(t, w.trust, 20)
	proof := w.log.consistency(5, 20)
	fork := newLog(t, 1, log1Seed, &testTree{})
	fork.add(tlog.Hash{1})
	fork.fill(29)
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"growth":                   {w.trust.Extends(five, twenty, proof), nil},
		"nothing seen before":      {w.trust.Extends(Checkpoint{}, twenty, nil), nil},
		"the same":                 {w.trust.Extends(twenty, twenty, nil), nil},
		"nothing, but with proof":  {w.trust.Extends(Checkpoint{}, twenty, proof), ErrNotProven},
		"a lagging node":           {w.trust.Extends(twenty, five, nil), ErrOlder},
		"a fork of the same size":  {w.trust.Extends(twenty, fork.seen(t, w.trust, 20), nil), ErrSplitView},
		"a fork of a larger size":  {w.trust.Extends(twenty, fork.seen(t, w.trust, 30), fork.consistency(20, 30)), ErrNotProven},
		"a checkpoint only named":  {w.trust.Extends(mustRef(t, five), twenty, proof), nil},
		"one named by a liar":      {w.trust.Extends(Checkpoint{Epoch: 1, Size: 20, Root: tlog.Hash{1}}, twenty, nil), ErrSplitView},
		"one of an epoch unheard":  {w.trust.Extends(Checkpoint{Epoch: 0, Size: 5, Root: five.Root}, twenty, proof), ErrUnknownEpoch},
		"towards an epoch unheard": {w.trust.Extends(five, Checkpoint{Epoch: 7, Size: 20, Root: twenty.Root}, proof), ErrUnknownEpoch},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: error %v, want %v", name, c.err, c.want)
		}
	}
}

func mustRef(t *testing.T, c Checkpoint) Checkpoint {
	t.Helper()
	named, err := RefCheckpoint(c.Ref())
	must(t, err)
	return named
}

func TestExtendsAcrossEpochs(t *testing.T) {
	w := newWorld(t)
	w.log.fill(20)
	old := func(size uint64) Checkpoint { return w.log.seen(t, w.trust, size) }
	at5, at12, at13, at20 := old(5), old(12), old(13), old(20)
	second := w.reopen(2, log2Seed, 12, at20.Ref())
	second.fill(10)
	now := second.seen(t, w.trust, 22)

	if err := w.trust.Extends(at5, now, second.consistency(5, 22)); err != nil {
		t.Errorf("seen below the base: %v", err)
	}
	if err := w.trust.Extends(at12, now, second.consistency(12, 22)); err != nil {
		t.Errorf("seen up to the base: %v", err)
	}
	if err := w.trust.Extends(at5, now, w.log.consistency(5, 20)); !errors.Is(err, ErrNotProven) {
		t.Errorf("proof of the old epoch: error %v, want ErrNotProven", err)
	}
	if err := w.trust.Extends(now, at5, nil); !errors.Is(err, ErrOlder) {
		t.Errorf("back to the old epoch: error %v, want ErrOlder", err)
	}
	if err := w.trust.Extends(second.seen(t, w.trust, 13), at20, nil); !errors.Is(err, ErrOlder) {
		t.Errorf("back to a larger one of the old epoch: error %v, want ErrOlder", err)
	}
	for _, c := range []Checkpoint{at13, at20} {
		wantLost(t, w.trust.Extends(c, now, nil), 12, c.Size)
	}
	at12.Root[0]++
	if err := w.trust.Extends(at12, now, second.consistency(12, 22)); !errors.Is(err, ErrSplitView) {
		t.Errorf("another root at the base: error %v, want ErrSplitView", err)
	}
}

func wantLost(t *testing.T, err error, from, to uint64) {
	t.Helper()
	var lost *LostRecordsError
	if !errors.As(err, &lost) || lost.From != from || lost.To != to || errors.Is(err, ErrSplitView) {
		t.Errorf("error %v, want lost records %d to %d", err, from, to)
	}
}

// Two disasters: the second epoch is cut back below the first one's end too.
func TestExtendsAcrossTwoEpochs(t *testing.T) {
	w := newWorld(t)
	w.log.fill(20)
	at5, at12, at15 := w.log.seen(t, w.trust, 5), w.log.seen(t, w.trust, 12), w.log.seen(t, w.trust, 15)
	second := w.reopen(2, log2Seed, 14, at15.Ref())
	second.fill(10)
	at18 := second.seen(t, w.trust, 18)
	third := w.reopen(3, log3Seed, 10, at18.Ref())
	third.fill(4)
	now := third.seen(t, w.trust, 14)

	if err := w.trust.Extends(at5, now, third.consistency(5, 14)); err != nil {
		t.Errorf("seen below both bases: %v", err)
	}
	wantLost(t, w.trust.Extends(at12, now, nil), 10, 12)
	wantLost(t, w.trust.Extends(at15, now, nil), 10, 15)
	wantLost(t, w.trust.Extends(at18, now, nil), 10, 18)
	wantLost(t, w.trust.Extends(at15, at18, nil), 14, 15)
}
