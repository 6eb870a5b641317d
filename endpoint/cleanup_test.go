package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"docaxis/endpoint/files"
	"docaxis/endpoint/inbox"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

const day = 24 * time.Hour

// retain sets what an office keeps, from its next start on; its loop does nothing by
// itself.
func (o *office) retain(outboxDays, inboxDays int, quota uint64) *office {
	o.adjust = func(c *Config) {
		c.Settings.Retention = Retention{OutboxDays: &outboxDays, InboxDays: &inboxDays, QuotaBytes: quota}
	}
	return o
}

// later stops an office and opens it so much later, without running it.
func (o *office) later(d time.Duration) *office {
	o.t.Helper()
	o.halt()
	o.now = func() time.Time { return time.Now().Add(d) }
	return o.open()
}

func (o *office) cleaned(dry bool) Cleanup {
	o.t.Helper()
	done, err := o.agent.Clean(o.t.Context(), dry)
	if err != nil {
		o.t.Fatal(err)
	}
	return done
}

// brief says why how many documents and files went.
func brief(c Cleanup) string {
	var all []string
	for _, r := range c.Removed {
		all = append(all, fmt.Sprintf("%s %d/%d", r.Why, r.Documents, r.Files))
	}
	return fmt.Sprint(all)
}

// handed brings a document all the way.
func handed(from, to *office, d Draft) string {
	id := from.send(d)
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.confirm(id, "H42")
	from.wait(id, axispb.State_STATE_HANDED_OVER)
	return id
}

