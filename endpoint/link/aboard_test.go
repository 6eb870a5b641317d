package link

import (
	"errors"
	"testing"
	"time"

	"docaxis/internal/chunk"
)

// What is inside the submissions under way is no more than a range of this line.
func TestRoomInsideSubmissions(t *testing.T) {
	now := time.Now()
	l := New(&scripted{}, func() time.Time { return now })
	take := func(n uint64) func(error) {
		t.Helper()
		done, ok := l.Aboard(n)
		if !ok {
			t.Fatalf("no room for %d bytes", n)
		}
		return done
	}
	full := func(n uint64) {
		t.Helper()
		if _, ok := l.Aboard(n); ok {
			t.Errorf("room for %d bytes", n)
		}
	}
	full(chunk.MaxAboard + 1)
	first, second := take(chunk.MaxAboard-10), take(10)
	full(1)
	take(0)(nil)
	second(nil)
	full(11)
	second = take(10)
	first(nil)
	second(nil)

	for range 3 {
		l.up.learn(chunk.MaxRange, time.Millisecond, nil) // a fast line: four times as much
	}
	all := []func(error){take(chunk.MaxAboard), take(chunk.MaxAboard), take(chunk.MaxAboard), take(chunk.MaxAboard)}
	full(1)
	for _, done := range all {
		done(nil)
	}
	full(chunk.MaxAboard + 1)

	done := take(chunk.MaxAboard)
	now = now.Add(2 * rangeTime) // it took twice as long as a range should
	done(nil)
	full(chunk.MaxAboard/2 + 1)
	done = take(chunk.MaxAboard / 2)
	now = now.Add(rangeTime)
	done(errors.New("no answer"))
	full(chunk.MaxAboard/4 + 1)
	done = take(chunk.MinRange)
	now = now.Add(time.Hour)
	done(nil)
	take(chunk.MinRange)(errors.New("refused at once"))
	take(chunk.MinRange)(nil)
}
