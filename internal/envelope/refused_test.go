package envelope_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// TestJSONRefused: document.json that another reader might read in another way.
func TestJSONRefused(t *testing.T) {
	raw, err := envelope.Marshal(sampleDocument())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, old, new, want string }{
		{"unknown", `"version"`, `"versions":1,"version"`, "versions is not known"},
		{"other case", `"to"`, `"To"`, "To is not known"},
		{"twice", `"version":1`, `"version":1,"version":1`, "version is given twice"},
		{"twice, once escaped", `"version":1`, `"version":1,"versio\u006e":1`, "version is given twice"},
		{"unknown inside", `"under":"H41"`, `"under":"H41","x":1`, "groups[0].x is not known"},
		{"twice inside", `"under":"H41"`, `"under":"H41","under":"H42"`, "groups[0].under is given twice"},
		{"null for a text", `"number":"7816"`, `"number":null`, "number is no string"},
		{"null for a list", `"to":["H41","000.00.01.H27"]`, `"to":null`, "to is no array"},
		{"deep", `"to":["H41"`, `"to":[["H41"`, "to[0] is no string"},
		{"very deep", `"to":[`, `"to":[` + strings.Repeat("[", 100_000), "to[0] is no string"},
		{"object for a text", `"number":"7816"`, `"number":{}`, "number is no string"},
		{"number for a text", `"number":"7816"`, `"number":7816`, "number is no string"},
		{"text for a number", `"priority":2`, `"priority":"2"`, "priority is no whole number"},
		{"negative", `"priority":2`, `"priority":-2`, "priority is no whole number"},
		{"fraction", `"priority":2`, `"priority":2.0`, "a comma is missing"},
		{"exponent", `"priority":2`, `"priority":2e0`, "a comma is missing"},
		{"leading zero", `"priority":2`, `"priority":02`, "priority is no whole number"},
		{"over 64 bits", `"priority":2`, `"priority":99999999999999999999`, "priority is over"},
		{"bad UTF-8", `7816`, "78\xff16", "number is no UTF-8"},
		{"surrogate in UTF-8", `7816`, "\xed\xa0\x80", "number is no UTF-8"},
		{"half of a pair", `7816`, `\ud83d`, "half of a surrogate"},
		{"halves the wrong way", `7816`, `\ude00\ud83d`, "half of a surrogate"},
		{"half and a letter", `7816`, `\ud83d\u0041`, "half of a surrogate"},
		{"half at the end", `7816`, `\ud83d\u`, "unknown escape"},
		{"bad escape", `7816`, `\x41`, "unknown escape"},
		{"bad digits", `7816`, `\u00g0`, "unknown escape"},
		{"raw control", `7816`, "78\n16", "control character"},
		{"escaped control", `7816`, `\u0000`, "control character"},
		{"trailing comma", `"dòng 1\ndòng 2"}`, `"dòng 1\ndòng 2",}`, "is no string"},
		{"trailing comma in a list", `"000.00.01.H27"]`, `"000.00.01.H27",]`, "to[2] is no string"},
		{"missing comma", `,"sender"`, ` "sender"`, "comma"},
		{"missing colon", `"sender":`, `"sender" `, "colon"},
		{"comment", `,"sender"`, `,/**/"sender"`, "is no string"},
		{"trailing data", `dòng 2"}`, `dòng 2"} {}`, "follows"},
		{"NUL behind", `dòng 2"}`, "dòng 2\"}\x00", "follows"},
		{"cut", `dòng 2"}`, `dòng 2`, "no end"},
		{"cut in an escape", `dòng 2"}`, `dòng 2\`, "no end"},
		{"cut in digits", `dòng 2"}`, `dòng 2\u00`, "unknown escape"},
		{"byte order mark", `{"version"`, "\xef\xbb\xbf{\"version\"", "is no object"},
		{"array", `{"version"`, `[{"version"`, "is no object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustContain(t, raw, tt.old)
			_, err := envelope.ParseDocument([]byte(strings.Replace(string(raw), tt.old, tt.new, 1)))
			wantReason(t, err, axispb.ReasonCode_REASON_BAD_DOCUMENT, tt.want)
		})
	}
	for _, raw := range []string{"", " ", "null", "{", `{"`} {
		if _, err := envelope.ParseDocument([]byte(raw)); err == nil {
			t.Errorf("accepted %q", raw)
		}
	}
	_, err = envelope.ParseDocument([]byte(strings.Repeat(" ", envelope.MaxSize+1)))
	wantReason(t, err, axispb.ReasonCode_REASON_ENVELOPE_TOO_LARGE, "393217 393216")
}

