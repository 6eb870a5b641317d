package axis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"docaxis/axis/backup"
	"docaxis/axis/content"
	"docaxis/axis/journal"
	"docaxis/axis/registry"
	"docaxis/internal/archive"
	"docaxis/internal/chunk"
	"docaxis/internal/durable"
	"docaxis/internal/fault"
)

// maxKeys bounds the bytes of all keys.
const maxKeys = 16 << 20

// RestoreOptions say who restores and why; the next epoch's reason has both.
type RestoreOptions struct {
	Keys       archive.Keys
	By, Reason string
	Now        func() time.Time
	Log        *slog.Logger
	// Faults at restore.chunk, restore.marker, restore.keys and restore.config, each
	// .before, and at the journal's points.
	Faults fault.Hook
}

// Restore makes an axis out of a backup in a folder that is empty or not there. It
// has checked all of it, and read it again from the folder, before the folder can be
// started; an error leaves the folder as it was. The first start opens a new epoch.
func Restore(ctx context.Context, path, dir string, o RestoreOptions) (backup.Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	in, err := archive.Open(path, o.Keys)
	if err != nil {
		return backup.Report{}, err
	}
	defer in.Close()
	folder, err := archive.BeginFolder(dir)
	if err != nil {
		return backup.Report{}, err
	}
	r := &restorer{dir: dir, o: o, keys: map[string][]byte{}}
	report, err := r.restore(ctx, in)
	if err != nil {
		return report, errors.Join(archive.DiskError(dir, err), folder.Undo())
	}
	return report, folder.Done()
}

// restorer is where a backup's files go. Configuration and keys wait in memory: with
// them the folder could be started.
type restorer struct {
	dir     string
	o       RestoreOptions
	journal *journal.Journal
	digest  [32]byte // of the last block
	config  []byte
	keys    map[string][]byte
	size    int
}

func (r *restorer) restore(ctx context.Context, in io.Reader) (backup.Report, error) {
	store, err := content.Open(filepath.Join(r.dir, "content"), content.Config{Now: r.o.Now, Log: r.o.Log})
	if err != nil {
		return backup.Report{}, err
	}
	report, err := r.fill(ctx, in)
	if err == nil {
		err = r.again(ctx, report)
	}
	if err == nil {
		err = store.Verify(ctx)
	}
	if err = errors.Join(err, store.Close()); err != nil {
		return report, err
	}
	return report, r.finish(report)
}

// fill writes the journal and the contents.
func (r *restorer) fill(ctx context.Context, in io.Reader) (report backup.Report, err error) {
	j, stop, err := openAlone(ctx, r.dir, r.o.Log, r.o.Faults)
	if err != nil {
		return report, err
	}
	r.journal = j
	report, err = backup.Read(ctx, in, r.dir, r)
	return report, errors.Join(err, stop())
}

// again reads the journal back from the disk: it must end with the last block of
// the backup, to which the chain leads from the first.
func (r *restorer) again(ctx context.Context, report backup.Report) error {
	j, stop, err := openAlone(ctx, r.dir, r.o.Log, r.o.Faults)
	if err != nil {
		return err
	}
	err = j.Blocks(ctx, journal.Location{}, func(journal.Entry) error { return nil })
	if tail := j.Tail(); err == nil && (tail.Blocks != report.Blocks || report.Blocks > 0 && !bytes.Equal(tail.Digest, r.digest[:])) {
		err = fmt.Errorf("the journal that was written has %d blocks, not the %d of the backup", tail.Blocks, report.Blocks)
	}
	return errors.Join(err, stop())
}

// finish makes the folder one that can be started, in an order in which no moment
// has the old key without the marker.
func (r *restorer) finish(report backup.Report) error {
	keys := filepath.Join(r.dir, "keys")
	if err := errors.Join(r.o.Faults.At("restore.marker.before"), os.MkdirAll(keys, 0o700)); err != nil {
		return err
	}
	mark := Restored{Who: r.o.By, When: r.o.Now(), Reason: r.o.Reason, BackupTime: time.UnixMilli(report.MadeMS)}
	if err := MarkRestored(keys, mark); err != nil {
		return err
	}
	if err := r.o.Faults.At("restore.keys.before"); err != nil {
		return err
	}
	for name, raw := range r.keys {
		if err := durable.WriteFile(filepath.Join(keys, name), raw, mode(name)); err != nil {
			return err
		}
	}
	if _, err := registry.OpenCA(keys, registry.CAConfig{Now: r.o.Now}); err != nil {
		return archive.Damaged(fmt.Errorf("the CA of the backup: %w", err))
	}
	if err := r.o.Faults.At("restore.config.before"); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(r.dir, FileName), r.config, 0o644)
}

func mode(key string) os.FileMode {
	if strings.HasSuffix(key, ".crt") {
		return 0o644
	}
	return 0o600
}

// Config implements backup.Sink.
func (r *restorer) Config(raw []byte) error {
	r.config = raw
	return nil
}

// Key implements backup.Sink.
func (r *restorer) Key(name string, raw []byte) error {
	if r.size += len(raw); r.size > maxKeys {
		return archive.Damaged(errors.New("there are too many keys"))
	}
	r.keys[name] = raw
	return nil
}

// Block implements backup.Sink.
func (r *restorer) Block(ctx context.Context, raw []byte) error {
	e, err := r.journal.Restore(ctx, raw)
	r.digest = e.Digest
	return err
}

// Chunk implements backup.Sink: the store's folders are there.
func (r *restorer) Chunk(id chunk.ID, data []byte) error {
	if err := r.o.Faults.At("restore.chunk.before"); err != nil {
		return err
	}
	name := id.String()
	return durable.WriteFile(filepath.Join(r.dir, "content", "chunks", name[:2], name), data, 0o600)
}
