package vxp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
)

// shelf has one package, of any bytes, which fetch gives.
type shelf struct {
	*fake
	open func() vxp.Content
}

func (s shelf) Fetch(context.Context, string, string) (vxp.Content, error) { return s.open(), nil }

func holding(content []byte) shelf {
	return shelf{newFake(vxptest.IDs{}), func() vxp.Content {
		return vxp.Content{ReadSeekCloser: memory{bytes.NewReader(content)}, Bytes: int64(len(content))}
	}}
}

// TestPackagesAreHandedOutWhole of every length around the parts in which they are.
func TestPackagesAreHandedOutWhole(t *testing.T) {
	for _, size := range []int{0, 1, 2, 3, 4, 32<<10 - 1, 32 << 10, 32<<10 + 1, 48 << 10, 64<<10 + 2, 1<<20 + 1} {
		content := bytes.Repeat([]byte("ă\x00\xff\r\n"), size/5+1)[:size]
		address := serve(t, holding(content), vxp.Options{})
		got := vxptest.Send(t, address, wire("POST", "/getEdoc", vxptest.SecretB, fromB(p{"docId", "x"}), "", "{}"))
		if member(t, got.Body, "data") != base64.StdEncoding.EncodeToString(content) || got.Header.Get("Content-Length") != strconv.Itoa(len(got.Body)) {
			t.Errorf("getEdoc of %d bytes: %.100q…", size, got.Body)
		}
		got = vxptest.Send(t, address, wire("GET", "/downloadEdoc", vxptest.SecretB, fromB(p{"docId", "x"}), "", ""))
		if !bytes.Equal(got.Body, content) || got.Header.Get("Content-Length") != strconv.Itoa(size) {
			t.Errorf("downloadEdoc of %d bytes: %d", size, len(got.Body))
		}
	}
}

// TestAPackageThatLooksLikeARefusalIsHandedOutAsItIs: what replaces net/http's own page
// must not replace a document.
func TestAPackageThatLooksLikeARefusalIsHandedOutAsItIs(t *testing.T) {
	const page = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	content := []byte(strings.Repeat(page, 20_000))
	address := serve(t, holding(content), vxp.Options{})
	got := vxptest.Send(t, address, wire("GET", "/downloadEdoc", vxptest.SecretB, fromB(p{"docId", "x"}), "", ""))
	if !bytes.Equal(got.Body, content) {
		t.Errorf("%d bytes, not %d: %.100q", len(got.Body), len(content), got.Body)
	}
}

// bad fails after so many bytes.
type bad struct {
	io.ReadSeeker
	from io.Reader
}

func (b bad) Read(p []byte) (int, error) { return b.from.Read(p) }

func (bad) Close() error { return nil }

