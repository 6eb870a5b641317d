package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// memory lets a large file pass from the first endpoint to the last.
func (p plan) memory(ctx context.Context, w *world) (*Memory, error) {
	m := p.Memory
	path := filepath.Join(w.dir, "large.bin")
	if err := writeLarge(path, m.FileBytes); err != nil {
		return nil, err
	}
	out := &Memory{FileBytes: m.FileBytes}
	sender, receiver := w.members[0], w.members[len(w.members)-1]
	out.Axis.of, out.Sender.of, out.Receiver.of = w.axis, sender.process, receiver.process
	if err := pause(ctx, m.Idle); err != nil {
		return nil, err
	}
	out.each(func(r *Resident) { r.IdleMiB, _ = residentMiB(r.of, "VmRSS") })
	watching := watch(out, m.SampleEvery)
	err := w.pass(ctx, sender, receiver.code, path, out)
	watching.stop()
	if err != nil {
		return nil, err
	}
	out.each(func(r *Resident) {
		var ok bool
		r.HighMiB, ok = residentMiB(r.of, "VmHWM")
		out.Known = out.Known || ok
	})
	out.MBPerSecond = float64(m.FileBytes) / 1e6 / out.ConsignedSeconds
	return out, p.bare(path, w.dir, out)
}

// pass sends the file and waits until its consignment is proved.
func (w *world) pass(ctx context.Context, from *member, to, path string, out *Memory) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	begun := time.Now()
	id, err := from.send(ctx, to, out.FileBytes, f)
	if err != nil {
		return err
	}
	out.SafeSeconds = time.Since(begun).Seconds()
	if err := from.wait(ctx, id, accepted); err != nil {
		return err
	}
	out.AcceptedSeconds = time.Since(begun).Seconds()
	if err := from.wait(ctx, id, consigned); err != nil {
		return err
	}
	out.ConsignedSeconds = time.Since(begun).Seconds()
	return nil
}

// bare measures what the same bytes cost without a document axis.
func (p plan) bare(path, dir string, out *Memory) (err error) {
	if out.HashMBPerSecond, err = hashRate(path); err != nil {
		return err
	}
	out.SyncedMBPerSecond, err = syncedRate(filepath.Join(dir, "synced"), p.Memory.SyncedBytes)
	return err
}

// writeLarge makes a file that no two of its chunks are alike in.
func writeLarge(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<20)
	_, err = io.CopyN(b, newContent(), size)
	if err = errors.Join(err, b.Flush(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("make the large file: %w", err)
	}
	return nil
}

// watcher samples the resident memory of processes.
type watcher struct {
	done    chan struct{}
	stopped sync.WaitGroup
}

func watch(m *Memory, every time.Duration) *watcher {
	w := &watcher{done: make(chan struct{})}
	w.stopped.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			m.each(func(r *Resident) {
				now, _ := residentMiB(r.of, "VmRSS")
				r.PeakMiB = max(r.PeakMiB, now)
			})
			select {
			case <-w.done:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

func (w *watcher) stop() {
	close(w.done)
	w.stopped.Wait()
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
