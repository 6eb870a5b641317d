package endpoint

import (
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/bus"
)

// A full page is taken in a bounded multiple of its size, envelopes, proofs, seals and
// the commit together; what it brought is listed by pages.
func TestAFullPageIsTakenInBoundedMemory(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41").open(), w.office("to", "H42").open()
	const documents, files = 60, 15
	for range documents {
		d := draft("H41", "H42")
		for range files {
			d.Files = append(d.Files, DraftFile{Title: strings.Repeat("x", 200), Content: strings.NewReader("x")})
		}
		from.send(d)
	}
	from.halt()
	from.start()
	from.until("everything is at the axis", func() bool { return w.axis.Documents() == documents })
	from.halt()

	var size int
	w.tamper("to", bus.Pull, func(m proto.Message) { size = proto.Size(m) })
	to.agent.link.Store(link.New(w.axis.Dial("to"), to.now))
	largest := 0
	for more := true; more; {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var err error
		if more, _, err = to.agent.pullPage(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		largest = max(largest, size)
		if took := after.TotalAlloc - before.TotalAlloc; took > uint64(40*size)+8<<20 {
			t.Errorf("a page of %d bytes took %d", size, took)
		}
	}
	if largest < 300<<10 || largest > 1<<20 {
		t.Errorf("the largest page has %d bytes: no full one", largest)
	}
	to.agent.link.Store(nil)
	seen, after := 0, ""
	for {
		page, err := Clerk(to.agent).Inbox(t.Context(), clerk.Page{After: after, Limit: 25})
		if err != nil || len(page) > 25 {
			t.Fatalf("a page of %d: %v", len(page), err)
		}
		if len(page) == 0 {
			break
		}
		seen, after = seen+len(page), page[len(page)-1].Key
	}
	if all, err := Clerk(to.agent).Inbox(t.Context(), clerk.Page{Limit: 1 << 30}); err != nil || seen != documents || len(all) != documents || (desk{}).limit(1<<30) != mostListed {
		t.Errorf("%d documents in pages, %d at once, %v", seen, len(all), err)
	}
	if s, err := Clerk(to.agent).Status(t.Context()); err != nil || s.Inbox["FETCHING"] != documents {
		t.Errorf("the status counts %v, %v", s.Inbox, err)
	}
}
