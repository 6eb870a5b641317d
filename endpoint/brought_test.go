package endpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/inbox"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// carrying is a pair whose axis puts the contents of small documents into its pages.
func carrying(t *testing.T) (*world, *office, *office) {
	t.Helper()
	w, from, to := pair(t)
	w.axis.Lock()
	w.axis.Carries = true
	w.axis.Unlock()
	return w, from, to
}

// arrives sends files and holds them to be what is consigned, and to have taken so many
// requests for contents.
func arrives(w *world, from, to *office, requests func(int) bool, bodies ...[]byte) string {
	w.t.Helper()
	before := w.axis.Requests("to", bus.Get)
	id := from.send(draft("H41", "H42").with(bodies...))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.wait(id, axispb.State_STATE_CONSIGNED)
	for i, body := range bodies {
		if !bytes.Equal(to.content(id, "H42", i), body) {
			w.t.Errorf("file %d is different", i+1)
		}
	}
	if n := w.axis.Requests("to", bus.Get) - before; !requests(n) {
		w.t.Errorf("%d requests for contents", n)
	}
	return id
}

func none(n int) bool { return n == 0 }
func some(n int) bool { return n > 0 }

// Small files come with the page; what is larger is asked for, and so is everything
// where the axis does not know of it.
func TestSmallFilesComeWithThePage(t *testing.T) {
	w, from, to := carrying(t)
	arrives(w, from, to, none, noise(3000))
	arrives(w, from, to, none, noise(3001), nil, noise(3002), noise(3002))
	arrives(w, from, to, none, noise(16<<10))
	arrives(w, from, to, some, noise(16<<10+1))
	arrives(w, from, to, some, noise(10_000), noise(10_001))
	w.axis.Lock()
	w.axis.Carries = false
	w.axis.Unlock()
	arrives(w, from, to, some, noise(3003))
}

// Bytes that came with a page and are not those of their digest are no more used, and no
// less told of, than those of an answer; the right ones are asked for.
func TestWrongBytesInAPageAreAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*axispb.PageChunk)
		told  bool
	}{
		"other bytes":     {func(c *axispb.PageChunk) { flip(c.Data) }, true},
		"too many":        {func(c *axispb.PageChunk) { c.Data = append(c.Data, 1) }, true},
		"too few":         {func(c *axispb.PageChunk) { c.Data = c.Data[:100] }, true},
		"none":            {func(c *axispb.PageChunk) { c.Data = nil }, true},
		"under no digest": {func(c *axispb.PageChunk) { c.Digest = c.Digest[:31] }, false}, // of nothing that is known
	} {
		t.Run(name, func(t *testing.T) {
			w, from, to := carrying(t)
			w.tamper("to", bus.Pull, func(m proto.Message) {
				for _, chunk := range m.(*axispb.Page).Contents {
					c.spoil(chunk)
				}
			})
			arrives(w, from, to, some, noise(3000))
			if told := strings.Contains(to.logs.String(), "fetching failed"); told != c.told {
				t.Errorf("it was told of: %v", told)
			}
		})
	}
}

// After a crash around the page's commit the document is consigned once: by that commit, or
// by what comes again.
func TestACrashAroundAPageWithContents(t *testing.T) {
	for _, point := range []string{"pull.after", "t1.before", "t1.after"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w, from, to := carrying(t)
			w.axis.SetOnline("to", false)
			body := noise(3000)
			id := from.send(draft("H41", "H42").with(body))
			from.wait(id, axispb.State_STATE_ACCEPTED)
			crashed := to.faults.crash(point, 1)
			w.axis.SetOnline("to", true)
			<-crashed
			to.restart()
			from.wait(id, axispb.State_STATE_CONSIGNED)
			if !bytes.Equal(to.content(id, "H42", 0), body) {
				t.Error("the content is different")
			}
			if e := to.received(id, "H42"); len(e.Evidence) != 1 {
				t.Errorf("%d statements", len(e.Evidence))
			}
		})
	}
}

