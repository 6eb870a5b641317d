package vxp_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/vectors"
)

type p = vxptest.Param

// operations are all that the SDK has, and what is not one of them.
var operations = []string{
	"getAgenciesList", "getAgenciesListQD20", "getSynchronizeUnit", "registerAgency", "deleteAgency", "sendEdoc",
	"getReceivedEdocList", "countReceiveEdoc", "countReceiveStatus", "getEdoc", "downloadEdoc", "updateStatus", "getSentEdocList",
}

func method(operation string) string {
	return map[bool]string{true: "GET", false: "POST"}[operation == "downloadEdoc"]
}

// wire is a request as bytes: any path and further header lines.
func wire(method, path, secret string, params []p, lines, body string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: x\r\n%s", method, path, lines)
	for _, h := range vxptest.Sign(secret, params) {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	if method != "GET" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return []byte(b.String() + "\r\n" + body)
}

// fromA and fromB are parameters of the two systems.
func fromA(params ...p) []p { return append([]p{{"systemid", vxptest.SystemA}}, params...) }

func fromB(params ...p) []p { return append([]p{{"systemid", vxptest.SystemB}}, params...) }

// ask sends a request of a system and gives its answer as the newer SDK reads it.
func ask(t testing.TB, address, operation string, params []p, body string) vxptest.Answer {
	t.Helper()
	secret := vxptest.SecretA
	if params[0][1] == vxptest.SystemB {
		secret = vxptest.SecretB
	}
	a := vxptest.Send(t, address, wire(method(operation), "/"+operation, secret, params, "", body))
	return sound(t, operation, a)
}

// sound fails where an answer breaks a rule that the SDK enforces.
func sound(t testing.TB, operation string, a vxptest.Answer) vxptest.Answer {
	t.Helper()
	a.Outcome = vxptest.Read(vxptest.V201, operation, a.Body, true)
	if operation == "downloadEdoc" {
		if (a.HTTP != 200) != (len(a.Body) == 0) {
			t.Errorf("downloadEdoc: HTTP status %d with %d bytes", a.HTTP, len(a.Body))
		}
		return a
	}
	if a.HTTP != 200 || a.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%s: HTTP status %d, type %q", operation, a.HTTP, a.Header.Get("Content-Type"))
	}
	for _, f := range vxptest.Faults(operation, a.Body) {
		t.Errorf("%s: %s: %s", operation, f, a.Body)
	}
	return a
}

func wantCode(t testing.TB, a vxptest.Answer, code string) {
	t.Helper()
	got := fmt.Sprint(a.HTTP)
	if a.Code != nil && *a.Status != "SUCCESS" && len(a.Body) > 0 {
		got = *a.Code
	}
	if got != code {
		t.Errorf("ErrorCode %s, want %s: %s", got, code, a.Body)
	}
}

func wantText(t testing.TB, a vxptest.Answer, part string) {
	t.Helper()
	if a.Desc == nil || !strings.Contains(*a.Desc, part) {
		t.Errorf("ErrorDesc without %q: %s", part, a.Body)
	}
}

// package101 is a document from X90 to X91.
func package101() []byte { return vectors.EdXML("new-1-attachment.edxml") }

func sendParams(file []byte, more ...p) []p {
	return fromA(append([]p{
		{"servicetype", "eDoc"}, {"messagetype", "edoc"}, {"from", "000.00.00.X90"}, {"hash-file", vxptest.HashFile(file)},
	}, more...)...)
}

// sent sends a package and gives its DocId.
func sent(t testing.TB, address string, file []byte) string {
	t.Helper()
	a := ask(t, address, "sendEdoc", sendParams(file), string(file)+"\r\n")
	wantCode(t, a, "0")
	return *a.DocID
}

// waiting lists the docIds that wait for system b.
func waiting(t testing.TB, address string, more ...p) []string {
	t.Helper()
	a := ask(t, address, "getReceivedEdocList", fromB(append([]p{{"messagetype", "edoc"}}, more...)...), "")
	var ids []string
	for _, e := range a.List {
		ids = append(ids, e["docId"])
	}
	return ids
}

// lines is a log that can be read.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func (l *lines) log() *slog.Logger {
	return slog.New(slog.NewJSONHandler(io.Writer(l), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func member(t testing.TB, body []byte, name string) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	text, _ := object[name].(string)
	return text
}
