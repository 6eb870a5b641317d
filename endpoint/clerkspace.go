package endpoint

import (
	"context"
	"errors"

	"go.etcd.io/bbolt"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/files"
	"docaxis/internal/lang"
)

// disk is how the endpoint's disk is.
func (d desk) disk() clerk.Disk {
	contents, records := d.a.disk.contents.State(), d.a.disk.records.State()
	kept, quota := d.a.quota.look(), d.a.cfg.Settings.Retention.QuotaBytes
	out := clerk.Disk{
		Free: contents.Free, Total: contents.Total, Keep: contents.Refuse, Resume: contents.Resume,
		Full: contents.Full, RecordsFull: records.Full, Kept: kept, Quota: quota, OverQuota: quota > 0 && kept > quota,
	}
	if contents.Full {
		out.SinceMS = contents.Since.UnixMilli()
	}
	if contents.Err != nil {
		out.Problem = contents.Err.Error()
	}
	return out
}

// Clean removes what is kept no longer.
func (d desk) Clean(ctx context.Context, req clerk.Clean) (clerk.Cleanup, error) {
	done, err := d.a.Clean(ctx, req.DryRun)
	if errors.Is(err, files.ErrSweeping) {
		return clerk.Cleanup{}, lang.Errorf("Một lần dọn khác đang chạy. Hãy chờ một lát rồi chạy lại.",
			"Another cleanup is going on. Wait a moment and run it again.").Because(err)
	}
	if err != nil {
		return clerk.Cleanup{}, err
	}
	out := clerk.Cleanup{
		DryRun: req.DryRun, Removed: []clerk.Cleaned{}, Kept: done.Kept, Quota: done.Quota,
		OverQuota: done.OverQuota(), Failed: done.Failed,
	}
	for _, c := range done.Removed {
		line := clerk.Cleaned{Why: c.Why, Documents: c.Documents, Files: c.Files, Bytes: c.Bytes}
		if !c.Oldest.IsZero() {
			line.OldestMS = c.Oldest.UnixMilli()
		}
		out.Removed = append(out.Removed, line)
	}
	return out, nil
}

// Sizes says what takes how much on the disk.
func (d desk) Sizes(context.Context) (clerk.Sizes, error) {
	out := clerk.Sizes{Buckets: []clerk.Bucket{}}
	err := d.a.db.View(func(tx *bbolt.Tx) error {
		out.Store = uint64(tx.Size())
		out.StoreFree = uint64(tx.DB().Stats().FreeAlloc)
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			s := b.Stats()
			out.Buckets = append(out.Buckets, clerk.Bucket{
				Name: string(name), Entries: s.KeyN, Bytes: uint64(s.BranchAlloc) + uint64(s.LeafAlloc),
			})
			return nil
		})
	})
	if err != nil {
		return out, err
	}
	return out, d.a.files.Walk(func(k files.Kept) error {
		into := &out.Files
		if k.Partial {
			into = &out.Partial
		}
		into.Files, into.Bytes = into.Files+1, into.Bytes+k.Bytes
		return nil
	})
}
