package axis

import (
	"fmt"
	"sync"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/proto/axispb"
)

// An endpoint that asks without end has its quota; another is not hindered, and what it
// asks again costs it nothing.
func TestRegistrationsHaveAQuota(t *testing.T) {
	file := DefaultFile()
	file.RegistrationsPerDay = 3
	now, ahead := movable()
	b := newBenchOf(t, now, file)
	start := now()
	ask := func(endpoint, code, parent string) error {
		_, err := b.register(t.Context(), endpoint, &axispb.RegisterRequest{Put: &axispb.Agency{Code: code, Name: "A", Parent: parent}})
		return err
	}
	for i := range 3 {
		for range 2 {
			if err := ask("h41", fmt.Sprintf("H41.%d", 20+i), "H41"); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantQuota(t, ask("h41", "H41.30", "H41"), "3 changes of the registry a day", start.Add(24*time.Hour))
	if err := ask("h41", "H41.20", "H41"); err != nil {
		t.Errorf("the first again: %v", err)
	}
	if err := ask("g22", "G22.01", "G22"); err != nil {
		t.Errorf("another endpoint: %v", err)
	}
	ahead.Store(int64(25 * time.Hour))
	if err := ask("h41", "H41.30", "H41"); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

// The same request from many at once becomes one record, also where it is held.
func TestConcurrentRegistrationsAreOne(t *testing.T) {
	b := newBench(t)
	ask := func(code string) (held string, receipt []byte) {
		a, err := b.register(t.Context(), "h41", &axispb.RegisterRequest{Put: &axispb.Agency{Code: code, Name: "A", Parent: "H41"}})
		if err != nil {
			t.Error(err)
		}
		return a.GetHeld(), a.GetReceipt()
	}
	many := func(code string) (ids map[string]bool, records uint64) {
		ids = map[string]bool{}
		before := b.chain.Size()
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				held, _ := ask(code)
				mu.Lock()
				defer mu.Unlock()
				ids[held] = true
			})
		}
		wg.Wait()
		return ids, b.chain.Size() - before
	}
	if ids, records := many("H41.20"); records != 1 || !ids[""] || len(ids) != 1 {
		t.Errorf("%d records, ids %v", records, ids)
	}
	if held, receipt := ask("H41.20"); held != "" || len(receipt) == 0 {
		t.Errorf("%q, %d bytes of receipt", held, len(receipt))
	} else if p, err := b.trust.Receipt(receipt, nil); err != nil || p.Header.GetKind() != axispb.Kind_KIND_REGISTRY || p.Decision.GetEndpoint() != "h41" {
		t.Errorf("%+v, %v", p, err)
	}
	word := "held"
	if _, err := b.SetPolicy(t.Context(), operator.SetPolicy{Why: operator.Why{Actor: "lan", Reason: "r"}, Registrations: &word}); err != nil {
		t.Fatal(err)
	}
	if ids, records := many("H41.21"); records != 1 || ids[""] || len(ids) != 1 {
		t.Errorf("held: %d records, ids %v", records, ids)
	}
}
