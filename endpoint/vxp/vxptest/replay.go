package vxptest

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"testing"
	"time"
)

// World is what serves the protocol to the two systems of the recordings: with their
// secrets and their agencies, and nothing sent yet.
type World interface {
	// Address where a system's requests go, host:port.
	Address(system string) string
	// Settle returns once everything that was sent lies with its recipients.
	Settle(t *testing.T)
	// Notices reports whether systems are told by status messages of what became of
	// their documents, beside those that other systems send.
	Notices() bool
}

// Replay sends all 46 recorded requests, byte for byte, and judges the answers by the
// rules of the protocol. start makes a world; Replay calls it once for each run of
// recordings that began with nothing sent, and the world gives the ids of the recordings
// to what is sent and delivered.
func Replay(t *testing.T, start func(t *testing.T, ids IDs) World) {
	for _, g := range groups(t) {
		t.Run(g.name, func(t *testing.T) {
			w := start(t, g.ids())
			j := judge{given: map[[2]string]string{}, notices: w.Notices()}
			for _, x := range g.exchanges {
				got := Send(t, w.Address(x.SystemID), x.Request)
				var answer map[string]any
				if x.answer != nil {
					if err := json.Unmarshal(got.Body, &answer); err != nil {
						t.Fatalf("%s: %v in %q", x.Name, err, got.Body)
					}
				}
				for _, wrong := range j.judge(x, got, answer) {
					t.Errorf("%s: %s: %.300q", x.Name, wrong, got.Body)
				}
				if x.operation == "sendEdoc" && x.ok() {
					w.Settle(t)
				}
			}
		})
	}
}

// Send sends the bytes of a request over a connection of its own and reads the answer,
// past 100 Continue.
func Send(t testing.TB, address string, request []byte) Answer {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()                            //nolint:errcheck // the answer is read
	c.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // then the test takes longer
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(c)
	for {
		a, err := ReadAnswer(from)
		if errors.Is(err, errContinue) {
			continue
		}
		if err != nil {
			t.Fatalf("no answer: %v", err)
		}
		return a
	}
}
