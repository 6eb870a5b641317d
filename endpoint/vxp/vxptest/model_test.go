package vxptest_test

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"maps"
	"strconv"
	"strings"
	"testing"

	"docaxis/endpoint/vxp/vxptest"
	"docaxis/internal/vectors"
)

// TestAnswersAreReadAsTheSDKReadsThem holds the model of the SDK against the tables of
// what both versions returned for answers with one thing wrong.
func TestAnswersAreReadAsTheSDKReadsThem(t *testing.T) {
	for _, v := range []vxptest.Version{vxptest.V200, vxptest.V201} {
		raw, err := fs.ReadFile(vectors.FS(), "vxp-http/sdk-"+string(v)+"-answers.tsv")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
		held, operations := 0, map[string]bool{}
		for _, line := range lines[1:] {
			row := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
			want, _, _ := strings.Cut(row[2], "  !!")
			body, there := faulty(t, row[0], row[1], strings.Contains(want, "Không tìm thấy"))
			operations[row[0]] = true
			if !there {
				continue
			}
			held++
			got := vxptest.Read(v, row[0], body, true).Summary(row[0])
			if got != want {
				t.Errorf("%s %s %s: read as %q, the SDK returned %q", v, row[0], row[1], got, want)
			}
		}
		// Of each operation three are no matter of an answer's text: packed, redirected,
		// and broken off.
		if held != len(lines)-1-3*len(operations) {
			t.Errorf("%s: %d of %d rows were held against the model", v, held, len(lines)-1)
		}
	}
}

// base is an answer as the recording server gave it.
func base(operation string, refused bool) map[string]any {
	a := map[string]any{"status": "OK", "ErrorCode": "0", "ErrorDesc": "Thành công"}
	if refused {
		return map[string]any{"status": "FAIL", "ErrorCode": "404", "ErrorDesc": "Không tìm thấy đơn vị"}
	}
	entry := map[string]any{}
	for _, f := range strings.Fields("docId serviceType messageType created_time updated_time from to status status_desc " +
		"receiverDocId toCode receiveStatus title notation receivedTime sentTime sendStatus sendStatusDesc senderDocId fromCode receiveStatusDesc " +
		"id pid code name mail oldCode code102 centerCode modifyDate") {
		entry[f] = "x"
	}
	entry["version"], entry["deleted"], entry["isAgency"] = 1, false, true
	switch operation {
	case "sendEdoc":
		a["DocId"] = strings.Repeat("d", 36)
	case "getEdoc":
		a["data"] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 5417)))
	case "countReceiveEdoc":
		a["count"] = 26
	case "countReceiveStatus":
		a["count"] = 0
	case "getReceivedEdocList", "getSentEdocList":
		a["data"] = []any{entry}
	case "getAgenciesList", "getAgenciesListQD20", "getSynchronizeUnit":
		a["data"] = []any{entry, maps.Clone(entry), maps.Clone(entry), maps.Clone(entry)}
	}
	return a
}

// faulty is an answer with the fault that a row names; none for one that is not of the
// answer's body.
func faulty(t *testing.T, operation, fault string, refused bool) (body []byte, there bool) {
	t.Helper()
	a := base(operation, refused)
	kind, rest, _ := strings.Cut(fault, ".")
	target, field := a, rest
	if name, isItem := strings.CutPrefix(rest, "item:"); isItem {
		target, field = a["data"].([]any)[0].(map[string]any), name
	}
	switch kind {
	case "~omit":
		delete(target, field)
	case "~null":
		target[field] = nil
	case "~num":
		n, err := strconv.Atoi(target[field].(string))
		if err != nil {
			t.Fatal(err)
		}
		target[field] = n
		if refused {
			target[field] = 0
		}
	case "~obj":
		target[field] = map[string]any{}
	case "~set":
		name, value, _ := strings.Cut(rest, ".")
		a[name] = value
	case "~add":
		a["unknown"] = "x"
	case "~raw":
		return raw(t, operation, rest, a)
	}
	return mustJSON(t, operation, fault, a), true
}

func raw(t *testing.T, operation, kind string, a map[string]any) ([]byte, bool) {
	t.Helper()
	switch kind {
	case "empty":
		return nil, true
	case "html":
		return []byte("<html><body>x</body></html>"), true
	case "chunk":
		return mustJSON(t, operation, kind, a), true
	case "gzip", "redirect", "drop":
		return nil, false
	}
	t.Fatalf("%s: no such fault: %s", operation, kind)
	return nil, false
}

// mustJSON writes an answer; the recording server escaped that to sendEdoc, and none where
// the fault says so.
func mustJSON(t *testing.T, operation, fault string, a map[string]any) []byte {
	t.Helper()
	if operation == "downloadEdoc" {
		return []byte("x")
	}
	body, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if operation == "sendEdoc" && fault != "~utf8" {
		return []byte(strings.NewReplacer("à", `\u00e0`, "ô", `\u00f4`).Replace(string(body)))
	}
	return body
}
