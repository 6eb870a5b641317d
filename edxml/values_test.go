package edxml_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"docaxis/agency"
	"docaxis/edxml"
	"docaxis/internal/vectors"
)

func TestDatesAsTheyAreSent(t *testing.T) {
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, edxml.VietNam())
	for _, s := range []string{
		"2026/03/02", "2026/3/2", "2026-03-02", "02/03/2026", "2/3/2026", "02-03-2026", "02.03.2026",
		"2026-03-02T10:11:12", "2026/03/02 08:30:15",
	} {
		if got, err := edxml.Date(s).Time(); err != nil || !got.Equal(day) {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "2026/13/02", "2026/02/30", "30/02/2026", "2026/03", "26/03/02", "2026/003/02", "+026/03/02", "2026/03/02 x", "hôm nay"} {
		if got, err := edxml.Date(s).Time(); !errors.Is(err, edxml.ErrNoTime) {
			t.Errorf("%q: %v %v", s, got, err)
		}
	}
	at := day.Add(8*time.Hour + 30*time.Minute + 15*time.Second)
	for _, s := range []string{
		"2026/03/02 08:30:15", "2026/3/2 8:30:15", "2026-03-02T08:30:15", "02/03/2026 08:30:15",
		"2026-03-02T01:30:15Z", "2026-03-02T08:30:15+07:00", "2026-03-02T02:30:15+01:00", "2026-03-02 08:30:15+0700",
	} {
		if got, err := edxml.Timestamp(s).Time(); err != nil || !got.Equal(at) {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "08:30:15", "2026/03/02 25:00:00", "2026/03/02 08", "2026/03/02 08:30:15 chiều"} {
		if got, err := edxml.Timestamp(s).Time(); !errors.Is(err, edxml.ErrNoTime) {
			t.Errorf("%q: %v %v", s, got, err)
		}
	}
}

// A day begins at 17:00 UTC of the day before.
func TestTimesAreWrittenInVietNamTime(t *testing.T) {
	at := time.Date(2026, 3, 1, 17, 0, 1, 0, time.UTC)
	if d, s := edxml.NewDate(at), edxml.NewTimestamp(at); d != "2026/03/02" || s != "2026/03/02 00:00:01" {
		t.Error(d, s)
	}
}

func TestCodesOfAgencies(t *testing.T) {
	for s, want := range map[edxml.OrganID]agency.Code{"H41.11.05": "H41.11.05", "000.00.00.X90": "000.00.00.X90", "28.22.H17": "000.28.22.H17"} {
		if got, err := s.Agency(); err != nil || got != want {
			t.Errorf("%s: %s %v", s, got, err)
		}
	}
	var syntax *agency.SyntaxError
	if _, err := edxml.OrganID("UBND").Agency(); !errors.As(err, &syntax) {
		t.Error(err)
	}
}

func TestStatusCodes(t *testing.T) {
	all := edxml.StatusCodes()
	if len(all) != 9 {
		t.Errorf("%d codes", len(all))
	}
	for _, s := range all {
		if !s.Known() || s.Name(edxml.Vietnamese) == s.Name(edxml.English) {
			t.Errorf("%s: %s", s, s.Name(edxml.Vietnamese))
		}
		open(t, vectors.EdXML("status-"+string(s)+".edxml"), edxml.Limits{})
	}
	if edxml.StatusCode("07").Known() {
		t.Error("07 is none")
	}
}

// Recalls, updates and replacements name their documents in different places.
func TestTargets(t *testing.T) {
	const old = "000.00.00.X90,2026/03/02,101/CQA-VP"
	for name, kind := range map[string]edxml.BusinessType{
		"revocation.edxml": edxml.Recall, "revocation-by-document-id.edxml": edxml.Recall,
		"update.edxml": edxml.Update, "replacement.edxml": edxml.Replace,
	} {
		d := open(t, vectors.EdXML(name), edxml.Limits{}).Document
		if got := d.Targets(); !slices.Contains(got, old) || d.Business.Type != kind {
			t.Errorf("%s: %q", name, got)
		}
	}
	again := edxml.Document{ID: old, ResponseFor: []edxml.ResponseFor{{DocumentID: "answered"}}, Business: edxml.Business{Type: edxml.Recall}}
	if got := again.Targets(); got[0] != old {
		t.Errorf("a recall under the id of what it recalls: %q", got)
	}
	if got := open(t, vectors.EdXML("new-1-attachment.edxml"), edxml.Limits{}).Document.Targets(); got != nil {
		t.Errorf("%q", got)
	}
}

// A file's name is safe to save under, whatever was sent.
func TestFileNames(t *testing.T) {
	for sent, want := range map[string]string{
		"Phụ lục số 1.xlsx": "Phụ lục số 1.xlsx", `C:\VanBan\a.pdf`: "a.pdf", "báo cáo 1/2.pdf": "2.pdf", "a:b?.pdf": "a_b_.pdf", "...pdf": "...pdf",
	} {
		p := open(t, base(t, "<AttachmentName>cong-van.pdf", "<AttachmentName>"+sent), edxml.Limits{})
		if got := p.Attachments[0].FileName(); got != want {
			t.Errorf("%q: %q", sent, got)
		}
	}
}

func TestWritingRefuses(t *testing.T) {
	none := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
	file := func(id, name string) edxml.File { return edxml.File{ContentID: id, Name: name, Open: none} }
	for _, tt := range []struct {
		name   string
		d      edxml.Document
		files  []edxml.File
		reason edxml.Reason
	}{
		{"a control character", edxml.Document{Subject: "a\x01"}, nil, edxml.ForbiddenCharacter},
		{"no UTF-8", edxml.Document{Subject: "a\xff"}, nil, edxml.ForbiddenCharacter},
		{"an element that is none", edxml.Document{Extra: []edxml.Element{{Name: "a><b"}}}, nil, edxml.ForbiddenCharacter},
		{"an attribute that is none", edxml.Document{Extra: []edxml.Element{{Name: "a", Attrs: []edxml.Attr{{Name: "b=''"}}}}}, nil, edxml.ForbiddenCharacter},
		{"a long field", edxml.Document{Subject: strings.Repeat("a", 70000)}, nil, edxml.FieldTooLong},
		{"steering", edxml.Document{Steering: "abc"}, nil, edxml.SteeringNotANumber},
		{"ids twice", edxml.Document{}, []edxml.File{file("1", "a"), file("1", "b")}, edxml.RepeatedContentID},
		{"a name up", edxml.Document{}, []edxml.File{file("1", "../a")}, edxml.NameLeavesFolder},
		{"no name", edxml.Document{}, []edxml.File{file("1", "")}, edxml.AttachmentNameAbsent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			err := edxml.WriteDocument(&b, &tt.d, tt.files...)
			if got := reasons(err); !slices.Equal(got, []string{string(tt.reason)}) || b.Len() > 0 {
				t.Errorf("%q, %d bytes written", got, b.Len())
			}
		})
	}
	if err := edxml.WriteStatus(io.Discard, &edxml.Status{Description: "\x00"}); len(reasons(err)) != 1 {
		t.Error(err)
	}
}