func failing(after int64) vxp.Content {
	from := io.MultiReader(io.LimitReader(zeros{}, after), broken{})
	return vxp.Content{ReadSeekCloser: bad{from: from}, Bytes: 1 << 20}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is broken") }

// TestAPackageThatCannotBeReadIsNoPackage: at its beginning that can be said; later, the
// client must see that the answer is not whole.
func TestAPackageThatCannotBeReadIsNoPackage(t *testing.T) {
	for _, op := range []string{"getEdoc", "downloadEdoc"} {
		early := serve(t, shelf{newFake(vxptest.IDs{}), func() vxp.Content { return failing(100) }}, vxp.Options{})
		wantCode(t, ask(t, early, op, fromB(p{"docId", "x"}), body(op)), "500")
		for _, end := range []io.Reader{broken{}, strings.NewReader("")} {
			late := serve(t, shelf{newFake(vxptest.IDs{}), func() vxp.Content {
				from := io.MultiReader(io.LimitReader(zeros{}, 500_000), end)
				return vxp.Content{ReadSeekCloser: bad{from: from}, Bytes: 1 << 20}
			}}, vxp.Options{})
			c, err := net.Dial("tcp", late)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.Write(wire(method(op), "/"+op, vxptest.SecretB, fromB(p{"docId", "x"}), "", body(op))) //nolint:errcheck // the answer tells
			if a, err := vxptest.ReadAnswer(bufio.NewReader(c)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v with %d bytes", op, err, len(a.Body))
			}
		}
	}
}

// TestASlowReaderIsServedAndASilentOneIsNot waited for.
func TestASlowReaderIsServedAndASilentOneIsNot(t *testing.T) {
	const size = 4 << 20
	slow := serve(t, holding(make([]byte, size)), vxp.Options{})
	c, err := net.Dial("tcp", slow)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(wire("GET", "/downloadEdoc", vxptest.SecretB, fromB(p{"docId", "x"}), "Connection: close\r\n", "")) //nolint:errcheck // the answer tells
	got, one := 0, make([]byte, 7)
	for {
		n, err := c.Read(one)
		got += n
		if err != nil {
			break
		}
	}
	if got < size {
		t.Errorf("%d of %d bytes", got, size)
	}

	closed := make(chan bool, 1)
	silent := serve(t, shelf{newFake(vxptest.IDs{}), func() vxp.Content {
		return vxp.Content{ReadSeekCloser: told{bad{from: zeros{}}, closed}, Bytes: 1 << 40}
	}}, vxp.Options{Pause: 50 * time.Millisecond})
	s, err := net.Dial("tcp", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Write(wire("GET", "/downloadEdoc", vxptest.SecretB, fromB(p{"docId", "x"}), "", "")) //nolint:errcheck // the package is closed
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("a client that takes nothing is waited for")
	}
}

// told says when it is closed.
type told struct {
	bad
	closed chan bool
}

func (c told) Close() error { c.closed <- true; return nil }

func TestEmptyListsAreLists(t *testing.T) {
	f := newFake(vxptest.IDs{})
	f.agencies = nil
	address := serve(t, f, vxp.Options{})
	for _, op := range []string{"getAgenciesList", "getAgenciesListQD20", "getSynchronizeUnit", "getReceivedEdocList", "getSentEdocList"} {
		a := ask(t, address, op, fromB(), "")
		if !bytes.HasSuffix(a.Body, []byte(`,"data":[]}`)) || len(a.List) != 0 {
			t.Errorf("%s: %s", op, a.Body)
		}
	}
}

func TestListsAreBounded(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{ListLimit: 2})
	s := &sending{system: vxptest.SystemA, from: "000.00.00.X90", class: vxp.Documents, title: "Trích yếu \"dài\" <&> \u2028\U0001F4A5"}
	for n := range 5 {
		f.handed = append(f.handed, &delivery{sending: s, docID: uuid(n), to: "000.00.00.X91"})
	}
	if got := waiting(t, address); len(got) != 2 {
		t.Error(got)
	}
	a := ask(t, address, "getSentEdocList", fromA(), "")
	if len(a.List) != 2 || a.List[0]["title"] != s.title {
		t.Errorf("%s", a.Body)
	}
	if n := ask(t, address, "countReceiveEdoc", fromB(), "{}").Count; n != 5 {
		t.Error(n)
	}
}

func TestUpdateStatusTakesThreeWords(t *testing.T) {
	f, address, first, _ := two(t)
	for _, word := range []string{"processing", "fail", "done", "done", "done"} {
		wantCode(t, ask(t, address, "updateStatus", fromB(p{"docid", first}, p{"status", word}), "{}"), "0")
		if f.handed[0].status != word {
			t.Errorf("%s: %s", word, f.handed[0].status)
		}
	}
	for _, word := range []string{"", "Done", "inbox", "rejection"} {
		a := ask(t, address, "updateStatus", fromB(p{"docid", first}, p{"status", word}), "{}")
		wantCode(t, a, "400")
		wantText(t, a, "processing, done")
	}
	wantCode(t, ask(t, address, "updateStatus", fromB(p{"status", "done"}), "{}"), "400")
	wantCode(t, ask(t, address, "getReceivedEdocList", fromB(p{"messagetype", "eDoc"}), ""), "400")
}
