package broker_test

import (
	"testing"

	"go.uber.org/goleak"

	"docaxis/internal/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCallIsAnswered(t *testing.T) {
	a := newAuthority(t)
	b := start(t, a)
	serve(t, b, echo, bus.ServeConfig{})
	c := dialed(t, a, b, "h41")
	for _, s := range bus.Services() {
		if s == bus.Enrol {
			continue
		}
		if got, err := call(t, c, s, "x"); got != "h41:x" || err != nil {
			t.Errorf("%s: %q, %v", s, got, err)
		}
	}
}
