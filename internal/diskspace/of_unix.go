//go:build !windows

package diskspace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Of asks the operating system about the disk on which a folder is.
func Of(dir string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return Space{}, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	// Bavail, not Bfree: what is kept for root does not help this process.
	size := uint64(s.Bsize)
	return Space{Free: uint64(s.Bavail) * size, Total: uint64(s.Blocks) * size}, nil
}

// Exhausted reports whether a write failed for want of room: a full disk, a quota, or
// the largest file that this process or file system may make.
func Exhausted(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}
