package vxp_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/vectors"
)

// served is a handler that has one delivery for each system.
func served(t testing.TB) http.Handler {
	t.Helper()
	f := newFake(vxptest.IDs{})
	s := &sending{system: vxptest.SystemA, from: "000.00.00.X90", docID: uuid(1), class: vxp.Documents, bytes: []byte("<x/>")}
	f.sendings = []*sending{s}
	f.handed = []*delivery{{sending: s, docID: uuid(2), to: "000.00.00.X91"}}
	return vxp.Handler(f, vxp.Options{Patience: time.Minute})
}

// handle calls an operation of system b with a signed text and gives what the SDK sees.
func handle(t testing.TB, h http.Handler, operation, text string, body []byte) vxptest.Answer {
	t.Helper()
	r := httptest.NewRequest(method(operation), "/"+operation, bytes.NewReader(body))
	r.Header.Set("XroadVnpt-systemid", vxptest.SystemB)
	r.Header.Set("XroadVnpt-sign-header", text)
	r.Header.Set("XroadVnpt-hash-header", vxptest.MAC(vxptest.SecretB, text))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := sound(t, operation, vxptest.Answer{HTTP: w.Code, Header: w.Header(), Body: w.Body.Bytes()})
	if strings.Contains(fmt.Sprint(w.Code), "500") || a.Code != nil && *a.Code == "500" {
		t.Errorf("%s: %s", operation, a.Body)
	}
	return a
}

// FuzzParameters: whatever a client signs, every operation answers in the protocol, and
// nothing goes wrong inside.
func FuzzParameters(f *testing.F) {
	all, err := vectors.Exchanges()
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range all {
		_, rest, _ := strings.Cut(string(x.Request), "XroadVnpt-sign-header: ")
		text, _, _ := strings.Cut(rest, "\r\n")
		f.Add(strings.ReplaceAll(text, vxptest.SystemA, vxptest.SystemB))
	}
	for _, text := range []string{
		"", "{", "null", `"x"`, `{"XroadVnpt-systemid":"mau.he-thong.b","XroadVnpt-":""}`, strings.Repeat("[", 5000),
		`{"XroadVnpt-systemid":"mau.he-thong.b","XroadVnpt-docId":"\ud800\u0000` + "\xff" + `"}`,
	} {
		f.Add(text)
	}
	h := served(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, op := range operations {
			handle(t, h, op, text, []byte("{}\r\n"))
		}
	})
}

// FuzzBodies: the same for what is not signed.
func FuzzBodies(f *testing.F) {
	list, err := vectors.EdXMLFiles()
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range list {
		f.Add(append(vectors.EdXML(file.Name), "\r\n"...))
	}
	for _, body := range []string{
		"", "\r\n", "{}", "null", `{"code":"000.00.09.X91","pcode":"000.00.00.X91","name":"` + "\xff\u2028" + `"}`, `{"code":1e999999}`,
		strings.Repeat(`{"a":`, 20_000),
	} {
		f.Add([]byte(body))
	}
	h := served(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		file := bytes.TrimSuffix(body, []byte("\r\n"))
		text := vxptest.SignedText(fromB(p{"from", "000.00.00.X91"}, p{"hash-file", vxptest.HashFile(file)}))
		handle(t, h, "sendEdoc", text, body)
		handle(t, h, "registerAgency", text, body)
	})
}

// FuzzConnections: whatever bytes come, what goes out is nothing or answers of the
// protocol; where no operation is known, such as any can read.
func FuzzConnections(f *testing.F) {
	all, err := vectors.Exchanges()
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range all {
		f.Add(x.Request)
	}
	for _, text := range []string{
		"", "G", "GET", "GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"POST /getEdoc HTTP/1.0\r\n\r\nPOST /x HTTP/9.9\r\n\r\n", "\x16\x03\x01\x00\x00", "GET /downloadEdoc HTTP/1.1\r\nHost: x\r\nx: \x01\r\n\r\n",
		"POST /sendEdoc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	address := serve(f, newFake(vxptest.IDs{}), vxp.Options{Pause: 2 * time.Second})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if bytes.Contains(bytes.ToUpper(raw), []byte("HEAD")) {
			return // Its answers have no bodies, which only who asked can know.
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // then a hang is not found
		c.Write(raw)                               //nolint:errcheck // the answers tell
		c.(*net.TCPConn).CloseWrite()              //nolint:errcheck // the answers tell
		answers(t, bufio.NewReader(c))
	})
}

func answers(t *testing.T, from *bufio.Reader) {
	t.Helper()
	for {
		resp, err := http.ReadResponse(from, nil)
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return
		}
		var broken net.Error
		if errors.As(err, &broken) && !broken.Timeout() {
			return // Reset: the server closed while bytes were under way.
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		switch {
		case resp.StatusCode == http.StatusContinue:
		case err != nil:
			return
		case resp.StatusCode != http.StatusOK && len(body) == 0:
		case resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Type") == "application/octet-stream":
		default:
			for _, wrong := range vxptest.Faults("getReceivedEdocList", body) {
				t.Errorf("%d: %s: %s", resp.StatusCode, wrong, body)
			}
		}
	}
}

// TestParametersTakeMemoryInProportion: the costliest text of its length is one of many
// names.
func TestParametersTakeMemoryInProportion(t *testing.T) {
	h := served(t)
	var b strings.Builder
	b.WriteString(`{"XroadVnpt-systemid":"mau.he-thong.b"`)
	for n := 0; b.Len() < 900_000; n++ {
		fmt.Fprintf(&b, `,"XroadVnpt-%d":""`, n)
	}
	text := b.String() + "}"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	handle(t, h, "getReceivedEdocList", text, nil)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 24*uint64(len(text)) {
		t.Errorf("%d bytes took %d", len(text), grown)
	}
}
