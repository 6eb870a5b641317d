package diskspace

import (
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
