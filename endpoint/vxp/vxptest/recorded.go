package vxptest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"docaxis/internal/vectors"
)

// The systems of the recordings, what they sign with, and the agencies that each serves.
const (
	SystemA, SecretA = "mau.he-thong.a", "khoa-mau-a"
	SystemB, SecretB = "mau.he-thong.b", "khoa-mau-b"
)

// RecordedAgency is an agency that the recordings were made with.
type RecordedAgency struct{ Code, Name, System string }

// RecordedAgencies are all that there were.
func RecordedAgencies() []RecordedAgency {
	return []RecordedAgency{
		{"000.00.00.X90", "Cơ quan Thử nghiệm A", SystemA},
		{"000.00.00.X91", "Cơ quan Thử nghiệm B", SystemB},
		{"000.00.01.X92", "Cơ quan Thử nghiệm C", SystemB},
		{"001.00.01.X92", "Cơ quan Thử nghiệm D", SystemB},
	}
}

// IDs are the ids that the recordings have, so that a world can give the same.
type IDs struct {
	// Sent are the DocIds of sendings, in the order in which they are made. A package
	// that is sent again has none of its own.
	Sent []string
	// Delivered are the docIds of deliveries, by the sending's DocId and the
	// recipient's code. One that the recordings never name is not there.
	Delivered map[[2]string]string
}

// recorded is an exchange that was taken apart.
type recorded struct {
	vectors.Exchange
	operation string
	// params are those that the client signed.
	params map[string]string
	// answer is the JSON that came back; nil for downloadEdoc, whose body is body.
	answer map[string]any
	body   []byte
}

func (r recorded) ok() bool { return r.answer["ErrorCode"] == "0" }

// rows are the entries of a list.
func (r recorded) rows() []map[string]any { return rowsOf(r.answer) }

func rowsOf(answer map[string]any) []map[string]any {
	list, _ := answer["data"].([]any)
	var rows []map[string]any
	for _, l := range list {
		row, _ := l.(map[string]any)
		rows = append(rows, row)
	}
	return rows
}

func takeApart(t testing.TB, x vectors.Exchange) recorded {
	t.Helper()
	r := recorded{Exchange: x, operation: x.Path[bytes.LastIndexByte([]byte(x.Path), '/')+1:]}
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(x.Request)))
	if err != nil && x.Signed {
		t.Fatalf("%s: %v", x.Name, err)
	}
	if err == nil {
		var signed map[string]string
		if err := json.Unmarshal([]byte(req.Header.Get(prefix+"sign-header")), &signed); err != nil && x.Signed {
			t.Fatalf("%s: %v", x.Name, err)
		}
		r.params = map[string]string{}
		for name, value := range signed {
			r.params[name[len(prefix):]] = value
		}
	}
	answer, err := ReadAnswer(bufio.NewReader(bytes.NewReader(x.Response)))
	if err != nil {
		t.Fatalf("%s: %v", x.Name, err)
	}
	r.body = answer.Body
	if r.operation != "downloadEdoc" {
		if err := json.Unmarshal(answer.Body, &r.answer); err != nil {
			t.Fatalf("%s: %v", x.Name, err)
		}
	}
	return r
}

// group is a run of exchanges that begins with nothing sent.
type group struct {
	name      string
	exchanges []recorded
}

// groups: 01 to 40 were made one after the other, 41 to 45 against a new server, and so
// was 46.
func groups(t testing.TB) []group {
	t.Helper()
	all, err := vectors.Exchanges()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 46 {
		t.Fatalf("%d exchanges were recorded", len(all))
	}
	gs := []group{{name: "SDK 2.0.1"}, {name: "SDK 2.0.0"}, {name: "no port"}}
	for i, x := range all {
		at := 0
		if i >= 40 {
			at = 1
		}
		if i >= 45 {
			at = 2
		}
		gs[at].exchanges = append(gs[at].exchanges, takeApart(t, x))
	}
	return gs
}

// ids finds which ids a group has.
func (g group) ids() IDs {
	ids := IDs{Delivered: map[[2]string]string{}}
	seen, known := map[[2]string]bool{}, map[string]bool{}
	for _, x := range g.exchanges {
		if key := [2]string{x.SystemID, x.params["hash-file"]}; x.operation == "sendEdoc" && x.ok() && !seen[key] {
			seen[key] = true
			ids.Sent = append(ids.Sent, x.answer["DocId"].(string))
		}
		for _, row := range x.rows() {
			if x.operation == "getSentEdocList" {
				id := row["receiverDocId"].(string)
				ids.Delivered[[2]string{row["senderDocId"].(string), row["toCode"].(string)}] = id
				known[id] = true
			}
		}
	}
	g.listed(ids, known)
	return ids
}

// listed finds the deliveries that only their recipient's list names: each is of the
// last sending of its class.
func (g group) listed(ids IDs, known map[string]bool) {
	last := map[string]string{}
	for _, x := range g.exchanges {
		if x.operation == "sendEdoc" && x.ok() {
			last[x.params["messagetype"]] = x.answer["DocId"].(string)
		}
		for _, row := range x.rows() {
			id, _ := row["docId"].(string)
			if x.operation == "getReceivedEdocList" && !known[id] {
				ids.Delivered[[2]string{last[row["messageType"].(string)], row["to"].(string)}] = id
				known[id] = true
			}
		}
	}
}
