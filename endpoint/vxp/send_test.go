package vxp_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/reason"
	"docaxis/internal/vectors"
	"docaxis/proto/axispb"
)

func TestOneCRLFIsTakenOffAndTheHashIsThatOfTheFile(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{})
	for _, name := range []string{"new-1-attachment.edxml", "variants/trailing-newlines.edxml"} {
		file := vectors.EdXML(name)
		if !bytes.HasSuffix(file, []byte("\r\n")) {
			t.Fatalf("%s does not end in CR LF by itself", name)
		}
		sent(t, address, file)
		if got := f.sendings[len(f.sendings)-1].bytes; !bytes.Equal(got, file) {
			t.Errorf("%s: %d bytes arrived, not %d", name, len(got), len(file))
		}
	}
}

func TestHashFile(t *testing.T) {
	file := package101()
	digest := sha256.Sum256(file)
	padded := hex.EncodeToString(digest[:])
	unpadded := vxptest.HashFile(file)
	if padded == unpadded {
		t.Fatal("no byte of the hash has a leading zero")
	}
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	for hash, code := range map[string]string{
		padded: "0", unpadded: "0", strings.ToUpper(padded): "0", strings.ToUpper(unpadded): "0",
		"": "400", unpadded[1:]: "400", unpadded + "0": "400", vxptest.HashFile([]byte("another")): "400",
	} {
		params := fromA(p{"messagetype", "edoc"}, p{"from", "000.00.00.X90"}, p{"hash-file", hash})
		wantCode(t, ask(t, address, "sendEdoc", params, string(file)+"\r\n"), code)
	}
}

func TestBodiesThatAreNoPackage(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{PackageBytes: 10_000})
	file := string(package101())
	for name, c := range map[string]struct{ body, code, says string }{
		"without CR LF":      {strings.TrimSuffix(file, "\r\n"), "400", "CR LF"},
		"with LF alone":      {strings.TrimSuffix(file, "\r\n") + "\n", "400", "CR LF"},
		"nothing":            {"", "400", "Content-Length"},
		"one byte":           {"x", "400", "Content-Length"},
		"only CR LF":         {"\r\n", "400", "hash-file"},
		"too large":          {strings.Repeat("x", 10_001) + "\r\n", "413", "10000"},
		"as large as can be": {strings.Repeat("x", 10_000) + "\r\n", "400", "hash-file"},
	} {
		a := ask(t, address, "sendEdoc", sendParams([]byte(file)), c.body)
		wantCode(t, a, c.code)
		if !strings.Contains(*a.Desc, c.says) {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	if len(f.sendings) > 0 {
		t.Error("one of them was taken")
	}
}

func TestAPackageInChunksIsRefused(t *testing.T) {
	head := strings.Replace(string(wire("POST", "/sendEdoc", vxptest.SecretA, sendParams(nil), "Transfer-Encoding: chunked\r\n", "")), "Content-Length: 0\r\n", "", 1)
	a := vxptest.Send(t, serve(t, newFake(vxptest.IDs{}), vxp.Options{}), []byte(head+"2\r\n\r\n\r\n0\r\n\r\n"))
	wantCode(t, sound(t, "sendEdoc", a), "400")
}

// TestPathsAreServedWithoutRedirects: the JDK would follow a redirect by a
// GET without the document.
func TestPathsAreServedWithoutRedirects(t *testing.T) {
	file := package101()
	for _, path := range []string{
		"/sendEdoc", "//sendEdoc", "///sendEdoc", "/sendEdoc/", "//sendEdoc//", "/vxp/sendEdoc", "/vxp//sendEdoc", "/./sendEdoc",
		"/a/../sendEdoc", "/%73endEdoc", "http://axis.example:8080//sendEdoc",
	} {
		f := newFake(vxptest.IDs{})
		request := wire("POST", path, vxptest.SecretA, sendParams(file), "", string(file)+"\r\n")
		wantCode(t, sound(t, "sendEdoc", vxptest.Send(t, serve(t, f, vxp.Options{}), request)), "0")
		if len(f.sendings) != 1 {
			t.Errorf("%s: %d sendings", path, len(f.sendings))
		}
	}
}

// TestARefusedSenderHearsWhy: sendEdoc sends all it has before it reads a word, so a
// server that answers and closes is met as a broken connection, and the refusal is lost.
func TestARefusedSenderHearsWhy(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{PackageBytes: 6 << 20})
	body := bytes.Repeat([]byte("x"), 8<<20)
	for name, c := range map[string]struct {
		path, secret string
		params       []p
		hook         func(string) error
		code         string
	}{
		"wrong secret":    {"/sendEdoc", "sai", sendParams(nil), nil, "401"},
		"foreign sender":  {"/sendEdoc", vxptest.SecretA, fromA(p{"from", "000.00.00.X91"}, p{"hash-file", "0"}), nil, "403"},
		"no operation":    {"/sendEdok", vxptest.SecretA, sendParams(nil), nil, "404"},
		"too large":       {"/sendEdoc", vxptest.SecretA, sendParams(nil), nil, "413"},
		"unread":          {"/sendEdoc", vxptest.SecretA, sendParams(nil), func(string) error { return errors.New("disk") }, "500"},
		"too large other": {"/registerAgency", vxptest.SecretA, fromA(), nil, "413"},
		"too large get":   {"/getEdoc", vxptest.SecretA, fromA(), nil, "413"},
	} {
		t.Run(name, func(t *testing.T) {
			f.hook = c.hook
			sent := body
			if c.code == "403" || c.code == "500" {
				sent = body[:5<<20]
			}
			request := wire("POST", c.path, c.secret, c.params, "", string(sent))
			wantCode(t, sound(t, c.path[1:], vxptest.Send(t, address, request)), c.code)
		})
	}
}

