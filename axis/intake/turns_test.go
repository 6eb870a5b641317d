package intake

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// An endpoint with as many examinations under way as it likes leaves places to
// the others.
func TestOneEndpointDoesNotTakeAllTurns(t *testing.T) {
	for _, places := range [][2]int{{2, 1}, {3, 1}, {8, 4}} {
		turns := newTurns(places[0], places[1])
		ctx, stop := context.WithCancel(t.Context())
		var greedy sync.WaitGroup
		held := make(chan struct{}, 100)
		for range 50 {
			greedy.Go(func() {
				leave, err := turns.take(ctx, "greedy")
				if err != nil {
					return
				}
				held <- struct{}{}
				<-ctx.Done()
				leave()
			})
		}
		for range turns.share {
			<-held
		}
		for range 3 {
			leave, err := turns.take(t.Context(), "other")
			if err != nil {
				t.Fatal(err)
			}
			leave()
		}
		stop()
		greedy.Wait()
		if len(turns.each) != 0 || len(turns.all) != 0 {
			t.Errorf("with %v %d endpoints and %d places are left behind", places, len(turns.each), len(turns.all))
		}
	}
}

// Where there is one place, another waits for one of the greedy one's, not for all.
func TestOneTurnIsBetweenAnotherAndThePlace(t *testing.T) {
	turns := newTurns(1, 1)
	first, err := turns.take(t.Context(), "greedy")
	if err != nil {
		t.Fatal(err)
	}
	var (
		greedy sync.WaitGroup
		turn   atomic.Int64 // that the greedy one had since
	)
	for range 50 {
		greedy.Go(func() {
			if leave, err := turns.take(t.Context(), "greedy"); err == nil {
				turn.Add(1)
				leave()
			}
		})
	}
	before := make(chan int64, 1)
	go func() {
		if leave, err := turns.take(t.Context(), "other"); err == nil {
			before <- turn.Load()
			leave()
		}
	}()
	for waiting := false; !waiting; runtime.Gosched() {
		turns.mu.Lock()
		own := turns.each["other"]
		waiting = own != nil && len(own.free) == 1 && turns.each["greedy"].users == 51
		turns.mu.Unlock()
	}
	first()
	if n := <-before; n > 25 { // one, but for the moment before the other is in line
		t.Errorf("%d of the greedy one's came before", n)
	}
	greedy.Wait()
}

func TestWhoStopsWaitingTakesNoTurn(t *testing.T) {
	turns := newTurns(2, 1)
	var leaves []func()
	for _, who := range []string{"a", "b"} {
		leave, err := turns.take(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	for _, who := range []string{"a", "c"} {
		if _, err := turns.take(gone, who); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", who, err)
		}
	}
	for _, leave := range leaves {
		leave()
	}
	if len(turns.each) != 0 || len(turns.all) != 0 {
		t.Errorf("left behind: %v, %d", turns.each, len(turns.all))
	}
}
