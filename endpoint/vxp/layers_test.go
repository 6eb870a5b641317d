package vxp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/lang"
)

// everyParam has what every operation asks for.
func everyParam() []p {
	return fromB(p{"servicetype", "eDoc"}, p{"messagetype", "edoc"}, p{"docId", "x"}, p{"status", "done"},
		p{"AgencyCode", "000.00.00.X91"}, p{"from", "000.00.00.X91"}, p{"hash-file", vxptest.HashFile(nil)})
}

// TestEveryRefusalHasTheFormThatTheSDKReads meets every operation with every kind of
// refusal.
func TestEveryRefusalHasTheFormThatTheSDKReads(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{})
	for kind, c := range map[string]struct {
		secret string
		hook   func(string) error
		code   string
	}{
		"signature": {"sai", nil, "401"},
		"panic":     {vxptest.SecretB, func(string) error { panic("here") }, "500"},
		"bug":       {vxptest.SecretB, func(string) error { return errors.New("a detail <of> \"ours\"") }, "500"},
		"person":    {vxptest.SecretB, func(string) error { return lang.Errorf("Đĩa hỏng.", "The disk is broken.") }, "500"},
		"slow":      {vxptest.SecretB, func(string) error { return fmt.Errorf("ask: %w", context.DeadlineExceeded) }, "503"},
	} {
		for _, op := range operations {
			f.hook = c.hook
			a := vxptest.Send(t, address, wire(method(op), "/"+op, c.secret, everyParam(), "", body(op)))
			a = sound(t, op, a)
			wantCode(t, a, c.code)
			if strings.Contains(string(a.Body), "detail") {
				t.Errorf("%s: %s tells of what is inside: %s", kind, op, a.Body)
			}
		}
	}
	f.hook = nil
	if got := waiting(t, address); len(got) != 0 {
		t.Errorf("after all that: %v", got)
	}
}

func body(operation string) string {
	switch operation {
	case "registerAgency":
		return `{"code":"000.00.09.X91","pcode":"000.00.00.X91"}`
	case "sendEdoc":
		return "\r\n"
	case "downloadEdoc":
		return ""
	}
	return "{}"
}

func TestWrongMethodsAndPaths(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	for _, op := range operations {
		for _, m := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"} {
			if m == method(op) {
				continue
			}
			wantCode(t, sound(t, op, vxptest.Send(t, address, wire(m, "/"+op, vxptest.SecretB, everyParam(), "", ""))), "405")
		}
	}
	for _, path := range []string{"/", "", "/sendedoc", "/sendEdoc2", "/sendEdoc/x", "/khong-co", "/getEdoc%00"} {
		request := wire("POST", path, vxptest.SecretB, everyParam(), "", "{}")
		a := vxptest.Send(t, address, request)
		if path == "" {
			// No request line; the next test has more of those.
			sound(t, "getReceivedEdocList", a)
			continue
		}
		for _, op := range []string{"sendEdoc", "getEdoc", "getReceivedEdocList"} {
			wantCode(t, sound(t, op, a), "404")
		}
	}
	a := vxptest.Send(t, address, []byte("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"))
	wantCode(t, sound(t, "getReceivedEdocList", a), "404")
	for _, m := range []string{"GET", "POST"} {
		if a := vxptest.Send(t, address, wire(m, "/downloadEdoc2", vxptest.SecretB, everyParam(), "", "")); a.HTTP < 400 || len(a.Body) > 0 {
			t.Errorf("downloadEdoc2: %d %s", a.HTTP, a.Body)
		}
	}
}

// TestWhatNetHTTPRefusesIsAnsweredInTheProtocol: of its page of plain text, 2.0.1 makes
// "OK" and an empty list.
func TestWhatNetHTTPRefusesIsAnsweredInTheProtocol(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	for name, spoil := range map[string]string{
		"a control character": "XroadVnpt-filePath: C:\\T\x10i li\xc7u",
		"no colon":            "XroadVnpt-filePath",
		"a blank in a name":   "XroadVnpt filePath: x",
		"folded lines":        "XroadVnpt-filePath: x\r\n y\x01",
		"two lengths":         "Content-Length: 7\r\nContent-Length: 8",
		"no length":           "Content-Length: x",
		"transfer encoding":   "Transfer-Encoding: gzip",
		"expectation":         "Expect: 200-ok",
		"two hosts":           "Host: y",
		"too much":            "XroadVnpt-filePath: " + strings.Repeat("x", 1<<20+8<<10),
	} {
		for _, op := range operations {
			request := wire(method(op), "/"+op, vxptest.SecretB, everyParam(), spoil+"\r\n", "")
			a := sound(t, op, vxptest.Send(t, address, request))
			if a.OK() || a.HTTP == 200 && op == "downloadEdoc" {
				t.Errorf("%s, %s: %d %s", name, op, a.HTTP, a.Body)
			}
		}
	}
}

