package registry_test

import (
	"fmt"
	"sync"
	"testing"

	"docaxis/axis/registry"
)

// One writer and many readers; the race detector is the judge, and no reader may
// see half of a change.
func TestReadersBesideTheWriter(t *testing.T) {
	w := nghean(t)
	const rounds = 300
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				read(t, w.State)
			}
		})
	}
	for i := range rounds {
		to := []string{"vinh", "ndan"}[i%2]
		w.do(noon, serve("H41", to), serve("H41.11", to), put(fmt.Sprintf("H41.20.%d", i), "A", "H41", commune))
	}
	close(done)
	readers.Wait()
	if _, unserved := w.Group("H41", commune, noon); unserved != rounds+1 {
		t.Errorf("%d communes", unserved)
	}
}

func read(t *testing.T, s *registry.State) {
	if _, refused := s.Route("H41.11.05", noon); refused != nil {
		t.Error(refused)
	}
	if served, _ := s.Group("", province, noon); len(served) != 1 {
		t.Errorf("%d provinces", len(served))
	}
	e, _ := s.Endpoint("ndan")
	if n := len(e.Codes); n == 1 && e.Codes[0] != "H41.11" {
		t.Errorf("half of a change: %v", e.Codes)
	}
	s.Serves("vinh", "H41")
	s.Agencies()
}
