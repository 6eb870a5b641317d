package content

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"docaxis/internal/chunk"
)

const partSuffix = ".part"

func (s *Store) chunkFolder(id chunk.ID) string {
	return filepath.Join(s.dir, "chunks", id.String()[:2])
}

func (s *Store) chunkPath(id chunk.ID) string {
	return filepath.Join(s.chunkFolder(id), id.String())
}

func (s *Store) partPath(endpoint string, id chunk.ID) string {
	return filepath.Join(s.dir, "parts", folderOf(endpoint), id.String()+partSuffix)
}

var plainName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// folderOf is the name of an endpoint's folder: readable where the name is plain,
// else its digest. The prefix keeps the two apart, and both from the names that
// Windows reserves.
func folderOf(endpoint string) string {
	if plainName.MatchString(endpoint) {
		return "e-" + endpoint
	}
	sum := sha256.Sum256([]byte(endpoint))
	return "x-" + hex.EncodeToString(sum[:])
}

// parseName reads the name of a chunk's file.
func parseName(name string) (chunk.ID, bool) {
	raw, err := hex.DecodeString(name)
	if err != nil || strings.ToLower(name) != name {
		return chunk.ID{}, false
	}
	id, err := chunk.ParseID(raw)
	return id, err == nil
}

// fileSize is the size of a file, 0 where there is none.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// eachEntry calls f for every entry of a folder without holding all their names.
func eachEntry(folder string, f func(os.DirEntry) error) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(512)
		for _, e := range entries {
			if err := f(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
