package cli

import (
	"math"
	"runtime/debug"
	"testing"
)

// settings gives the collector's, and puts them back when the test ends.
func settings(t *testing.T) func() (percent int, limit int64) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	debug.SetMemoryLimit(math.MaxInt64)
	return func() (int, int64) {
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		return now, debug.SetMemoryLimit(-1)
	}
}

func TestGarbageIsCollectedSeldom(t *testing.T) {
	now := settings(t)
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	CollectSeldom()
	if percent, limit := now(); percent != collectPercent || limit != memoryLimit {
		t.Errorf("%d %%, %d bytes", percent, limit)
	}
}

func TestTheEnvironmentDecidesAboutGarbage(t *testing.T) {
	now := settings(t)
	t.Setenv("GOGC", "50")
	t.Setenv("GOMEMLIMIT", "1GiB")
	CollectSeldom()
	if percent, limit := now(); percent != 100 || limit != math.MaxInt64 {
		t.Errorf("%d %%, %d bytes, although the environment says something else", percent, limit)
	}
}
