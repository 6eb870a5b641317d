package vxp_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
)

// memoryBound is what the heap may grow to while packages pass, however large they are.
const memoryBound = 20 << 20

// pattern is a package of that size that nobody holds in memory.
func pattern() io.Reader { return io.LimitReader(zeros{}, huge) }

// counting is an Exchange that reads packages and keeps nothing.
type counting struct{ *fake }

func (counting) Send(_ context.Context, _ string, p vxp.Package) (vxp.Sent, error) {
	h := sha256.New()
	if _, err := io.CopyBuffer(h, p.Body, make([]byte, 64<<10)); err != nil {
		return vxp.Sent{}, err
	}
	return vxp.Sent{DocID: uuid(1)}, p.Check([32]byte(h.Sum(nil)))
}

func (counting) Fetch(context.Context, string, string) (vxp.Content, error) {
	return vxp.Content{ReadSeekCloser: bad{from: pattern()}, Bytes: huge}, nil
}

// most watches the heap while something runs.
func most(run func()) uint64 {
	stop, top := make(chan bool), make(chan uint64)
	go func() {
		look := time.NewTicker(2 * time.Millisecond)
		defer look.Stop()
		var m runtime.MemStats
		var highest uint64
		for {
			select {
			case <-stop:
				top <- highest
				return
			case <-look.C:
				runtime.ReadMemStats(&m)
				highest = max(highest, m.HeapAlloc)
			}
		}
	}()
	run()
	close(stop)
	return <-top
}

// TestAPackageIsNeverInMemory: 200 MiB in and out, in both ways out, through a heap of
// a tenth of that.
func TestAPackageIsNeverInMemory(t *testing.T) {
	runtime.GC()
	address := serve(t, counting{newFake(vxptest.IDs{})}, vxp.Options{})
	h := sha256.New()
	io.Copy(h, pattern()) //nolint:errcheck // a hash takes everything
	params := fromA(p{"from", "000.00.00.X90"}, p{"hash-file", fmt.Sprintf("%x", h.Sum(nil))})
	used := most(func() {
		c := dial(t, address)
		head := wire("POST", "/sendEdoc", vxptest.SecretA, params, "", "")
		c.Write(bytes.Replace(head, []byte("Content-Length: 0"), fmt.Appendf(nil, "Content-Length: %d", huge+2), 1)) //nolint:errcheck // the answer tells
		io.CopyBuffer(onlyWriter{c}, pattern(), make([]byte, 64<<10))                                                //nolint:errcheck // the answer tells
		io.WriteString(c, "\r\n")                                                                                    //nolint:errcheck // the answer tells
		a, err := vxptest.ReadAnswer(bufio.NewReader(c))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, sound(t, "sendEdoc", a), "0")
		for _, op := range []string{"getEdoc", "downloadEdoc"} {
			if got := fetchBig(t, address, op); got != fmt.Sprintf("%x", h.Sum(nil)) {
				t.Errorf("%s: another package", op)
			}
		}
	})
	if used > memoryBound {
		t.Errorf("the heap grew to %d MiB", used>>20)
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // it is over
	return c
}

type onlyWriter struct{ io.Writer }

// fetchBig gives the SHA-256 of a package as it came.
func fetchBig(t *testing.T, address, op string) string {
	t.Helper()
	c := dial(t, address)
	c.Write(wire(method(op), "/"+op, vxptest.SecretB, fromB(p{"docId", "x"}), "", body(op))) //nolint:errcheck // the answer tells
	from := bufio.NewReader(c)
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			break
		}
	}
	h := sha256.New()
	if op == "downloadEdoc" {
		io.CopyN(h, from, huge) //nolint:errcheck // the hash tells
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	if _, err := from.ReadString(','); err != nil {
		t.Fatal(err)
	}
	return decoded(t, from, h)
}

// decoded reads the last member of an answer of getEdoc.
func decoded(t *testing.T, from *bufio.Reader, h hash.Hash) string {
	t.Helper()
	for range 2 {
		if _, err := from.ReadString(','); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.ReadFull(from, make([]byte, len(`"data":"`))); err != nil {
		t.Fatal(err)
	}
	encoded := io.LimitReader(from, int64(base64.StdEncoding.EncodedLen(huge)))
	if _, err := io.CopyBuffer(h, base64.NewDecoder(base64.StdEncoding, encoded), make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if end, _ := io.ReadAll(io.LimitReader(from, 2)); string(end) != `"}` {
		t.Errorf("the answer ends in %q", end)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
