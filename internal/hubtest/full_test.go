package hubtest_test

import (
	"errors"
	"runtime"
	"testing"

	"docaxis/internal/hubtest"
)

// No file can be written any more, from some step of a commit on: the axis ends with
// an error instead of waiting for ever, and goes on when it is started again, with
// everything that it had promised.
func TestTheAxisCannotWrite(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // the points are tried one by one in TestFailuresOfTheCommit
	}
	w := newTable(t, hubtest.Config{}).world
	for i, point := range []string{"append.before", "guard.before", "apply.before"} {
		t.Run(point, func(t *testing.T) {
			if err := w.StopAxis(); err != nil {
				t.Fatal(err)
			}
			ended, end := spawn(t, order{Dir: w.AxisDir(), Listen: w.Address(), Point: point, Hit: 3, Full: true})
			again := make(chan error, 1)
			go func() { again <- errors.Join(<-ended, w.StartAxis(t.Context())) }()
			newExchange(t, w, uint64(90+i)).play()
			end()
			if err := <-again; err != nil {
				t.Fatal(err)
			}
			check(t, w)
		})
	}
}
