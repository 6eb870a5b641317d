package envelope_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// documentGen makes documents of every kind that are as they should be.
var documentGen = rapid.Custom(func(t *rapid.T) *envelope.Document {
	kind := rapid.SampledFrom([]envelope.Kind{"document", "recall", "update", "replacement", "status", "reply"}).Draw(t, "kind")
	d := &envelope.Document{
		Version: 1, ID: uuidGen.Draw(t, "id"), Sender: codeGen.Draw(t, "sender"),
		To:   rapid.SliceOfNDistinct(codeGen, 1, 5, rapid.ID[string]).Draw(t, "to"),
		Kind: kind, Priority: rapid.IntRange(0, 4).Draw(t, "priority"),
		Security: rapid.SampledFrom([]string{"ordinary", "confidential", "secret", "top-secret"}).Draw(t, "security"),
		Subject:  lineGen(500).Draw(t, "subject"), Number: lineGen(50).Draw(t, "number"), Notation: lineGen(100).Draw(t, "notation"),
		Created: timeGen.Draw(t, "created"), Reason: textGen(2000).Draw(t, "reason"), Comment: textGen(2000).Draw(t, "comment"),
	}
	if d.Subject == "" {
		d.Subject = "x"
	}
	if rapid.Bool().Draw(t, "has deadline") {
		d.Deadline = timeGen.Draw(t, "deadline")
		d.Issued = d.Deadline.Format(time.DateOnly)
	}
	if rapid.Bool().Draw(t, "has groups") {
		d.Groups = []envelope.Group{{Under: codeGen.Draw(t, "under")}, {Level: rapid.SampledFrom([]string{"", "ministry", "unit"}).Draw(t, "level")}}
	}
	d.References = referencesGen(kind).Draw(t, "references")
	d.DocumentID = lineGen(200).Draw(t, "document id")
	if kind == envelope.KindStatus {
		d.Status = rapid.SampledFrom([]string{"01", "02", "13", "16"}).Draw(t, "status")
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "files") {
		d.Files = append(d.Files, envelope.FileInfo{
			Name: fmt.Sprintf("files/%03d.%s", i+1, rapid.StringMatching(`[a-z0-9]{1,8}`).Draw(t, "ext")), Title: "t" + lineGen(499).Draw(t, "title"),
			Type: rapid.StringMatching(`([a-z]{1,9}/[a-z0-9.+-]{1,20})?`).Draw(t, "type"), Size: rapid.Uint64Max(1<<53-1).Draw(t, "size"),
		})
	}
	if len(d.Files) > 0 && rapid.Bool().Draw(t, "is edXML") {
		d.Body = envelope.BodyEdXML
	}
	return d
})

var (
	codeGen = rapid.StringMatching(`[A-Y][0-9]{2}(\.[0-9A-Z]{1,4}){0,3}|[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}`)
	uuidGen = rapid.Custom(func(t *rapid.T) string {
		b := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
		return uuid.UUID(b).String()
	})
	timeGen = rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")).UTC()
	})
)

func lineGen(n int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("ắĐ \"\\/<&>\u2028\u202e😀é0")), 0, n, -1)
}

func textGen(n int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("ắĐ \"\\\t\r\n😀")), 0, n, -1)
}

func referencesGen(kind envelope.Kind) *rapid.Generator[[]envelope.Reference] {
	return rapid.Custom(func(t *rapid.T) []envelope.Reference {
		var refs []envelope.Reference
		if kind != envelope.KindDocument {
			refs = append(refs, envelope.Reference{Sender: codeGen.Draw(t, "sender"), ID: uuidGen.Draw(t, "id"), Relation: envelope.RelationTarget})
		}
		if kind == envelope.KindReplacement {
			refs = append(refs, envelope.Reference{Sender: codeGen.Draw(t, "sender"), ID: uuidGen.Draw(t, "id"), Relation: envelope.RelationReplaces})
		}
		if rapid.Bool().Draw(t, "related") {
			refs = append(refs, envelope.Reference{Sender: codeGen.Draw(t, "sender"), ID: "x" + lineGen(199).Draw(t, "id"), Relation: envelope.RelationRelated})
		}
		return refs
	})
}

func TestParseWhatMarshalWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := documentGen.Draw(t, "document")
		raw, err := envelope.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := envelope.ParseDocument(raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Fatal(diff)
		}
		if again, err := envelope.Marshal(got); err != nil || string(again) != string(raw) {
			t.Fatalf("written differently: %s\n%s", raw, again)
		}
	})
}

// TestMarshalGolden: what is signed must not change from one version to the next.
func TestMarshalGolden(t *testing.T) {
	d := sampleDocument()
	d.Files = []envelope.FileInfo{{Name: "files/001.pdf", Title: "Công văn.pdf", Type: "application/pdf", Size: 4}}
	raw, err := envelope.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/document.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(raw)); diff != "" {
		t.Error(diff)
	}
}

