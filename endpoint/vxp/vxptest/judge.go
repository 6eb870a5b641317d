package vxptest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// judge holds answers against recorded ones. Of the recorded answers only the field names
// are facts about the SDK; the ids are those that the world was asked to give.
type judge struct {
	// given has the DocId of each package by its system and hash: sent again, it must
	// get the same (recordings 39 and 40, which the recording server took as new).
	given map[[2]string]string
	// notices: there may be more status messages than those that were recorded.
	notices bool
}

func (j judge) judge(want recorded, got Answer, answer map[string]any) (wrong []string) {
	if status := strings.Fields(want.Status)[0]; status != fmt.Sprint(got.HTTP) {
		wrong = append(wrong, fmt.Sprintf("HTTP status %d, recorded %s", got.HTTP, status))
	}
	if want.answer == nil {
		if !bytes.Equal(got.Body, want.body) {
			wrong = append(wrong, fmt.Sprintf("%d other bytes than the %d recorded", len(got.Body), len(want.body)))
		}
		return wrong
	}
	wrong = append(wrong, Faults(want.operation, got.Body)...)
	for name := range want.answer {
		if _, there := answer[name]; !there {
			wrong = append(wrong, "no "+name)
		}
	}
	more := j.notices && want.params["messagetype"] == "status"
	if n, _ := answer["count"].(float64); more && want.answer["count"] != nil && n > want.answer["count"].(float64) {
		answer["count"] = want.answer["count"]
	}
	for _, name := range []string{"status", "ErrorCode", "count"} {
		if answer[name] != want.answer[name] {
			wrong = append(wrong, fmt.Sprintf("%s is %v, recorded %v", name, answer[name], want.answer[name]))
		}
	}
	wrong = append(wrong, j.docID(want, answer)...)
	if data, isText := want.answer["data"].(string); isText && answer["data"] != data {
		wrong = append(wrong, "data are another document's")
	}
	if _, isList := want.answer["data"].([]any); isList {
		wrong = append(wrong, judgeRows(want.operation, want.rows(), rowsOf(answer), more)...)
	}
	return wrong
}

func (j judge) docID(want recorded, answer map[string]any) []string {
	recorded, there := want.answer["DocId"].(string)
	if !there {
		return nil
	}
	expected := recorded
	if key := [2]string{want.SystemID, want.params["hash-file"]}; want.ok() {
		if j.given[key] == "" {
			j.given[key] = recorded
		}
		expected = j.given[key]
	}
	if answer["DocId"] != expected {
		return []string{fmt.Sprintf("DocId is %v, not %s", answer["DocId"], expected)}
	}
	return nil
}

// stamp is how times are written.
var stamp = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d$`)

// judgeRows compares lists, in any order: by what each entry names. Where there may be
// more, others may stand beside those that are wanted.
func judgeRows(operation string, want, got []map[string]any, more bool) (wrong []string) {
	key := map[string]string{"getReceivedEdocList": "docId", "getSentEdocList": "receiverDocId"}[operation]
	if key == "" {
		key = "code"
	}
	if len(got) != len(want) && !(more && len(got) > len(want)) {
		wrong = append(wrong, fmt.Sprintf("%d entries, recorded %d", len(got), len(want)))
	}
	for _, w := range want {
		at := slices.IndexFunc(got, func(g map[string]any) bool { return g[key] == w[key] })
		if at < 0 {
			wrong = append(wrong, fmt.Sprintf("no entry with %s %v", key, w[key]))
			continue
		}
		for name, value := range w {
			wrong = append(wrong, judgeField(name, value, got[at][name])...)
		}
	}
	return wrong
}

func judgeField(name string, want, got any) []string {
	text, _ := got.(string)
	good := got == want
	switch name {
	case "created_time", "updated_time", "sentTime", "receivedTime", "modifyDate":
		// A time that is not there yet may be left out.
		good = got == nil || stamp.MatchString(text)
	case "status", "status_desc", "sendStatus", "sendStatusDesc", "receiveStatus", "receiveStatusDesc", "id":
		good = text != ""
	case "version":
		n, isNumber := got.(float64)
		good = isNumber && n >= 1
	case "centerCode":
		// Empty where another endpoint serves the unit.
		good = good || got == ""
	}
	if good {
		return nil
	}
	return []string{fmt.Sprintf("%s is %v, recorded %v", name, got, want)}
}

// Faults says what in the body of an answer breaks a rule that the SDK enforces, or one
// that 2.0.0 or 2.0.1 needs to show it right. downloadEdoc has no rules.
func Faults(operation string, body []byte) (wrong []string) {
	if bytes.ContainsFunc(body, func(r rune) bool { return r >= 0x7f || r < ' ' }) || !utf8.Valid(body) {
		wrong = append(wrong, "not ASCII on one line")
	}
	if bytes.Contains(body, []byte(":null")) || bytes.Contains(body, []byte("[null")) {
		wrong = append(wrong, "a null")
	}
	for _, v := range []Version{V200, V201} {
		o := Read(v, operation, body, true)
		switch {
		case o.Nothing || o.Status == nil || o.Code == nil || o.Desc == nil:
			wrong = append(wrong, string(v)+" reads nothing")
		case (*o.Status == "OK") != (*o.Code == "0") || *o.Status != "OK" && *o.Status != "FAIL":
			wrong = append(wrong, fmt.Sprintf("%s sees status %s with code %s", v, *o.Status, *o.Code))
		case *o.Desc == "":
			wrong = append(wrong, "no ErrorDesc")
		case o.OK() && itemFields(v, operation) != nil && o.List == nil:
			wrong = append(wrong, string(v)+" reads no list")
		case o.OK() && operation == "getEdoc" && (!o.Saved || base64.StdEncoding.EncodedLen(len(o.Data)) == 0):
			wrong = append(wrong, string(v)+" saves no document")
		case operation == "sendEdoc" && o.OK() != (*o.DocID != ""):
			wrong = append(wrong, "a DocId with a refusal, or none without")
		}
	}
	return wrong
}
