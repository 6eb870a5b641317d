package broker

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"
)

func from(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 4000} }

func TestHandshakesOfOneAddressAreBounded(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d := newDoor(func() time.Time { return now })
	let := func(ip string, tries int) (n int) {
		for range tries {
			if d.may(from(ip)) {
				n++
			}
		}
		return n
	}
	if n := let("192.0.2.1", 1000); n != handshakesAtOnce {
		t.Errorf("%d at once", n)
	}
	if n := let("192.0.2.2", 10); n != 10 {
		t.Errorf("another address: %d of 10", n)
	}
	now = now.Add(time.Second)
	if n := let("::ffff:192.0.2.1", 1000); n != handshakesInSecond {
		t.Errorf("%d within a second", n)
	}
	now = now.Add(-time.Hour) // a clock that is set back lets nobody wait for an hour
	let("192.0.2.1", 1)
	now = now.Add(time.Second)
	if n := let("192.0.2.1", 1000); n != handshakesInSecond {
		t.Errorf("%d after the clock went back", n)
	}
	if n := let("2001:db8::1", 1000) + let("2001:db8::2", 1000); n != handshakesAtOnce {
		t.Errorf("%d of one network", n)
	}
	if n := let("2001:db8:0:1::1", 10); n != 10 {
		t.Errorf("another network: %d of 10", n)
	}
	if !d.may(&net.UnixAddr{}) {
		t.Error("this process is counted")
	}
}

func TestAddressesAreForgotten(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d := newDoor(func() time.Time { return now })
	come := func(first, n int) {
		for i := range n {
			var ip [4]byte
			binary.BigEndian.PutUint32(ip[:], uint32(first+i))
			if !d.may(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(ip), 1))) {
				t.Fatal("one that comes for the first time is refused")
			}
		}
	}
	come(0, knownAddresses+100)
	if n := len(d.by); n > knownAddresses {
		t.Errorf("%d addresses are known", n)
	}
	now = now.Add(time.Minute)
	come(1<<24, 1)
	if n := len(d.by); n != 1 {
		t.Errorf("%d addresses are known a minute later", n)
	}
}
