package hubtest_test

import (
	"sync/atomic"
	"testing"

	"docaxis/internal/envelope"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
)

// The contents of small documents come with the pages that bring them, over a real line
// and out of a real store: nobody asks for them. Those of a larger one are asked for.
func TestContentsOfSmallDocumentsAreNotAskedFor(t *testing.T) {
	t.Parallel()
	asked := new(atomic.Int64)
	w := world(t, hubtest.Config{Retry: quick, EndpointFaults: func(string) fault.Hook {
		return func(point string) error {
			if point == "call.get.before" {
				asked.Add(1)
			}
			return nil
		}
	}})
	joinAll(t, w)
	x := newExchange(t, w, 88)
	send := func(name string, sizes ...int) {
		t.Helper()
		x.arrived(x.send(name, "G22", envelope.Document{To: []string{"H41"}}, want{"H41": consigned}, sizes...), "H41")
	}
	send("first", 20_000) // a new endpoint pulls everything once before it wants contents
	before := asked.Load()
	if before == 0 {
		t.Error("a larger document came without a request")
	}
	for range 10 {
		send("small", 4000, 0, 300)
	}
	if n := asked.Load() - before; n != 0 {
		t.Errorf("%d requests for contents of small documents", n)
	}
	x.settle()
	check(t, w)
}