// Files that came with a page and cannot be kept are fetched as ever, which says why
// that fails; the page is committed, and a restart brings what was missing.
func TestContentsThatCannotBeKept(t *testing.T) {
	w, from, to := carrying(t)
	body := noise(3000)
	digest := sha256.Sum256(body)
	folder := filepath.Join(to.dir, "content", "files", hex.EncodeToString(digest[:1]))
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	id := from.send(draft("H41", "H42").with(body))
	to.until("the fetch failed", func() bool {
		l, err := to.agent.Show(id)
		return err == nil && len(l.Received) == 1 && l.Received[0].Trouble != nil
	})
	if !strings.Contains(to.logs.String(), "were not kept") || w.axis.Requests("to", bus.Get) == 0 {
		t.Error("nothing was said of it, or nothing was fetched")
	}
	other := from.send(draft("H41", "H42").with(noise(3001)))
	from.wait(other, axispb.State_STATE_CONSIGNED)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	to.restart()
	from.wait(id, axispb.State_STATE_CONSIGNED)
	if !bytes.Equal(to.content(id, "H42", 0), body) {
		t.Error("the content is different")
	}
}

// A change that came whole waits for its target all the same.
func TestAChangeWithItsContentsWaitsForItsTarget(t *testing.T) {
	w, from, to := carrying(t)
	w.axis.SetOnline("to", false)
	target := from.send(draft("H41", "H42").with(noise(20_000)))
	from.wait(target, axispb.State_STATE_ACCEPTED)
	change := from.send(draft("H41", "H42").about("H41", target, envelope.KindRecall).with(noise(50)))
	from.wait(change, axispb.State_STATE_ACCEPTED)
	bring := w.withoutContents()
	w.axis.SetOnline("to", true)
	to.until("the change is here", func() bool { l, err := to.agent.Show(change); return err == nil && len(l.Received) == 1 })
	if e := to.received(change, "H42"); e.State != axispb.State_STATE_WAITING || len(e.Evidence) != 0 {
		t.Fatalf("the change is %s with %d statements", e.State, len(e.Evidence))
	}
	bring()
	from.wait(target, axispb.State_STATE_CONSIGNED)
	from.wait(change, axispb.State_STATE_CONSIGNED)
	if strings.Contains(to.logs.String(), "pulling failed") {
		t.Error("the change held up its page")
	}
}

// A store that never stated anything pulls everything before it states, whatever could be
// consigned at once: the journal may know statements of its that it must not contradict.
func TestNothingIsStatedBeforeAllWasPulled(t *testing.T) {
	w := newWorld(t)
	w.axis.Carries, w.axis.MaxItems = true, 2
	from, to := w.office("from", "H41"), w.office("to", "H42")
	from.start().synced("H41", "H42")
	var ids []string
	for i := range 6 {
		d := draft("H41", "H42")
		if i%2 == 0 {
			d = d.with(noise(100 + i))
		}
		ids = append(ids, from.send(d))
		from.wait(ids[i], axispb.State_STATE_ACCEPTED)
	}
	to.open()
	pages, early := 0, 0
	w.axis.Lock()
	w.axis.Hook = func(who string, s bus.Service, when string) error {
		if who == "to" && s == bus.Pull && when == "before" {
			all, _ := to.agent.Inbox(inbox.Filter{Code: "H42"})
			if len(all) > 0 && len(all) < len(ids) {
				pages++
			}
			for _, e := range all {
				if len(all) < len(ids) && len(e.Evidence) > 0 {
					early++
				}
			}
		}
		return nil
	}
	w.axis.Unlock()
	to.run()
	for _, id := range ids {
		from.wait(id, axispb.State_STATE_CONSIGNED)
	}
	w.axis.Lock()
	defer w.axis.Unlock()
	if pages == 0 || early > 0 {
		t.Errorf("%d statements before everything was pulled, in %d pages", early, pages)
	}
}

// An endpoint without room wants no contents with its pages.
func TestAFullDiskWantsNoContents(t *testing.T) {
	w := newWorld(t)
	w.axis.Carries = true
	from, to := w.office("from", "H41"), w.office("to", "H42")
	disk := to.onDisk(500 * mib)
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	came := 0
	w.tamper("to", bus.Pull, func(m proto.Message) { came += len(m.(*axispb.Page).Contents) })
	disk.becomes(50 * mib)
	id := from.send(draft("H41", "H42").with(noise(3000)))
	to.until("its row is here", func() bool { l, err := to.agent.Show(id); return err == nil && len(l.Received) == 1 })
	w.axis.Lock()
	if came != 0 {
		t.Errorf("%d chunks came", came)
	}
	w.axis.Unlock()
	disk.becomes(500 * mib)
	from.wait(id, axispb.State_STATE_CONSIGNED)
	if w.axis.Requests("to", bus.Get) == 0 {
		t.Error("the content came from nowhere")
	}
}
