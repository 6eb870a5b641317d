package diskspace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// Of asks the operating system about the disk on which a folder is. A quota of the
// user's counts as the disk's end.
func Of(dir string) (Space, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return Space{}, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	var s Space
	if err := windows.GetDiskFreeSpaceEx(path, &s.Free, &s.Total, nil); err != nil {
		return Space{}, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	return s, nil
}

// Exhausted reports whether a write failed for want of room: a full disk, a quota, or
// the largest file that this file system may hold.
func Exhausted(err error) bool {
	for _, full := range []error{
		windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED,
		windows.ERROR_FILE_TOO_LARGE,
	} {
		if errors.Is(err, full) {
			return true
		}
	}
	return false
}
