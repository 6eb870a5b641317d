package vxp_test

import (
	"fmt"
	"strings"
	"testing"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
)

func TestHashHeaderIsTheProtocolsVector(t *testing.T) {
	text := vxptest.SignedText([]p{{"systemid", "mau.he-thong.a"}, {"timestamp", "22112026T033133+0337"}, {"Content-Type", "application/json"}})
	if got := vxptest.MAC("khoa-mau-a", text); got != "c642b388428bac9ba754918d194a6a2ee49e0e74dc6001caf67a2061d28ec772" {
		t.Error(got)
	}
}

// signedAs is a request for system b's list whose three headers are given.
func signedAs(system, text, sum string) []byte {
	return fmt.Appendf(nil, "POST /getReceivedEdocList HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nXroadVnpt-systemid: %s\r\n"+
		"XroadVnpt-sign-header: %s\r\nXroadVnpt-hash-header: %s\r\n\r\n", system, text, sum)
}

// signed is the text, and its hash by the secret of system b.
func signed(text string) []byte {
	return signedAs(vxptest.SystemB, text, vxptest.MAC(vxptest.SecretB, text))
}

func TestSignatures(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	const good = `{"XroadVnpt-systemid":"mau.he-thong.b","XroadVnpt-messagetype":"edoc"}`
	mac := vxptest.MAC(vxptest.SecretB, good)
	for _, c := range []struct {
		name    string
		request []byte
		code    string
	}{
		{"as it is", signed(good), "0"},
		{"by the newer secret of two", signedAs(vxptest.SystemB, good, vxptest.MAC("khoa-moi-b", good)), "0"},
		{"hash in capitals", signedAs(vxptest.SystemB, good, strings.ToUpper(mac)), "0"},
		{"blanks and another order are signed as they came", signed(`{ "XroadVnpt-messagetype" : "edoc", "XroadVnpt-systemid":"mau.he-thong.b"}`), "0"},
		{"escapes", signed(`{"XroadVnpt-systemid":"mau.he-thong.\u0062"}`), "0"},
		{"a timestamp of years ago", signed(`{"XroadVnpt-systemid":"mau.he-thong.b","XroadVnpt-timestamp":"01012019T000000+0000"}`), "0"},
		{"no timestamp", signed(`{"XroadVnpt-systemid":"mau.he-thong.b"}`), "0"},
		{"another's secret", signedAs(vxptest.SystemB, good, vxptest.MAC(vxptest.SecretA, good)), "401"},
		{"an empty secret", signedAs("khong.co", good, vxptest.MAC("", good)), "401"},
		{"half a hash", signedAs(vxptest.SystemB, good, mac[:32]), "401"},
		{"no hash at all", signedAs(vxptest.SystemB, good, ""), "401"},
		{"no hexadecimal", signedAs(vxptest.SystemB, good, "x"+mac), "401"},
		{"a byte behind the hash", signedAs(vxptest.SystemB, good, mac+"0x"), "401"},
		{"a blank more in the text", signedAs(vxptest.SystemB, strings.Replace(good, ",", ", ", 1), mac), "401"},
		{"another systemid in the signed text", signed(strings.Replace(good, "he-thong.b", "he-thong.a", 1)), "401"},
		{"no systemid in the signed text", signed(`{"XroadVnpt-messagetype":"edoc"}`), "401"},
		{"a name twice", signed(`{"XroadVnpt-systemid":"mau.he-thong.b","XroadVnpt-status":"a","XroadVnpt-status":"b"}`), "401"},
		{"no object", signed(`["XroadVnpt-systemid"]`), "401"},
		{"a number", signed(`{"XroadVnpt-systemid":"mau.he-thong.b","XroadVnpt-status":1}`), "401"},
		{"an object within", signed(`{"XroadVnpt-systemid":"mau.he-thong.b","XroadVnpt-status":{}}`), "401"},
		{"two objects", signed(good + good), "401"},
		{"a cut object", signed(strings.TrimSuffix(good, "}")), "401"},
		{"two hashes", append([]byte("POST /getReceivedEdocList HTTP/1.1\r\nXroadVnpt-hash-header: "+mac+"\r\n"), signed(good)[len("POST /getReceivedEdocList HTTP/1.1\r\n"):]...), "401"},
		{"a system that is not there", signedAs("khong.co", strings.Replace(good, "mau.he-thong.b", "khong.co", 1), mac), "401"},
		{"nothing signed", []byte("POST /getReceivedEdocList HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantCode(t, sound(t, "getReceivedEdocList", vxptest.Send(t, address, c.request)), c.code)
		})
	}
}

func TestASystemWithAnEmptySecretIsNotLetIn(t *testing.T) {
	f := newFake(vxptest.IDs{})
	f.secrets["trong"] = [][]byte{{}}
	const text = `{"XroadVnpt-systemid":"trong"}`
	a := vxptest.Send(t, serve(t, f, vxp.Options{}), signedAs("trong", text, vxptest.MAC("", text)))
	wantCode(t, sound(t, "getReceivedEdocList", a), "401")
}

// TestOnlySignedParametersCount: the single headers are not signed, and Go's net/http
// makes one name of docId and docid.
func TestOnlySignedParametersCount(t *testing.T) {
	address := serve(t, newFake(vxptest.IDs{}), vxp.Options{})
	sent(t, address, package101())
	id := waiting(t, address)[0]
	request := wire("POST", "/getEdoc", vxptest.SecretB, fromB(p{"docId", id}),
		"XroadVnpt-docId: khong-co\r\nXroadVnpt-docid: khong-co\r\n", "{}")
	wantCode(t, sound(t, "getEdoc", vxptest.Send(t, address, request)), "0")
	request = wire("POST", "/getEdoc", vxptest.SecretB, fromB(), "XroadVnpt-docId: "+id+"\r\n", "{}")
	wantCode(t, sound(t, "getEdoc", vxptest.Send(t, address, request)), "400")
	request = wire("POST", "/getEdoc", vxptest.SecretB, fromB(p{"DOCID", id}), "", "{}")
	wantCode(t, sound(t, "getEdoc", vxptest.Send(t, address, request)), "400")
}
