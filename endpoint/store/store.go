// Package store owns the endpoint's one bbolt file: its format, its one writer that
// commits for everybody, and where the endpoint stands (progress, epochs, whether
// it is parked).
//
// Buckets: meta (format, progress, parked, recovery), epoch and registry. The others belong to the
// packages that declare them.
package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"docaxis/internal/boltpb"
	"docaxis/internal/diskspace"
	"docaxis/internal/fault"
	"docaxis/internal/lang"
)

// Format is the version of the buckets and their values that this program writes.
const Format = 1

// maxGroup bounds the changes that one commit carries, so that none waits long.
const maxGroup = 256

var (
	// ErrNewer says that a newer program wrote the file: start that one.
	ErrNewer error = lang.Errorf("Dữ liệu do phiên bản mới hơn của chương trình ghi. Hãy chạy phiên bản đó.",
		"The endpoint's store was written by a newer version of this program. Start that one.")
	// ErrInUse says that another process has the file open: stop it first.
	ErrInUse error = lang.Errorf("Một tiến trình khác đang chạy trên thư mục này; không có gì thay đổi. Hãy dừng tiến trình đó trước.",
		"Another process runs on this folder; nothing was changed. Stop that one first.")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("the endpoint's store is closed")
	// ErrBroken says that a commit failed and what is on the disk is not known:
	// stop the process and start it again.
	ErrBroken = errors.New("the endpoint's store could not be written")
	// ErrNoRoom says that the disk is full: the change was not made, the store is as
	// it was, and the same change may be tried again when there is room.
	ErrNoRoom = errors.New("the disk is full")
)

// DB is the open file.
type DB struct {
	bolt     *bbolt.DB
	requests chan *request
	closing  chan struct{}
	stopped  chan struct{}
	broken   atomic.Pointer[error]
	faults   fault.Hook
}

// request is a change that waits for the writer.
type request struct {
	change func(*bbolt.Tx) error
	done   chan error
}

// Open opens the file, or makes it, and starts its writer. Every commit is synced.
func Open(path string) (*DB, error) { return OpenWith(path, nil) }

// OpenWith is Open with faults at store.write.before and store.write.after: when a
// commit is about to be written, and when it was.
//
// A file with damaged pages is ErrDamaged, and is left as it is.
func OpenWith(path string, faults fault.Hook) (*DB, error) {
	if err := checkPages(path); err != nil {
		return nil, err
	}
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: time.Second,
		// Finds free pages faster, and writes no list of them with every
		// commit (measured: 1,921 against 1,659 commits a second).
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("open the endpoint's store: %w", err)
	}
	if err := whole(bolt); err != nil {
		return nil, errors.Join(err, bolt.Close())
	}
	d := &DB{
		bolt:     bolt,
		requests: make(chan *request),
		closing:  make(chan struct{}),
		stopped:  make(chan struct{}),
		faults:   faults,
	}
	go d.write()
	return d, nil
}

// whole prepares the file. One that is prepared already is not written to: it can be
// opened, and read, on a disk that is full.
func whole(bolt *bbolt.DB) error {
	err := bolt.View(prepare)
	if errors.Is(err, berrors.ErrTxNotWritable) {
		return bolt.Update(prepare)
	}
	return err
}

// prepare checks the format and makes the buckets.
func prepare(tx *bbolt.Tx) error {
	if err := boltpb.Create(tx, metaBucket, epochBucket, registryBucket); err != nil {
		return err
	}
	meta := tx.Bucket([]byte(metaBucket))
	raw := meta.Get([]byte(formatKey))
	switch {
	case raw == nil:
		return meta.Put([]byte(formatKey), binary.BigEndian.AppendUint32(nil, Format))
	case len(raw) != 4:
		return errors.New("the endpoint's store has no readable format version")
	case binary.BigEndian.Uint32(raw) > Format:
		return fmt.Errorf("%w (format %d, known up to %d)", ErrNewer, binary.BigEndian.Uint32(raw), Format)
	}
	return nil
}