// TestDefaults: what may be left out, and how it is written then.
func TestDefaults(t *testing.T) {
	raw := `{"version":1,"id":"` + id1 + `","sender":"G22","to":["H41"],"kind":"document","subject":"x","created":"2026-11-21T01:02:03Z"}`
	d, err := envelope.ParseDocument([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := &envelope.Document{
		Version: 1, ID: id1, Sender: "G22", To: []string{"H41"}, Kind: "document", Subject: "x",
		Security: "ordinary", Created: time.Date(2026, 11, 21, 1, 2, 3, 0, time.UTC),
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	want.Security, want.Created = "", want.Created.In(time.FixedZone("", 7*3600))
	again, err := envelope.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	const priority = `"priority":0,"security":"ordinary",`
	if got := strings.Replace(string(again), priority, "", 1); got != raw {
		t.Errorf("got %s", again)
	}
}

// What an agency calls a document that has no identifier of its own follows from what
// stands on the paper.
func TestName(t *testing.T) {
	d := envelope.Document{ID: id1, Sender: "000.00.00.G22", Number: "7816", Notation: "VPCP-TTĐT"}
	if got := d.Name(); got != id1 {
		t.Errorf("without a day: %s", got)
	}
	d.Issued = "2015-09-30"
	if got := d.Name(); got != "000.00.00.G22,2015/09/30,7816/VPCP-TTĐT" {
		t.Error(got)
	}
	d.DocumentID = "x"
	if got := d.Name(); got != "x" {
		t.Error(got)
	}
}

func TestLanes(t *testing.T) {
	for priority := range 5 {
		want := axispb.Lane_LANE_URGENT
		if priority == 0 {
			want = axispb.Lane_LANE_NORMAL
		}
		if got := (&envelope.Document{Priority: priority}).Lane(); got != want {
			t.Errorf("priority %d: %v", priority, got)
		}
	}
}

func TestCheckSecurity(t *testing.T) {
	tests := []struct {
		level, allowed string
		ok             bool
	}{
		{"ordinary", "", true},
		{"", "ordinary", true},
		{"confidential", "", false},
		{"confidential", "ordinary", false},
		{"confidential", "nonsense", false},
		{"confidential", "confidential", true},
		{"ordinary", "secret", true},
		{"top-secret", "secret", false},
		{"top-secret", "top-secret", true},
	}
	for _, tt := range tests {
		err := (&envelope.Document{Security: tt.level}).CheckSecurity(tt.allowed)
		if tt.ok && err != nil {
			t.Errorf("%q where %q is allowed: %v", tt.level, tt.allowed, err)
		}
		if !tt.ok {
			wantReason(t, err, axispb.ReasonCode_REASON_SECURITY_LEVEL, tt.level)
		}
	}
}

func TestTarget(t *testing.T) {
	d := sampleDocument()
	if r, ok := d.Target(); ok {
		t.Errorf("a new document has target %v", r)
	}
	want := envelope.Reference{Sender: "H41", ID: id2, Relation: envelope.RelationTarget}
	d.References = append(d.References, want)
	if r, ok := d.Target(); !ok || r != want {
		t.Errorf("target %v, %v", r, ok)
	}
}

func TestGroupLevels(t *testing.T) {
	for word, want := range map[string]axispb.Level{
		"": 0, "ministry": 1, "province": 2, "district": 3, "commune": 4, "unit": 5,
	} {
		if got, ok := (envelope.Group{Level: word}).AxisLevel(); !ok || got != want {
			t.Errorf("%q: %v, %v", word, got, ok)
		}
	}
	if _, ok := (envelope.Group{Level: "Ministry"}).AxisLevel(); ok {
		t.Error("Ministry is a level")
	}
}

// FuzzDocument: what is accepted is read alike by the standard library, and means
// the same when it is written again.
func FuzzDocument(f *testing.F) {
	raw, err := envelope.Marshal(sampleDocument())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(strings.ReplaceAll(string(raw), ",", " ,\n")))
	f.Add([]byte(`{"version":1,"subject":"\ud83d\ude00\u00e9\n\/","to":["H41"],"to":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := envelope.ParseDocument(raw)
		if err != nil {
			return
		}
		var lenient envelope.Document
		if err := json.Unmarshal(raw, &lenient); err != nil {
			t.Fatalf("another reader refuses it: %v", err)
		}
		if lenient.Security == "" {
			lenient.Security = envelope.SecurityOrdinary
		}
		again, err := envelope.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		second, err := envelope.ParseDocument(again)
		if err != nil || !cmp.Equal(d, second) {
			t.Fatalf("%v: %s", err, cmp.Diff(d, second))
		}
		if third, err := envelope.Marshal(&lenient); err != nil || string(third) != string(again) {
			t.Fatalf("read differently: %s\n%s", again, third)
		}
	})
}
