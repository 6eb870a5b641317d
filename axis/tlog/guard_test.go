package tlog

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openGuard(t *testing.T, path string) *Guard {
	t.Helper()
	g, err := OpenGuard(path)
	must(t, err)
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// reopen is a start after whatever happened to g.
func reopen(t *testing.T, g *Guard, path string) *Guard {
	t.Helper()
	must(t, g.Close())
	return openGuard(t, path)
}

func guardState(n uint64) GuardState {
	return GuardState{
		Epoch: 3, Size: 100 * n, Root: sha256.Sum256(fmt.Appendf(nil, "root %d", n)),
		Block: n, BlockDigest: sha256.Sum256(fmt.Appendf(nil, "block %d", n)), TimeMS: int64(1_000_000 + n),
	}
}

func wantState(t *testing.T, g *Guard, want GuardState) {
	t.Helper()
	got, ok, err := g.Read()
	must(t, err)
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("guard has a state: %v, not the one wanted:\n%s", ok, diff)
	}
}

func TestGuardRemembersTheLastState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	if got, ok, err := g.Read(); ok || err != nil {
		t.Errorf("a new guard says %v, %v, %v", got, ok, err)
	}
	for n := uint64(1); n <= 9; n++ {
		must(t, g.Write(guardState(n)))
		wantState(t, g, guardState(n))
		g = reopen(t, g, path)
		wantState(t, g, guardState(n))
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Size() != guardBytes || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has %d bytes, mode %v", info.Size(), info.Mode())
	}
}

// Power may fail after any number of a slot's bytes; what was there before stays
// behind them. The state before is still told, and the guard goes on from it.
func TestTornWriteLeavesTheStateBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	must(t, g.Write(guardState(1)))
	must(t, g.Write(guardState(2)))
	before, err := os.ReadFile(path)
	must(t, err)
	must(t, g.Write(guardState(3)))
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before[slotSpan:], after[slotSpan:]) {
		t.Fatal("the third write touched the second slot")
	}
	must(t, g.Close())
	for _, junk := range []bool{false, true} {
		for n := range slotBytes {
			torn := bytes.Clone(before)
			copy(torn, after[:n])
			if junk {
				copy(torn[n:], bytes.Repeat([]byte{0xa5}, slotBytes-n))
			}
			must(t, os.WriteFile(path, torn, 0o600))
			g, err := OpenGuard(path)
			must(t, err)
			want := guardState(2)
			if bytes.Equal(torn, after) { // the rest was the same by chance
				want = guardState(3)
			}
			wantState(t, g, want)
			must(t, g.Write(guardState(4)))
			g = reopen(t, g, path)
			wantState(t, g, guardState(4))
			must(t, g.Close())
		}
	}
}

func TestEveryAlteredByteOfASlotIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	must(t, g.Write(guardState(1)))
	must(t, g.Write(guardState(2)))
	good, err := os.ReadFile(path)
	must(t, err)
	must(t, g.Close())
	for i := range slotBytes {
		altered := bytes.Clone(good)
		altered[slotSpan+i] ^= 0x10
		must(t, os.WriteFile(path, altered, 0o600))
		g, err := OpenGuard(path)
		must(t, err)
		wantState(t, g, guardState(1))
		must(t, g.Close())
	}
}

func TestGuardWithoutAGoodSlotSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	must(t, g.Write(guardState(1)))
	must(t, g.Write(guardState(2)))
	must(t, g.Close())
	b, err := os.ReadFile(path)
	must(t, err)
	b[20]++
	b[slotSpan+20]++
	must(t, os.WriteFile(path, b, 0o600))
	g = openGuard(t, path)
	if got, ok, err := g.Read(); ok || !errors.Is(err, ErrGuardLost) {
		t.Errorf("the guard says %v, %v, %v; want ErrGuardLost", got, ok, err)
	}
	// The new epoch that the caller then opens is remembered.
	s := guardState(1)
	s.Epoch = 4
	must(t, g.Write(s))
	g = reopen(t, g, path)
	wantState(t, g, s)
}

func TestGuardTornOnItsFirstWriteSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	b := make([]byte, guardBytes)
	copy(b, slot{seq: 1, state: guardState(1)}.bytes()[:40])
	must(t, os.WriteFile(path, b, 0o600))
	if _, ok, err := openGuard(t, path).Read(); ok || !errors.Is(err, ErrGuardLost) {
		t.Errorf("the guard says %v, %v; want ErrGuardLost", ok, err)
	}
}

func TestFileThatIsNoGuardIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	must(t, os.WriteFile(path, []byte("something else"), 0o600))
	if _, err := OpenGuard(path); err == nil {
		t.Fatal("it was opened")
	}
	b, err := os.ReadFile(path)
	must(t, err)
	if string(b) != "something else" {
		t.Errorf("it was changed to %q", b)
	}
	// The refusal does not keep the lock.
	must(t, os.Remove(path))
	openGuard(t, path)
}

func TestGuardIsForOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	if second, err := OpenGuard(path); err == nil {
		_ = second.Close()
		t.Fatal("a second opening was let in")
	}
	must(t, g.Write(guardState(1)))
	reopen(t, g, path)
}

func TestGuardDoesNotGoBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	must(t, g.Write(guardState(5)))
	must(t, g.Write(guardState(5))) // the same again is the same history
	for name, edit := range map[string]func(*GuardState){
		"smaller":       func(s *GuardState) { s.Size-- },
		"another root":  func(s *GuardState) { s.Root[0]++ },
		"earlier epoch": func(s *GuardState) { s.Epoch, s.Size = 2, 10000 },
	} {
		s := guardState(5)
		edit(&s)
		if err := g.Write(s); !errors.Is(err, ErrGuardBehind) {
			t.Errorf("%s: error %v, want ErrGuardBehind", name, err)
		}
	}
	wantState(t, g, guardState(5))
	shorter := guardState(1)
	shorter.Epoch = 4 // a new epoch may begin before what was lost
	must(t, g.Write(shorter))
	g = reopen(t, g, path)
	wantState(t, g, shorter)
	if err := g.Write(guardState(9)); !errors.Is(err, ErrGuardBehind) {
		t.Errorf("back to the epoch before: error %v, want ErrGuardBehind", err)
	}
}

// A failed write may have reached the disk or not. The guard takes no further
// one, and the next start finds one of the two states.
func TestGuardStopsAfterAFailedWrite(t *testing.T) {
	for point, want := range map[string]GuardState{
		"write.before": guardState(1),
		"write.after":  guardState(2),
		"sync.before":  guardState(2),
		"sync.after":   guardState(2),
	} {
		t.Run(point, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "guard")
			g := openGuard(t, path)
			must(t, g.Write(guardState(1)))
			full := errors.New("disk is full")
			g.Faults = func(p string) error {
				if p == point {
					return full
				}
				return nil
			}
			if err := g.Write(guardState(2)); !errors.Is(err, full) || !errors.Is(err, ErrGuardFailed) {
				t.Errorf("error %v, want ErrGuardFailed for a full disk", err)
			}
			g.Faults = nil
			if err := g.Write(guardState(3)); !errors.Is(err, ErrGuardFailed) {
				t.Errorf("a further write: error %v, want ErrGuardFailed", err)
			}
			if _, _, err := g.Read(); !errors.Is(err, ErrGuardFailed) {
				t.Errorf("reading: error %v, want ErrGuardFailed", err)
			}
			g = reopen(t, g, path)
			wantState(t, g, want)
		})
	}
}

// A guard that cannot be read must never look like one without a state.
func TestGuardThatCannotBeReadSaysSo(t *testing.T) {
	g := openGuard(t, filepath.Join(t.TempDir(), "guard"))
	must(t, g.Write(guardState(1)))
	must(t, g.file.Close())
	if _, ok, err := g.Read(); ok || err == nil {
		t.Errorf("the guard says %v, %v; want an error", ok, err)
	}
}

func TestGuardReportsAWriteThatFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	readOnly, err := os.Open(path)
	must(t, err)
	must(t, g.file.Close())
	g.file = readOnly
	if err := g.Write(guardState(1)); !errors.Is(err, ErrGuardFailed) {
		t.Errorf("error %v, want ErrGuardFailed", err)
	}
}

func TestGuardInNoFolderIsRefused(t *testing.T) {
	if _, err := OpenGuard(filepath.Join(t.TempDir(), "none", "guard")); err == nil {
		t.Error("it was opened")
	}
}
