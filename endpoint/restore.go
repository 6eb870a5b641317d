package endpoint

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"docaxis/endpoint/backup"
	"docaxis/endpoint/link"
	"docaxis/internal/archive"
	"docaxis/internal/durable"
	"docaxis/internal/fault"
	"docaxis/internal/lang"
)

// RestoreOptions say what opens a backup.
type RestoreOptions struct {
	Keys archive.Keys
	// Faults at restore.identity.before.
	Faults fault.Hook
}

// restoringFile lies in a folder while it is being filled.
const restoringFile = "restoring"

// Restore makes an endpoint out of a backup in a folder that is empty or not there.
// It has checked all of it before the folder can be started; an error leaves the
// folder as it was.
func Restore(ctx context.Context, path, dir string, o RestoreOptions) (backup.Report, error) {
	in, err := archive.Open(path, o.Keys)
	if err != nil {
		return backup.Report{}, err
	}
	defer in.Close()
	undo, err := beginFolder(dir)
	if err != nil {
		return backup.Report{}, err
	}
	report, err := fillFolder(ctx, dir, in, o.Faults)
	if err != nil {
		return report, errors.Join(archive.DiskError(dir, err), undo())
	}
	return report, nil
}

func beginFolder(dir string) (undo func() error, err error) {
	entries, err := os.ReadDir(dir)
	made := errors.Is(err, os.ErrNotExist)
	if err != nil && !made {
		return nil, err
	}
	for _, e := range entries {
		switch e.Name() {
		case "lost+found":
		case restoringFile:
			return nil, lang.Errorf("Lần khôi phục trước vào %s bị ngắt giữa chừng (hoặc đang chạy). Hãy xóa thư mục này rồi chạy lại.",
				"An earlier restore into %s was interrupted, or still runs. Delete this folder, then run this again.", dir)
		default:
			return nil, lang.Errorf("Thư mục %s không trống; không có gì thay đổi. Hãy nêu một thư mục mới bằng --dir: khôi phục không bao giờ ghi đè.",
				"Folder %s is not empty; nothing was changed. Name a new folder with --dir: a restore never overwrites.", dir)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, restoringFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return func() error { return clearFolder(dir, made) }, errors.Join(f.Close(), durable.SyncDir(dir))
}

func clearFolder(dir string, made bool) error {
	if made {
		return os.RemoveAll(dir)
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != "lost+found" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// waitingIdentity holds the identity until the rest is right: without one, the
// folder is no endpoint's.
const waitingIdentity = "identity.restoring"

func fillFolder(ctx context.Context, dir string, in io.Reader, faults fault.Hook) (backup.Report, error) {
	if err := os.Mkdir(filepath.Join(dir, waitingIdentity), 0o700); err != nil {
		return backup.Report{}, err
	}
	report, err := backup.Read(ctx, in, func(name string, _ int64, r io.Reader) error {
		if rest, ok := strings.CutPrefix(name, backup.IdentityPrefix); ok {
			name = waitingIdentity + "/" + rest
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		_, err := durable.Copy(to, r, 0o600)
		return err
	})
	if err != nil {
		return report, err
	}
	if err := judge(filepath.Join(dir, backup.StoreName)); err != nil {
		return report, err
	}
	if err := faults.At("restore.identity.before"); err != nil {
		return report, err
	}
	err = os.Rename(filepath.Join(dir, waitingIdentity), filepath.Join(dir, "identity"))
	if err == nil {
		_, err = link.LoadIdentity(dir)
	}
	if err != nil {
		return report, archive.Damaged(err)
	}
	return report, errors.Join(syncBodies(dir), os.Remove(filepath.Join(dir, restoringFile)), durable.SyncDir(dir))
}

// syncBodies makes the names of the folders durable that Copy does not sync.
func syncBodies(dir string) error {
	var errs []error
	for _, folder := range []string{"content", "content/files"} {
		err := durable.SyncDir(filepath.Join(dir, filepath.FromSlash(folder)))
		if !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// SealFiles are the keys of the seals as the settings of a folder name them. A
// backup does not have them.
func SealFiles(dir string) ([]string, error) {
	s, err := LoadSettings(dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, seal := range s.Seals {
		for _, f := range []string{seal.Key, seal.Certificate, seal.PasswordFile} {
			if f != "" && !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all, nil
}
