package axis

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/internal/bus"
	"docaxis/internal/diskspace"
)

const (
	// leastFree is what stays free where nobody said otherwise: on a disk of 50 GiB
	// and more it is 2 % of it. A disk of less than ten times this keeps a tenth.
	leastFree = 1 << 30
	// evidencePart of what must stay free for new documents must stay free for
	// evidence: it ends waiting, so it is taken as long as there is any room to lose.
	evidencePart = 4
	// journaled is what a request costs at most for each of its bytes: in the journal,
	// in the ledger with its indexes, and in both of their write-ahead files.
	journaled = 4
	// healthEvery is how often disks and JetStream are looked at by default.
	healthEvery = 2 * time.Second
)

// disks watches the disks that the axis writes to; folders may lie on several.
type disks struct {
	watched []*watched
	log     *slog.Logger
}

// watched is a folder with two guards on its disk.
type watched struct {
	folder         string
	work, evidence *diskspace.Guard
	toldWork       bool // that it is full; owned by the loop that tells
	toldEvidence   bool
}

func newDisks(cfg Config, folders ...string) (*disks, error) {
	d := &disks{log: cfg.Log}
	for _, folder := range folders {
		space, err := cfg.Space(folder)
		if err != nil {
			return nil, err
		}
		free := cfg.FreeBytes
		if free == 0 {
			free = min(max(leastFree, space.Total/50), space.Total/10)
		}
		w := &watched{folder: folder}
		if w.work, err = diskspace.New(folder, diskspace.Above(free), cfg.Now, cfg.Space); err != nil {
			return nil, err
		}
		if w.evidence, err = diskspace.New(folder, diskspace.Above(free/evidencePart), cfg.Now, cfg.Space); err != nil {
			return nil, err
		}
		d.watched = append(d.watched, w)
	}
	return d, nil
}

// allowWork refuses what would fill a disk with new work: REASON_DISK_FULL,
// temporary.
func (d *disks) allowWork(bytes int) error {
	for _, w := range d.watched {
		if err := w.work.Allow(uint64(bytes)); err != nil {
			return err
		}
	}
	return nil
}

// allowEvidence refuses what ends waiting only where next to nothing is free.
func (d *disks) allowEvidence(bytes int) error {
	for _, w := range d.watched {
		if err := w.evidence.Allow(uint64(bytes)); err != nil {
			return err
		}
	}
	return nil
}

// tell logs what has changed since it was called last.
func (d *disks) tell() {
	for _, w := range d.watched {
		tellOne(d.log, w.folder, "new documents", w.work.State(), &w.toldWork)
		tellOne(d.log, w.folder, "evidence", w.evidence.State(), &w.toldEvidence)
	}
}

func tellOne(log *slog.Logger, folder, what string, s diskspace.State, told *bool) {
	switch {
	case s.Full && !*told:
		log.Error("the disk is nearly full: endpoints are asked to wait; free some space and it goes on by itself",
			"what", what, "folder", folder, "free", s.Free, "keep", s.Refuse, "resume", s.Resume)
	case !s.Full && *told:
		log.Info("the disk has room again", "what", what, "folder", folder, "free", s.Free)
	}
	*told = s.Full
}

// guarded lets the disks decide first about services that make them fuller. Pulls,
// downloads and proofs go on: they let endpoints finish, and write nothing.
func (h *Hub) guarded(service bus.Service, f bus.Handler) bus.Handler {
	var allow func(int) error
	switch service {
	case bus.Submit, bus.Put, bus.Enrol, bus.Register:
		allow = h.disks.allowWork
	case bus.Evidence, bus.Renew:
		allow = h.disks.allowEvidence
	default:
		return f
	}
	return func(ctx context.Context, endpoint string, raw []byte) (proto.Message, error) {
		if err := allow(journaled * len(raw)); err != nil {
			return nil, err
		}
		return f(ctx, endpoint, raw)
	}
}

// desk is the hub as operators' commands reach it: what is not needed to mend things
// waits for room on the disks.
type desk struct{ *Hub }

func (d desk) ImportAgencies(ctx context.Context, req operator.Import) (operator.Imported, error) {
	if err := d.disks.allowWork(journaled * len(req.CSV)); err != nil {
		return operator.Imported{}, err
	}
	return d.Hub.ImportAgencies(ctx, req)
}

func (d desk) AdmitSeal(ctx context.Context, req operator.Seal) (operator.Admitted, error) {
	if err := d.disks.allowWork(0); err != nil {
		return operator.Admitted{}, err
	}
	return d.Hub.AdmitSeal(ctx, req)
}

func (d desk) Invite(ctx context.Context, req operator.Invite) (operator.Invited, error) {
	if err := d.disks.allowWork(0); err != nil {
		return operator.Invited{}, err
	}
	return d.Hub.Invite(ctx, req)
}

// disksNow is what operators are shown.
func (h *Hub) disksNow() []operator.Disk {
	var all []operator.Disk
	for _, w := range h.disks.watched {
		s, e := w.work.State(), w.evidence.State()
		one := operator.Disk{Folder: w.folder, Free: s.Free, Total: s.Total, Keep: s.Refuse, Resume: s.Resume, Full: s.Full, EvidenceFull: e.Full}
		if s.Full {
			one.SinceMS = s.Since.UnixMilli()
		}
		all = append(all, one)
	}
	return all
}

func (h *Hub) openDisks(context.Context) (err error) {
	h.disks, err = newDisks(h.cfg, h.dir, filepath.Join(h.dir, "journal"), filepath.Join(h.dir, "content"))
	return err
}
