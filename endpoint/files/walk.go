package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Kept is a file of the store.
type Kept struct {
	Digest [sha256.Size]byte
	Bytes  uint64
	// Partial: it is still being fetched, or was.
	Partial bool
}

// Walk calls do for every body and everything that is being fetched, folder by
// folder, until it returns an error. A file that goes meanwhile is passed over, and
// so is one whose name is no digest: it is not this program's.
func (s *Store) Walk(do func(Kept) error) error {
	for i := range 256 {
		if err := walk(filepath.Join(s.bodies(), fmt.Sprintf("%02x", i)), "", do); err != nil {
			return err
		}
	}
	return walk(s.partials(), ".part", do)
}

func walk(folder, suffix string, do func(Kept) error) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("list the file store: %w", err)
	}
	for _, e := range entries {
		name, fits := strings.CutSuffix(e.Name(), suffix)
		digest, err := hex.DecodeString(name)
		if !fits || err != nil || len(digest) != sha256.Size {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("list the file store: %w", err)
		}
		if err := do(Kept{[sha256.Size]byte(digest), uint64(info.Size()), suffix != ""}); err != nil {
			return err
		}
	}
	return nil
}
