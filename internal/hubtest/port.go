package hubtest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Port finds a free loopback address for an axis that will be stopped and started
// again, below the ports that the system gives to outgoing connections: one of
// those may be taken while the axis is down, even by an endpoint that tries to
// reach it and is connected to itself.
func Port() (string, error) {
	var all []error
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000)))
		l, err := net.Listen("tcp", address)
		if err == nil {
			return address, l.Close()
		}
		all = append(all, err)
	}
	return "", errors.Join(all...)
}
