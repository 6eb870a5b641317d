package revocation

import (
	"net/netip"
	"testing"
)

// What lies beside the forbidden blocks is not forbidden, and what is allowed may be
// written in any way.
func TestPublicAddressesArePermitted(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "9.255.255.255": true, "11.0.0.0": true, "172.15.255.255": true, "172.32.0.1": true,
		"100.63.255.255": true, "100.128.0.1": true, "192.167.255.255": true, "223.255.255.255": true,
		"2400:cb00::1": true, "64:ff9b::808:808": true, "::ffff:8.8.8.8": true,
		"10.20.0.7": true, "::ffff:10.20.0.7": true, "10.20.1.7": false, "64:ff9b::a14:107": false,
	} {
		n := Network{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/24")}}
		if err := n.permits(netip.MustParseAddr(address)); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := (Network{}).permits(netip.Addr{}); err == nil {
		t.Error("no address at all is permitted")
	}
}
