package envelope_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"docaxis/edxml"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/internal/vectors"
	"docaxis/proto/axispb"
)

var submitted = time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)

func openPackage(t require, raw []byte) *edxml.Package {
	p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
	if err != nil {
		t.Fatalf("%v: %.3000s", err, raw)
	}
	return p
}

// require is what tests, fuzz targets and rapid share.
type require interface{ Fatalf(string, ...any) }

// book resolves the names of documents by agency and name.
type book map[[2]string]string

func (b book) Resolve(sender, name string) (string, error) { return b[[2]string{sender, name}], nil }

func reading(b book) envelope.Reading {
	return envelope.Reading{ID: id1, Now: submitted, Resolve: b.Resolve}
}

func composed(t require, d *envelope.Document, c envelope.Composition) *edxml.Package {
	var b bytes.Buffer
	if err := envelope.WritePackage(&b, d, c); err != nil {
		t.Fatalf("%v", err)
	}
	return openPackage(t, b.Bytes())
}

// No member is lost on the way through a package that was composed here.
func TestADocumentComesBackFromItsPackage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := documentGen.Draw(t, "document")
		c := envelope.Composition{Recipient: rapid.SampledFrom([]string{"", d.To[0], "H41.99"}).Draw(t, "recipient")}
		if d.Kind == envelope.KindStatus && c.Recipient == "H41.99" && len(d.Groups) == 0 {
			c.Recipient = "" // a status message goes to no successor
		}
		r := reading(nil)
		r.Own = true
		got, err := envelope.FromPackage(composed(t, d, c), r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// What somebody else sends is read by its own fields alone, and can be sealed.
func TestAComposedPackageIsReadAsAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := documentGen.Draw(t, "document")
		r := reading(nil)
		r.Resolve = func(string, string) (string, error) { return id2, nil }
		got, err := envelope.FromPackage(composed(t, d, envelope.Composition{}), r)
		if err != nil {
			t.Fatal(err)
		}
		kind := d.Kind
		if kind == envelope.KindReply {
			kind = envelope.KindDocument
		}
		to := d.To
		if kind == envelope.KindStatus {
			to = to[:1]
		}
		want := []any{kind, d.Sender, to, d.Security, d.Status, id1, 0, true}
		is := []any{got.Kind, got.Sender, got.To, got.Security, got.Status, got.ID, len(got.Groups), got.Deadline.IsZero()}
		if diff := cmp.Diff(want, is); diff != "" {
			t.Fatal(diff)
		}
		sealable(t, got)
	})
}

func sealable(t require, d *envelope.Document) {
	whole := *d
	whole.Files = []envelope.FileInfo{{Name: "files/001.edxml", Title: "x.edxml", Type: "application/xml"}}
	if d.Body != envelope.BodyEdXML {
		t.Fatalf("body %q", d.Body)
	}
	if _, err := envelope.Marshal(&whole); err != nil {
		t.Fatalf("%v", err)
	}
}

// What edXML has and document.json has not stays in the package's bytes.
var notInDocument = []string{
	"From and To but for OrganId", "PromulgationInfo/Place", "DocumentType", "Content", "SignerInfo", "DueDate",
	"OtherInfo but for Priority", "SteeringType", "ResponseForTask", "ApplicationType", "ToPlaces", "TraceHeader",
	"Bussiness/Paper", "BussinessDocumentInfo", "OrganIdList", "StaffInfo", "Signature", "the attachments",
}