// TestWhoAsksFirstIsToldBeforeItSends: Expect: 100-continue.
func TestWhoAsksFirstIsToldBeforeItSends(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	for secret, want := range map[string]string{vxptest.SecretB: "HTTP/1.1 100 Continue", "sai": "HTTP/1.1 200 OK"} {
		request := wire("POST", "/updateStatus", secret, fromB(p{"docid", "x"}, p{"status", "done"}), "Expect: 100-continue\r\n", "{}")
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(bytes.TrimSuffix(request, []byte("{}"))); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || strings.TrimSpace(line) != want {
			t.Errorf("%q, %v; want %q", line, err, want)
		}
	}
}

// TestABrokenConnectionGivesOneDocument: what was begun is finished, so that
// the second attempt meets the first one's answer.
func TestABrokenConnectionGivesOneDocument(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{})
	broken := 0
	line := vxptest.Breaking(t, func() string { return address }, func() bool { broken++; return broken == 1 })
	c := vxptest.New("http://"+line, vxptest.SystemA, vxptest.SecretA)
	a, err := c.SendEdoc(t.Context(), "000.00.00.X90", "edoc", package101())
	if err != nil || !a.OK() {
		t.Fatalf("%v: %s", err, a.Body)
	}
	if len(f.sendings) != 1 || *a.DocID != f.sendings[0].docID {
		t.Errorf("%d sendings, answer %s", len(f.sendings), a.Body)
	}
}

func TestASilentSenderIsNotWaitedFor(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{Pause: 50 * time.Millisecond})
	request := wire("POST", "/sendEdoc", vxptest.SecretA, sendParams(nil), "", strings.Repeat("x", 1000))
	a := sound(t, "sendEdoc", vxptest.Send(t, address, request[:len(request)-1]))
	wantCode(t, a, "400")
	wantText(t, a, "im lặng")
}

// TestAnExchangeThatDoesNotCheckIsNotBelieved: what was not held against its hash is not
// acknowledged.
func TestAnExchangeThatDoesNotCheckIsNotBelieved(t *testing.T) {
	a := ask(t, serve(t, careless{newFake(vxptest.IDs{})}, vxp.Options{}), "sendEdoc", sendParams(nil), "x\r\n")
	wantCode(t, a, "500")
}

func TestADocumentThatWaitsForAPersonIsTakenAndSaysSo(t *testing.T) {
	f := newFake(vxptest.IDs{})
	f.waiting = "Chờ cán bộ ký số."
	file := package101()
	a := ask(t, serve(t, f, vxp.Options{}), "sendEdoc", sendParams(file), string(file)+"\r\n")
	wantCode(t, a, "0")
	wantText(t, a, f.waiting)
}

func TestEveryReasonHasItsErrorCode(t *testing.T) {
	f := newFake(vxptest.IDs{})
	address := serve(t, f, vxp.Options{})
	want := map[axispb.ReasonCode]string{
		axispb.ReasonCode_REASON_BAD_DOCUMENT:      "400",
		axispb.ReasonCode_REASON_DIGEST_MISMATCH:   "400",
		axispb.ReasonCode_REASON_SENDER_NOT_SERVED: "403",
		axispb.ReasonCode_REASON_FORBIDDEN:         "403",
		axispb.ReasonCode_REASON_NOT_FOUND:         "404",
		axispb.ReasonCode_REASON_UNKNOWN_TARGET:    "404",
		axispb.ReasonCode_REASON_RELEASED:          "404",
		axispb.ReasonCode_REASON_STATE:             "409",
		axispb.ReasonCode_REASON_ID_COLLISION:      "409",
		axispb.ReasonCode_REASON_FILE_TOO_LARGE:    "413",
		axispb.ReasonCode_REASON_BUSY:              "503",
		axispb.ReasonCode_REASON_DISK_FULL:         "503",
		axispb.ReasonCode_REASON_OTHER_SYSTEM:      "403",
		// No system can be told any of these; a new code is not one of them unseen.
		axispb.ReasonCode_REASON_UNSPECIFIED:        "500",
		axispb.ReasonCode_REASON_EVIDENCE_SIGNATURE: "500",
		axispb.ReasonCode_REASON_COUNTER_REUSED:     "500",
		axispb.ReasonCode_REASON_UNKNOWN_RECORD:     "500",
		axispb.ReasonCode_REASON_SPLIT_VIEW:         "500",
		axispb.ReasonCode_REASON_INVITATION_INVALID: "500",
		axispb.ReasonCode_REASON_INVITATION_EXPIRED: "500",
		axispb.ReasonCode_REASON_ENDPOINT_REVOKED:   "500",
		axispb.ReasonCode_REASON_CERTIFICATE_ENDED:  "500",
	}
	known := map[string]bool{"400": true, "403": true, "404": true, "409": true, "413": true, "503": true}
	for number := range axispb.ReasonCode_name {
		code := axispb.ReasonCode(number)
		f.hook = func(string) error { return fmt.Errorf("deep inside: %w", reason.Permanent(code, "1", "2", "3")) }
		a := ask(t, address, "updateStatus", fromB(p{"docid", "x"}, p{"status", "done"}), "{}")
		wantText(t, a, reason.Sentence(&axispb.Reason{Code: code, Args: []string{"1", "2", "3"}}, reason.Vietnamese))
		if want[code] != "" {
			wantCode(t, a, want[code])
		} else if !known[*a.Code] {
			t.Errorf("%s has code %s", code, *a.Code)
		}
	}
}
