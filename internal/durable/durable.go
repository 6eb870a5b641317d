// Package durable owns how a file comes to exist whole or not at all: written
// under a temporary name, synced, renamed, its folder synced.
package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// WriteFile makes path hold data, or leaves what was there. When it returns nil
// the file survives a power cut.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return fmt.Errorf("create a temporary file: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	return Commit(f, path, err)
}

// Commit syncs and closes a temporary file and renames it to path, which must be
// in the same folder. Where cause is not nil, or anything fails, the temporary
// file is removed and the error returned.
func Commit(f *os.File, path string, cause error) error {
	err := cause
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", filepath.Base(path), err), removeIfThere(f.Name()))
	}
	return SyncDir(filepath.Dir(path))
}

// Copy writes what r gives to path, as WriteFile does.
func Copy(path string, r io.Reader, mode os.FileMode) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return 0, fmt.Errorf("create a temporary file: %w", err)
	}
	n, err := io.Copy(f, r)
	if err == nil {
		err = f.Chmod(mode)
	}
	return n, Commit(f, path, err)
}

// SyncDir makes the names in a folder durable. Windows has no such call: there a
// rename is made durable by the file system's own journal.
func SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder to sync: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