// only is a package that says nothing but what document.json has: what the test below
// compares is then all there is.
func only(d *edxml.Document) *edxml.Document {
	party := func(p edxml.Party) edxml.Party { return edxml.Party{OrganID: p.OrganID} }
	out := &edxml.Document{
		From: party(d.From), ID: d.ID, Number: d.Number, Promulgation: edxml.Promulgation{Date: d.Promulgation.Date},
		Subject: d.Subject, Other: edxml.OtherInfo{Priority: d.Other.Priority}, ResponseFor: d.ResponseFor,
		Business: edxml.Business{DocumentID: d.Business.DocumentID, Type: d.Business.Type, Reason: d.Business.Reason},
	}
	for _, to := range d.To {
		out.To = append(out.To, party(to))
	}
	for _, r := range d.Business.Replacements {
		out.Business.Replacements = append(out.Business.Replacements, edxml.Replacement{DocumentID: r.DocumentID})
	}
	return out
}

// Each reference file gives the same document with and without the fields of
// notInDocument, and what its index says.
func TestReferenceFiles(t *testing.T) {
	list, err := vectors.EdXMLFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		p := openPackage(t, vectors.EdXML(f.Name))
		sent := book{
			{"000.00.00.X90", "000.00.00.X90,2026/03/02,101/CQA-VP"}: id2,
			{"000.00.00.X90", f.BusinessDocumentID}:                  id2,
		}
		d, err := envelope.FromPackage(p, reading(sent))
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		sealable(t, d)
		if f.Kind == "status" {
			statusSays(t, f, d)
			continue
		}
		documentSays(t, f, d)
		bare, err := envelope.FromPackage(&edxml.Package{Document: only(p.Document)}, reading(sent))
		if err != nil || !cmp.Equal(d, bare) {
			t.Errorf("%s: a member comes from none of the fields but %v: %v %s", f.Name, notInDocument, err, cmp.Diff(d, bare))
		}
	}
}

func documentSays(t *testing.T, f vectors.File, d *envelope.Document) {
	t.Helper()
	kinds := map[string]envelope.Kind{"": "document", "0": "document", "1": "recall", "2": "update", "3": "replacement"}
	want := []any{kinds[f.BusinessDocType], f.From, f.To, f.DocumentID, f.Code, f.Subject, 0, submitted}
	got := []any{d.Kind, d.Sender, d.To, d.DocumentID, d.Number + "/" + d.Notation, d.Subject, d.Priority, d.Created}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", f.Name, diff)
	}
	if day := strings.Split(f.DocumentID, ",")[1]; strings.ReplaceAll(d.Issued, "-", "/") != day {
		t.Errorf("%s: issued %q, not %s", f.Name, d.Issued, day)
	}
	if r, changes := d.Target(); changes && (r.Sender != f.From || r.ID != id2) {
		t.Errorf("%s: about %v", f.Name, r)
	}
}

func statusSays(t *testing.T, f vectors.File, d *envelope.Document) {
	t.Helper()
	want := []any{envelope.KindStatus, f.From, []string{f.ResponseForOrganID}, f.StatusCode, f.Timestamp}
	got := []any{d.Kind, d.Sender, d.To, d.Status, string(edxml.NewTimestamp(d.Created))}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", f.Name, diff)
	}
	why := slices.Contains([]string{"02", "13", "16"}, d.Status)
	if (d.Reason != "") != why || (d.Comment != "") == why {
		t.Errorf("%s: reason %q, comment %q", f.Name, d.Reason, d.Comment)
	}
	if r, _ := d.Target(); r != (envelope.Reference{Sender: "000.00.00.X90", ID: id2, Relation: "target"}) {
		t.Errorf("%s: about %v", f.Name, r)
	}
}