// TestTheSecondRequestOfAConnectionIsRefusedInTheProtocol too: an answer went out over
// it already.
func TestTheSecondRequestOfAConnectionIsRefusedInTheProtocol(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	for _, op := range operations {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		from := bufio.NewReader(c)
		for range 2 {
			c.Write(wire("POST", "/countReceiveEdoc", vxptest.SecretB, everyParam(), "", "{}")) //nolint:errcheck // the answer tells
			if _, err := vxptest.ReadAnswer(from); err != nil {
				t.Fatal(err)
			}
		}
		c.Write(wire(method(op), "/"+op, vxptest.SecretB, everyParam(), "XroadVnpt-filePath: \x10\r\n", "")) //nolint:errcheck // the answer tells
		a, err := vxptest.ReadAnswer(from)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, sound(t, op, a), "400")
	}
}

// TestARequestThatBeginsBeforeTheAnswerIsRefusedByItsKind: net/http reads its first byte
// while the request before is worked on.
func TestARequestThatBeginsBeforeTheAnswerIsRefusedByItsKind(t *testing.T) {
	f := newFake(vxptest.IDs{})
	inside, leave := make(chan bool), make(chan bool)
	f.hook = func(string) error { inside <- true; <-leave; return nil }
	address := serve(t, f, vxp.Options{})
	for range 20 {
		c := dial(t, address)
		c.Write(wire("POST", "/getReceivedEdocList", vxptest.SecretB, fromB(), "", "")) //nolint:errcheck // the answer tells
		<-inside
		c.Write(wire("GET", "/downloadEdoc", vxptest.SecretB, everyParam(), "XroadVnpt-filePath: \x10\r\n", "")) //nolint:errcheck // the answer tells
		// Time for the server to read that byte.
		vxptest.Send(t, address, wire("POST", "/getReceivedEdocList", "sai", fromB(), "", ""))
		leave <- true
		from := bufio.NewReader(c)
		for _, c := range [][2]string{{"getReceivedEdocList", "0"}, {"downloadEdoc", "400"}} {
			a, err := vxptest.ReadAnswer(from)
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, sound(t, c[0], a), c[1])
		}
	}
}

// TestWideHeadersPass: a list of recipients stands in the headers twice.
func TestWideHeadersPass(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	to := `["` + strings.Repeat(`000.00.00.X91","`, 25_000) + `000.00.00.X91"]`
	if got := waiting(t, address, p{"to", to}); len(got) != 0 {
		t.Error(got)
	}
	a := ask(t, address, "getReceivedEdocList", fromB(p{"to", to}), "")
	wantCode(t, a, "0")
}

func TestABusyEndpointSaysSoAndServesOtherSystems(t *testing.T) {
	f := newFake(vxptest.IDs{})
	inside, leave := make(chan bool), make(chan bool)
	f.hook = func(method string) error {
		if method == "Agencies" {
			inside <- true
			<-leave
		}
		return nil
	}
	address := serve(t, f, vxp.Options{AtOnce: 4, Patience: 10 * time.Millisecond})
	done := make(chan vxptest.Answer)
	for range 2 {
		go func() {
			done <- vxptest.Send(t, address, wire("POST", "/getAgenciesList", vxptest.SecretA, fromA(), "", ""))
		}()
		<-inside
	}
	for _, op := range operations {
		a := vxptest.Send(t, address, wire(method(op), "/"+op, vxptest.SecretA, append(fromA(), everyParam()[1:]...), "", body(op)))
		wantCode(t, sound(t, op, a), "503")
	}
	if got := waiting(t, address); len(got) != 0 {
		t.Error(got)
	}
	close(leave)
	for range 2 {
		wantCode(t, sound(t, "getAgenciesList", <-done), "0")
	}
	wantCode(t, ask(t, address, "countReceiveEdoc", fromA(), "{}"), "0")
}

