package archive

import (
	"errors"
	"os"
	"path/filepath"

	"docaxis/internal/durable"
	"docaxis/internal/lang"
)

// restoringFile lies in a folder while it is being filled.
const restoringFile = "restoring"

// Folder is a new folder that a restore fills.
type Folder struct {
	dir string
	// made: it was not there before.
	made bool
}

// BeginFolder takes a folder that is empty or not there. Until Done, every other
// restore into it is refused, also after a crash: what lies in it is in no known
// state then.
func BeginFolder(dir string) (Folder, error) {
	entries, err := os.ReadDir(dir)
	made := errors.Is(err, os.ErrNotExist)
	if err != nil && !made {
		return Folder{}, err
	}
	if err := refuse(dir, entries); err != nil {
		return Folder{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Folder{}, err
	}
	f, err := os.OpenFile(filepath.Join(dir, restoringFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Folder{}, err
	}
	return Folder{dir, made}, errors.Join(f.Close(), durable.SyncDir(dir))
}

func refuse(dir string, entries []os.DirEntry) error {
	if _, err := os.Lstat(filepath.Join(dir, restoringFile)); err == nil {
		return lang.Errorf("Lần khôi phục trước vào %s bị ngắt giữa chừng (hoặc đang chạy). Hãy xóa thư mục này rồi chạy lại.",
			"An earlier restore into %s was interrupted, or still runs. Delete this folder, then run this again.", dir).Because(ErrExists)
	}
	for _, e := range entries {
		if e.Name() != "lost+found" {
			return lang.Errorf("Thư mục %s không trống; không có gì thay đổi. Hãy nêu một thư mục mới bằng --dir: khôi phục không bao giờ ghi đè.",
				"Folder %s is not empty; nothing was changed. Name a new folder with --dir: a restore never overwrites.", dir).Because(ErrExists)
		}
	}
	return nil
}

// Done says that the folder holds all that it is to hold.
func (f Folder) Done() error {
	return errors.Join(os.Remove(filepath.Join(f.dir, restoringFile)), durable.SyncDir(f.dir))
}

// Undo leaves the folder as it was before.
func (f Folder) Undo() error {
	if f.made {
		return os.RemoveAll(f.dir)
	}
	entries, err := os.ReadDir(f.dir)
	for _, e := range entries {
		if e.Name() != "lost+found" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(f.dir, e.Name())))
		}
	}
	return err
}
