package hubtest_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// wrong is a draft that is spoilt, refused at once, mended, and then arrives under
// the same id.
func wrong(spoil func(d *endpoint.Draft)) func(*testing.T, *siege) told {
	return func(t *testing.T, s *siege) told {
		good := draftTo(t, "H41")
		bad := copyOf(good, "một tệp")
		spoil(&bad)
		got := s.atOnce(t, bad)
		s.arrives(t, copyOf(good, "một tệp"))
		return got
	}
}

func spoilDocument(spoil func(d *envelope.Document)) func(*testing.T, *siege) told {
	return wrong(func(d *endpoint.Draft) { spoil(&d.Document) })
}

// draftCases are what the endpoint itself refuses, at once and without the axis.
func draftCases() []badCase {
	const atOnce = "at once"
	return []badCase{
		{
			"unknown code", spoilDocument(func(d *envelope.Document) { d.To = []string{"H99"} }), atOnce, "UNKNOWN_CODE",
			[]string{"H99 không có trong danh mục", "Hãy tra lại mã trong danh bạ"},
			[]string{"H99 is not in the registry", "Look the agency up"},
		},
		{
			"no code at all", spoilDocument(func(d *envelope.Document) { d.To = []string{"kimlien"} }), atOnce, "BAD_CODE",
			[]string{"“kimlien” không phải là mã định danh", "Hãy ghi theo dạng H41.11.05"},
			[]string{"“kimlien” is no agency code", "Write it like H41.11.05"},
		},
		{
			"code in small letters", spoilDocument(func(d *envelope.Document) { d.To = []string{"h41"} }), atOnce, "BAD_CODE",
			[]string{"“h41”", "Hãy ghi theo dạng"},
			[]string{"“h41”", "Write it like"},
		},
		{
			"recipient named twice", spoilDocument(func(d *envelope.Document) { d.To = []string{"H41", "H41"} }), atOnce, "DUPLICATE_CODE",
			[]string{"H41 bị ghi nhiều lần", "Hãy chỉ giữ lại một lần"},
			[]string{"H41 is named more than once", "Leave it in only once"},
		},
		{
			"no recipient", spoilDocument(func(d *envelope.Document) { d.To = nil }), atOnce, "NO_RECIPIENT",
			[]string{"nơi nhận", "Hãy"},
			[]string{"No recipient", "Name"},
		},
		{
			"sender of another endpoint", spoilDocument(func(d *envelope.Document) { d.Sender = "H41" }), atOnce, "SENDER_NOT_SERVED",
			[]string{"mã định danh H41", "đề nghị quản trị trục gán mã"},
			[]string{"code H41", "ask the operator of the axis"},
		},
		{
			"security level above the allowed one", spoilDocument(func(d *envelope.Document) { d.Security = envelope.SecuritySecret }), atOnce, "SECURITY_LEVEL",
			[]string{"độ mật “tối mật”", "Hãy gửi theo quy định về bảo vệ bí mật nhà nước"},
			[]string{"security level “secret”", "rules on state secrets"},
		},
		{
			"deadline passed", spoilDocument(func(d *envelope.Document) { d.Deadline = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC) }), atOnce, "DEADLINE_PASSED",
			[]string{"10:04 ngày 02/01/2020", "Hãy đặt thời hạn mới"},
			[]string{"2020-01-02 10:04 (UTC+7)", "Set a new deadline"},
		},
		{
			"subject on two lines", spoilDocument(func(d *envelope.Document) { d.Subject = "hai\ndòng" }), atOnce, "BAD_DOCUMENT",
			[]string{"subject: có dấu tab hoặc dấu xuống dòng", "Hãy sửa"},
			[]string{"subject: has a tab or a line break", "Mend it"},
		},
		{
			"bad UTF-8 in the subject", spoilDocument(func(d *envelope.Document) { d.Subject = "Công v\xe3n" }), atOnce, "BAD_DOCUMENT",
			[]string{"subject: không phải UTF-8", "Hãy sửa"},
			[]string{"subject: is no UTF-8", "Mend it"},
		},
		{
			"file over the limit, its size told", toldTooLarge, atOnce, "FILE_TOO_LARGE",
			[]string{"“lớn.pdf” dài 3 GB", "vượt giới hạn 1 MB", "Hãy nén hoặc chia nhỏ"},
			[]string{"“lớn.pdf” has 3 GB", "limit of 1 MB", "Compress it or split it"},
		},
		{
			"file over the limit, without end", endlessFile, atOnce, "FILE_TOO_LARGE",
			[]string{"“vô tận.bin” dài hơn 1 MB", "vượt giới hạn 1 MB", "Hãy nén hoặc chia nhỏ"},
			[]string{"“vô tận.bin” has more than 1 MB", "limit of 1 MB", "Compress it or split it"},
		},
		{
			"envelope over 384 KiB", wrong(func(d *endpoint.Draft) {
				for i := range 500 {
					d.Files = append(d.Files, endpoint.DraftFile{Title: fmt.Sprintf("%03d%s.pdf", i, strings.Repeat("ệ", 400)), Content: strings.NewReader("x")})
				}
			}), atOnce, "ENVELOPE_TOO_LARGE",
			[]string{"vượt giới hạn 384 KB", "chia thành nhiều lần gửi"},
			[]string{"limit of 384 KB", "send in several parts"},
		},
		{
			"same id with other content", sameIDHere, atOnce, "ID_COLLISION",
			[]string{"đã được dùng cho một văn bản có nội dung khác", "Hãy gửi văn bản này với mã gói tin mới"},
			[]string{"already used for a document with other content", "under a new id"},
		},
	}
}

// toldTooLarge is what a clerk's command does: it says the size before a byte of the
// file is read.
func toldTooLarge(t *testing.T, s *siege) told {
	var got told
	s.attack(t, nil, func() {
		file := clerk.File{FileInfo: clerk.FileInfo{Title: "lớn.pdf", Bytes: 3 << 30}, Content: unreadable{t}}
		_, err := endpoint.Clerk(s.sender.Agent()).Send(t.Context(), clerk.Draft{To: []string{"H41"}, Subject: "a"}, []clerk.File{file})
		got = told{"at once", reason.Of(err)}
	})
	return got
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the file is read")
	return 0, io.ErrUnexpectedEOF
}

// endlessFile has no size that could be told: reading ends soon after the limit.
func endlessFile(t *testing.T, s *siege) told {
	read := &counted{}
	got := wrong(func(d *endpoint.Draft) {
		d.Files = append(d.Files, endpoint.DraftFile{Title: "vô tận.bin", Content: read})
	})(t, s)
	if read.n < fileHere || read.n > fileHere+1<<20 {
		t.Errorf("%d bytes were read of a file that may have %d", read.n, fileHere)
	}
	return got
}

// counted is a file without end.
type counted struct{ n int }

func (c *counted) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

func sameIDHere(t *testing.T, s *siege) told {
	first := draftTo(t, "H41")
	s.arrives(t, copyOf(first, "một"))
	got := s.atOnce(t, copyOf(first, "hai"))
	// The same document again is no other: it is where it was.
	s.arrives(t, copyOf(first, "một"))
	other := copyOf(draftTo(t, "H41"), "hai")
	s.arrives(t, other)
	e, err := s.sender.Agent().Sent(first.Document.ID)
	if err != nil || e.State != axispb.State_STATE_ACCEPTED {
		t.Errorf("the first is %v (%v)", e.GetState(), err)
	}
	return got
}
