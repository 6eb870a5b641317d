package envelope_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"docaxis/edxml"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// target is a document that a DMS sent, as the composer finds it.
func targetDocument() *envelope.Document {
	return &envelope.Document{
		Version: 1, ID: id2, Sender: "G22", To: []string{"H41"}, Kind: "document", Subject: "x", Created: submitted,
		DocumentID: "G22-2026-7816", Number: "7816", Notation: "VPCP-TTĐT", Issued: "2026-11-20",
	}
}

func clerks(kind envelope.Kind, relation envelope.Relation) *envelope.Document {
	return &envelope.Document{
		Version: 1, ID: id1, Sender: "G22", To: []string{"H41", "H27"}, Kind: kind, Subject: "Thu hồi", Number: "12", Notation: "VP",
		Issued: "2026-11-21", Created: submitted, Priority: 2, Reason: "gửi nhầm", Comment: "xin lỗi", Security: "ordinary",
		References: []envelope.Reference{{Sender: "G22", ID: id2, Relation: relation}},
	}
}

func composition() envelope.Composition {
	return envelope.Composition{
		Party: func(code string) edxml.Party { return edxml.Party{OrganID: "?", Name: "Cơ quan\x00 " + code} },
		Known: func(envelope.Reference) *envelope.Document { return targetDocument() },
	}
}

// What a change is about stands where readers look for it, under the name that the
// DMS gave it, and readers find it again.
func TestChangesNameTheirTarget(t *testing.T) {
	for _, kind := range []envelope.Kind{"recall", "update", "replacement"} {
		p := composed(t, clerks(kind, "target"), composition())
		d, err := envelope.FromPackage(p, reading(book{{"G22", "G22-2026-7816"}: id2}))
		if err != nil {
			t.Fatal(kind, err)
		}
		want := clerks(kind, "target")
		want.Body, want.DocumentID, want.Comment = envelope.BodyEdXML, want.Name(), ""
		if diff := cmp.Diff(want, d); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
		if got := p.Document.From; got.OrganID != "G22" || got.Name != "Cơ quan G22" {
			t.Errorf("from %+v", got)
		}
	}
	update := composed(t, clerks("update", "target"), composition()).Document
	if update.Business.Info.Document != "1" {
		t.Error("an update changes nothing")
	}
	answer := composed(t, clerks("reply", "target"), composition()).Document
	want := []edxml.ResponseFor{{OrganID: "G22", Code: "7816/VPCP-TTĐT", DocumentID: "G22-2026-7816", PromulgationDate: "2026/11/20"}}
	if diff := cmp.Diff(want, answer.ResponseFor); diff != "" || answer.Business.Type != edxml.NewDocument {
		t.Errorf("type %s: %s", answer.Business.Type, diff)
	}
}

// A recall names only what it recalls, since readers take all that it names for that.
func TestARecallNamesOnlyWhatItRecalls(t *testing.T) {
	d := clerks("recall", "target")
	d.References = append(d.References, envelope.Reference{Sender: "G22", ID: "not this", Relation: "related"})
	p := composed(t, d, envelope.Composition{}).Document
	if len(p.ResponseFor) != 1 || p.ResponseFor[0].DocumentID != id2 || p.Business.DocumentID != id2 {
		t.Errorf("%+v, %+v", p.ResponseFor, p.Business)
	}
}

// A strict reader finds nothing wrong, and the files are there.
func TestAComposedPackageConforms(t *testing.T) {
	d := clerks("document", "related")
	d.Groups = []envelope.Group{{}}
	c := composition()
	c.Recipient = "H41.99"
	d.Files = []envelope.FileInfo{{Name: "files/001.pdf", Title: " . "}, {Name: "files/002.txt", Title: "../12/QĐ.txt"}}
	for i, f := range d.Files {
		c.Files = append(c.Files, edxml.File{Name: f.Title, Description: "\x00", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(fmt.Sprint("tệp ", i+1))), nil
		}})
	}
	var b bytes.Buffer
	if err := envelope.WritePackage(&b, d, c); err != nil {
		t.Fatal(err)
	}
	report, err := edxml.Check(bytes.NewReader(b.Bytes()), int64(b.Len()), edxml.Limits{}, submitted)
	if err != nil || !report.Conforms() {
		t.Errorf("%v: %v", err, report.Findings)
	}
	p := report.Package
	if n := len(p.Document.To); n != 3 || p.Document.To[2].OrganID != "H41.99" {
		t.Errorf("to %v", p.Document.To)
	}
	if len(p.Attachments) != 2 || p.Attachments[0].Name != "001.pdf" || p.Attachments[1].Name != "..-12-QĐ.txt" {
		t.Fatalf("attachments %+v", p.Attachments)
	}
	content, err := p.Attachments[1].Open()
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(content); err != nil || string(raw) != "tệp 2" {
		t.Errorf("%q, %v", raw, err)
	}
}

