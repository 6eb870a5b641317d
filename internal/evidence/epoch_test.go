package evidence

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"docaxis/proto/axispb"
)

// previous is a checkpoint that an epoch may name as before it.
func previous(epoch, size uint64) *axispb.CheckpointRef {
	return &axispb.CheckpointRef{Epoch: epoch, Size: size, Root: digest("root")}
}

func TestEpochsFollowEachOther(t *testing.T) {
	w := newWorld(t)
	w.log.fill(9)
	w.reopen(2, log2Seed, 6, previous(1, 9))
	w.reopen(3, log3Seed, 8, previous(2, 8))
	if e, ok := w.trust.Newest(); !ok || e.Number != 3 {
		t.Errorf("newest %v, want 3", e)
	}
	if e, ok := w.trust.Epoch(2); !ok || e.BaseSize != 6 {
		t.Errorf("epoch 2 is %v", e)
	}
	if _, ok := w.trust.Epoch(4); ok {
		t.Error("there is an epoch 4")
	}
	if all := w.trust.Epochs(); len(all) != 3 || all[0].Number != 1 || all[2].Number != 3 {
		t.Errorf("epochs %v", all)
	}
}

func TestEpochKnownAlreadyIsNoError(t *testing.T) {
	w := newWorld(t)
	raw := marshal(t, w.log.epoch(1, 0, nil))
	// Signed anew: the CA's signatures differ each time.
	e, err := w.trust.AddEpoch(w.ca.signRaw(raw))
	must(t, err)
	if e.Number != 1 || len(w.trust.Epochs()) != 1 {
		t.Errorf("epoch %v, %d in all", e, len(w.trust.Epochs()))
	}
}

func TestNoEpochIsNewestOfNone(t *testing.T) {
	if e, ok := NewTrust(newAuthority(t, caSeed).cert).Newest(); ok {
		t.Errorf("newest of no epochs is %v", e)
	}
}

func TestTwoEpochsOfOneNumberAreASplitView(t *testing.T) {
	w := newWorld(t)
	other := newLog(t, 2, log2Seed, &testTree{})
	if _, err := w.trust.AddEpoch(w.ca.sign(other.epoch(1, 0, nil))); !errors.Is(err, ErrSplitView) {
		t.Errorf("same number: error %v, want ErrSplitView", err)
	}
	e := w.log.epoch(2, 0, previous(1, 3))
	if _, err := w.trust.AddEpoch(w.ca.sign(e)); !errors.Is(err, ErrSplitView) {
		t.Errorf("same origin and key: error %v, want ErrSplitView", err)
	}
	if got := len(w.trust.Epochs()); got != 1 {
		t.Errorf("%d epochs, want 1", got)
	}
}

// A restored axis takes its number from the clock, and names what it knew before:
// whoever knows less, or more, can go on all the same.
func TestGapsBetweenEpochsMeanNothing(t *testing.T) {
	const byTheClock = 20261122013000
	w := newWorld(t)
	restored := newLog(t, byTheClock, log3Seed, &testTree{})
	if _, err := w.trust.AddEpoch(w.ca.sign(restored.epoch(byTheClock, 0, previous(1, 9)))); err != nil {
		t.Errorf("after a restore: %v", err)
	}
	second := newLog(t, 2, log2Seed, &testTree{})
	if _, err := w.trust.AddEpoch(w.ca.sign(second.epoch(2, 0, previous(1, 9)))); err != nil {
		t.Errorf("what the backup lacked: %v", err)
	}
	if e, _ := w.trust.Newest(); e.GetNumber() != byTheClock {
		t.Errorf("newest is %v, want %d", e, uint64(byTheClock))
	}
}

