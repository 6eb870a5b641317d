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
	before := w.axis.Requests("from", bus.Proof)
	asked := func() int { return w.axis.Requests("from", bus.Proof) - before }
	send := func() {
		from.wait(from.send(draft("H41", "H42").with(noise(3000))), axispb.State_STATE_CONSIGNED)
		from.until("the receipt is compared", func() bool { return from.agent.receipted.Load() == nil })
	}
	for range 5 {
		send()
	}
	if n := asked(); n > 0 {
		t.Errorf("%d requests for proofs", n)
	}
	w.axis.Lock()
	w.axis.Older = true
	w.axis.Unlock()
	// A pull that comes before anything follows the receipt has nothing to prove.
	from.until("a proof is asked for", func() bool { send(); return asked() > 0 })
}
