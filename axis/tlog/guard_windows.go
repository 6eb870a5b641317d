package tlog

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// lockFile opens a file that nobody else may open until it is closed, or its
// process ends: a share mode of nothing.
func lockFile(path string) (io.Closer, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("lock file %s: %w", path, err)
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, fmt.Errorf("%w (%s): %w", ErrGuardHeld, path, err)
	}
	return os.NewFile(uintptr(h), path), nil
}
