package hubtest_test

import (
	"testing"
	"time"

	"docaxis/endpoint"
	"docaxis/internal/hubtest"
)

func TestExchangeSpeed(t *testing.T) {
	w := world(t, hubtest.Config{Restart: true, Retry: endpoint.Retry{Min: 5 * time.Millisecond, Max: 50 * time.Millisecond}, PullEvery: time.Second})
	start := time.Now()
	joinAll(t, w)
	t.Log("joined", time.Since(start))
	for i := range 5 {
		start := time.Now()
		newExchange(t, w, uint64(i)).play()
		t.Log("played", time.Since(start))
		start = time.Now()
		if err := hubtest.Check(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		t.Log("checked", time.Since(start))
	}
}
