package endpoint

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"docaxis/endpoint/store"
	"docaxis/internal/chunk"
	"docaxis/internal/diskspace"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// disk is what of the endpoint's disk may still be filled. Contents stop first, so
// that there is room for records and evidence when they do; reading never stops.
type disk struct {
	// contents guards what is sent and what is fetched.
	contents *diskspace.Guard
	// records guards what is pulled. Evidence needs no guard: it is small, and it is
	// what lets others finish.
	records *diskspace.Guard
}

// room gives the limits that the settings set; none where they leave it to the disk.
func (l Limits) room() diskspace.Limits {
	if l.FreeBytes == 0 {
		return diskspace.Limits{}
	}
	return diskspace.Above(min(l.FreeBytes, math.MaxUint64/2))
}

// recordsShare is the part of the reserve that is kept from pulled records.
const recordsShare = 8

func (a *Agent) openDisk() error {
	folder := filepath.Join(a.dir, "content")
	var err error
	if a.disk.contents, err = diskspace.New(folder, a.cfg.Settings.Limits.room(), a.cfg.Now, a.cfg.Disk); err != nil {
		return err
	}
	// Of a disk without limits nothing is kept from records either.
	reserve := diskspace.Above(a.disk.contents.State().Refuse/recordsShare + 1)
	a.disk.records, err = diskspace.New(folder, reserve, a.cfg.Now, a.cfg.Disk)
	return err
}

// whenRoom lets jobs begin only while there is room for a chunk: what is not begun
// stays at the axis as it is, and nothing is written about it.
func (a *Agent) whenRoom(d due) due {
	return func(now time.Time, limit int) ([]job, time.Time, error) {
		if err := a.disk.contents.Fits(chunk.Size); err != nil {
			return nil, now.Add(a.lookAgain()), nil
		}
		return d(now, limit)
	}
}

// roomFor asks for room for the rest of a chunk, and has it promised once.
func (a *Agent) roomFor(offset, rest uint32) error {
	if offset == 0 {
		return a.disk.contents.Allow(uint64(rest))
	}
	return a.disk.contents.Fits(uint64(rest))
}

// lookAgain is how soon a full disk is looked at again.
func (a *Agent) lookAgain() time.Duration { return min(a.cfg.Retry.Max, 5*time.Second) }

// noRoom is the reason to give for an error that came of a full disk, met by the
// guard or by a write; other errors are given back as they are.
func (a *Agent) noRoom(err error) error {
	if err == nil || reason.Of(err) != nil || !diskspace.Exhausted(err) {
		return err
	}
	s := a.disk.contents.State()
	return reason.Temporary(axispb.ReasonCode_REASON_DISK_FULL,
		strconv.FormatUint(s.Free, 10), strconv.FormatUint(s.Refuse, 10)).Because(err)
}

// isFull reports whether an error is a full disk's.
func isFull(err error) bool {
	return reason.Is(err, axispb.ReasonCode_REASON_DISK_FULL) || diskspace.Exhausted(err) || errors.Is(err, store.ErrNoRoom)
}

// rest keeps a job that could not even record that it failed from being taken up
// again at once.
func (a *Agent) rest(ctx context.Context, err error) {
	if !errors.Is(err, store.ErrNoRoom) {
		return
	}
	a.log.Warn("the disk is full", slog.Any("error", err))
	nap(ctx, a.lookAgain(), nil)
}

// guarded reads what is about to be written, as long as there is room for it.
type guarded struct {
	r     io.Reader
	guard *diskspace.Guard
	// allowed is what may still be read before the guard is asked again.
	allowed int
}

// Read reads, or says that the disk is full.
func (g *guarded) Read(p []byte) (int, error) {
	if g.allowed == 0 {
		if err := g.guard.Allow(chunk.Size); err != nil {
			return 0, err
		}
		g.allowed = chunk.Size
	}
	n, err := g.r.Read(p[:min(len(p), g.allowed)])
	g.allowed -= n
	return n, err
}

// guardedWriter writes as long as there is room.
type guardedWriter struct {
	w       io.Writer
	guard   *diskspace.Guard
	allowed int
}

// Write writes, or says that the disk is full.
func (g *guardedWriter) Write(p []byte) (int, error) {
	for g.allowed < len(p) {
		if err := g.guard.Allow(chunk.Size); err != nil {
			return 0, err
		}
		g.allowed += chunk.Size
	}
	n, err := g.w.Write(p)
	g.allowed -= n
	return n, err
}

// sizeOf is how large the files of a draft are, as far as that is known before they
// are read.
func sizeOf(drafts []DraftFile) (total uint64) {
	for _, f := range drafts {
		size := f.Bytes
		if f.Content == nil {
			if info, err := os.Stat(f.Path); err == nil {
				size = uint64(max(info.Size(), 0))
			}
		}
		if total += size; total < size {
			return math.MaxUint64
		}
	}
	return total
}

// admitFiles refuses a draft for which there is no room, before any of it is read.
func (a *Agent) admitFiles(ctx context.Context, drafts []DraftFile) error {
	need := sizeOf(drafts)
	if err := a.disk.contents.Fits(need); err != nil {
		return err
	}
	return a.quota.admit(ctx, a, need)
}
