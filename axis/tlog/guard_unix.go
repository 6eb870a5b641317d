//go:build unix

package tlog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// lockFile takes a lock that ends with the process, whatever ends it.
func lockFile(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := control(f, func(fd int) error { return syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) }); err != nil {
		return nil, errors.Join(fmt.Errorf("%w (%s): %w", ErrGuardHeld, path, err), f.Close())
	}
	return f, nil
}

// control makes a system call on a file, again where a signal interrupted it.
func control(f *os.File, call func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var callErr error
	err = c.Control(func(fd uintptr) {
		callErr = call(int(fd))
		for errors.Is(callErr, syscall.EINTR) {
			callErr = call(int(fd))
		}
	})
	return errors.Join(err, callErr)
}
