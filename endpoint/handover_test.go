package endpoint

import (
	"sync/atomic"
	"testing"
	"time"

	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// lateWorld is a sender whose documents must be handed over within an hour, and a
// recipient whose clock can be put forward.
func lateWorld(t *testing.T) (w *world, from, to *office, ahead *atomic.Int64) {
	t.Helper()
	w, ahead = newWorld(t), new(atomic.Int64)
	from, to = w.office("from", "H41"), w.office("to", "H42")
	to.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	to.adjust = func(c *Config) { c.HandoverEvery = 5 * time.Millisecond }
	w.axis.Change(&axispb.Change{Change: &axispb.Change_PutPolicy{PutPolicy: &axispb.Policy{Code: "H41", HandoverHours: 1}}})
	from.start().synced("H41", "H42")
	to.start().synced("H41", "H42")
	return w, from, to, ahead
}

// What was not handed over in time is stated once, whatever crashes around it; the DMS
// is still offered it, takes it, and that supersedes.
func TestALateHandoverIsStatedOnce(t *testing.T) {
	for _, point := range []string{"", "handover.due.before", "handover.due.after", "evidence.send.after", "evidence.store.before"} {
		t.Run("crash at "+point, func(t *testing.T) {
			t.Parallel()
			w, from, to, ahead := lateWorld(t)
			id := from.send(draft("H41", "H42").with(noise(10)))
			from.wait(id, axispb.State_STATE_CONSIGNED)
			e := to.received(id, "H42")
			if e.HandoverByMs == 0 || e.State != axispb.State_STATE_CONSIGNED {
				t.Fatalf("%v", e)
			}
			if point != "" {
				crashed := to.faults.crash(point, 1)
				ahead.Store(int64(2 * time.Hour))
				to.until("crash", func() bool {
					select {
					case <-crashed:
						return true
					default:
						return false
					}
				})
				to.restart()
			}
			ahead.Store(int64(2 * time.Hour))
			to.until("the deadline is stated", func() bool { return to.received(id, "H42").State == axispb.State_STATE_HANDOVER_FAILED })
			to.restart()
			from.until("the sender hears of it", func() bool {
				return w.axis.Stated("H41", id, "H42", axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE) != nil
			})
			st := w.axis.Stated("H41", id, "H42", axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE)
			if st.Reason.GetCode() != axispb.ReasonCode_REASON_DEADLINE || st.Reason.GetArgs()[0] != reason.Time(time.UnixMilli(e.HandoverByMs)) {
				t.Errorf("stated %v", st.Reason)
			}
			e = to.received(id, "H42")
			if !inbox.Offered(e) || len(e.Evidence) != 2 {
				t.Errorf("offered %v, %d statements", inbox.Offered(e), len(e.Evidence))
			}
			list, err := Clerk(to.agent).Inbox(t.Context(), clerk.Page{New: true})
			if err != nil || len(list) != 1 {
				t.Errorf("the clerk is shown %v, %v", list, err)
			}
			to.confirm(id, "H42")
			from.until("it counts all the same", func() bool { return from.waitErr(id, axispb.State_STATE_HANDED_OVER) == nil })
			if e = to.received(id, "H42"); inbox.Offered(e) || len(e.Evidence) != 3 {
				t.Errorf("offered %v, %d statements", inbox.Offered(e), len(e.Evidence))
			}
		})
	}
}

// A deadline of the document's own counts before the policy's, one that passed before it
// came is the axis's to state, and what was taken in time or is a status is never late.
func TestWhatIsLate(t *testing.T) {
	_, from, to, ahead := lateWorld(t)
	own := draft("H41", "H42")
	own.Document.Deadline = time.Now().Add(30 * time.Minute)
	ids := []string{from.send(own.with(noise(10))), from.send(draft("H41", "H42").with(noise(10))), from.send(draft("H41", "H42"))}
	for _, id := range ids {
		from.wait(id, axispb.State_STATE_CONSIGNED)
	}
	to.confirm(ids[2], "H42")
	state := func(id string) axispb.State { return to.received(id, "H42").State }
	ahead.Store(int64(45 * time.Minute))
	to.until("its own is stated", func() bool { return state(ids[0]) == axispb.State_STATE_HANDOVER_FAILED })
	if state(ids[1]) != axispb.State_STATE_CONSIGNED {
		t.Errorf("the policy's hour is not over: %s", state(ids[1]))
	}
	ahead.Store(int64(2 * time.Hour))
	to.until("the policy's is stated", func() bool { return state(ids[1]) == axispb.State_STATE_HANDOVER_FAILED })
	if s := state(ids[2]); s != axispb.State_STATE_HANDED_OVER {
		t.Errorf("taken in time: %s", s)
	}
	// For this clock its deadline has passed when it comes.
	past := draft("H41", "H42")
	past.Document.Deadline = time.Now().Add(time.Hour)
	id := from.send(past.with(noise(10)))
	to.wait(id, axispb.State_STATE_CONSIGNED)
	if e := to.received(id, "H42"); e.HandoverByMs != 0 {
		t.Errorf("it came after its deadline, and has to be handed over by %d", e.HandoverByMs)
	}
}

// An endpoint that lost its store offers again what its DMS had not taken in time, and
// does not state that once more.
func TestALateHandoverSurvivesALostStore(t *testing.T) {
	w, from, to, ahead := lateWorld(t)
	id := from.send(draft("H41", "H42").with(noise(10)))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	ahead.Store(int64(2 * time.Hour))
	from.until("it is stated", func() bool {
		return w.axis.Stated("H41", id, "H42", axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE) != nil
	})
	to.halt()
	again := w.office("to", "H42")
	again.now, again.adjust = to.now, to.adjust
	again.start()
	again.until("it is offered again", func() bool {
		all, err := again.agent.Inbox(inbox.Filter{Code: "H42"})
		return err == nil && len(all) == 1 && all[0].State == axispb.State_STATE_CONSIGNED && inbox.Offered(all[0]) && all[0].HandoverByMs == 0
	})
	again.confirm(id, "H42")
	from.until("it counts all the same", func() bool { return from.waitErr(id, axispb.State_STATE_HANDED_OVER) == nil })
}

// What a DMS refuses after its time is offered no more, and nothing is stated twice.
func TestALateHandoverIsRefused(t *testing.T) {
	_, from, to, ahead := lateWorld(t)
	id := from.send(draft("H41", "H42").with(noise(10)))
	from.wait(id, axispb.State_STATE_CONSIGNED)
	ahead.Store(int64(2 * time.Hour))
	to.until("the deadline is stated", func() bool { return inbox.Overdue(to.received(id, "H42")) })
	for range 2 {
		if err := to.agent.Confirm(t.Context(), inbox.KeyOf(to.received(id, "H42")), false, "thiếu phụ lục"); err != nil {
			t.Fatal(err)
		}
	}
	e := to.received(id, "H42")
	if inbox.Offered(e) || e.State != axispb.State_STATE_HANDOVER_FAILED || len(e.Evidence) != 2 ||
		e.Trouble.GetReason().GetCode() != axispb.ReasonCode_REASON_REFUSED_BY_DMS {
		t.Errorf("offered %v: %v", inbox.Offered(e), e)
	}
	to.confirm(id, "H42")
	from.until("it counts all the same", func() bool { return from.waitErr(id, axispb.State_STATE_HANDED_OVER) == nil })
}
