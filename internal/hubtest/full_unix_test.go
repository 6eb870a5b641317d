//go:build unix

package hubtest_test

import (
	"os/signal"
	"syscall"
)

// fillDisk makes every write fail that would make a file grow, or that goes to a place
// beyond its beginning, for the rest of this process.
func fillDisk() error {
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1, Max: 1})
}
