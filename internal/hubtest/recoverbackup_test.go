package hubtest_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/axis"
	"docaxis/axis/backup"
	"docaxis/internal/hubtest"
)

// restBackup makes a backup of an axis that does not run.
func restBackup(t *testing.T, dir, path string, o axis.BackupOptions) (report backup.Report) {
	t.Helper()
	head, blocks, stop, err := axis.RestingJournal(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	report, err = axis.Backup(t.Context(), dir, path, head, blocks, o)
	if err := errors.Join(err, stop()); err != nil {
		t.Fatal(err)
	}
	return report
}

// Promise 8 from end to end: a backup, losing the machine, `axis restore`, the start
// of what it made. The mark outlives a start that dies while it opens the epoch, and
// no start after it opens another one.
func TestABackupIsRestoredAndTheRestComesBack(t *testing.T) {
	t.Parallel()
	p := &plan{}
	g := newGap(t, hubtest.Config{AxisFaults: p.hook("axis")})
	path := filepath.Join(t.TempDir(), "axis.backup")
	lock, keys := backupKey(t)
	report := restBackup(t, g.copied, path, axis.BackupOptions{Protection: lock})
	if err := g.w.StopAxis(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(g.w.AxisDir()); err != nil {
		t.Fatal(err)
	}
	o := axis.RestoreOptions{Keys: keys, By: "lan", Reason: "cháy máy chủ"}
	if _, err := axis.Restore(t.Context(), path, g.w.AxisDir(), o); err != nil {
		t.Fatal(err)
	}

	mark := filepath.Join(g.w.AxisDir(), "keys", axis.RestoredFile)
	p.once("axis log.key.after")
	if err := g.w.StartAxis(t.Context()); err == nil {
		t.Fatal("a start that could not journal its epoch serves")
	}
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the mark was taken away before the epoch was durable: %v", err)
	}
	if err := g.w.StartAxis(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark is still there: %v", err)
	}
	all := announced(t, g.w)
	e := epochOf(t, g.w, all[len(all)-1])
	made := time.UnixMilli(report.MadeMS).UTC().Format(time.RFC3339)
	if e.BaseSize != g.old.Size || e.Number < 20_000_101_000_000 || !strings.Contains(e.Reason, made) || !strings.Contains(e.Reason, o.Reason) {
		t.Errorf("the epoch says %v", e)
	}
	g.cameBack()
	stopped(t, g.w, func(string) error { return nil })
	if again := announced(t, g.w); len(again) != len(all) {
		t.Errorf("another start opened another epoch: %d, there were %d", len(again), len(all))
	}
}