func TestEpochAgainstTheRulesIsRefused(t *testing.T) {
	cases := map[string]func(*axispb.Epoch){
		"version":             func(e *axispb.Epoch) { e.Version = 2 },
		"number 0":            func(e *axispb.Epoch) { e.Number = 0 },
		"no time":             func(e *axispb.Epoch) { e.OpenedMs = 0 },
		"no origin":           func(e *axispb.Epoch) { e.Origin = "" },
		"origin of two lines": func(e *axispb.Epoch) { e.Origin += "\n" },
		"long origin":         func(e *axispb.Epoch) { rename(t, e, strings.Repeat("x", 256)) },
		"control character":   func(e *axispb.Epoch) { rename(t, e, "axis\x01") },
		"key of other origin": func(e *axispb.Epoch) { e.Origin = "axis.example/log/other" },
		"no key":              func(e *axispb.Epoch) { e.VerifierKey = "" },
		"altered key":         func(e *axispb.Epoch) { e.VerifierKey = e.VerifierKey[:len(e.VerifierKey)-4] + "AAA=" },
		"short base root":     func(e *axispb.Epoch) { e.BaseRoot = e.BaseRoot[:31] },
		"root of nothing":     func(e *axispb.Epoch) { e.BaseSize, e.BaseRoot = 0, digest("something") },
		"base without end":    func(e *axispb.Epoch) { e.BaseSize = MaxTreeSize + 1 },
		"nothing before it":   func(e *axispb.Epoch) { e.Previous = nil },
		"itself before it":    func(e *axispb.Epoch) { e.Previous.Epoch = 2 },
		"no epoch before it":  func(e *axispb.Epoch) { e.Previous.Epoch = 0 },
		"no root before it":   func(e *axispb.Epoch) { e.Previous.Root = nil },
		"first with before":   func(e *axispb.Epoch) { e.Number, e.BaseSize, e.BaseRoot = 1, 0, digest("") },
		"first with a base":   func(e *axispb.Epoch) { e.Number, e.Previous = 1, nil },
		"unknown member":      func(e *axispb.Epoch) { e.ProtoReflect().SetUnknown([]byte{0xf8, 0x07, 0x01}) },
	}
	ca := newAuthority(t, caSeed)
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, 2, log2Seed, &testTree{})
			e := l.epoch(2, 0, previous(1, 9))
			e.BaseSize, e.BaseRoot = 6, digest("base")
			edit(e)
			if CheckEpoch(e) == nil && name != "unknown member" {
				t.Error("it keeps the rules")
			}
			// Nothing else is known that could be in the way.
			if got, err := NewTrust(ca.cert).AddEpoch(ca.sign(e)); err == nil {
				t.Errorf("accepted: %v", got)
			}
		})
	}
}

// rename gives an epoch another origin, with a key that fits.
func rename(t *testing.T, e *axispb.Epoch, origin string) {
	t.Helper()
	_, vkey, err := note.GenerateKey(rand.Reader, origin)
	must(t, err)
	e.Origin, e.VerifierKey = origin, vkey
}

func TestEpochMustBeSignedByTheCA(t *testing.T) {
	w := newWorld(t)
	l := newLog(t, 2, log2Seed, &testTree{})
	e := l.epoch(2, 0, previous(1, 9))
	if _, err := w.trust.AddEpoch(newAuthority(t, otherCASeed).sign(e)); err == nil {
		t.Error("another CA's was accepted")
	}
	good := w.ca.sign(e)
	for i := range good {
		altered := bytes.Clone(good)
		altered[i] ^= 0x01
		if _, err := w.trust.AddEpoch(altered); err == nil {
			t.Errorf("byte %d of %d altered: accepted", i, len(good))
		}
	}
	if _, err := w.trust.AddEpoch(make([]byte, MaxSignedEpoch+1)); err == nil {
		t.Error("an overlong one was accepted")
	}
	if _, err := w.trust.AddEpoch(append(bytes.Clone(good), 0xf8, 0x07, 0x01)); err == nil {
		t.Error("one with an unknown member was accepted")
	}
	if _, err := w.trust.AddEpoch(good); err != nil {
		t.Errorf("the unaltered one: %v", err)
	}
}
