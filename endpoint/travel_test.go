package endpoint

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"docaxis/endpoint/axistest"
	"docaxis/endpoint/inbox"
	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b)
	return b
}

// The whole way of a document: from Send to the DMS's confirmation, with every
// state proved to the sender.
func TestADocumentTravels(t *testing.T) {
	w, from, to := pair(t)
	small, large := noise(1000), noise(3<<20+17)
	id := from.send(draft("H41", "H42").with(small, large, nil))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.wait(id, axispb.State_STATE_CONSIGNED)
	for i, want := range [][]byte{small, large, nil} {
		if got := to.content(id, "H42", i); !bytes.Equal(got, want) {
			t.Errorf("file %d is different: %d bytes", i, len(got))
		}
	}
	to.confirm(id, "H42")
	from.wait(id, axispb.State_STATE_HANDED_OVER)

	line, err := from.agent.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, s := range append(line.Steps, line.Recipients[0].Steps...) {
		if !s.Verified || s.Time.IsZero() {
			t.Errorf("step %s: not verified: %s", s.State, s.Problem)
		}
		events = append(events, s.Event)
	}
	if got := strings.Join(events, " "); got != " SubmissionAcceptance SubmissionAcceptance ContentConsignment ContentHandover" {
		t.Errorf("steps: %s", got)
	}
	line, err = to.agent.Show(id)
	if err != nil || len(line.Received) != 1 || len(line.Received[0].Steps) != 3 {
		t.Fatalf("at the recipient: %+v, %v", line, err)
	}
	for _, s := range line.Received[0].Steps {
		if !s.Verified {
			t.Errorf("step %s at the recipient: %s", s.State, s.Problem)
		}
	}
	if n := w.axis.Documents(); n != 1 {
		t.Errorf("%d documents", n)
	}
}

var allPoints = []struct{ at, point string }{
	{"from", "seal"},
	{"from", "outbox.add"},
	{"from", "attempt"},
	{"from", "put"},
	{"from", "submit"},
	{"from", "receipt.store"},
	{"from", "pull"},
	{"from", "t1"},
	{"to", "pull"},
	{"to", "t1"},
	{"to", "fetch"},
	{"to", "t2"},
	{"to", "evidence.send"},
	{"to", "evidence.store"},
}

// A crash before and after every step, at either end: the document arrives, once.
func TestACrashAtEveryStep(t *testing.T) {
	for _, c := range allPoints {
		for _, when := range []string{".before", ".after"} {
			t.Run(c.at+" "+c.point+when, func(t *testing.T) {
				t.Parallel()
				crashOnce(t, c.at, c.point+when)
			})
		}
	}
}

func crashOnce(t *testing.T, at, point string) {
	w, from, to := pair(t)
	victim := map[string]*office{"from": from, "to": to}[at]
	crashed := victim.faults.crash(point, 1)
	d := draft("H41", "H42")
	d.Document.ID = "01940000-0000-7000-8000-000000000001"
	body := noise(70_000)
	send := func() error {
		_, err := from.agent.Send(t.Context(), d.with(body))
		return err
	}
	if err := send(); err != nil && !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	victim.until("crash", func() bool {
		select {
		case <-crashed:
			return true
		default:
			return false
		}
	})
	victim.restart()
	// Whoever got no answer asks again under the same id.
	if err := send(); err != nil {
		t.Fatal(err)
	}
	id := d.Document.ID
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.confirm(id, "H42")
	from.wait(id, axispb.State_STATE_HANDED_OVER)
	if !bytes.Equal(to.content(id, "H42", 0), body) {
		t.Error("the content is different")
	}
	if n := w.axis.Documents(); n != 1 {
		t.Errorf("the axis has %d documents", n)
	}
	if e := to.received(id, "H42"); len(e.Evidence) != 2 {
		t.Errorf("%d statements", len(e.Evidence))
	}
}

