package broker

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Of one address, so many handshakes are made at once, and so many a second after
// that. A handshake costs the axis a hundred times what it costs a stranger to ask
// for one. Many endpoints may share an address; they come back after a second or
// more, each at its own time.
const (
	handshakesAtOnce   = 300
	handshakesInSecond = 50
	// knownAddresses bounds what is remembered; beyond it, newcomers are not counted.
	knownAddresses = 1 << 16
)

var errHandshakes = errors.New("too many handshakes from this address")

// door counts handshakes by address, and refuses too many of one before anything is
// computed for them.
type door struct {
	now func() time.Time

	mu    sync.Mutex // guards what follows
	by    map[netip.Prefix]*allowance
	swept time.Time
}

// allowance is what an address has left, as of a time.
type allowance struct {
	left float64
	at   time.Time
}

func newDoor(now func() time.Time) *door {
	return &door{now: now, by: make(map[netip.Prefix]*allowance)}
}

// greet is a tls.Config's GetConfigForClient: the configuration stays as it is.
func (d *door) greet(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if hello.Conn != nil && !d.may(hello.Conn.RemoteAddr()) {
		return nil, errHandshakes
	}
	return nil, nil
}

// may takes one of an address's handshakes. Who has no address is of this process.
func (d *door) may(from net.Addr) bool {
	tcp, ok := from.(*net.TCPAddr)
	if !ok {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.find(house(tcp.AddrPort().Addr()))
	if a == nil {
		return true
	}
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}

// house is who shares an allowance: an IPv4 address, an IPv6 network of 64 bits.
func house(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // the zero value, should the address be none
	return p
}

// find refills and gives an allowance; nil where too many are known.
func (d *door) find(p netip.Prefix) *allowance {
	now := d.now()
	a := d.by[p]
	if a == nil {
		if len(d.by) >= knownAddresses && !d.sweep(now) {
			return nil
		}
		a = &allowance{handshakesAtOnce, now}
		d.by[p] = a
	}
	a.refill(now)
	return a
}

func (a *allowance) refill(now time.Time) {
	if passed := now.Sub(a.at); passed > 0 {
		a.left = min(handshakesAtOnce, a.left+passed.Seconds()*handshakesInSecond)
	}
	a.at = now
}

// sweep forgets who has all of its allowance, at most once a second, and reports
// whether there is room now.
func (d *door) sweep(now time.Time) bool {
	if passed := now.Sub(d.swept); passed >= 0 && passed < time.Second {
		return false
	}
	d.swept = now
	for p, a := range d.by {
		if a.refill(now); a.left >= handshakesAtOnce {
			delete(d.by, p)
		}
	}
	return len(d.by) < knownAddresses
}
