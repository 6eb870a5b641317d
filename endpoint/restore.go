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
)

// RestoreOptions say what opens a backup.
type RestoreOptions struct {
	Keys archive.Keys
	// Faults at restore.identity.before.
	Faults fault.Hook
}

// Restore makes an endpoint out of a backup in a folder that is empty or not there.
// It has checked all of it before the folder can be started; an error leaves the
// folder as it was.
func Restore(ctx context.Context, path, dir string, o RestoreOptions) (backup.Report, error) {
	in, err := archive.Open(path, o.Keys)
	if err != nil {
		return backup.Report{}, err
	}
	defer in.Close()
	folder, err := archive.BeginFolder(dir)
	if err != nil {
		return backup.Report{}, err
	}
	report, err := fillFolder(ctx, dir, in, o.Faults)
	if err != nil {
		return report, errors.Join(archive.DiskError(dir, err), folder.Undo())
	}
	return report, folder.Done()
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
	return report, syncBodies(dir)
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
		for _, f := range seal.files() {
			if f != "" && !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all, nil
}
