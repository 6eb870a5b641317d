package content

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"docaxis/internal/chunk"
)

// errEnough ends a look that has seen as much as it was to see.
var errEnough = errors.New("enough")

// Look hashes chunks in a content store's folder, at most so many (0: all), and gives
// the paths of those that are not what their name says. It opens no database and
// changes nothing; the store may be in use. A folder that is not there has none.
func Look(ctx context.Context, dir string, most int) (looked int, wrong []string, err error) {
	s := &Store{dir: dir}
	err = s.eachChunk(func(path string, id chunk.ID, ok bool) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if most > 0 && looked == most {
			return errEnough
		}
		good, err := ok, error(nil)
		if ok {
			good, err = lookChunk(path, id)
		}
		if looked++; !good && err == nil {
			wrong = append(wrong, path)
		}
		return err
	})
	if errors.Is(err, errEnough) || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return looked, wrong, err
}

func lookChunk(path string, id chunk.ID) (good bool, err error) {
	f, err := os.Open(filepath.Clean(path))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // removed meanwhile
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	return verifyOpen(f, id)
}
