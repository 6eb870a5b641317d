package tlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"docaxis/internal/durable"
	"docaxis/internal/fault"
)

// ErrGuardLost means that the guard file is there and tells nothing: what the log
// signed last is not known. The caller goes on as without a guard: it opens a new
// epoch before it signs anything.
var ErrGuardLost = errors.New("the guard can no longer be read: what was signed last is not known")

// ErrGuardBehind means that a state was refused because the guard already has a
// later one, or another of the same size: signing it would be a second history.
// The caller stops and signs nothing.
var ErrGuardBehind = errors.New("the guard has a later state of the log")

// ErrGuardFailed means that a write before this one failed, so that nobody knows
// what the file has. The caller stops the process; a new start reads the guard.
var ErrGuardFailed = errors.New("the guard failed to be written")

// ErrNoGuard means that the file is something else, or was cut: it is left alone. What
// was signed last is not known. A person decides: put the file back, or move it away,
// which starts a new epoch.
var ErrNoGuard = errors.New("the file is no guard")

// ErrGuardHeld means that another process has the guard open: an axis already runs
// on this folder.
var ErrGuardHeld = errors.New("another process holds the guard")

// GuardState is the last checkpoint that was signed, and the block that led to it.
type GuardState struct {
	Epoch       uint64
	Size        uint64
	Root        [32]byte
	Block       uint64
	BlockDigest [32]byte
	// TimeMS is the journal time of the block's last record.
	TimeMS int64
}

// The file has two slots, in pages of their own, so that a write torn by a power
// cut spoils one slot and never the other.
const (
	guardMagic = "docaxis guard 1\n"
	slotSpan   = 4096
	guardBytes = 2 * slotSpan
	slotBytes  = len(guardMagic) + 8 + 8 + 8 + 32 + 8 + 32 + 8 + sha256.Size
)

// Guard remembers, beside the log key and apart from the journal, what was signed
// last (docs/design.md D5). Each write goes to the slot that does not hold the newest
// state: one write, one sync. Fault points: "write", "sync", each with ".before"
// and ".after".
type Guard struct {
	// Faults is set by tests, before anything is written.
	Faults fault.Hook

	file *os.File
	lock io.Closer

	mu     sync.Mutex // guards what follows
	newest slot       // seq 0: nothing was ever written, or nothing is readable
	at     int        // where newest is: 0 or 1
	failed error
}

// slot is a state with its number in the order of writing, from 1.
type slot struct {
	seq   uint64
	state GuardState
}

// OpenGuard opens the guard file, making an empty one where there is none, and
// keeps every other process out until Close. A file that cannot be a guard is
// refused and left alone.
func OpenGuard(path string) (*Guard, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	f, err := openGuardFile(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("guard: %w", err), lock.Close())
	}
	g := &Guard{file: f, lock: lock}
	if g.newest, g.at, err = g.load(); err != nil && !errors.Is(err, ErrGuardLost) {
		return nil, errors.Join(fmt.Errorf("guard: %w", err), g.Close())
	}
	return g, nil
}

func openGuardFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		// Written in full, so that later writes allocate nothing.
		err = durable.WriteFile(path, make([]byte, guardBytes), 0o600)
	} else if err == nil && info.Size() != guardBytes {
		err = fmt.Errorf("%w: %s has %d bytes: move it away to start without it, in a new epoch", ErrNoGuard, path, info.Size())
	}
	if err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

// Close lets others open the guard.
func (g *Guard) Close() error {
	return errors.Join(g.file.Close(), g.lock.Close())
}

// Read gives the newest state that was written whole; false where none ever was.
// ErrGuardLost and ErrGuardFailed: see there.
func (g *Guard) Read() (GuardState, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return GuardState{}, false, g.failed
	}
	s, _, err := g.load()
	return s.state, s.seq > 0, err
}

// load finds the slot that was written last. A slot that does not bear its
// checksum was torn, or never written: the other counts.
func (g *Guard) load() (slot, int, error) {
	file := make([]byte, guardBytes)
	if _, err := g.file.ReadAt(file, 0); err != nil {
		return slot{}, 0, fmt.Errorf("read guard: %w", err)
	}
	var newest slot
	at := 1 // the first write goes to slot 0
	for i := range 2 {
		if s, ok := parseSlot(file[i*slotSpan:]); ok && s.seq > newest.seq {
			newest, at = s, i
		}
	}
	if newest.seq == 0 && !bytes.Equal(file, make([]byte, guardBytes)) {
		return slot{}, 1, ErrGuardLost
	}
	return newest, at, nil
}

// Write makes a state durable: when it returns nil, the checkpoint may leave. It
// refuses to go back within an epoch, or to an earlier epoch (ErrGuardBehind).
// After any other error the guard is of no more use (ErrGuardFailed): a sync that
// failed may have lost the page, and a further one would hide it.
func (g *Guard) Write(state GuardState) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return g.failed
	}
	if g.newest.seq > 0 {
		if err := checkForward(g.newest.state, state); err != nil {
			return err
		}
	}
	next, at := slot{seq: g.newest.seq + 1, state: state}, 1-g.at
	if err := g.put(next, at); err != nil {
		g.failed = fmt.Errorf("%w: %w", ErrGuardFailed, err)
		return g.failed
	}
	g.newest, g.at = next, at
	return nil
}

func checkForward(old, next GuardState) error {
	switch {
	case next.Epoch > old.Epoch:
		return nil
	case next.Epoch < old.Epoch, next.Size < old.Size, next.Size == old.Size && next.Root != old.Root:
		return fmt.Errorf("%w: epoch %d size %d, after epoch %d size %d", ErrGuardBehind, next.Epoch, next.Size, old.Epoch, old.Size)
	}
	return nil
}

func (g *Guard) put(s slot, at int) error {
	if err := g.Faults.At("write.before"); err != nil {
		return err
	}
	if _, err := g.file.WriteAt(s.bytes(), int64(at*slotSpan)); err != nil {
		return err
	}
	if err := errors.Join(g.Faults.At("write.after"), g.Faults.At("sync.before")); err != nil {
		return err
	}
	if err := syncData(g.file); err != nil {
		return err
	}
	return g.Faults.At("sync.after")
}

func (s slot) bytes() []byte {
	b := make([]byte, 0, slotBytes)
	b = append(b, guardMagic...)
	b = binary.BigEndian.AppendUint64(b, s.seq)
	b = binary.BigEndian.AppendUint64(b, s.state.Epoch)
	b = binary.BigEndian.AppendUint64(b, s.state.Size)
	b = append(b, s.state.Root[:]...)
	b = binary.BigEndian.AppendUint64(b, s.state.Block)
	b = append(b, s.state.BlockDigest[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.state.TimeMS))
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func parseSlot(b []byte) (slot, bool) {
	b = b[:slotBytes]
	body, sum := b[:slotBytes-sha256.Size], b[slotBytes-sha256.Size:]
	if !bytes.HasPrefix(body, []byte(guardMagic)) || sha256.Sum256(body) != [32]byte(sum) {
		return slot{}, false
	}
	r := body[len(guardMagic):]
	number := func() uint64 {
		n := binary.BigEndian.Uint64(r)
		r = r[8:]
		return n
	}
	hash := func() [32]byte {
		h := [32]byte(r)
		r = r[32:]
		return h
	}
	// The members are read in the order in which they were written.
	s := slot{seq: number()}
	s.state.Epoch, s.state.Size = number(), number()
	s.state.Root = hash()
	s.state.Block = number()
	s.state.BlockDigest = hash()
	s.state.TimeMS = int64(number())
	return s, s.seq > 0
}