// TestRulesRefused: a document that is well written and says what it must not.
// Marshal and Seal refuse it alike.
func TestRulesRefused(t *testing.T) {
	const bad = axispb.ReasonCode_REASON_BAD_DOCUMENT
	target := envelope.Reference{Sender: "H41", ID: id2, Relation: envelope.RelationTarget}
	file := envelope.FileInfo{Name: "files/001.pdf", Title: "a.pdf", Type: "application/pdf", Size: 1}
	withFile := func(change func(*envelope.FileInfo)) func(*envelope.Document) {
		return func(d *envelope.Document) {
			f := file
			change(&f)
			d.Files = []envelope.FileInfo{f}
		}
	}
	many := func(n int) (codes []string) {
		for i := range n {
			codes = append(codes, fmt.Sprintf("H41.%d", i))
		}
		return codes
	}
	tests := []struct {
		name   string
		change func(*envelope.Document)
		code   axispb.ReasonCode
		want   string
	}{
		{"version", func(d *envelope.Document) { d.Version = 2 }, bad, "version must be 1"},
		{"id missing", func(d *envelope.Document) { d.ID = "" }, bad, "id is no UUIDv7"},
		{"id in upper case", func(d *envelope.Document) { d.ID = strings.ToUpper(id1) }, bad, "id is no UUIDv7"},
		{"id in braces", func(d *envelope.Document) { d.ID = "{" + id1 + "}" }, bad, "id is no UUIDv7"},
		{"id of version 4", func(d *envelope.Document) { d.ID = strings.Replace(id1, "-7a", "-4a", 1) }, bad, "id is no UUIDv7"},
		{"id of another variant", func(d *envelope.Document) { d.ID = strings.Replace(id1, "-8", "-c", 1) }, bad, "id is no UUIDv7"},
		{"sender missing", func(d *envelope.Document) { d.Sender = "" }, axispb.ReasonCode_REASON_BAD_CODE, ""},
		{"sender", func(d *envelope.Document) { d.Sender = "g22" }, axispb.ReasonCode_REASON_BAD_CODE, "g22"},
		{"recipient", func(d *envelope.Document) { d.To[1] = strings.Repeat("x", 1000) }, axispb.ReasonCode_REASON_BAD_CODE, "xxx…"},
		{"recipient in a short form", func(d *envelope.Document) { d.To[1] = "01.H27" }, bad, "to[1] must be written 000.00.01.H27"},
		{"recipient twice", func(d *envelope.Document) { d.To[1] = d.To[0] }, axispb.ReasonCode_REASON_DUPLICATE_CODE, "H41"},
		{"no recipient", func(d *envelope.Document) { d.To, d.Groups = nil, nil }, axispb.ReasonCode_REASON_NO_RECIPIENT, ""},
		{"too many recipients", func(d *envelope.Document) { d.To = many(2001) }, bad, "to more than 2000"},
		{"too many groups", func(d *envelope.Document) { d.Groups = make([]envelope.Group, 17) }, bad, "groups more than 16"},
		{"group under no code", func(d *envelope.Document) { d.Groups[0].Under = "x" }, axispb.ReasonCode_REASON_BAD_CODE, "x"},
		{"group of no level", func(d *envelope.Document) { d.Groups[0].Level = "town" }, bad, "groups[0].level"},
		{"group twice", func(d *envelope.Document) { d.Groups[1] = d.Groups[0] }, bad, "groups[1] is named twice"},
		{"kind missing", func(d *envelope.Document) { d.Kind = "" }, bad, "kind is not known"},
		{"kind", func(d *envelope.Document) { d.Kind = "Document" }, bad, "kind is not known"},
		{"priority", func(d *envelope.Document) { d.Priority = 5 }, bad, "priority must be 0 to 4"},
		{"security", func(d *envelope.Document) { d.Security = "Secret" }, bad, "security is not known"},
		{"subject missing", func(d *envelope.Document) { d.Subject = "" }, bad, "subject is missing"},
		{"long subject", func(d *envelope.Document) { d.Subject = strings.Repeat("ắ", 501) }, bad, "subject has 501"},
		{"subject of two lines", func(d *envelope.Document) { d.Subject = "a\nb" }, bad, "subject has a tab"},
		{"control character", func(d *envelope.Document) { d.Comment = "a\x1bb" }, bad, "comment has a control"},
		{"no character of XML", func(d *envelope.Document) { d.Comment = "a\uffffb" }, bad, "comment has a control"},
		{"long number", func(d *envelope.Document) { d.Number = strings.Repeat("1", 51) }, bad, "number has 51"},
		{"long notation", func(d *envelope.Document) { d.Notation = strings.Repeat("1", 101) }, bad, "notation has 101"},
		{"long name", func(d *envelope.Document) { d.DocumentID = strings.Repeat("1", 201) }, bad, "document_id has 201"},
		{"unknown body", func(d *envelope.Document) { d.Body = "docx" }, bad, "body is not known"},
		{"body without a file", func(d *envelope.Document) { d.Body, d.Files = envelope.BodyEdXML, nil }, bad, "body has no file"},
		{"long reason", func(d *envelope.Document) { d.Reason = strings.Repeat("1", 2001) }, bad, "reason has 2001"},
		{"long comment", func(d *envelope.Document) { d.Comment = strings.Repeat("1", 2001) }, bad, "comment has 2001"},
		{"day", func(d *envelope.Document) { d.Issued = "2026-02-30" }, bad, "issued is no day"},
		{"created missing", func(d *envelope.Document) { d.Created = time.Time{} }, bad, "created is missing"},
		{"far deadline", func(d *envelope.Document) { d.Deadline = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }, bad, "deadline has no year"},
		{"status of a document", func(d *envelope.Document) { d.Status = "01" }, bad, "status is for"},
		{"status missing", func(d *envelope.Document) { d.Kind, d.References = "status", []envelope.Reference{target} }, bad, "status must be one of"},
		{"status", func(d *envelope.Document) {
			d.Kind, d.References, d.Status = "status", []envelope.Reference{target}, "07"
		}, bad, "status must be one of"},
		{"target of a document", func(d *envelope.Document) { d.References[0] = target }, bad, "references a new document"},
		{"change without target", func(d *envelope.Document) { d.Kind = "recall" }, bad, "one target, not 0"},
		{"change with two targets", func(d *envelope.Document) {
			d.Kind = "recall"
			d.References = []envelope.Reference{target, {Sender: "H41", ID: id1, Relation: "target"}}
		}, bad, "one target, not 2"},
		{"target of no id", func(d *envelope.Document) { d.References[0].Relation = "target" }, bad, "references[0].id is no UUIDv7"},
		{"reference to no code", func(d *envelope.Document) { d.References[0].Sender = "x" }, axispb.ReasonCode_REASON_BAD_CODE, "x"},
		{"reference without id", func(d *envelope.Document) { d.References[0].ID = "" }, bad, "references[0].id is missing"},
		{"reference with a long id", func(d *envelope.Document) { d.References[0].ID = strings.Repeat("1", 201) }, bad, "references[0].id has 201"},
		{"reference of no relation", func(d *envelope.Document) { d.References[0].Relation = "" }, bad, "references[0].relation must"},
		{"reference that replaces", func(d *envelope.Document) { d.References[0].Relation = "replaces" }, bad, "references[0].relation is for"},
		{"reference twice", func(d *envelope.Document) { d.References = append(d.References, d.References[0]) }, bad, "references[1] is named twice"},
		{"too many references", func(d *envelope.Document) { d.References = make([]envelope.Reference, 101) }, bad, "references more than 100"},
		{"too many files", func(d *envelope.Document) { d.Files = make([]envelope.FileInfo, 1000) }, bad, "files more than 999"},
		{"file of another number", withFile(func(f *envelope.FileInfo) { f.Name = "files/002.pdf" }), bad, "files[0].name must be files/001"},
		{"file with a climbing name", withFile(func(f *envelope.FileInfo) { f.Name = "files/001./../x" }), bad, "files[0].name"},
		{"file without title", withFile(func(f *envelope.FileInfo) { f.Title = "" }), bad, "files[0].title is missing"},
		{"file with a long title", withFile(func(f *envelope.FileInfo) { f.Title = strings.Repeat("a", 501) }), bad, "files[0].title has 501"},
		{"file with a title of two lines", withFile(func(f *envelope.FileInfo) { f.Title = "a\rb" }), bad, "files[0].title has a tab"},
		{"file of a bad type", withFile(func(f *envelope.FileInfo) { f.Type = "pdf" }), bad, "files[0].type"},
		{"file of a quoted type", withFile(func(f *envelope.FileInfo) { f.Type = `a/b; c="d"` }), bad, "files[0].type"},
		{"file of a long type", withFile(func(f *envelope.FileInfo) { f.Type = "a/" + strings.Repeat("b", 126) }), bad, "files[0].type"},
		{"file too large for JSON", withFile(func(f *envelope.FileInfo) { f.Size = 1 << 53 }), bad, "files[0].size is over"},
		{"bad UTF-8", func(d *envelope.Document) { d.Subject = "a\xff" }, bad, "subject is no UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := sampleDocument()
			tt.change(d)
			_, err := envelope.Marshal(d)
			wantReason(t, err, tt.code, tt.want)
		})
	}
}

