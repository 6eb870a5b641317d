package endpoint

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/diskspace"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// testDisk is a disk of 1 GiB whose free space a test sets. Its clock is two seconds
// further after each change, so that no guard goes by what it saw before.
type testDisk struct {
	mu    sync.Mutex
	free  uint64
	ahead time.Duration
}

const (
	mib      = 1 << 20
	keptFree = 100 * mib // so that 12.5 MiB are kept from records
)

func (o *office) onDisk(free uint64) *testDisk {
	d := &testDisk{free: free}
	o.now = d.now
	o.adjust = func(c *Config) {
		c.Settings.Limits.FreeBytes = keptFree
		c.Disk = func(string) (diskspace.Space, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			return diskspace.Space{Free: d.free, Total: 1 << 30}, nil
		}
	}
	return d
}

func (d *testDisk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.ahead)
}

func (d *testDisk) becomes(free uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free, d.ahead = free, d.ahead+2*time.Second
}

// unread fails when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("a file was read for which there is no room")
	return 0, io.EOF
}

// While the disk is full, what is on it can be read, statements go on their way and
// records come in; nothing is sent and no content fetched, and nothing is refused to
// its sender. When there is room, all goes on without anybody's doing.
func TestAFullDiskStopsContentsAndNothingElse(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	disk := to.onDisk(500 * mib)
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	first := from.send(draft("H41", "H42").with(noise(1000)))
	from.wait(first, axispb.State_STATE_CONSIGNED)

	disk.becomes(50 * mib)
	_, err := to.agent.Send(t.Context(), Draft{
		Document: draft("H42", "H41").Document, Files: []DraftFile{{Title: "a", Content: unread{t}, Bytes: 10}},
	})
	if !reason.Is(err, axispb.ReasonCode_REASON_DISK_FULL) || !reason.IsTemporary(err) {
		t.Errorf("sending: %v", err)
	}
	if all, err := to.agent.Outbox(outbox.Filter{}); err != nil || len(all) != 0 {
		t.Errorf("the outbox has %d entries: %v", len(all), err)
	}
	second := from.send(draft("H41", "H42").with(noise(2000)))
	to.until("the second record is here", func() bool { l, err := to.agent.Show(second); return err == nil && len(l.Received) == 1 })
	// The first can be read and confirmed, and the sender hears of it.
	to.content(first, "H42", 0)
	to.confirm(first, "H42")
	from.wait(first, axispb.State_STATE_HANDED_OVER)
	if e := to.received(second, "H42"); e.State != axispb.State_STATE_FETCHING || len(e.Evidence) != 0 || e.Attempts != 0 {
		t.Errorf("on a full disk the second is %s after %d attempts", e.State, e.Attempts)
	}
	status, err := Clerk(to.agent).Status(t.Context())
	if d := status.Disk; err != nil || !d.Full || d.RecordsFull || d.SinceMS == 0 || d.Free != 50*mib || d.Keep != keptFree {
		t.Errorf("the status says %+v, %v", d, err)
	}

	disk.becomes(500 * mib)
	from.wait(second, axispb.State_STATE_CONSIGNED)
	to.send(draft("H42", "H41").with(noise(10)))
	if s, _ := Clerk(to.agent).Status(t.Context()); s.Disk.Full {
		t.Errorf("with room the status says %+v", s.Disk)
	}
}

// Where hardly anything is left, records stay at the axis, too.
func TestAnAllButFullDiskPullsNothing(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	disk := to.onDisk(500 * mib)
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	disk.becomes(10 * mib)
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_ACCEPTED)
	to.until("it says why", func() bool { return strings.Contains(to.logs.String(), "too little room") })
	if _, err := to.agent.Show(id); !errors.Is(err, outbox.ErrNotFound) {
		t.Errorf("the record is here: %v", err)
	}
	if s, _ := Clerk(to.agent).Status(t.Context()); !s.Disk.RecordsFull {
		t.Errorf("the status says %+v", s.Disk)
	}
	disk.becomes(500 * mib)
	from.wait(id, axispb.State_STATE_CONSIGNED)
}

// A disk that fills up while a large file is read: the send is refused, and nothing
// of it stays.
func TestADiskThatFillsUpWhileAFileIsRead(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41")
	disk := from.onDisk(keptFree + 3*mib)
	from.open()
	large := draft("H41", "H42")
	large.Files = []DraftFile{{Title: "a", Content: unread{t}, Bytes: 4 * mib}}
	if _, err := from.agent.Send(t.Context(), large); !reason.Is(err, axispb.ReasonCode_REASON_DISK_FULL) {
		t.Fatalf("one that says how large it is: %v", err)
	}
	d := draft("H41", "H42").with(noise(2*mib), noise(2*mib))
	if _, err := from.agent.Send(t.Context(), d); !reason.Is(err, axispb.ReasonCode_REASON_DISK_FULL) {
		t.Fatalf("got %v", err)
	}
	if done, err := from.agent.Clean(t.Context(), true); err != nil || len(done.Removed) != 1 || done.Removed[0].Files != 1 {
		t.Errorf("left behind: %+v, %v", done, err)
	}
	disk.becomes(500 * mib)
	if _, err := from.agent.Send(t.Context(), draft("H41", "H42").with(noise(2*mib), noise(2*mib))); err != nil {
		t.Fatal(err)
	}
}

// burst fails a run of commits as a full disk does.
type burst struct {
	mu           sync.Mutex
	from, length int
	failed       int
}

func (b *burst) at(point string) error {
	if point != "store.write.before" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.from--; b.from >= 0 || b.length == 0 {
		return nil
	}
	b.length--
	b.failed++
	return fmt.Errorf("write endpoint.db: %w", syscall.ENOSPC)
}

// Whichever commits the disk has no room for, at either end: nobody has to be started
// again, every store stays as it must be, and the document goes its way once.
func TestEveryCommitMeetsAFullDisk(t *testing.T) {
	for at := range 10 {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			from, to := w.office("from", "H41"), w.office("to", "H42")
			bursts := map[*office]*burst{}
			for _, o := range []*office{from, to} {
				b := &burst{}
				bursts[o] = b
				o.adjust = func(c *Config) { c.StoreFaults = b.at }
				o.start().synced("H41", "H42")
			}
			for _, b := range bursts {
				b.mu.Lock()
				b.from, b.length = at, 3
				b.mu.Unlock()
			}
			d := draft("H41", "H42")
			d.Document.ID = "01940000-0000-7000-8000-000000000001"
			body := noise(70_000)
			from.until("it is sent", func() bool {
				_, err := from.agent.Send(t.Context(), d.with(body))
				if err != nil && !isFull(err) {
					t.Fatalf("sending: %v", err)
				}
				return err == nil
			})
			from.wait(d.Document.ID, axispb.State_STATE_CONSIGNED)
			key := to.received(d.Document.ID, "H42")
			to.until("it is confirmed", func() bool {
				r, err := to.agent.Document(inbox.KeyOf(key))
				if err != nil {
					t.Fatal(err)
				}
				err = to.agent.Confirm(t.Context(), inbox.KeyOf(r.Entry), true, "")
				if err != nil && !isFull(err) {
					t.Fatalf("confirming: %v", err)
				}
				return err == nil
			})
			from.wait(d.Document.ID, axispb.State_STATE_HANDED_OVER)
			if n := w.axis.Documents(); n != 1 {
				t.Errorf("the axis has %d documents", n)
			}
			if e := to.received(d.Document.ID, "H42"); len(e.Evidence) != 2 {
				t.Errorf("%d statements", len(e.Evidence))
			}
		})
	}
}
