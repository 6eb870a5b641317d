//go:build unix

package signer

import (
	"os"

	"golang.org/x/sys/unix"
)

// Stdout takes standard output away from everybody else in the process and gives it to
// the caller: a module that prints would print into the conversation. Call it once,
// before a module is loaded.
func Stdout() (*os.File, error) {
	fd, err := unix.Dup(1)
	if err != nil {
		return nil, err
	}
	if err := unix.Dup2(2, 1); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "signer"), nil
}