// How a new file is packed is what readers unpack: by its type and extension.
func TestPackingOfNewFiles(t *testing.T) {
	p := open(t, base(t), edxml.Limits{})
	for name, want := range map[string]struct {
		contentType string
		packed      bool
	}{
		"a.pdf": {"application/pdf", false}, "zip.pdf": {"application/zip", true}, "A.PDF": {"application/PDF", false}, "a.docx": {"application/docx", false},
		"a.zip": {"application/zip", false}, "A.ZIP": {"application/octet-stream", false},
		"a.xlsx": {"application/zip", true}, "a": {"application/zip", true}, "a.txt": {"application/zip", true},
	} {
		content := packed(t, "in it")
		if strings.EqualFold(name, "a.pdf") {
			content = "%PDF-1.4"
		}
		var b bytes.Buffer
		f := edxml.File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
		if err := edxml.WriteDocument(&b, p.Document, f); err != nil {
			t.Fatal(err)
		}
		again := open(t, b.Bytes(), edxml.Limits{})
		a := again.Attachments[0]
		if a.ContentType != want.contentType || a.Packed != want.packed || string(contentOf(t, a)) != content {
			t.Errorf("%s: %s %v", name, a.ContentType, a.Packed)
		}
	}
}

// A file that cannot be read stops the writing, and the error says which.
func TestAFileThatFailsStopsTheWriting(t *testing.T) {
	d := open(t, base(t), edxml.Limits{}).Document
	f := edxml.File{Name: "a.txt", Open: func() (io.ReadCloser, error) { return nil, errDisk }}
	if err := edxml.WriteDocument(io.Discard, d, f); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "a.txt") {
		t.Error(err)
	}
}