// TestAllSystemsTogetherAreBounded: one place each, and none is left for a third.
func TestAllSystemsTogetherAreBounded(t *testing.T) {
	f := newFake(vxptest.IDs{})
	f.secrets["khac"] = [][]byte{[]byte("khoa-khac")}
	inside, leave := make(chan bool), make(chan bool)
	f.hook = func(string) error { inside <- true; <-leave; return nil }
	address := serve(t, f, vxp.Options{AtOnce: 2, Patience: 10 * time.Millisecond})
	done := make(chan vxptest.Answer)
	for system, secret := range map[string]string{vxptest.SystemA: vxptest.SecretA, vxptest.SystemB: vxptest.SecretB} {
		go func() {
			done <- vxptest.Send(t, address, wire("POST", "/getAgenciesList", secret, []p{{"systemid", system}}, "", ""))
		}()
		<-inside
	}
	a := vxptest.Send(t, address, wire("POST", "/getAgenciesList", "khoa-khac", []p{{"systemid", "khac"}}, "", ""))
	wantCode(t, sound(t, "getAgenciesList", a), "503")
	for range 2 {
		leave <- true
		wantCode(t, sound(t, "getAgenciesList", <-done), "0")
	}
}

func TestWorkThatTakesTooLongIsAnswered(t *testing.T) {
	a := ask(t, serve(t, stuck{newFake(vxptest.IDs{})}, vxp.Options{Work: 20 * time.Millisecond}), "getReceivedEdocList", fromB(), "")
	wantCode(t, a, "503")
}

// stuck never lists anything.
type stuck struct{ *fake }

func (stuck) Waiting(ctx context.Context, _ string, _ vxp.Class, _ int) ([]vxp.Delivery, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	address := serveWith(t, newFake(vxptest.IDs{}), vxp.Options{}, vxp.ServerConfig{Address: "127.0.0.1:0", Idle: 20 * time.Millisecond})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(wire("POST", "/countReceiveEdoc", vxptest.SecretB, fromB(), "", "{}")) //nolint:errcheck // the answer tells
	from := bufio.NewReader(c)
	if a, err := vxptest.ReadAnswer(from); err != nil || a.HTTP != 200 {
		t.Fatal(err, a.HTTP)
	}
	c.SetReadDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // then the test takes longer
	if _, err := from.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is open: %v", err)
	}
}

// TestLeftConnectionsAreWaitedFor: the SDK leaves a connection behind with every list.
func TestLeftConnectionsAreWaitedFor(t *testing.T) {
	address := serveWith(t, newFake(vxptest.IDs{}), vxp.Options{}, vxp.ServerConfig{Address: "127.0.0.1:0", Connections: 3, Idle: 20 * time.Millisecond})
	c := vxptest.New("http://"+address, vxptest.SystemB, vxptest.SecretB)
	c.Leave = true
	defer c.Close()
	for range 10 {
		if a, err := c.Received(t.Context(), "edoc"); err != nil || !a.OK() {
			t.Fatalf("%v: %s", err, a.Body)
		}
	}
}

func TestErrorDescInEnglish(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{Language: lang.English})
	wantText(t, ask(t, address, "getReceivedEdocList", fromB(), ""), "Success")
	wantText(t, ask(t, address, "updateStatus", fromB(p{"docId", "x"}, p{"status", "inbox"}), "{}"), "Write processing, done or fail.")
	a := vxptest.Send(t, address, []byte("POST /getReceivedEdocList HTTP/1.1\r\nHost: x\r\nx: \x01\r\n\r\n"))
	wantText(t, sound(t, "getReceivedEdocList", a), "cannot be read")
}

// TestTheLogTellsWhoWhatAndNoSecret, and nothing of a document.
func TestTheLogTellsWhoWhatAndNoSecret(t *testing.T) {
	var log lines
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{Log: log.log()})
	sent(t, address, package101())
	id := waiting(t, address)[0]
	ask(t, address, "getEdoc", fromB(p{"docId", id}), "{}")
	ask(t, address, "updateStatus", fromB(p{"docId", "khong-co"}, p{"status", "done"}), "{}")
	vxptest.Send(t, address, wire("POST", "/getEdoc", "sai-bí-mật", fromB(p{"docId", id}), "", "{}"))
	for _, want := range []string{
		`"level":"INFO","msg":"vxp","system":"mau.he-thong.a","operation":"sendEdoc","code":0,"took":"<`,
		`"operation":"getEdoc","code":0,"took":"<`, `"docId":"` + id + `"`,
		`"level":"WARN","msg":"vxp","system":"mau.he-thong.b","operation":"updateStatus","code":404`,
		`"level":"WARN","msg":"vxp","system":"","operation":"getEdoc","code":401`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no line with %s", want)
		}
	}
	for _, never := range []string{vxptest.SecretA, vxptest.SecretB, "sai-bí-mật", "hash-header", "101/CQA-VP", "liên thông"} {
		if strings.Contains(log.String(), never) {
			t.Errorf("the log has %q", never)
		}
	}
}