// Every service fails several times, before it did its work and after.
func TestEveryServiceFails(t *testing.T) {
	for _, s := range []bus.Service{bus.Submit, bus.Evidence, bus.Pull, bus.Have, bus.Put, bus.Get} {
		for _, when := range []string{"before", "after"} {
			t.Run(string(s)+" "+when, func(t *testing.T) {
				t.Parallel()
				w, from, to := pair(t)
				left := 6
				w.axis.Lock()
				w.axis.CutPut = 30_000
				w.axis.Hook = func(_ string, service bus.Service, at string) error {
					if service == s && at == when && left > 0 {
						left--
						return axistest.Away()
					}
					return nil
				}
				w.axis.Unlock()
				body := noise(200_000)
				id := from.send(draft("H41", "H42").with(body))
				from.wait(id, axispb.State_STATE_CONSIGNED)
				to.wait(id, axispb.State_STATE_CONSIGNED)
				if !bytes.Equal(to.content(id, "H42", 0), body) || w.axis.Documents() != 1 {
					t.Error("content or count is wrong")
				}
			})
		}
	}
}

func TestSendingWorksWithoutTheAxis(t *testing.T) {
	w, from, to := pair(t)
	w.axis.SetOnline("from", false)
	w.axis.SetOnline("to", false)
	id := from.send(draft("H41", "H42").with(noise(10)))
	if e, err := from.agent.Sent(id); err != nil || e.State != axispb.State_STATE_QUEUED {
		t.Fatalf("%v, %v", e, err)
	}
	from.restart()
	w.axis.SetOnline("to", true)
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.wait(id, axispb.State_STATE_CONSIGNED)
}

// A row that comes again, and a page whose commit was lost, bring no second copy.
func TestADocumentIsReceivedOnce(t *testing.T) {
	w, from, to := pair(t)
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	to.confirm(id, "H42")
	from.wait(id, axispb.State_STATE_HANDED_OVER)
	w.axis.Repeat("H41", id)
	second := from.send(draft("H41", "H42"))
	from.wait(second, axispb.State_STATE_CONSIGNED)
	if e := to.received(id, "H42"); e.State != axispb.State_STATE_HANDED_OVER || len(e.Evidence) != 2 {
		t.Fatalf("the repeated row changed it: %v", e)
	}
	if all, _ := to.agent.Inbox(inbox.Filter{Code: "H42"}); len(all) != 2 {
		t.Fatalf("%d entries", len(all))
	}
}

// Evidence may be pulled before the receipt of the very document is stored.
func TestEvidenceThatOvertakesTheReceipt(t *testing.T) {
	w, from, _ := pair(t)
	w.axis.Lock()
	left := 30
	w.axis.Hook = func(_ string, s bus.Service, when string) error {
		if s == bus.Submit && when == "after" && left > 0 {
			left--
			return axistest.Away()
		}
		return nil
	}
	w.axis.Unlock()
	id := from.send(draft("H41", "H42"))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	if q, _ := from.agent.Quarantined(10); len(q) != 0 {
		t.Fatalf("put aside: %v", q)
	}
}

func TestSeveralRecipientsAndGroups(t *testing.T) {
	w := newWorld(t)
	from := w.office("from", "H41")
	to := w.office("to", "H42", "H42.01", "H42.02")
	from.start().synced("H42.02")
	to.start().synced("H41")
	d := draft("H41", "H42")
	d.Document.Groups = append(d.Document.Groups, envelope.Group{Under: "H42"})
	id := from.send(d.with(noise(100)))
	from.until("three recipients", func() bool {
		line, err := from.agent.Show(id)
		if err != nil || len(line.Recipients) != 3 {
			return false
		}
		for _, r := range line.Recipients {
			if r.State != axispb.State_STATE_CONSIGNED {
				return false
			}
		}
		return true
	})
	for _, code := range to.codes {
		to.received(id, code)
	}
}
