package endpoint

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/axistest"
	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// counts counts what happens at points.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) at(point string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[point]++
	return nil
}

func (c *counts) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.of
	c.of = nil
	return was
}

// counted starts an office whose commits are counted, and which pulls only when it
// has a reason to.
func counted(o *office) *counts {
	c := &counts{}
	o.adjust = func(cfg *Config) {
		cfg.StoreFaults = c.at
		cfg.PullEvery = time.Hour
		cfg.LabelAfter = time.Hour // labels share commits over time, not over documents
	}
	o.start()
	return c
}

// A small document costs three commits where it is sent (queued with its first
// attempt, receipt, evidence of the consignment) and three where it is received
// (arrived with its first fetch, consigned, the axis has the evidence), two where its files
// came with the page.
func TestCommitsOfADocument(t *testing.T) {
	for _, c := range []struct {
		carries bool
		want    int
	}{{false, 3}, {true, 2}} {
		t.Run(fmt.Sprintf("contents come with the page: %t", c.carries), func(t *testing.T) {
			t.Parallel()
			countCommits(t, c.carries, c.want)
		})
	}
}

func countCommits(t *testing.T, carries bool, want int) {
	w := newWorld(t)
	w.axis.Carries = carries
	from, to := w.office("from", "H41"), w.office("to", "H42")
	sending, receiving := counted(from), counted(to)
	from.synced("H41", "H42")
	to.synced("H41", "H42")
	for round := range 4 {
		quiet(t, to)
		sending.take()
		receiving.take()
		id := from.send(draft("H41", "H42").with(noise(3000)))
		from.wait(id, axispb.State_STATE_CONSIGNED)
		quiet(t, to)
		if round == 0 {
			continue // what the start had to pull may still have been coming
		}
		if n := sending.take()["store.write.before"]; n != 3 {
			t.Errorf("round %d: %d commits at the sender, not 3", round, n)
		}
		if n := receiving.take()["store.write.before"]; n != want {
			t.Errorf("round %d: %d commits at the recipient, not %d", round, n, want)
		}
	}
	from.halt()
	to.halt()
}

// quiet waits until the axis has everything that an office states.
func quiet(t *testing.T, o *office) {
	t.Helper()
	o.until("everything is stated", func() bool {
		var unsent []inbox.Statement
		err := o.agent.db.View(func(tx *bbolt.Tx) (err error) {
			unsent, err = inbox.In(tx).Unsent(1, 1<<20)
			return err
		})
		return err == nil && len(unsent) == 0
	})
}

// A document is queued only when its files are durable, although the disk is at work
// on them while it is sealed.
func TestNothingIsQueuedWithoutItsFiles(t *testing.T) {
	w := newWorld(t)
	o := w.office("from", "H41").open()
	body := noise(3000)
	file, err := chunk.Read(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(o.dir, "content", "files", hex.EncodeToString(file.Digest[:1]))
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if id, err := o.agent.Send(t.Context(), draft("H41", "H42").with(body)); err == nil {
		t.Errorf("%s is queued, its file is nowhere", id)
	}
	all, err := o.agent.Outbox(outbox.Filter{Limit: 5})
	if err != nil || len(all) != 0 {
		t.Errorf("%d documents are queued, %v", len(all), err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	o.send(draft("H41", "H42").with(body))
	o.halt()
}

// An attempt that was recorded ahead and not made counts as made after a crash, and the
// next start makes another; what cannot go at once is not begun.
func TestAnAttemptRecordedAheadOfACrash(t *testing.T) {
	_, from, to := pair(t)
	from.until("it may send", from.agent.online)
	from.faults.crash("attempt.before", 1)
	crashed := from.send(draft("H41", "H42").with(noise(2000)))
	e, err := from.agent.Sent(crashed)
	if err != nil || e.State != axispb.State_STATE_SUBMITTED || e.Attempts != 1 {
		t.Fatalf("%s after %d attempts, %v", e.GetState(), e.GetAttempts(), err)
	}
	from.restart()
	from.wait(crashed, axispb.State_STATE_CONSIGNED)
	if e, err = from.agent.Sent(crashed); err != nil || e.Attempts != 2 {
		t.Errorf("%d attempts after a crash, %v", e.GetAttempts(), err)
	}
	to.wait(crashed, axispb.State_STATE_CONSIGNED)

	from.axis.SetOnline("from", false)
	away := from.send(draft("H41", "H42").with(noise(2001)))
	if e, err = from.agent.Sent(away); err != nil || e.State != axispb.State_STATE_QUEUED || e.Attempts != 0 {
		t.Errorf("without a connection: %s after %d attempts, %v", e.GetState(), e.GetAttempts(), err)
	}
	from.axis.SetOnline("from", true)
	from.wait(away, axispb.State_STATE_CONSIGNED)
}

// A first attempt that was recorded ahead and fails is followed as any other: after a
// time, not at once.
func TestAfterAnAttemptRecordedAheadComesAWait(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41")
	from.adjust = func(c *Config) { c.Retry = Retry{Min: time.Hour, Max: time.Hour} }
	from.start().synced("H41")
	from.until("it may send", from.agent.online)
	w.axis.Lock()
	w.axis.Hook = func(_ string, s bus.Service, when string) error {
		if s == bus.Submit && when == "before" {
			return axistest.Away()
		}
		return nil
	}
	w.axis.Unlock()
	begun := time.Now()
	id := from.send(draft("H41", "H41").with())
	var e *axispb.OutboxEntry
	from.until("the attempt failed", func() bool {
		var err error
		e, err = from.agent.Sent(id)
		return err == nil && e.Trouble != nil
	})
	if e.Attempts != 1 || e.NextAttemptMs <= begun.UnixMilli()+2 {
		t.Errorf("%d attempts, the next at %d, begun at %d", e.Attempts, e.NextAttemptMs, begun.UnixMilli())
	}
}