// What is done goes when its days are over, not a day sooner; what is not done stays
// for ever. The story and the proofs stay in any case.
func TestFilesGoWhenTheirDaysAreOver(t *testing.T) {
	_, from, to := pair(t)
	done := handed(from, to, draft("H41", "H42").with(noise(1000), noise(2000)))
	waiting := from.send(draft("H41", "H42").with(noise(3000)))
	from.wait(waiting, axispb.State_STATE_CONSIGNED)

	if got := brief(from.later(29 * day).cleaned(false)); got != "[]" {
		t.Errorf("the sender removed %s after 29 days", got)
	}
	if got := brief(to.later(89 * day).cleaned(false)); got != "[]" {
		t.Errorf("the recipient removed %s after 89 days", got)
	}
	dry := from.later(31 * day).cleaned(true)
	if got := brief(dry); got != "[sent 2/3]" {
		t.Errorf("the sender would remove %s", got)
	}
	real := from.cleaned(false)
	if brief(real) != brief(dry) || real.Removed[0] != dry.Removed[0] || real.Removed[0].Bytes != 6000 || real.Kept != 0 {
		t.Errorf("the sender removed %+v after saying %+v", real, dry)
	}
	if got := brief(to.later(91 * day).cleaned(false)); got != "[received 1/2]" {
		t.Errorf("the recipient removed %s", got)
	}
	for _, o := range []*office{from, to} {
		if got := brief(o.cleaned(false)); got != "[]" {
			t.Errorf("%s removed %s twice", o.name, got)
		}
	}

	to.content(waiting, "H42", 0)
	r, err := to.agent.Document(inbox.KeyOf(to.received(done, "H42")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.File(0); !reason.Is(err, axispb.ReasonCode_REASON_RELEASED) || reason.IsTemporary(err) {
		t.Errorf("asking for a file that is gone: %v", err)
	}
	for _, o := range []*office{from, to} {
		story, err := Clerk(o.agent).Show(t.Context(), done)
		if err != nil || len(story) != 1 || story[0].ReleasedMS == 0 || len(story[0].Steps) < 3 && o == from {
			t.Fatalf("%s tells %+v, %v", o.name, story, err)
		}
		for _, s := range story[0].Steps {
			if s.Problem != "" || s.Event != "" && !s.Verified {
				t.Errorf("%s: a proof of %s does not hold any more: %s", o.name, s.Event, s.Problem)
			}
		}
	}
}

// A file that several documents have goes with the last that needs it.
func TestASharedFileGoesWithTheLast(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41").retain(0, 0, 0), w.office("to", "H42").retain(0, 0, 0)
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	shared, own := noise(4000), noise(100)
	handed(from, to, draft("H41", "H42").with(shared, own))
	waiting := from.send(draft("H41", "H42").with(shared))
	from.wait(waiting, axispb.State_STATE_CONSIGNED)
	if got := brief(to.cleaned(false)); got != "[received 1/1]" {
		t.Errorf("the recipient removed %s", got)
	}
	if got := to.content(waiting, "H42", 0); !slices.Equal(got, shared) {
		t.Error("the shared file has another content")
	}
	to.confirm(waiting, "H42")
	if got := brief(to.cleaned(false)); got != "[received 1/1]" {
		t.Errorf("with the last, the recipient removed %s", got)
	}
	// It comes again as anything new does.
	third := from.send(draft("H41", "H42").with(shared))
	from.wait(third, axispb.State_STATE_CONSIGNED)
	if got := to.content(third, "H42", 0); !slices.Equal(got, shared) {
		t.Error("the file came back with another content")
	}
}

// Above the quota the oldest goes that nobody needs, and nothing else; where that is
// not enough, nothing is sent, and the status says why.
func TestTheQuotaTakesTheOldestThatNobodyNeeds(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42").retain(30, 90, 11_000)
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	first := handed(from, to, draft("H41", "H42").with(noise(4000)))
	second := handed(from, to, draft("H41", "H42").with(noise(4001)))
	third := handed(from, to, draft("H41", "H42").with(noise(3000)))
	open := from.send(draft("H41", "H42").with(noise(4001), noise(3999)))
	from.wait(open, axispb.State_STATE_CONSIGNED)
	to = to.later(time.Hour)
	done := to.cleaned(false)
	if got := brief(done); got != "[quota 1/1]" || done.Kept != 11000 || done.OverQuota() {
		t.Errorf("removed %+v", done)
	}
	if to.received(first, "H42").ReleasedMs == 0 || to.received(third, "H42").ReleasedMs != 0 {
		t.Error("it was not the oldest that went")
	}

	// The second has a file that the open one needs: to give it up would gain nothing.
	to.retain(30, 90, 3000)
	to = to.later(2 * time.Hour)
	done = to.cleaned(false)
	if got := brief(done); got != "[quota 1/1]" || done.Kept != 8000 || !done.OverQuota() || to.received(second, "H42").ReleasedMs != 0 {
		t.Errorf("removed %+v", done)
	}
	to.content(open, "H42", 0)
	_, err := to.agent.Send(t.Context(), draft("H42", "H41").with(noise(1)))
	if !reason.Is(err, axispb.ReasonCode_REASON_CONTENT_QUOTA) {
		t.Errorf("over the quota, sending: %v", err)
	}
	if s, _ := Clerk(to.agent).Status(t.Context()); !s.Disk.OverQuota || s.Disk.Kept != 8000 || s.Disk.Quota != 3000 {
		t.Errorf("the status says %+v", s.Disk)
	}
	to.confirm(open, "H42")
	to = to.later(3 * time.Hour)
	if _, err := to.agent.Send(t.Context(), draft("H42", "H41").with(noise(1))); err != nil {
		t.Errorf("once it is confirmed, sending: %v", err)
	}
}

// What a crash left behind, and what was fetched of a document that is not fetched
// any more, goes; other people's files do not.
func TestLeftoversGo(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41").open()
	kept := from.send(draft("H41", "H42").with(noise(10)))
	if _, err := from.agent.files.Add(&zeroes{300}, 1000); err != nil {
		t.Fatal(err)
	}
	content := filepath.Join(from.dir, "content")
	digest := fmt.Sprintf("%064x", 7)
	foreign := filepath.Join(content, "files", "00", "notes.txt")
	for _, path := range []string{filepath.Join(content, "partial", digest+".part"), foreign} {
		if err := os.WriteFile(path, []byte("some"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := brief(from.cleaned(false)); got != "[left 0/1 partial 0/1]" {
		t.Errorf("removed %s", got)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	if _, err := from.agent.Sent(kept); err != nil {
		t.Error(err)
	}
}

type zeroes struct{ left int }

func (z *zeroes) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	clear(p[:n])
	z.left -= n
	return n, nil
}

// While what a document has is not yet committed, a cleanup leaves its files, also
// those that were here before and that nothing else needs.
func TestACleanupLeavesWhatIsBeingSent(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41")
	var done Cleanup
	cleaned := false
	from.adjust = func(c *Config) {
		c.Faults = func(point string) error {
			if point == "outbox.add.before" && !cleaned {
				cleaned = true
				done = from.cleaned(false)
			}
			return nil
		}
	}
	from.open()
	body := noise(500)
	if _, err := from.agent.files.Add(bytes.NewReader(body), 500); err != nil {
		t.Fatal(err)
	}
	id := from.send(draft("H41", "H42").with(body))
	if !cleaned || len(done.Removed) != 0 {
		t.Errorf("removed %+v", done)
	}
	if _, err := from.agent.Sent(id); err != nil {
		t.Error(err)
	}
	if got := brief(from.cleaned(false)); got != "[]" {
		t.Errorf("removed %s afterwards", got)
	}
}

// Only one cleanup at a time.
func TestOneCleanupAtATime(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41").open()
	sweep, err := from.agent.files.Sweep()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.agent.Clean(t.Context(), false); !errors.Is(err, files.ErrSweeping) {
		t.Errorf("got %v", err)
	}
	sweep.End()
	from.cleaned(false)
}

// A crash at every step of a cleanup: no document claims files that are gone, and the
// next cleanup removes what is left.
func TestACrashAtEveryStepOfACleanup(t *testing.T) {
	for _, point := range []string{"release.before", "release.after", "unlink.before", "unlink.after"} {
		for nth := 1; nth <= 2; nth++ {
			t.Run(fmt.Sprint(point, nth), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				from, to := w.office("from", "H41"), w.office("to", "H42")
				from.start().synced("H41", "H42")
				to.start().synced("H41", "H42")
				handed(from, to, draft("H41", "H42").with(noise(1000), noise(2000)))
				handed(from, to, draft("H41", "H42").with(noise(3000), noise(4000)))
				open := from.send(draft("H41", "H42").with(noise(500)))
				from.wait(open, axispb.State_STATE_CONSIGNED)
				to.later(100 * day)
				to.faults.crash(point, nth)
				_, err := to.agent.Clean(t.Context(), false)
				if crashed := point[:7] != "release" || nth == 1; crashed != errors.Is(err, errCrash) {
					t.Fatalf("got %v", err)
				}
				// later asks whether every document that claims files has them.
				to.faults.clear()
				to.later(100 * day)
				to.cleaned(false)
				if got := brief(to.cleaned(true)); got != "[]" {
					t.Errorf("still there: %s", got)
				}
				if n := bodies(t, to); n != 3+1 {
					t.Errorf("%d files are here, not three envelopes and a file", n)
				}
				to.content(open, "H42", 0)
			})
		}
	}
}

func bodies(t *testing.T, o *office) (n int) {
	t.Helper()
	if err := o.agent.files.Walk(func(files.Kept) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// The loop cleans up at the start, and again and again.
func TestTheLoopCleansUp(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	none := 0
	to.adjust = func(c *Config) {
		c.Settings.Retention.InboxDays, c.CleanEvery = &none, 5*time.Millisecond
	}
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	id := handed(from, to, draft("H41", "H42").with(noise(1000)))
	to.until("its files are gone", func() bool { return bodies(t, to) == 1 })
	if to.received(id, "H42").ReleasedMs == 0 {
		t.Error("the files are gone, and the entry does not say so")
	}
}