// The changed copies that a reader takes give a document, or a reason for people.
func TestVariantsAreMappedOrRefused(t *testing.T) {
	all, err := vectors.Variants()
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]axispb.ReasonCode{}
	for _, v := range all {
		raw := vectors.EdXML("variants/" + v.Name)
		p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), edxml.Limits{})
		var d *envelope.Document
		if err != nil {
			err = envelope.PackageError(err)
		} else {
			d, err = envelope.FromPackage(p, reading(book{{"000.00.00.X90", "000.00.00.X90,2026/03/02,101/CQA-VP"}: id2}))
		}
		if err == nil {
			sealable(t, d)
			continue
		}
		if reason.IsTemporary(err) {
			t.Errorf("%s: %v", v.Name, err)
		}
		refused[v.Name] = reason.Of(err).GetCode()
	}
	for name, want := range map[string]axispb.ReasonCode{
		"no-From.edxml": axispb.ReasonCode_REASON_BAD_CODE, "no-To.edxml": axispb.ReasonCode_REASON_NO_RECIPIENT,
		"doctype.edxml": axispb.ReasonCode_REASON_BAD_PACKAGE, "no-edXMLHeader.edxml": axispb.ReasonCode_REASON_BAD_PACKAGE,
	} {
		if got := refused[name]; got != want {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
	}
	for _, name := range []string{"no-Subject.edxml", "no-DocumentId.edxml", "no-Code.edxml", "no-Bussiness.edxml", "bad-priority.edxml", "bad-date.edxml"} {
		if code, ok := refused[name]; ok {
			t.Errorf("%s is refused with %v", name, code)
		}
	}
}

func newPackage(change func(*edxml.Document)) *edxml.Package {
	d := &edxml.Document{
		From: edxml.Party{OrganID: "H27"}, To: []edxml.Party{{OrganID: "H41"}}, ID: "own",
		Number: edxml.DocumentNumber{Number: "101", Notation: "VP"}, Promulgation: edxml.Promulgation{Date: "2026/03/02"}, Subject: "V/v mẫu",
	}
	change(d)
	return &edxml.Package{Document: d}
}

func TestTargets(t *testing.T) {
	const other = "01932f2e-7c00-7abc-8def-0123456789ad"
	known := book{{"H27", "own"}: id2, {"H27", "first"}: id2, {"H27", "second"}: other, {"H27", "H27,2026/03/01,100/VP"}: other, {"G22", "theirs"}: other}
	target := envelope.Reference{Sender: "H27", ID: id2, Relation: "target"}
	about := func(sender, id string, relation envelope.Relation) envelope.Reference {
		return envelope.Reference{Sender: sender, ID: id, Relation: relation}
	}
	for name, tt := range map[string]struct {
		change func(*edxml.Document)
		kind   envelope.Kind
		want   []envelope.Reference
	}{
		"recall by its own id": {func(d *edxml.Document) { d.Business.Type = "1" }, "recall", []envelope.Reference{target}},
		"recall, the whole package again of what answered another": {func(d *edxml.Document) {
			d.Business.Type, d.ResponseFor = "1", []edxml.ResponseFor{{OrganID: "H27", DocumentID: "second"}}
		}, "recall", []envelope.Reference{target, about("H27", other, "related")}},
		"recall by Bussiness": {func(d *edxml.Document) {
			d.Business.Type, d.Business.DocumentID, d.ID = "1", "first", "new"
		}, "recall", []envelope.Reference{target}},
		"recall by what is answered, whose code is a recipient's": {func(d *edxml.Document) {
			d.Business.Type, d.ID = "1", "new"
			d.ResponseFor = []edxml.ResponseFor{{OrganID: "H41", DocumentID: "first"}, {OrganID: "H41", DocumentID: "second"}}
		}, "recall", []envelope.Reference{target, about("H27", other, "related")}},
		"recall by what stands on the paper": {func(d *edxml.Document) {
			d.Business.Type, d.ID = "1", "new"
			d.ResponseFor = []edxml.ResponseFor{{OrganID: "H41", Code: "100/VP", PromulgationDate: "2026/3/1"}}
		}, "recall", []envelope.Reference{about("H27", other, "target")}},
		"update": {func(d *edxml.Document) {
			d.Business.Type, d.Business.DocumentID, d.ID = "2", "first", "new"
		}, "update", []envelope.Reference{target}},
		"update under its own id": {func(d *edxml.Document) { d.Business.Type = "2" }, "update", []envelope.Reference{target}},
		"update of what is not known": {func(d *edxml.Document) {
			d.Business.Type, d.Business.DocumentID, d.ID = "2", "x", "new"
		}, "document", []envelope.Reference{about("H27", "x", "related")}},
		"sent again": {func(d *edxml.Document) { d.Business.Type, d.ID = "2", "new" }, "document", nil},
		"replacement": {func(d *edxml.Document) {
			d.Business.Type = "3"
			d.Business.Replacements = []edxml.Replacement{{DocumentID: "x"}, {DocumentID: "first"}, {DocumentID: "second"}}
		}, "replacement", []envelope.Reference{target, about("H27", other, "replaces"), about("H27", "x", "related")}},
		"replacement of what is not known": {func(d *edxml.Document) {
			d.Business.Type, d.Business.Replacements = "3", []edxml.Replacement{{DocumentID: "x"}}
		}, "document", []envelope.Reference{about("H27", "x", "related")}},
		"answer": {func(d *edxml.Document) {
			d.ResponseFor = []edxml.ResponseFor{
				{OrganID: "G22", DocumentID: "theirs"},
				{OrganID: "G22", DocumentID: "y"},
				{OrganID: "", DocumentID: "z"},
				{OrganID: "G22", DocumentID: "y"},
				{OrganID: "H41", DocumentID: "y"},
				{OrganID: "G22", DocumentID: strings.Repeat("x", 201)},
			}
		}, "document", []envelope.Reference{about("G22", other, "related"), about("G22", "y", "related"), about("H41", "y", "related")}},
		"no business": {func(d *edxml.Document) { d.Business.DocumentID = "first" }, "document", nil},
		"unknown":     {func(d *edxml.Document) { d.Business.Type = "9" }, "document", nil},
	} {
		d, err := envelope.FromPackage(newPackage(tt.change), reading(known))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, d.References); d.Kind != tt.kind || diff != "" {
			t.Errorf("%s: %s %s", name, d.Kind, diff)
		}
		sealable(t, d)
	}
}

