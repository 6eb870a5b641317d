package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/backup"
	"docaxis/endpoint/directory"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/endpoint/store"
	"docaxis/endpoint/systems"
	"docaxis/internal/archive"
	"docaxis/internal/fault"
	"docaxis/proto/axispb"
)

// Store implements clerk.Keeper.
func (d desk) Store(_ context.Context, to func(size int64) io.Writer) error {
	return d.a.db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(to(tx.Size()))
		return err
	})
}

// RestingStore writes the store of an endpoint that does not run, as Keeper.Store
// does for one that runs; store.ErrInUse where one does.
func RestingStore(dir string, w io.Writer) error {
	db, err := store.Open(filepath.Join(dir, backup.StoreName))
	if err != nil {
		return err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
	return errors.Join(err, db.Close())
}

// BackupOptions say how a backup is made.
type BackupOptions struct {
	Protection     archive.Protection
	WithoutContent bool
	Now            func() time.Time
	Faults         fault.Hook
}

// Backup writes a backup of the endpoint in dir to a new file, reads that again and
// checks it, and only then gives it its name. give writes the store as it is at one
// moment. Errors leave nothing under the name.
func Backup(ctx context.Context, dir, path string, give func(io.Writer) error, o BackupOptions) (report backup.Report, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	id, err := link.LoadIdentity(dir)
	if err != nil {
		return report, err
	}
	spool, err := spoolStore(filepath.Dir(path), give)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.Remove(spool)) }()
	at, err := checkStore(spool)
	if err != nil {
		return report, fmt.Errorf("the store does not hold together, so it is not backed up: %w", err)
	}
	src := backup.Source{
		Dir: dir, Store: spool, Name: id.Endpoint, Now: o.Now(), WithoutContent: o.WithoutContent,
		Epoch: at.GetSeen().GetEpoch(), Size: at.GetSeen().GetSize(), Root: at.GetSeen().GetRoot(),
	}
	var written backup.Report
	err = archive.Create(path, o.Protection, o.Faults, func(w io.Writer) (err error) {
		written, err = backup.Write(ctx, w, src)
		return err
	}, func(r io.Reader) (err error) {
		if report, err = verify(ctx, r, filepath.Dir(path)); err != nil {
			return err
		}
		if report.Bodies != written.Bodies {
			return fmt.Errorf("%d bodies were written, %d read", written.Bodies, report.Bodies)
		}
		report.Damaged = written.Damaged
		return nil
	})
	return report, err
}

func spoolStore(folder string, give func(io.Writer) error) (path string, err error) {
	f, err := os.CreateTemp(folder, ".tmp-store-*")
	if err != nil {
		return "", archive.DiskError(folder, err)
	}
	if err := errors.Join(give(f), f.Close()); err != nil {
		return "", errors.Join(archive.DiskError(folder, err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// checkStore opens a copy of a store, as a start does, and looks at every page and
// every invariant. It says how far the endpoint was.
func checkStore(path string) (at *axispb.Progress, err error) {
	defer func() {
		// bbolt trusts its pages; a page that never was one is found this way.
		if r := recover(); r != nil {
			err = fmt.Errorf("the store cannot be read: %v", r)
		}
	}()
	db, err := store.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.Update(context.Background(), func(tx *bbolt.Tx) error {
		return errors.Join(outbox.Init(tx), inbox.Init(tx), directory.Init(tx), systems.Init(tx))
	})
	if err != nil {
		return nil, err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		var found []error
		for err := range tx.Check() {
			found = append(found, err)
		}
		if err := errors.Join(found...); err != nil {
			return err
		}
		if at, err = store.Progress(tx); err != nil {
			return err
		}
		return errors.Join(outbox.Check(tx), inbox.Check(tx, at.GetCounter()), directory.Check(tx), systems.Check(tx))
	})
	return at, err
}

// VerifyBackup checks a backup without restoring it.
func VerifyBackup(ctx context.Context, path string, keys archive.Keys) (backup.Report, error) {
	r, err := archive.Open(path, keys)
	if err != nil {
		return backup.Report{}, err
	}
	defer r.Close()
	return verify(ctx, r, os.TempDir())
}

// verify reads a backup to its end, and then judges the store in it.
func verify(ctx context.Context, r io.Reader, temp string) (report backup.Report, err error) {
	f, err := os.CreateTemp(temp, ".tmp-store-*")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	report, err = backup.Read(ctx, r, func(name string, _ int64, r io.Reader) error {
		if name != backup.StoreName {
			return nil
		}
		_, err := io.Copy(f, r)
		return err
	})
	if err = errors.Join(err, f.Close()); err != nil {
		return report, err
	}
	return report, judge(f.Name())
}

// judge checks the store of a backup whose digests are right already.
func judge(path string) error {
	_, err := checkStore(path)
	if err == nil || errors.Is(err, store.ErrNewer) {
		return err
	}
	return archive.Damaged(err)
}
