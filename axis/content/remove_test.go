package content_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"docaxis/axis/content"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const day = 24 * time.Hour

// documents are those that a test's journal has: what they contain, and when they
// were released.
type documents struct {
	mu  sync.Mutex
	all []*record
	// looked is called at every look, before it is answered.
	looked func()
}

type record struct {
	chunks   map[chunk.ID]bool
	released time.Time
}

func (d *documents) add(data ...[]byte) *record {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &record{chunks: map[chunk.ID]bool{}}
	for _, one := range data {
		r.chunks[idOf(one)] = true
	}
	d.all = append(d.all, r)
	return r
}

func (d *documents) release(r *record, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.released = at
}

func (d *documents) Needed(_ context.Context, digest []byte, before time.Time) (bool, error) {
	if d.looked != nil {
		d.looked()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.all {
		if r.chunks[chunk.ID(digest)] && (r.released.IsZero() || !r.released.Before(before)) {
			return true, nil
		}
	}
	return false, nil
}

// lateClock is a clock that a test moves, while others read it.
type lateClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *lateClock) get() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *lateClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// archive is a store with documents that need its chunks.
type archive struct {
	*rig
	*documents
	*lateClock
	fail string // the point that fails once
	at   map[string]func()
}

func newArchive(t *testing.T) *archive {
	a := &archive{documents: &documents{}, lateClock: &lateClock{now: time.Now()}}
	a.rig = open(t, t.TempDir(), a.config())
	return a
}

func (a *archive) config() content.Config {
	return content.Config{Now: a.get, Faults: func(point string) error {
		if do := a.at[point]; do != nil {
			do()
		}
		if point != a.fail {
			return nil
		}
		a.fail = ""
		return errors.New("made up")
	}}
}

// accept is a document on the way that every document goes: uploaded, checked,
// journaled, told to the store.
func (a *archive) accept(endpoint string, data ...[]byte) *record {
	a.t.Helper()
	mustUpload(a.t, a.rig, endpoint, data...)
	r := a.add(data...)
	var ids [][]byte
	for _, one := range data {
		if err := a.CheckFile(a.t.Context(), endpoint, oneChunk(one), idOf(one)); err != nil {
			a.t.Fatal(err)
		}
		ids = append(ids, idBytes(one))
	}
	if err := a.Accepted(a.t.Context(), endpoint, ids); err != nil {
		a.t.Fatal(err)
	}
	return r
}

func oneChunk(one []byte) *axispb.FileContent {
	return &axispb.FileContent{Name: "files/001.bin", Size: uint64(len(one)), Chunks: [][]byte{idBytes(one)}}
}

func (a *archive) remove() content.Removed {
	a.t.Helper()
	done, err := a.Remove(a.t.Context(), a.get(), a.documents)
	if err != nil {
		a.t.Fatal(err)
	}
	return done
}

func (a *archive) wantThere(data []byte, there bool) {
	a.t.Helper()
	_, err := os.Stat(chunkFile(a.dir, data))
	if (err == nil) != there {
		a.t.Fatalf("the chunk's file: %v; wanted: %v", err, there)
	}
}

func TestRemoveAfterReleaseAndGrace(t *testing.T) {
	a := newArchive(t)
	alone, shared := bytesOf(1, 1000), bytesOf(2, 2000)
	first, second := a.accept("e1", alone, shared), a.accept("e2", shared)
	a.pass(400 * day)
	a.release(first, a.get())
	a.remove()
	a.wantThere(alone, true) // the grace has only begun
	a.pass(7 * day)
	a.remove()
	a.wantThere(alone, true)
	a.pass(day + time.Minute)
	if done := a.remove(); done != (content.Removed{Chunks: 1, Bytes: 1000}) {
		t.Errorf("removed %+v", done)
	}
	a.wantThere(alone, false)
	a.wantThere(shared, true) // another document has it
	wantHeld(t, a.rig, "e1", alone, 0, false)
	a.release(second, a.get())
	a.pass(9 * day)
	a.remove()
	a.wantThere(shared, false)
	wantHeld(t, a.rig, "e2", shared, 0, false)
	if done := a.remove(); done != (content.Removed{}) {
		t.Errorf("removed again: %+v", done)
	}
	mustUpload(t, a.rig, "e1", alone)
	wantServed(t, a.rig, alone)
}

