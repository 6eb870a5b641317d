package tlog

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// LookGuard reads a guard file that may be in use, changes nothing and takes no lock. It
// gives the newest state that was written whole; false where none ever was, or there
// is no file. ErrNoGuard and ErrGuardLost: see there. An axis that is writing
// meanwhile spoils at worst the slot that is not the newest.
func LookGuard(path string) (GuardState, bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return GuardState{}, false, nil
	}
	if err != nil {
		return GuardState{}, false, fmt.Errorf("look at the guard: %w", err)
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return GuardState{}, false, fmt.Errorf("look at the guard: %w", err)
	}
	if size != guardBytes {
		return GuardState{}, false, fmt.Errorf("%w: %s has %d bytes", ErrNoGuard, path, size)
	}
	s, _, err := (&Guard{file: f}).load()
	return s.state, s.seq > 0, err
}
