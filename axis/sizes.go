package axis

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/axis/labels"
	"docaxis/internal/inspect"
)

// Sizes says what everything that the axis keeps takes of its disks. It looks at
// every file and counts every row, so it takes a while on a large axis.
func (h *Hub) Sizes(ctx context.Context) (operator.Sizes, error) {
	var out operator.Sizes
	for _, part := range []struct{ name, path string }{
		{"journal", filepath.Join(h.dir, "journal")},
		{"chunks", filepath.Join(h.dir, "content", "chunks")},
		{"parts", filepath.Join(h.dir, "content", "parts")},
		{"content.db", filepath.Join(h.dir, "content", "content.db")},
		{"ledger.db", h.ledgerPath()},
		{"labels.db", filepath.Join(h.dir, labels.FileName)},
		{"revocation", filepath.Join(h.dir, inspect.RevocationFolder)},
	} {
		size, err := sizeOf(ctx, part.name, part.path)
		if err != nil {
			return operator.Sizes{}, err
		}
		out.Parts = append(out.Parts, size)
	}
	out.Streams = h.journal.Tail().Location.Stream
	var err error
	out.Rows, err = h.ledger.RowCounts(ctx)
	return out, err
}

// sizeOf adds up the files below a path; of a database, with what SQLite keeps beside
// it. Files that go while it looks count nothing.
func sizeOf(ctx context.Context, name, path string) (operator.Size, error) {
	s := operator.Size{Name: name}
	paths := []string{path}
	if strings.HasSuffix(path, ".db") {
		paths = append(paths, path+"-wal", path+"-shm")
	}
	for _, p := range paths {
		err := filepath.WalkDir(p, func(_ string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if os.IsNotExist(err) || err == nil && d.IsDir() {
				return nil
			}
			if err != nil {
				return err
			}
			info, err := d.Info()
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			s.Files, s.Bytes = s.Files+1, s.Bytes+uint64(info.Size())
			return nil
		})
		if err != nil {
			return s, err
		}
	}
	return s, nil
}
