package edxml_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"docaxis/edxml"
	"docaxis/internal/vectors"
)

// open opens bytes that must open.
func open(t testing.TB, raw []byte, limits edxml.Limits) *edxml.Package {
	t.Helper()
	p, err := edxml.Open(bytes.NewReader(raw), int64(len(raw)), limits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// compose writes an opened package anew.
func compose(t testing.TB, p *edxml.Package) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if p.Status != nil {
		err = edxml.WriteStatus(&b, p.Status)
	} else {
		err = edxml.WriteDocument(&b, p.Document, filesOf(p)...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func filesOf(p *edxml.Package) (files []edxml.File) {
	for _, a := range p.Attachments {
		files = append(files, a.File())
	}
	return files
}

func contentOf(t testing.TB, a *edxml.Attachment) []byte {
	t.Helper()
	c, err := a.Open()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func reasons(err error) (all []string) {
	var many edxml.Refusals
	var one *edxml.Refusal
	switch {
	case errors.As(err, &many):
		for _, r := range many {
			all = append(all, string(r.Reason))
		}
	case errors.As(err, &one):
		all = append(all, string(one.Reason))
	case err != nil:
		all = append(all, err.Error())
	}
	return all
}

// What the reference builder wrote is read field by field, and what is composed of
// that is the same bytes.
func TestReferenceFilesAreReadAndWrittenToTheByte(t *testing.T) {
	files, err := vectors.EdXMLFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			raw := vectors.EdXML(f.Name)
			p := open(t, raw, edxml.Limits{})
			if f.Kind == "status" {
				compareStatus(t, f, p)
			} else {
				compareDocument(t, f, p)
			}
			want := raw
			if f.Name == "new-reply-no-content-id.edxml" { // cid: was doubled
				want = bytes.ReplaceAll(raw, []byte("cid:cid:"), []byte("cid:"))
			} else if len(p.Tolerances) > 0 {
				t.Errorf("tolerances: %v", p.Tolerances)
			}
			if diff := cmp.Diff(string(want), string(compose(t, p))); diff != "" {
				t.Error(diff)
			}
			came, err := io.ReadAll(p.Bytes())
			if err != nil || !bytes.Equal(came, raw) {
				t.Errorf("Bytes: %v", err)
			}
		})
	}
}

func compareStatus(t *testing.T, f vectors.File, p *edxml.Package) {
	t.Helper()
	s := p.Status
	if s == nil {
		t.Fatal("no status")
	}
	got := []string{string(s.From.OrganID), string(s.Code), string(s.ResponseFor.OrganID), s.ResponseFor.DocumentID, string(s.Time)}
	want := []string{f.From, f.StatusCode, f.ResponseForOrganID, f.ResponseForDocumentID, f.Timestamp}
	if !slices.Equal(got, want) || !s.Code.Known() {
		t.Errorf("%q, not %q", got, want)
	}
}

func compareDocument(t *testing.T, f vectors.File, p *edxml.Package) {
	t.Helper()
	d := p.Document
	if d == nil {
		t.Fatal("no document")
	}
	var to []string
	for _, party := range d.To {
		to = append(to, string(party.OrganID))
	}
	got := []string{string(d.From.OrganID), d.ID, d.Number.Number + "/" + d.Number.Notation, d.Subject, string(d.Business.Type), d.Business.DocumentID}
	want := []string{f.From, f.DocumentID, f.Code, f.Subject, f.BusinessDocType, f.BusinessDocumentID}
	if !slices.Equal(got, want) || !slices.Equal(to, f.To) {
		t.Errorf("%q %q, not %q %q", got, to, want, f.To)
	}
	if len(p.Attachments) != len(f.Attachments) {
		t.Fatalf("%d attachments", len(p.Attachments))
	}
	for i, want := range f.Attachments {
		a := p.Attachments[i]
		sum := sha256.Sum256(contentOf(t, a))
		if a.Name != want.Name || a.ContentType != want.ContentType || hex.EncodeToString(sum[:]) != want.SHA256 ||
			a.ContentID != strings.ReplaceAll(want.ContentID, "cid:", "") || p.Manifest[i].ContentID != a.ContentID {
			t.Errorf("attachment %+v", a)
		}
	}
}

// same compares what two packages say.
func same(a, b any) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(edxml.Attachment{}))
}

// Elements without a field are kept wherever they stand, and written back.
func TestUnknownElementsAreKept(t *testing.T) {
	const stranger = `<x:La xmlns:x="urn:x" x:k="v&quot;"><x:Con>chữ &amp; số</x:Con></x:La>`
	for _, before := range []string{
		"<edXML:edXMLHeader>", "<edXML:MessageHeader>", "<edXML:From>", "<edXML:Code>", "<edXML:OtherInfo>", "<edXML:Appendixes>", "<edXML:ToPlaces>",
		"<edXML:TraceHeaderList>", "<edXML:Bussiness>", "<edXML:StaffInfo>", "<edXML:TraceHeader>", "<edXML:edXMLBody>", "<edXML:Reference>",
		`<edXML:edXMLManifest version="1.0">`, "<AttachmentEncoded>", "<Attachment>",
	} {
		p := open(t, base(t, before, before+stranger), edxml.Limits{})
		if len(p.Tolerances) == 0 || p.Tolerances[0].Kind != edxml.UnknownElement || !strings.HasSuffix(p.Tolerances[0].Path, "/La") {
			t.Errorf("in %s: %+v", before, p.Tolerances)
		}
		written := string(compose(t, p))
		for _, part := range []string{`<La xmlns="urn:x" xmlns:a0="urn:x" a0:k="v&quot;">`, "<Con>chữ &amp; số</Con>"} {
			if !strings.Contains(written, part) {
				t.Errorf("in %s: %s is lost", before, part)
			}
		}
	}
}
