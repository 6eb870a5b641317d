package tlog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// /dev/null takes every write and cannot be synced.
func TestGuardReportsASyncThatFailed(t *testing.T) {
	g := openGuard(t, filepath.Join(t.TempDir(), "guard"))
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, err)
	must(t, g.file.Close())
	g.file = null
	if err := g.Write(guardState(1)); !errors.Is(err, ErrGuardFailed) {
		t.Errorf("error %v, want ErrGuardFailed", err)
	}
}
