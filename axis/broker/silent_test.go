package broker_test

import (
	"net"
	"testing"
	"time"

	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// A line that takes connections and says nothing must not hold up anybody: not a
// call, not a page that asks how things are, not the end.
func TestSilentAxisHoldsUpNobody(t *testing.T) {
	a := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := dial(t, a, l.Addr().String(), "h41", a.endpoint(t, "h41"))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	done := make(chan error, 1)
	go func() {
		_, err := call(t, c, bus.Pull, "x")
		if c.Connected() || c.Trouble() != nil {
			t.Error("connected, or in trouble already")
		}
		c.Close()
		done <- err
	}()
	select {
	case err := <-done:
		if !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("somebody was held up")
	}
}
