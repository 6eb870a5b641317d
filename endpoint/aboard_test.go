package endpoint

import (
	"bytes"
	"testing"
	"time"

	"docaxis/endpoint/axistest"
	"docaxis/endpoint/outbox"
	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// calls is how often an office submitted, put and asked what is held.
type calls struct{ submits, puts, haves int }

func (o *office) calls() calls {
	return calls{o.axis.Requests(o.name, bus.Submit), o.axis.Requests(o.name, bus.Put), o.axis.Requests(o.name, bus.Have)}
}

// costs is what a document costs an office until it is consigned.
func (o *office) costs(files ...[]byte) calls {
	o.t.Helper()
	before := o.calls()
	id := o.send(draft("H41", "H42").with(files...))
	o.wait(id, axispb.State_STATE_CONSIGNED)
	now := o.calls()
	return calls{now.submits - before.submits, now.puts - before.puts, now.haves - before.haves}
}

func (o *office) wantCosts(what string, want calls, files ...[]byte) {
	o.t.Helper()
	if got := o.costs(files...); got != want {
		o.t.Errorf("%s: %+v, not %+v", what, got, want)
	}
}

// Small files travel inside the submission; what is too much is uploaded.
func TestSmallFilesTravelInTheSubmission(t *testing.T) {
	_, from, to := pair(t)
	from.until("it may send", from.agent.online)
	many := make([][]byte, chunk.MaxAboardCount)
	for i := range many {
		many[i] = noise(10 + i)
	}
	from.wantCosts("no file", calls{submits: 1})
	from.wantCosts("small files", calls{submits: 1}, noise(3000), nil, noise(20_000))
	from.wantCosts("as much as may be", calls{submits: 1}, noise(chunk.MaxAboard))
	from.wantCosts("as many as may be", calls{submits: 1}, many...)
	from.wantCosts("one byte more", calls{submits: 1, puts: 2}, noise(chunk.MaxAboard), noise(1))
	from.wantCosts("one file more", calls{submits: 1, puts: len(many) + 1}, append(many, noise(100))...)

	body := noise(4000)
	id := from.send(draft("H41", "H42").with(body))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	if !bytes.Equal(to.content(id, "H42", 0), body) {
		t.Error("the content is different")
	}
}

func TestNoFilesTravelInTheSubmission(t *testing.T) {
	w := newWorld(t)
	from, to := w.office("from", "H41"), w.office("to", "H42")
	from.adjust = func(c *Config) { c.Aboard = -1 }
	from.start().synced("H42")
	to.start().synced("H41")
	from.wantCosts("a small file", calls{submits: 1, puts: 1}, noise(3000))
}

// An axis of an older version finds the content missing: it is uploaded in the same
// attempt, and so is that of later documents until the endpoint connects again.
func TestAnOlderAxisGetsUploads(t *testing.T) {
	w, from, _ := pair(t)
	from.until("it may send", from.agent.online)
	older := func(is bool) {
		w.axis.Lock()
		w.axis.Older = is
		w.axis.Unlock()
	}
	older(true)
	from.wantCosts("the first document", calls{submits: 2, puts: 1}, noise(3000))
	from.wantCosts("the next", calls{submits: 1, puts: 1}, noise(3001))
	older(false)
	from.wantCosts("before it connects again", calls{submits: 1, puts: 1}, noise(3002))
	w.axis.SetOnline("from", false)
	w.axis.SetOnline("from", true)
	from.until("it may send", from.agent.online)
	from.wantCosts("after", calls{submits: 1}, noise(3003))
	e, err := from.agent.Outbox(outbox.Filter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range e {
		if e.Attempts != 1 {
			t.Errorf("%s: %d attempts", e.Id, e.Attempts)
		}
	}
}

// A submission whose answer was lost is repeated as it was: nothing is uploaded.
func TestALostAnswerIsAskedForWithTheFiles(t *testing.T) {
	w, from, _ := pair(t)
	from.until("it may send", from.agent.online)
	for _, when := range []string{"before", "after"} {
		left := 3
		w.axis.Lock()
		w.axis.Hook = func(_ string, s bus.Service, at string) error {
			if s == bus.Submit && at == when && left > 0 {
				left--
				return axistest.Away()
			}
			return nil
		}
		w.axis.Unlock()
		from.wantCosts("lost "+when, calls{submits: 4}, noise(3000+len(when)))
	}
	if n := w.axis.Documents(); n != 2 {
		t.Errorf("%d documents", n)
	}
}

// What the axis refuses for good inside a submission is for an upload to find out.
func TestFilesRefusedInTheSubmissionAreUploaded(t *testing.T) {
	for name, why := range map[string]error{
		"for good":   reason.Permanent(axispb.ReasonCode_REASON_MALFORMED, "submit"),
		"as missing": reason.Temporary(axispb.ReasonCode_REASON_CONTENT_MISSING, "files/001.pdf"),
	} {
		t.Run(name, func(t *testing.T) {
			w, from, _ := pair(t)
			from.until("it may send", from.agent.online)
			refused := false
			w.axis.Lock()
			w.axis.Hook = func(_ string, s bus.Service, at string) error {
				if s == bus.Submit && at == "before" && !refused {
					refused = true
					return why
				}
				return nil
			}
			w.axis.Unlock()
			from.wantCosts("a small file", calls{submits: 2, puts: 1}, noise(3000))
		})
	}
}

// While the axis does not take files inside submissions, that is tried again after a while.
func TestFilesTravelApartForAWhile(t *testing.T) {
	var a apart
	now := time.Now()
	if a.now(now) {
		t.Error("apart from the start")
	}
	a.begin(now)
	if !a.now(now.Add(apartFor-time.Second)) || a.now(now.Add(apartFor)) {
		t.Error("not for an hour")
	}
	if a.end(); a.now(now) {
		t.Error("still apart")
	}
}
