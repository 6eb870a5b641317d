package vxptest

import (
	"io"
	"net"
	"testing"
)

// Breaking is a line to an address that breaks: a connection for which broken says so is
// cut when the answer begins to come, so that nobody but the server knows that the
// request was carried out. It gives the line's own address.
func Breaking(t testing.TB, address func() string, broken func() bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // it is over
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go pass(from, address(), broken())
		}
	}()
	return l.Addr().String()
}

func pass(from net.Conn, address string, broken bool) {
	defer from.Close() //nolint:errcheck // it ended
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()     //nolint:errcheck // it ended
	go io.Copy(to, from) //nolint:errcheck // until one side ends
	if broken {
		io.ReadFull(to, make([]byte, 1)) //nolint:errcheck // the answer is there
		return
	}
	io.Copy(from, to) //nolint:errcheck // until one side ends
}