// TestTimesRefused: a time has one spelling.
func TestTimesRefused(t *testing.T) {
	raw, err := envelope.Marshal(sampleDocument())
	if err != nil {
		t.Fatal(err)
	}
	const created = "2026-11-21T01:02:03.0000004Z"
	mustContain(t, raw, created)
	for _, s := range []string{
		"", "2026-11-21", "2026-11-21T08:02:03+07:00", "2026-11-21T01:02:03+00:00", "2026-11-21T1:02:03Z",
		"2026-11-21T01:02:03,5Z", "2026-11-21T01:02:03.50Z", "2026-11-21t01:02:03z", "2026-02-30T01:02:03Z", "2026-11-21T01:02:60Z",
	} {
		_, err := envelope.ParseDocument([]byte(strings.Replace(string(raw), created, s, 1)))
		wantReason(t, err, axispb.ReasonCode_REASON_BAD_DOCUMENT, "created is no time")
	}
}

// TestParseRefusesWhatMarshalRefuses: rules do not rest on who wrote the document.
func TestParseRefusesWhatMarshalRefuses(t *testing.T) {
	raw, err := envelope.Marshal(sampleDocument())
	if err != nil {
		t.Fatal(err)
	}
	for old, new := range map[string]string{
		`"priority":2`: `"priority":9`, `"sender":"G22"`: `"sender":""`, `"000.00.01.H27"`: `"H41"`,
		`"to":["H41"`: `"to":["h41"`, `"kind":"document"`: `"kind":"other"`, `"version":1`: `"version":2`,
	} {
		mustContain(t, raw, old)
		if _, err := envelope.ParseDocument([]byte(strings.Replace(string(raw), old, new, 1))); err == nil {
			t.Errorf("accepted %s", new)
		}
	}
	// What follows is no JSON: the list is given up before it is read to its end.
	tooMany := strings.Replace(string(raw), `"to":[`, `"to":[`+strings.Repeat(`"H41",`, 2001)+"}", 1)
	_, err = envelope.ParseDocument([]byte(tooMany))
	wantReason(t, err, axispb.ReasonCode_REASON_BAD_DOCUMENT, "to more than 2000")
}