// View reads. What it is given is the state after some commit, whole.
func (d *DB) View(read func(*bbolt.Tx) error) error {
	if err := d.bolt.View(read); !errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return err
	}
	return ErrClosed
}

// Update makes one change of state: all of it or nothing, durable when it returns
// nil. Changes that wait at the same time share one commit; an error of one takes
// none of the others along. change may be called more than once and must have no
// effect but on tx. A context that ends after the change was taken up is ignored:
// the answer always says what is true.
func (d *DB) Update(ctx context.Context, change func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{change: change, done: make(chan error, 1)}
	select {
	case d.requests <- r:
		return <-r.done
	case <-d.closing:
		return ErrClosed
	}
}

// Close finishes the commit under way and closes the file.
func (d *DB) Close() error {
	close(d.closing)
	<-d.stopped
	return d.bolt.Close()
}

// write is the one writer.
func (d *DB) write() {
	defer close(d.stopped)
	for {
		select {
		case r := <-d.requests:
			d.commit(d.gather(r))
		case <-d.closing:
			return
		}
	}
}

// gather takes what waits already; it never waits for more.
func (d *DB) gather(first *request) []*request {
	group := []*request{first}
	for len(group) < maxGroup {
		select {
		case r := <-d.requests:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// commit makes a group's changes in one transaction. One that fails is taken out,
// the others are made without it, and it is tried alone at the end: what made it
// fail may have been a change that was then undone.
func (d *DB) commit(group []*request) {
	var alone []*request
	for len(group) > 0 {
		failed, err := d.try(group)
		if failed < 0 {
			answer(group, err)
			break
		}
		if len(group) == 1 {
			answer(group, err)
			break
		}
		alone = append(alone, group[failed])
		group = slices.Delete(group, failed, failed+1)
	}
	for _, r := range alone {
		_, err := d.try([]*request{r})
		r.done <- err
	}
}

// try runs the changes in one transaction. failed is the one whose error kept it
// from being committed, or -1.
func (d *DB) try(group []*request) (failed int, err error) {
	if broken := d.broken.Load(); broken != nil {
		return -1, *broken
	}
	tx, err := d.bolt.Begin(true)
	if err != nil {
		return -1, d.breaks(err)
	}
	for i, r := range group {
		if err := r.change(tx); err != nil {
			if rolled := tx.Rollback(); rolled != nil {
				return -1, d.breaks(rolled)
			}
			return i, err
		}
	}
	return -1, d.finish(tx)
}

// finish writes the commit.
func (d *DB) finish(tx *bbolt.Tx) error {
	id := tx.ID()
	err := d.faults.At("store.write.before")
	if err != nil {
		err = errors.Join(err, tx.Rollback())
	} else if err = tx.Commit(); err == nil {
		err = d.faults.At("store.write.after")
	}
	switch {
	case err == nil:
		return nil
	case noRoom(err) && d.without(id):
		return lang.Errorf("Đĩa đã đầy nên không ghi được gì; dữ liệu cũ còn nguyên. Hãy giải phóng chỗ trên đĩa rồi làm lại.",
			"The disk is full: nothing could be written, and nothing was lost. Free some space and do it again.").
			Because(fmt.Errorf("%w: %w", ErrNoRoom, err))
	}
	return d.breaks(err)
}

// noRoom reports whether a commit failed for want of room. Of a file that could not be
// made larger bbolt gives only the text; nothing was written then.
func noRoom(err error) bool {
	return diskspace.Exhausted(err) || strings.HasPrefix(err.Error(), "file resize error: ")
}

// without reports that the file is as it was before a commit: the number of the last
// one stands in the page that is written at the very end.
func (d *DB) without(id int) bool {
	last := id
	err := d.bolt.View(func(tx *bbolt.Tx) error {
		last = tx.ID()
		return nil
	})
	return err == nil && last < id
}

// breaks refuses everything from now on.
func (d *DB) breaks(cause error) error {
	err := fmt.Errorf("%w: %w", ErrBroken, cause)
	d.broken.Store(&err)
	return err
}

func answer(group []*request, err error) {
	for _, r := range group {
		r.done <- err
	}
}
