package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"docaxis/internal/durable"
	"docaxis/internal/lang"
)

// keptFolder is where second names of the journal's files are while the server starts.
const keptFolder = "kept"

// kept are second names (hard links) of the journal's blocks. A server that cannot open a
// stream when it starts, because a disk is full or fails for a moment, removes the
// stream's folder, and with it the journal (docs/decisions/0086-second-names-of-the-journal.md).
type kept struct {
	dir string // of the broker
}

func (k kept) folder() string { return filepath.Join(k.dir, keptFolder) }

func (k kept) streams() string {
	return filepath.Join(k.dir, "jetstream", journalAccount, "streams")
}

// keep puts back what an earlier start lost, and gives everything a second name.
func keep(dir string) (kept, error) {
	k := kept{dir}
	if err := k.settle(); err != nil {
		return k, err
	}
	all, err := filepath.Glob(filepath.Join(k.streams(), "*"))
	if err != nil {
		return k, err
	}
	for _, stream := range all {
		if err := k.link(stream); err != nil {
			return k, lang.Errorf("Trước khi khởi động, các tệp sổ ghi trong %s phải được giữ thêm một tên trong %s mà không được. Hãy kiểm tra đĩa (còn chỗ, ghi được) rồi khởi động lại trục; không mất gì.",
				"Before the start the journal's files in %s are given second names in %s, which failed. Check the disk (that it has room and can be written) and start the axis again; nothing is lost.",
				stream, k.folder()).Because(err)
		}
	}
	return k, nil
}

// link gives the blocks of a stream second names, and what describes them. On a file
// system that has no such names, or is another than this folder's, the journal is as
// safe as the server is.
func (k kept) link(stream string) error {
	into := filepath.Join(k.folder(), filepath.Base(stream))
	if err := os.MkdirAll(filepath.Join(into, "msgs"), 0o700); err != nil {
		return err
	}
	for _, pattern := range []string{"meta.*", filepath.Join("msgs", "*.blk")} {
		files, err := filepath.Glob(filepath.Join(stream, pattern))
		if err != nil {
			return err
		}
		for _, path := range files {
			name, err := filepath.Rel(stream, path)
			if err != nil {
				return err
			}
			err = os.Link(path, filepath.Join(into, name))
			if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EXDEV) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// removed lists the streams that had blocks with something in them and have none. One
// that lacks some was cut by the server, which the journal judges.
func (k kept) removed() (names []string, err error) {
	all, err := filepath.Glob(filepath.Join(k.folder(), "*"))
	for _, from := range all {
		name := filepath.Base(from)
		had, err := filled(from)
		if err != nil {
			return nil, err
		}
		has, err := filled(filepath.Join(k.streams(), name))
		if err != nil {
			return nil, err
		}
		if had && !has {
			names = append(names, name)
		}
	}
	return names, err
}

// filled: a stream has a block with something in it.
func filled(stream string) (bool, error) {
	blocks, err := filepath.Glob(filepath.Join(stream, "msgs", "*.blk"))
	for _, path := range blocks {
		info, err := os.Stat(path)
		if err != nil || info.Size() > 0 {
			return err == nil, err
		}
	}
	return false, err
}

// whole is nil where the server removed nothing.
func (k kept) whole() error {
	names, err := k.removed()
	if err != nil || len(names) == 0 {
		return err
	}
	return lang.Errorf("Phần sổ ghi %v không mở được lúc khởi động (đĩa đầy hoặc lỗi ghi) và các tệp của nó đã được giữ lại. Hãy kiểm tra đĩa chứa %s rồi khởi động lại trục; không mất gì.",
		"Part %v of the journal could not be opened at the start (the disk is full, or fails), and its files were kept. Check the disk of %s and start the axis again; nothing is lost.",
		names, k.dir)
}

// settle puts back what the server removed, and drops the second names. The server does
// not run.
func (k kept) settle() error {
	names, err := k.removed()
	if err != nil {
		return err
	}
	for _, name := range names {
		// What is there instead was made after the removal, and nothing was journaled in it.
		to := filepath.Join(k.streams(), name)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := os.MkdirAll(k.streams(), 0o700); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(k.folder(), name), to); err != nil {
			return fmt.Errorf("put %s back: %w", name, err)
		}
	}
	return k.drop()
}

// drop drops the second names: from now on the server removes nothing.
func (k kept) drop() error {
	if _, err := os.Stat(k.folder()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(k.folder()); err != nil {
		return fmt.Errorf("drop second names of the journal: %w", err)
	}
	return durable.SyncDir(k.dir)
}
