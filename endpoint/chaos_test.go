package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"docaxis/endpoint/inbox"
	"docaxis/proto/axispb"
)

// Crash after crash, at random steps of either end, with documents under way in
// both directions: each arrives once, with its content, and every store holds what
// it promises after each crash.
func TestCrashAfterCrash(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	w := newWorld(t)
	w.axis.Carries = true
	offices := []*office{w.office("one", "H41"), w.office("two", "H42")}
	for _, o := range offices {
		o.start().synced("H41", "H42")
	}
	bodies := map[string][]byte{}
	send := func(o *office, n int) {
		d := draft(o.codes[0], "H41", "H42")
		d.Document.ID = fmt.Sprintf("01940000-0000-7000-8000-%012d", n)
		body := noise(rng.IntN([]int{15_000, 150_000}[n%2])) // with the page, or asked for
		for {
			_, err := o.agent.Send(t.Context(), d.with(body))
			if err == nil {
				break
			}
			if !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			o.restart()
		}
		bodies[d.Document.ID] = body
	}
	for round := range 12 {
		victim := offices[rng.IntN(2)]
		c := allPoints[rng.IntN(len(allPoints))]
		victim.faults.crash(c.point+[]string{".before", ".after"}[rng.IntN(2)], 1+rng.IntN(3))
		send(offices[round%2], round)
		if rng.IntN(2) == 0 {
			victim.restart()
		}
	}
	for _, o := range offices {
		o.restart()
	}
	for id, body := range bodies {
		for _, o := range offices {
			o.until(id+" is consigned", func() bool { return o.waitErr(id, axispb.State_STATE_CONSIGNED) == nil })
			if e := o.received(id, o.codes[0]); len(e.Evidence) != 1 {
				t.Errorf("%s: %d statements", id, len(e.Evidence))
			}
			if !bytes.Equal(o.content(id, o.codes[0], 0), body) {
				t.Errorf("%s: the content is different", id)
			}
		}
	}
	if n := w.axis.Documents(); n != len(bodies) {
		t.Errorf("the axis has %d documents of %d", n, len(bodies))
	}
	for _, o := range offices {
		all, err := o.agent.Inbox(inbox.Filter{Code: o.codes[0]})
		if err != nil || len(all) != len(bodies) {
			t.Errorf("%s has %d documents of %d: %v", o.name, len(all), len(bodies), err)
		}
		if q, _ := o.agent.Quarantined(5); len(q) != 0 {
			t.Errorf("%s put aside %v", o.name, q)
		}
	}
}
