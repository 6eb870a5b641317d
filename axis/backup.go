package axis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/axis/backup"
	"docaxis/axis/broker"
	"docaxis/axis/journal"
	axistlog "docaxis/axis/tlog"
	"docaxis/internal/archive"
	"docaxis/internal/fault"
)

// errEnough ends the reading of a journal that has grown meanwhile.
var errEnough = errors.New("enough")

// Journal implements operator.Keeper. It changes nothing, so it is only logged.
func (h *Hub) Journal(ctx context.Context, actor string, begin func(operator.Head) error, block func(raw []byte) error) error {
	at, err := h.ledger.Position(ctx)
	if err != nil {
		return err
	}
	h.log.Info("the journal is read for a backup", "actor", actor, "blocks", at.Blocks, "size", at.Size)
	err = begin(operator.Head{
		Name: h.cfg.Name, Epoch: at.Epoch, Blocks: at.Blocks, Size: at.Size, Root: at.Root[:], TimeMS: at.TimeMS,
	})
	if err != nil || at.Blocks == 0 {
		return err
	}
	last := journal.Location{Stream: at.Stream, Seq: at.Seq}
	err = h.journal.Blocks(ctx, journal.Location{}, func(e journal.Entry) error {
		if last.Before(e.Location) {
			return errEnough
		}
		return block(e.Raw)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// JournalReader reads a journal once from its beginning; see operator.ReadJournal.
type JournalReader func(ctx context.Context, fn func(raw []byte) error) error

// BackupOptions say how a backup is made.
type BackupOptions struct {
	Protection     archive.Protection
	WithoutContent bool
	Now            func() time.Time
	Faults         fault.Hook
}

// Backup writes a backup of the axis in dir to a new file, reads that again and
// checks it, and only then gives it its name. The axis may run meanwhile: head and
// blocks come from it, or from RestingJournal. Errors leave nothing under the name.
func Backup(ctx context.Context, dir, path string, head operator.Head, blocks JournalReader, o BackupOptions) (backup.Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(head.Root) != len(backup.Head{}.Root) {
		return backup.Report{}, fmt.Errorf("the axis told a root of %d bytes", len(head.Root))
	}
	temp := filepath.Dir(path)
	src := backup.Source{
		Dir: dir, Blocks: blocks, Now: o.Now(), WithoutContent: o.WithoutContent, Temp: temp,
		Head: backup.Head{Name: head.Name, Epoch: head.Epoch, Blocks: head.Blocks, Size: head.Size, Root: [32]byte(head.Root)},
	}
	var written, found backup.Report
	err := archive.Create(path, o.Protection, o.Faults, func(w io.Writer) (err error) {
		written, err = backup.Write(ctx, w, src)
		return err
	}, func(r io.Reader) (err error) {
		if found, err = backup.Read(ctx, r, temp, backup.Nothing{}); err != nil {
			return err
		}
		if found.Chunks != written.Chunks || found.Documents != written.Documents || found.Missing != written.Missing {
			return fmt.Errorf("%d chunks of %d documents were written, %d of %d were read", written.Chunks, written.Documents, found.Chunks, found.Documents)
		}
		return nil
	})
	return found, err
}

// VerifyBackup checks a backup without restoring it.
func VerifyBackup(ctx context.Context, path string, keys archive.Keys) (backup.Report, error) {
	r, err := archive.Open(path, keys)
	if err != nil {
		return backup.Report{}, err
	}
	defer r.Close()
	return backup.Read(ctx, r, os.TempDir(), backup.Nothing{})
}

// RestingJournal opens the journal of an axis that does not run, keeps it from being
// started, and says where it stands; the caller closes it.
func RestingJournal(ctx context.Context, dir string, log *slog.Logger) (head operator.Head, blocks JournalReader, stop func() error, err error) {
	f, err := LoadFile(dir)
	if err != nil {
		return head, nil, nil, err
	}
	guard, err := axistlog.OpenGuard(filepath.Join(dir, "keys", "guard"))
	if err != nil {
		return head, nil, nil, fmt.Errorf("keep the axis from being started: %w", err)
	}
	j, stopJournal, err := openAlone(ctx, dir, log, nil)
	if err != nil {
		return head, nil, nil, errors.Join(err, guard.Close())
	}
	stop = func() error { return errors.Join(stopJournal(), guard.Close()) }
	blocks = func(ctx context.Context, fn func(raw []byte) error) error {
		return j.Blocks(ctx, journal.Location{}, func(e journal.Entry) error { return fn(e.Raw) })
	}
	at, err := backup.Measure(ctx, blocks)
	if err != nil {
		return head, nil, nil, errors.Join(err, stop())
	}
	return operator.Head{Name: f.Name, Epoch: at.Epoch, Blocks: at.Blocks, Size: at.Size, Root: at.Root[:]}, blocks, stop, nil
}

// openAlone opens the journal of a folder with nobody listening.
func openAlone(ctx context.Context, dir string, log *slog.Logger, faults fault.Hook) (*journal.Journal, func() error, error) {
	b, err := broker.Start(broker.Config{Dir: filepath.Join(dir, "journal"), Alone: true, Log: log})
	if err != nil {
		return nil, nil, err
	}
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return b.Stop(ctx)
	}
	j, err := journal.Open(ctx, b.Journal(), journal.Config{Log: log, Faults: faults})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the journal: %w", err), stop())
	}
	return j, stop, nil
}
