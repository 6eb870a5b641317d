package vxptest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Version of the SDK.
type Version string

// The versions.
const (
	V200 Version = "2.0.0"
	V201 Version = "2.0.1"
)

// Outcome is what an operation of the SDK gives its caller. A nil text is Java's null.
type Outcome struct {
	// Nothing: the caller got null instead of a result.
	Nothing            bool
	Status, Code, Desc *string
	// List is nil for null; Entries are its entries as the caller sees them.
	List []map[string]string
	// DocID of sendEdoc.
	DocID *string
	// Data of getEdoc, decoded; the whole body of downloadEdoc.
	Data []byte
	// Saved: a file was written.
	Saved bool
	Count int
}

// OK reports whether a program takes the call for done.
func (o Outcome) OK() bool {
	return o.Status != nil && *o.Status == "OK" && o.Code != nil && *o.Code == "0"
}

var errShape = errors.New("not of the form that the SDK reads")

// itemFields are those that a list's entries are read for.
func itemFields(v Version, operation string) []string {
	switch operation {
	case "getReceivedEdocList":
		return []string{"docId", "serviceType", "messageType", "created_time", "updated_time", "from", "to", "status", "status_desc"}
	case "getSentEdocList":
		return []string{
			"serviceType", "receiverDocId", "toCode", "receiveStatus", "title", "messageType", "notation", "receivedTime",
			"sentTime", "sendStatus", "sendStatusDesc", "senderDocId", "fromCode", "receiveStatusDesc",
		}
	case "getAgenciesList":
		if v == V200 {
			return []string{"id", "pid", "code", "name", "mail"}
		}
		return []string{"id", "pid", "code", "name", "mail", "oldCode"}
	case "getAgenciesListQD20":
		return []string{"id", "code", "name", "mail", "code102"}
	case "getSynchronizeUnit":
		return []string{"id", "pid", "code", "name", "mail", "version", "centerCode", "deleted", "modifyDate", "isAgency"}
	}
	return nil
}

// Read makes of an answer's body (unpacked, where the operation can unpack) what the SDK
// makes of it. filePath is whether the caller gave one.
func Read(v Version, operation string, body []byte, filePath bool) Outcome {
	if operation == "downloadEdoc" {
		return readRaw(body)
	}
	if operation == "sendEdoc" && v == V201 {
		body = asciiOnly(body)
	}
	body = bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r"), nil), []byte("\n"), nil)
	if len(body) == 0 {
		return Outcome{}
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		if operation == "getReceivedEdocList" && v == V201 {
			return Outcome{Status: text("OK"), Code: text("0"), Desc: text("Success"), List: []map[string]string{}}
		}
		return Outcome{Nothing: true}
	}
	return readObject(v, operation, object, filePath)
}

// readRaw: any byte at all is a document.
func readRaw(body []byte) Outcome {
	if len(body) == 0 {
		return Outcome{Status: text("FAIL"), Code: text("100")}
	}
	return Outcome{Status: text("SUCCESS"), Code: text("0"), Data: body, Saved: true}
}

func readObject(v Version, operation string, object map[string]any, filePath bool) Outcome {
	var o Outcome
	for _, field := range []struct {
		name string
		into **string
	}{{"status", &o.Status}, {"ErrorCode", &o.Code}, {"ErrorDesc", &o.Desc}} {
		value, err := asText(object, field.name)
		if err != nil {
			return Outcome{}
		}
		*field.into = &value
	}
	switch {
	case operation == "sendEdoc":
		return readSent(o, object)
	case operation == "getEdoc":
		return readEdoc(v, o, object, filePath)
	case strings.HasPrefix(operation, "count"):
		if *o.Status != "FAIL" {
			n, _ := asText(object, "count")
			o.Count, _ = strconv.Atoi(n)
		}
	case itemFields(v, operation) != nil && *o.Code == "0":
		o.List = readList(v, operation, object)
	}
	return o
}

func readSent(o Outcome, object map[string]any) Outcome {
	id, err := asText(object, "DocId")
	if err != nil {
		return Outcome{}
	}
	o.DocID = &id
	return o
}

func readEdoc(v Version, o Outcome, object map[string]any, filePath bool) Outcome {
	if v == V201 && *o.Status == "FAIL" {
		return o
	}
	data, err := asText(object, "data")
	if err != nil && v == V200 {
		return Outcome{}
	}
	if err != nil {
		return o
	}
	o.Data, err = base64.StdEncoding.DecodeString(data)
	if err != nil {
		return Outcome{Nothing: true}
	}
	o.Saved = *o.Code == "0" && filePath
	return o
}

// readList gives nil where one entry has one null.
func readList(v Version, operation string, object map[string]any) []map[string]string {
	data, isArray := object["data"].([]any)
	if !isArray {
		return nil
	}
	list := []map[string]string{}
	for _, d := range data {
		entry, err := readEntry(d, itemFields(v, operation))
		if err != nil {
			return nil
		}
		list = append(list, entry)
	}
	return list
}

func readEntry(d any, fields []string) (map[string]string, error) {
	object, isObject := d.(map[string]any)
	if !isObject {
		return nil, errShape
	}
	entry := map[string]string{}
	for _, name := range fields {
		if _, there := object[name]; !there {
			continue
		}
		value, err := asText(object, name)
		if err != nil {
			return nil, err
		}
		if _, err := strconv.Atoi(value); name == "version" && err != nil {
			return nil, errShape
		}
		if bools := []string{"deleted", "isAgency"}; slices.Contains(bools, name) && value != "true" && value != "false" {
			return nil, errShape
		}
		entry[name] = value
	}
	return entry, nil
}

// asText is Gson's getAsString.
func asText(object map[string]any, name string) (string, error) {
	switch v := object[name].(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", errShape
}

func text(s string) *string { return &s }

// asciiOnly is how US-ASCII reads other bytes.
func asciiOnly(body []byte) []byte {
	var out []byte
	for _, b := range body {
		if b > 0x7f {
			out = append(out, "\uFFFD"...)
		} else {
			out = append(out, b)
		}
	}
	return out
}

// Summary is a row of sdk-2.0.x-answers.tsv, with a length for texts that are long.
func (o Outcome) Summary(operation string) string {
	if o.Nothing {
		return "null"
	}
	line := fmt.Sprintf("st=%s ec=%s ed=%s", orNull(o.Status), orNull(o.Code), orNull(o.Desc))
	switch {
	case operation == "sendEdoc":
		return line + " DocID=" + length(o.DocID)
	case operation == "getEdoc" && o.Data == nil:
		return line + " Data=null FilePath=null"
	case operation == "getEdoc":
		return line + fmt.Sprintf(" Data=(%d chars) FilePath=%s", len(utf16.Encode([]rune(string(o.Data)))), map[bool]string{true: "(67 chars)", false: "null"}[o.Saved])
	case operation == "downloadEdoc":
		return line + " Data= FilePath=" + map[bool]string{true: "(67 chars)"}[o.Saved]
	case strings.HasPrefix(operation, "count"):
		return line + fmt.Sprintf(" Count=%d", o.Count)
	case itemFields(V201, operation) != nil && o.List == nil:
		return line + " list=null"
	case itemFields(V201, operation) != nil:
		return line + fmt.Sprintf(" list=%d", len(o.List))
	}
	return line
}

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func length(s *string) string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("(%d chars)", len(*s))
}