// What is carried of another document, or changed in it, is not believed.
func TestWhatAPackageCarriesMustAgree(t *testing.T) {
	status := func() *envelope.Document {
		d := clerks("status", "target")
		d.Status, d.Subject = "13", ""
		return d
	}
	for name, change := range map[string]func(p *edxml.Package){
		"sender":    func(p *edxml.Package) { p.Document.From.OrganID = "H99" },
		"recipient": func(p *edxml.Package) { p.Document.To[1].OrganID = "H99" },
		"one less":  func(p *edxml.Package) { p.Document.To = p.Document.To[:1] },
		"kind":      func(p *edxml.Package) { p.Document.Business.Type = edxml.Update },
		"subject":   func(p *edxml.Package) { p.Document.Subject = "y" },
		"id":        func(p *edxml.Package) { p.Document.ID = "y" },
		"priority":  func(p *edxml.Package) { p.Document.Other.Priority = "0" },
		"no json":   func(p *edxml.Package) { p.Document.Outside.Header[0].Text = "{}" },
		"a document, not a state": func(p *edxml.Package) {
			d := status()
			d.Subject = "Thu hồi"
			p.Document.Outside.Header[0].Text = string(marshalled(t, d))
		},
		"other element": func(p *edxml.Package) {
			p.Document.Outside.Header[0].Space = "urn:x"
		},
		"a state's sender": func(p *edxml.Package) {
			*p = *composed(t, status(), envelope.Composition{})
			p.Status.From.OrganID = "H99"
		},
		"a state's recipient": func(p *edxml.Package) {
			*p = *composed(t, status(), envelope.Composition{})
			p.Status.ResponseFor.OrganID = "H99"
		},
		"a state, not a document": func(p *edxml.Package) {
			s := composed(t, status(), envelope.Composition{}).Status
			s.Outside.Header = p.Document.Outside.Header
			p.Document, p.Status = nil, s
		},
	} {
		sent := clerks("document", "related")
		sent.ID, sent.Deadline = "01932f2e-7c00-7abc-8def-0123456789ad", submitted
		p := composed(t, sent, envelope.Composition{})
		change(p)
		r := reading(nil)
		r.Own, r.Resolve = true, func(string, string) (string, error) { return id2, nil }
		d, err := envelope.FromPackage(p, r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d.Body == "" || d.ID != id1 || !d.Deadline.IsZero() {
			t.Errorf("%s: believed: %+v", name, d)
		}
	}
}

func marshalled(t *testing.T, d *envelope.Document) []byte {
	t.Helper()
	raw, err := envelope.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A DMS that sends a package on does not make its sender's document its own, nor a
// confidential one ordinary.
func TestWhatIsSentOnIsANewDocument(t *testing.T) {
	sent := clerks("document", "related")
	sent.Groups, sent.Security, sent.Deadline = []envelope.Group{{}}, "confidential", submitted
	p := composed(t, sent, envelope.Composition{})
	p.Document.From.OrganID, p.Document.To = "H41", []edxml.Party{{OrganID: "H41.11"}}
	r := reading(nil)
	r.ID = id2
	d, err := envelope.FromPackage(p, r)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{id2, "H41", []string{"H41.11"}, 0, "confidential", true}
	got := []any{d.ID, d.Sender, d.To, len(d.Groups), d.Security, d.Deadline.IsZero()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The longest document fits into what readers take of a text.
func TestALongDocumentIsCarriedInParts(t *testing.T) {
	d := clerks("document", "related")
	d.To, d.References = nil, nil
	for i := range envelope.MaxRecipients {
		d.To = append(d.To, fmt.Sprintf("H41.%028d", i))
	}
	for i := range envelope.MaxReferences {
		d.References = append(d.References, envelope.Reference{Sender: "G22", ID: fmt.Sprint(i, strings.Repeat(" ệ", 98)), Relation: "related"})
	}
	p := composed(t, d, envelope.Composition{})
	if n := len(p.Document.Outside.Header[0].Children); n < 4 {
		t.Errorf("%d parts", n)
	}
	r := reading(nil)
	r.Own = true
	if got, err := envelope.FromPackage(p, r); err != nil || !cmp.Equal(d, got) {
		t.Error(err, cmp.Diff(d, got))
	}
}

func TestWritePackageRefuses(t *testing.T) {
	d := clerks("document", "related")
	d.To = nil
	wantReason(t, envelope.WritePackage(io.Discard, d, envelope.Composition{}), axispb.ReasonCode_REASON_NO_RECIPIENT, "")
	twice := envelope.Composition{Files: []edxml.File{{ContentID: "a", Name: "x"}, {ContentID: "a", Name: "y"}}}
	err := envelope.WritePackage(io.Discard, clerks("document", "related"), twice)
	wantReason(t, err, axispb.ReasonCode_REASON_BAD_PACKAGE, "Attachment[2]/ContentId content-id-repeated: a")
	vi := reason.Sentence(reason.Of(err), reason.Vietnamese)
	if !strings.Contains(vi, "Attachment[2]/ContentId") || strings.Contains(vi, "content-id-repeated") || !strings.Contains(vi, "endpoint check") {
		t.Error(vi)
	}
}

// The sender's DMS matches a state by the texts of the package that it sent.
func TestAStatusPackageSaysWhatTheSenderWrote(t *testing.T) {
	at := time.Date(2026, 11, 22, 2, 15, 0, 0, time.UTC)
	sent := targetDocument()
	sent.To = []string{"000.28.22.H17"}
	r := envelope.StatusReport{About: sent, From: edxml.Party{OrganID: "000.28.22.H17", Name: "Cơ quan nhận"}, Code: edxml.Arrived, Time: at}
	write := func() *edxml.Status {
		var b bytes.Buffer
		if err := envelope.WriteStatusPackage(&b, r); err != nil {
			t.Fatal(err)
		}
		return openPackage(t, b.Bytes()).Status
	}
	want := &edxml.Status{
		From:        edxml.Party{OrganID: "000.28.22.H17", Name: "Cơ quan nhận"},
		ResponseFor: edxml.ResponseFor{OrganID: "G22", Code: "7816/VPCP-TTĐT", DocumentID: "G22-2026-7816", PromulgationDate: "2026/11/20"},
		Code:        "01", Description: edxml.Arrived.Name(edxml.Vietnamese), Time: "2026/11/22 09:15:00",
	}
	if diff := cmp.Diff(want, write()); diff != "" {
		t.Error(diff)
	}
	r.Sent = &edxml.Document{
		From: edxml.Party{OrganID: "00.00.G22"}, To: []edxml.Party{{OrganID: "?"}, {OrganID: "28.22.H17"}},
		Number: edxml.DocumentNumber{Number: "7816", Notation: "vpcp"}, Promulgation: edxml.Promulgation{Date: "20/11/2026"},
	}
	r.Code, r.Description = edxml.ChangeAgreed, "đồng ý\x7f"
	want.From.OrganID, want.Code, want.Description = "28.22.H17", "15", "đồng ý"
	want.ResponseFor = edxml.ResponseFor{OrganID: "00.00.G22", Code: "7816/vpcp", DocumentID: "G22-2026-7816", PromulgationDate: "20/11/2026"}
	if diff := cmp.Diff(want, write()); diff != "" {
		t.Error(diff)
	}
	r.Code = "07"
	wantReason(t, envelope.WriteStatusPackage(io.Discard, r), axispb.ReasonCode_REASON_BAD_DOCUMENT, "status is not known")
}
