package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"docaxis/internal/durable"
	"docaxis/internal/fault"
)

// Create makes a file that write fills. What was written is read again from the
// file and given to check, decrypted, before the file gets its name: under that
// name there never is one that is not whole and right. A file that is there already
// is left alone (ErrExists).
//
// Fault points: archive.write, archive.check and archive.commit, each .before.
func Create(path string, p Protection, faults fault.Hook, write func(io.Writer) error, check func(io.Reader) error) error {
	to, err := p.recipients()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return exists(path, err)
	}
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".tmp-backup-*")
	if err != nil {
		return DiskError(folder, err)
	}
	err = fill(f, faults, func(w io.Writer) (reopen, error) {
		out, again, err := encrypt(w, to)
		if err != nil {
			return nil, err
		}
		if err := write(out); err != nil {
			return nil, err
		}
		return again, out.Close()
	}, check)
	if err == nil {
		// Whoever made a file of this name meanwhile keeps it.
		if _, there := os.Lstat(path); !errors.Is(there, os.ErrNotExist) {
			err = exists(path, there)
		}
	}
	return DiskError(folder, durable.Commit(f, path, err))
}

type reopen = func(io.Reader) (io.Reader, error)

func fill(f *os.File, faults fault.Hook, write func(io.Writer) (reopen, error), check func(io.Reader) error) error {
	if err := faults.At("archive.write.before"); err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 256<<10)
	again, err := write(b)
	if err = errors.Join(err, b.Flush()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := faults.At("archive.check.before"); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the backup again: %w", err)
	}
	r, err := again(bufio.NewReaderSize(f, 256<<10))
	if err != nil {
		return fmt.Errorf("read the backup again: %w", err)
	}
	if err := check(r); err != nil {
		return fmt.Errorf("the backup that was written does not read back: %w", err)
	}
	return faults.At("archive.commit.before")
}

// Open gives the container in a file, decrypted, as a stream that the caller
// closes.
func Open(path string, k Keys) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := decrypt(f, k)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return opened{r, f}, nil
}

type opened struct {
	io.Reader
	io.Closer
}
