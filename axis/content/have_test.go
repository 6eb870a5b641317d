package content

import (
	"log/slog"
	"testing"
)

// What one endpoint asks at once is answered one after the other, and holds up
// nobody else's question.
func TestQuestionsOfOneEndpointWaitForEachOther(t *testing.T) {
	s, err := Open(t.TempDir(), Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	done := s.busy.lock(asking("a"))
	answered := make(chan error, 1)
	go func() {
		_, err := s.Have(t.Context(), "a", [][]byte{make([]byte, 32)})
		answered <- err
	}()
	for range 100 { // long enough for the first to be wrong about it
		if _, err := s.Have(t.Context(), "b", [][]byte{make([]byte, 32)}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-answered:
		done()
		t.Fatal("the second question did not wait")
	default:
	}
	done()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
