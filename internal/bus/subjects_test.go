package bus_test

import (
	"strings"
	"testing"

	"docaxis/internal/bus"
)

func TestReplyAllowed(t *testing.T) {
	for reply, want := range map[string]bool{
		"ax.in.h41.abc":                         true,
		"ax.in.h41.abc.def":                     true,
		"ax.in.h41":                             false,
		"ax.in.h41.":                            false,
		"ax.in.h41..x":                          false,
		"ax.in.h41.x.":                          false,
		"ax.in.h41.*":                           false,
		"ax.in.h41.>":                           false,
		"ax.in.h41.x*":                          false,
		"ax.in.h41.x y":                         false,
		"ax.in.h41.x\r\nPUB y":                  false,
		"ax.in.h412.x":                          false,
		"ax.in.h42.x":                           false,
		"ax.in.*.x":                             false,
		"ax.in.>":                               false,
		"ax.submit.h41":                         false,
		"ax.bell.h41":                           false,
		"$JS.API.STREAM.DELETE.J":               false,
		"":                                      false,
		"x.ax.in.h41.y":                         false,
		"ax.in.h41." + strings.Repeat("x", 300): false,
	} {
		if got := bus.ReplyAllowed("h41", reply); got != want {
			t.Errorf("%q: %v", reply, got)
		}
	}
}

func TestValidEndpoint(t *testing.T) {
	for name, want := range map[string]bool{
		"h41": true, "so-noi-vu-79": true, strings.Repeat("a", 40): true,
		"": false, strings.Repeat("a", 41): false, "H41": false, "h41.x": false, "*": false, ">": false,
		"h 41": false, "h41\n": false, "ủy": false, "h_41": false, bus.InviteUser(make([]byte, 32)): false,
	} {
		if got := bus.ValidEndpoint(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestServicesAreDistinctWords(t *testing.T) {
	seen := map[bus.Service]bool{"in": true, "bell": true}
	for _, s := range bus.Services() {
		if seen[s] || strings.ContainsAny(string(s), ".*> ") || s == "" {
			t.Errorf("%q cannot be a service", s)
		}
		seen[s] = true
	}
}