// More references than document.json takes leave out those that are only mentioned,
// never the target.
func TestReferencesBeyondTheLimit(t *testing.T) {
	var notes []envelope.Note
	r := reading(book{{"H27", "first"}: id2})
	r.Note = func(n envelope.Note) { notes = append(notes, n) }
	d, err := envelope.FromPackage(newPackage(func(d *edxml.Document) {
		d.Business.Type = "3"
		for i := range 150 {
			d.Business.Replacements = append(d.Business.Replacements, edxml.Replacement{DocumentID: fmt.Sprint("x", i)})
		}
		d.Business.Replacements = append(d.Business.Replacements, edxml.Replacement{DocumentID: "first"})
	}), r)
	if err != nil {
		t.Fatal(err)
	}
	if target, ok := d.Target(); !ok || target.ID != id2 || len(d.References) != envelope.MaxReferences || len(notes) != 51 {
		t.Errorf("%d references, about %v; %d notes", len(d.References), target, len(notes))
	}
	sealable(t, d)
}

func TestPackagesThatAreRefused(t *testing.T) {
	status := func(change func(*edxml.Status)) *edxml.Package {
		s := &edxml.Status{From: edxml.Party{OrganID: "H41"}, ResponseFor: edxml.ResponseFor{OrganID: "H27", DocumentID: "first"}, Code: "03"}
		change(s)
		return &edxml.Package{Status: s}
	}
	for name, tt := range map[string]struct {
		p    *edxml.Package
		want axispb.ReasonCode
		args []string
	}{
		"sender":     {newPackage(func(d *edxml.Document) { d.From.OrganID = "h27" }), axispb.ReasonCode_REASON_BAD_CODE, []string{"h27"}},
		"recipient":  {newPackage(func(d *edxml.Document) { d.To[0].OrganID = "?" }), axispb.ReasonCode_REASON_BAD_CODE, []string{"?"}},
		"nobody":     {newPackage(func(d *edxml.Document) { d.To = nil }), axispb.ReasonCode_REASON_NO_RECIPIENT, nil},
		"long id":    {newPackage(func(d *edxml.Document) { d.ID = strings.Repeat("ệ", 201) }), axispb.ReasonCode_REASON_BAD_PACKAGE, []string{"MessageHeader/DocumentId", "must be one line of at most 200 characters"}},
		"id of two":  {newPackage(func(d *edxml.Document) { d.ID = "a\nb" }), axispb.ReasonCode_REASON_BAD_PACKAGE, []string{"MessageHeader/DocumentId", "must be one line of at most 200 characters"}},
		"recall":     {newPackage(func(d *edxml.Document) { d.Business.Type, d.Business.DocumentID = "1", "x" }), axispb.ReasonCode_REASON_UNKNOWN_TARGET, []string{"H27", "x"}},
		"own recall": {newPackage(func(d *edxml.Document) { d.Business.Type = "1" }), axispb.ReasonCode_REASON_UNKNOWN_TARGET, []string{"H27", "own"}},
		"recall of nothing": {
			newPackage(func(d *edxml.Document) { d.Business.Type, d.ID = "1", "" }),
			axispb.ReasonCode_REASON_BAD_PACKAGE,
			[]string{"TraceHeaderList/Bussiness/DocumentId", "is missing"},
		},
		"state":         {status(func(s *edxml.Status) { s.Code = "07" }), axispb.ReasonCode_REASON_BAD_PACKAGE, []string{"MessageHeader/StatusCode", "must be one of 01, 02, 03, 04, 05, 06, 13, 15, 16"}},
		"whose state":   {status(func(s *edxml.Status) { s.ResponseFor.OrganID = "" }), axispb.ReasonCode_REASON_BAD_CODE, []string{""}},
		"state of what": {status(func(s *edxml.Status) { s.ResponseFor.DocumentID = "" }), axispb.ReasonCode_REASON_BAD_PACKAGE, []string{"MessageHeader/ResponseFor/DocumentId", "is missing"}},
		"unknown state": {status(func(s *edxml.Status) { s.ResponseFor.DocumentID = "x" }), axispb.ReasonCode_REASON_UNKNOWN_TARGET, []string{"H27", "x"}},
		"take back":     {status(func(s *edxml.Status) { s.Code = "13" }), axispb.ReasonCode_REASON_UNKNOWN_TARGET, []string{"H41", "first"}},
		"looked at":     {&edxml.Package{Refused: edxml.Refusals{{Reason: edxml.NotInManifest, Path: "Attachment", Found: "A1"}}}, axispb.ReasonCode_REASON_BAD_PACKAGE, []string{"Attachment", "attachment-not-in-manifest: A1"}},
	} {
		_, err := envelope.FromPackage(tt.p, reading(book{{"H27", "first"}: id2}))
		if !reason.Is(err, tt.want) || reason.IsTemporary(err) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.args, reason.Of(err).Args); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A failing store is no refusal.
func TestAnErrorOfResolveIsHandedOn(t *testing.T) {
	r := reading(nil)
	r.Resolve = func(string, string) (string, error) { return "", io.ErrUnexpectedEOF }
	_, err := envelope.FromPackage(newPackage(func(d *edxml.Document) { d.Business.Type = "2" }), r)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !reason.IsTemporary(err) {
		t.Error(err)
	}
	if err := envelope.PackageError(io.ErrUnexpectedEOF); !errors.Is(err, io.ErrUnexpectedEOF) || reason.Of(err) != nil {
		t.Error(err)
	}
}

func TestTextsAreMadeToFit(t *testing.T) {
	var notes []envelope.Note
	r := reading(nil)
	r.Note = func(n envelope.Note) { notes = append(notes, n) }
	d, err := envelope.FromPackage(newPackage(func(d *edxml.Document) {
		d.From.OrganID, d.To = "28.22.H17", []edxml.Party{{OrganID: "22.H17"}, {OrganID: "H41"}, {OrganID: "000.00.22.H17"}}
		d.Subject = "một\r\nhai\tba\x7f " + strings.Repeat("ệ", 600)
		d.Number = edxml.DocumentNumber{Number: strings.Repeat("1", 51), Notation: "a\nb"}
		d.Business.Reason = "dòng 1\ndòng 2" + strings.Repeat("x", 2000)
		d.Other.Priority, d.Promulgation.Date = "5", "hôm nay"
	}), r)
	if err != nil {
		t.Fatal(err)
	}
	sealable(t, d)
	want := []any{"000.28.22.H17", []string{"000.00.22.H17", "H41"}, "một hai ba " + strings.Repeat("ệ", 488) + "…", strings.Repeat("1", 49) + "…", "a b", 0, ""}
	got := []any{d.Sender, d.To, d.Subject, d.Number, d.Notation, d.Priority, d.Issued}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(d.Reason, "dòng 1\ndòng 2xxx") || len([]rune(d.Reason)) != 2000 {
		t.Errorf("reason %q", d.Reason)
	}
	if diff := cmp.Diff([]envelope.Note{{"MessageHeader/To[3]", "is named again; it gets the package once"}}, notes); diff != "" {
		t.Error(diff)
	}
}

// A state is dated by its package where that can be.
func TestWhenAStateCameAbout(t *testing.T) {
	for text, want := range map[edxml.Timestamp]time.Time{
		"2026/03/02 09:15:00":       time.Date(2026, 3, 2, 2, 15, 0, 0, time.UTC),
		"":                          submitted,
		"hôm nay":                   submitted,
		"0001/01/01 00:00:00":       submitted,
		"9999-12-31T23:59:59-12:00": submitted,
	} {
		p := &edxml.Package{Status: &edxml.Status{
			From: edxml.Party{OrganID: "H41"}, ResponseFor: edxml.ResponseFor{OrganID: "H27", DocumentID: "a"}, Code: "03", Time: text,
		}}
		d, err := envelope.FromPackage(p, reading(book{{"H27", "a"}: id2}))
		if err != nil || !d.Created.Equal(want) {
			t.Errorf("%s: %v %v", text, err, d)
		}
	}
}

// A package with ten thousand oddities is worth a hundred notes.
func TestNotesAreBounded(t *testing.T) {
	notes := 0
	r := reading(nil)
	r.Note = func(envelope.Note) { notes++ }
	d, err := envelope.FromPackage(newPackage(func(d *edxml.Document) { d.To = slices.Repeat(d.To, 10_000) }), r)
	if err != nil || len(d.To) != 1 || notes != 100 {
		t.Errorf("%v, %d notes", err, notes)
	}
}

// A package without a subject is named by what it has.
func TestWhatStandsForTheSubject(t *testing.T) {
	p := newPackage(func(d *edxml.Document) { d.Subject, d.Content = " \x7f", "nội dung" })
	p.Attachments = []*edxml.Attachment{{Name: "Công văn.pdf"}}
	for _, tt := range []struct {
		change func(*edxml.Document)
		want   string
	}{
		{func(*edxml.Document) {}, "nội dung"},
		{func(d *edxml.Document) { d.Content = "" }, "own"},
		{func(d *edxml.Document) { d.ID = "" }, "Công văn.pdf"},
		{func(*edxml.Document) { p.Attachments = nil }, "H27,2026/03/02,101/VP"},
		{func(d *edxml.Document) { d.Number.Number = "" }, id1},
	} {
		tt.change(p.Document)
		if d, err := envelope.FromPackage(p, reading(nil)); err != nil || d.Subject != tt.want {
			t.Errorf("%v: %q", err, d.Subject)
		}
	}
}
