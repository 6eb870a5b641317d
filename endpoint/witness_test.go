package endpoint

import (
	"testing"

	"docaxis/internal/bus"
	"docaxis/proto/axispb"
)

// A page proves that its log is the one under the last receipt; where the axis knows
// nothing of that, the endpoint asks for the proof.
func TestAPageProvesTheReceiptsLog(t *testing.T) {
	w, from, _ := pair(t)
	from.until("it may send", from.agent.online)
	for _, older := range []bool{false, true} {
		w.axis.Lock()
		w.axis.Older = older
		w.axis.Unlock()
		before := w.axis.Requests("from", bus.Proof)
		from.wait(from.send(draft("H41", "H42").with(noise(3000))), axispb.State_STATE_CONSIGNED)
		from.until("the receipt is compared", func() bool { return from.agent.receipted.Load() == nil })
		if asked := w.axis.Requests("from", bus.Proof) - before; (asked > 0) != older {
			t.Errorf("%d requests for proofs; an older axis: %v", asked, older)
		}
	}
}
