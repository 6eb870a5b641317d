package hubtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/axis/backup"
	"docaxis/endpoint/outbox"
	"docaxis/internal/admin"
	"docaxis/internal/archive"
	"docaxis/internal/envelope"
	"docaxis/internal/evidence"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// backedUp makes a backup of a running axis, over its API.
func backedUp(ctx context.Context, w *hubtest.World, path string, o axis.BackupOptions) (backup.Report, error) {
	c, err := admin.Open(w.AxisDir())
	if err != nil {
		return backup.Report{}, err
	}
	stream, err := c.Download(ctx, operator.PathJournal, url.Values{"actor": {"test"}})
	if err != nil {
		return backup.Report{}, err
	}
	defer stream.Close()
	head, blocks, err := operator.ReadJournal(stream)
	if err != nil {
		return backup.Report{}, err
	}
	return axis.Backup(ctx, w.AxisDir(), path, head, blocks, o)
}

// backupKey makes a key pair for backups.
func backupKey(t *testing.T) (archive.Protection, archive.Keys) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.key")
	to, err := archive.NewIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	return archive.Protection{Recipients: []string{to}}, archive.Keys{IdentityFile: path}
}

// Promise 8 needs a backup to begin with. It is made while documents keep coming,
// and holds everything that was receipted before it began, byte for byte.
func TestABackupUnderLoad(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{MaxStreamBytes: 40_000}) // so that the chain has several streams
	joinAll(t, w)
	newExchange(t, w, 60).play()
	before := status(t, w)

	path := filepath.Join(t.TempDir(), "axis.backup")
	lock, keys := backupKey(t)
	report := whileBusy(t, w, func() (backup.Report, error) {
		return backedUp(t.Context(), w, path, axis.BackupOptions{Protection: lock})
	})
	if report.Size < before.Size || report.Missing != 0 || report.Chunks == 0 || report.Documents == 0 || !report.Content {
		t.Errorf("the backup says %+v", report)
	}
	if after := status(t, w); after.Size <= report.Size {
		t.Fatalf("nothing was accepted during or after the backup: %d records, %d in it", after.Size, report.Size)
	}
	if again, err := axis.VerifyBackup(t.Context(), path, keys); err != nil || fmt.Sprint(again) != fmt.Sprint(report) {
		t.Errorf("verified later: %+v, not %+v (%v)", again, report, err)
	}

	blocks := journalBytes(t, w)
	receipts := held(t, w, report.Size)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := restored(t, path, keys)
	head, got := resting(t, dir)
	if head.Blocks != report.Blocks || head.Size != report.Size {
		t.Errorf("%d records in %d blocks were restored, not %d in %d", head.Size, head.Blocks, report.Size, report.Blocks)
	}
	for i, raw := range got {
		if string(raw) != string(blocks[i]) {
			t.Fatalf("block %d has other bytes than it had", i)
		}
	}
	provedBy(t, got, receipts)
	if closing := blocksThatClose(got); closing == 0 {
		t.Error("the journal has one stream only, so nothing was seen of a chain")
	}
}

func blocksThatClose(blocks [][]byte) (n int) {
	for _, raw := range blocks {
		if blockOf(raw).Closing != nil {
			n++
		}
	}
	return n
}

// The tail is fixed when a backup begins: what is accepted while it is read is in
// the next one.
func TestABackupEndsWhereItBegan(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	var head operator.Head
	blocks := uint64(0)
	err := w.Hub().Journal(t.Context(), "test", func(h operator.Head) error {
		head = h
		x := newExchange(t, w, 61)
		x.send("meanwhile", "G22", envelope.Document{To: []string{"H41"}}, want{"H41": consigned}, 10)
		x.settle()
		return nil
	}, func([]byte) error { blocks++; return nil })
	if err != nil || blocks == 0 || blocks != head.Blocks {
		t.Errorf("%d blocks were given, %d announced (%v)", blocks, head.Blocks, err)
	}
}

// made is what came of a backup.
type made struct {
	report backup.Report
	err    error
}

// whileBusy runs do while documents are sent and arrive.
func whileBusy(t *testing.T, w *hubtest.World, do func() (backup.Report, error)) backup.Report {
	t.Helper()
	done := make(chan made, 1)
	for i := uint64(0); ; i++ {
		if i == 1 {
			go func() {
				report, err := do()
				done <- made{report, err}
			}()
		}
		x := newExchange(t, w, 100+i)
		x.send("busy", "G22", envelope.Document{To: []string{"H41"}}, want{"H41": consigned}, 3000)
		x.settle()
		select {
		case m := <-done:
			if m.err != nil {
				t.Fatal(m.err)
			}
			return m.report
		default:
		}
	}
}

func journalBytes(t *testing.T, w *hubtest.World) (all [][]byte) {
	t.Helper()
	if err := w.Hub().Blocks(t.Context(), func(raw []byte) error { all = append(all, raw); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// held are the receipts that senders hold for records below a size.
func held(t *testing.T, w *hubtest.World, size uint64) (all [][]byte) {
	t.Helper()
	trust := evidence.NewTrust(authority(t, w))
	for _, signed := range announced(t, w) {
		if _, err := trust.AddEpoch(signed); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range w.Members() {
		sent, err := m.Agent().Outbox(outbox.Filter{Limit: math.MaxInt})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range sent {
			if len(o.Receipt) == 0 {
				continue
			}
			if p, err := trust.Receipt(o.Receipt, nil); err != nil {
				t.Fatal(err)
			} else if p.LeafIndex < size {
				all = append(all, o.Receipt)
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("nobody holds a receipt")
	}
	return all
}

func restored(t *testing.T, path string, keys archive.Keys) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "restored")
	o := axis.RestoreOptions{Keys: keys, By: "lan", Reason: "đĩa hỏng"}
	report, err := axis.Restore(t.Context(), path, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "keys", axis.RestoredFile))
	var mark axis.Restored
	if err := errors.Join(err, json.Unmarshal(raw, &mark)); err != nil {
		t.Fatal(err)
	}
	if mark.Who != "lan" || mark.Reason != "đĩa hỏng" || mark.When.IsZero() || mark.BackupTime.UnixMilli() != report.MadeMS {
		t.Errorf("the marker says %s", raw)
	}
	return dir
}

// resting reads the journal of an axis that does not run.
func resting(t *testing.T, dir string) (head operator.Head, all [][]byte) {
	t.Helper()
	head, blocks, stop, err := axis.RestingJournal(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err == nil {
		err = blocks(t.Context(), func(raw []byte) error { all = append(all, raw); return nil })
		err = errors.Join(err, stop())
	}
	if err != nil {
		t.Fatal(err)
	}
	return head, all
}

// provedBy holds receipts to the records of a journal.
func provedBy(t *testing.T, blocks, receipts [][]byte) {
	t.Helper()
	var records []*axispb.Record
	for _, raw := range blocks {
		records = append(records, blockOf(raw).Records...)
	}
	for _, raw := range receipts {
		var r axispb.Receipt
		if err := proto.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		if got := records[r.LeafIndex].Header; string(got) != string(r.Header) {
			t.Errorf("a receipt for record %d is for another record than the journal has", r.LeafIndex)
		}
	}
}