// Uploads that nobody used: chunk, quota and possession go together.
func TestRemoveOrphans(t *testing.T) {
	a := newArchive(t)
	data := bytesOf(1, 1000)
	mustUpload(t, a.rig, "e1", data)
	a.pass(6 * day)
	wantHeld(t, a.rig, "e1", data, 1000, true) // asking renews the pin
	a.pass(6 * day)
	a.remove()
	a.wantThere(data, true)
	a.pass(2 * day)
	a.remove() // before any sweep: its row is still charged
	a.wantThere(data, false)
	wantHeld(t, a.rig, "e1", data, 0, false)
}

// A content.db that is lost protects nothing; the age of the file does.
func TestRemoveLeavesYoungFiles(t *testing.T) {
	a := newArchive(t)
	data := bytesOf(1, 1000)
	mustUpload(t, a.rig, "e1", data)
	a.shut()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(a.dir + "/content.db" + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	a.start(a.config())
	a.pass(7 * day)
	a.remove()
	a.wantThere(data, true)
	a.pass(2 * day)
	a.remove()
	a.wantThere(data, false)
}

// An endpoint that has content of a released document may use it for another one
// until the moment it goes: what it was told last holds.
func TestAPinKeepsReleasedContent(t *testing.T) {
	a := newArchive(t)
	data := bytesOf(1, 1000)
	first := a.accept("e1", data)
	a.pass(400 * day)
	a.release(first, a.get())
	a.pass(9 * day)
	// On its way to the journal: checked, and not yet known to anybody.
	if err := a.CheckFile(t.Context(), "e1", oneChunk(data), idOf(data)); err != nil {
		t.Fatal(err)
	}
	a.remove()
	a.wantThere(data, true)
	a.add(data)
	a.pass(30 * day)
	a.remove()
	a.wantThere(data, true)
}

// A document is accepted between the first look and the removal.
func TestTheSecondLookSavesTheChunk(t *testing.T) {
	a := newArchive(t)
	data := bytesOf(1, 1000)
	a.release(a.accept("e1", data), a.get())
	a.pass(9 * day)
	looks := 0
	a.looked = func() {
		if looks++; looks == 2 {
			a.add(data)
		}
	}
	if done := a.remove(); done != (content.Removed{}) || looks != 2 {
		t.Errorf("removed %+v after %d looks", done, looks)
	}
	a.wantThere(data, true)
	wantHeld(t, a.rig, "e1", data, 1000, true)
}

// Every step of a removal fails, once before and once after it was done, and the
// store starts again: the chunk is there, or nobody is told that it is, and the next
// removal ends the work.
func TestRemoveFailsAtEveryStep(t *testing.T) {
	for _, point := range []string{"forget.before", "forget.after", "unlink.before", "unlink.after"} {
		t.Run(point, func(t *testing.T) {
			a := newArchive(t)
			gone, kept := bytesOf(1, 1000), bytesOf(2, 1000)
			a.release(a.accept("e1", gone), a.get())
			a.accept("e1", kept)
			a.pass(9 * day)
			a.fail = point
			if _, err := a.Remove(t.Context(), a.get(), a.documents); err == nil || a.fail != "" {
				t.Fatalf("error %v, %q left", err, a.fail)
			}
			a.restart(a.config())
			wantServed(t, a.rig, kept)
			if _, whole := heldBy(t, a.rig, "e1", gone); whole {
				wantServed(t, a.rig, gone)
				a.pass(9 * day) // asking pinned it
			}
			a.remove()
			a.wantThere(gone, false)
			a.wantThere(kept, true)
			mustUpload(t, a.rig, "e1", gone)
			wantServed(t, a.rig, gone)
		})
	}
}

// An upload that began when the rows were forgotten ends before the file is deleted,
// if nothing keeps it: then the new file would go.
func TestAnUploadDuringARemoval(t *testing.T) {
	a := newArchive(t)
	data := bytesOf(1, 1000)
	a.release(a.accept("e1", data), a.get())
	a.pass(9 * day)
	done := make(chan error, 1)
	a.at = map[string]func(){"unlink.before": func() {
		go func() { done <- upload(a.rig, "e2", data) }()
		select {
		case err := <-done: // nothing kept it
			done <- err
		case <-time.After(200 * time.Millisecond):
		}
	}}
	if got := a.remove(); got.Chunks != 1 {
		t.Fatalf("removed %+v", got)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantHeld(t, a.rig, "e2", data, 1000, true)
	wantServed(t, a.rig, data)
}

// Whoever is told that an upload is complete finds the chunk, however many removals
// run at the same time.
func TestUploadsRaceWithRemoval(t *testing.T) {
	a := newArchive(t)
	data := bytesOf(1, 40)
	ctx, stop := context.WithCancel(t.Context())
	var removing, uploading sync.WaitGroup
	var telling sync.RWMutex // time passes only while nobody relies on what they were just told
	removing.Go(func() {
		for ctx.Err() == nil {
			// The file is old, whatever its time says: only the pins protect it.
			if err := age(a, data); err != nil {
				t.Error(err)
			}
			if _, err := a.Remove(ctx, a.get(), a.documents); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for e := range 3 {
		uploading.Go(func() {
			for i := range 20 {
				if e == 0 && i%5 == 0 {
					telling.Lock()
					a.pass(8 * day) // every pin is over: the chunk may go, until the next upload
					telling.Unlock()
				}
				telling.RLock()
				err := a.uploadAndRead(fmt.Sprintf("e%d-%d", e, i), data)
				telling.RUnlock()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	uploading.Wait()
	stop()
	removing.Wait()
}

func (a *archive) uploadAndRead(endpoint string, data []byte) error {
	if err := upload(a.rig, endpoint, data); err != nil {
		return err
	}
	got, err := a.ReadRange(context.Background(), idOf(data), 0, uint32(len(data)))
	if err != nil || string(got) != string(data) {
		return fmt.Errorf("complete, and then %q: %w", got, err)
	}
	return nil
}

func age(a *archive, data []byte) error {
	old := a.get().Add(-100 * day)
	if err := os.Chtimes(chunkFile(a.dir, data), old, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Documents come, are released, content is uploaded again, sweeps and removals run,
// steps fail, the store starts again: whatever a document needs is there.
func TestNothingNeededIsRemoved(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			a := newArchive(t)
			pool := make([][]byte, 6)
			for i := range pool {
				pool[i] = bytesOf(seed*10+uint64(i), 30+i)
			}
			one := func() []byte { return pool[r.IntN(len(pool))] }
			removed := 0
			for range 250 {
				endpoint := fmt.Sprintf("e%d", r.IntN(2))
				switch r.IntN(10) {
				case 0, 1:
					a.accept(endpoint, one(), one())
				case 2, 3, 4:
					if live := a.live(); len(live) > 0 {
						a.release(live[r.IntN(len(live))], a.get())
					}
				case 5:
					mustUpload(t, a.rig, endpoint, one())
				case 6, 7:
					a.pass(time.Duration(r.IntN(10)) * day)
					if err := a.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				case 8:
					a.fail = []string{"", "forget.before", "forget.after", "unlink.before", "unlink.after"}[r.IntN(5)]
					done, _ := a.Remove(t.Context(), a.get(), a.documents)
					a.fail, removed = "", removed+done.Chunks
				case 9:
					if r.IntN(5) == 0 {
						a.restart(a.config())
					}
				}
				a.wantNeeded(pool)
			}
			if removed == 0 {
				t.Error("nothing was ever removed")
			}
		})
	}
}

func (d *documents) live() (all []*record) {
	for _, r := range d.all {
		if r.released.IsZero() {
			all = append(all, r)
		}
	}
	return all
}

func (a *archive) wantNeeded(pool [][]byte) {
	a.t.Helper()
	for _, data := range pool {
		for _, r := range a.live() {
			if r.chunks[idOf(data)] {
				wantServed(a.t, a.rig, data)
			}
		}
	}
	if err := a.Check(); err != nil && !reason.IsTemporary(err) {
		a.t.Fatal(err)
	}
}
