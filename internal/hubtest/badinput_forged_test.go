package hubtest_test

import (
	"bytes"
	"crypto/sha256"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/chunk"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
	"docaxis/signing"
	"docaxis/signing/asic"
)

// forged is what an endpoint that lies submits; wrong makes it, good is what it
// should have been. The same document, mended, arrives under the same id.
func forged(make func(t *testing.T, s *siege, id string) (wrong, good []byte)) func(*testing.T, *siege) told {
	return func(t *testing.T, s *siege) told {
		id := newID(t)
		wrong, good := make(t, s, id)
		var got told
		s.only(t, s.attacker, id, func() { got = s.refusal(t, wrong) })
		if good == nil {
			good = s.mend()
		}
		if answer := s.submit(t, good); answer.GetReceipt() == nil {
			t.Fatalf("mended: %v", statementOf(t, answer.GetRejection()).GetReason())
		}
		wait(t, s.receiver, id, axispb.State_STATE_CONSIGNED)
		s.settle(t)
		return got
	}
}

// refusal submits and gives the reason: signed, or, where it may pass by itself, in
// the answer.
func (s *siege) refusal(t *testing.T, raw []byte) told {
	t.Helper()
	a := s.raw.ask(t, bus.Submit, &axispb.SubmitRequest{Envelope: raw})
	if a.GetError() != nil {
		return told{"answered", a.GetError()}
	}
	body := new(axispb.SubmitAnswer)
	mustBody(t, a, body)
	if body.GetRejection() == nil {
		t.Fatal("accepted")
	}
	st := statementOf(t, body.GetRejection())
	if !bytes.Equal(st.GetEnvelopeDigest(), sum(raw)) || len(body.GetRejectionReceipt()) == 0 {
		t.Error("the refusal does not name the envelope, or is not proved")
	}
	return told{"refused", st.GetReason()}
}

// document under an id, with one small file that is uploaded.
func (s *siege) document(t *testing.T, id string, edit func(*envelope.Document)) []byte {
	t.Helper()
	content := []byte("của " + id)
	s.raw.upload(t, content)
	doc := envelope.Document{Sender: "H25", ID: id, To: []string{"H41"}}
	if edit != nil {
		edit(&doc)
	}
	return s.compose(t, s.attacker, doc, content)
}

func edited(edit func(*envelope.Document)) func(*testing.T, *siege) told {
	return forged(func(t *testing.T, s *siege, id string) (wrong, good []byte) {
		return s.document(t, id, edit), s.document(t, id, nil)
	})
}

// altered changes the message after it was sealed.
func altered(alter func(e *axispb.Envelope)) func(*testing.T, *siege) told {
	return forged(func(t *testing.T, s *siege, id string) (wrong, good []byte) {
		good = s.document(t, id, nil)
		e := new(axispb.Envelope)
		if err := proto.Unmarshal(good, e); err != nil {
			t.Fatal(err)
		}
		alter(e)
		return wire(t, e), good
	})
}

// rewritten changes the text of document.json before it is sealed.
func rewritten(old, new string) func(*testing.T, *siege) told {
	return forged(func(t *testing.T, s *siege, id string) (wrong, good []byte) {
		good = s.document(t, id, nil)
		e := envelopeOf(t, good)
		if !bytes.Contains(e.Document, []byte(old)) {
			t.Fatalf("%q is not in %s", old, e.Document)
		}
		e.Document = bytes.Replace(e.Document, []byte(old), []byte(new), 1)
		return s.reseal(t, e), good
	})
}

func envelopeOf(t *testing.T, raw []byte) *axispb.Envelope {
	t.Helper()
	e := new(axispb.Envelope)
	if err := proto.Unmarshal(raw, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// reseal makes manifest and seal fit whatever document.json says now.
func (s *siege) reseal(t *testing.T, e *axispb.Envelope) []byte {
	t.Helper()
	m, err := asic.Parse(e.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	m.References[0].Digest = sha256.Sum256(e.Document)
	if e.Manifest, err = asic.Compose(m); err != nil {
		t.Fatal(err)
	}
	key, chain, err := signing.LoadKey(filepath.Join(s.attacker.Dir, "seal-H25.pem"), "")
	if err != nil {
		t.Fatal(err)
	}
	if e.Signature, err = signing.Sign(e.Manifest, key, chain); err != nil {
		t.Fatal(err)
	}
	return wire(t, e)
}

func forgedCases() []badCase {
	const refused, mend = "refused", "Hãy sửa thông tin này"
	json := func(name, old, new string, vi, en string) badCase {
		return badCase{name, rewritten(old, new), refused, "BAD_DOCUMENT", []string{"(document.json)", vi, mend}, []string{"(document.json)", en, "Mend it there"}}
	}
	return []badCase{
		json("unknown name in document.json", `"kind"`, `"secret_note":"x","kind"`, "secret_note: không phải là tên được phép", "secret_note: is not known"),
		json("duplicate name in document.json", `"kind":"document"`, `"kind":"document","kind":"document"`, "kind: bị ghi hai lần", "kind: is given twice"),
		json("name that differs by case in document.json", `"sender"`, `"Sender"`, "Sender: không phải là tên được phép; tên phân biệt chữ hoa, chữ thường", "Sender: is not known; names are case-sensitive"),
		json("bad UTF-8 in document.json", "Công văn", "C\xf4ng v\xe3n", "subject: không phải UTF-8", "subject: is no UTF-8"),
		{
			"byte of document.json altered", altered(func(e *axispb.Envelope) { e.Document[len(e.Document)/2] ^= 1 }), refused, "DIGEST_MISMATCH",
			[]string{"“document.json” khác với nội dung đã ký", "ký lại rồi gửi lại"},
			[]string{"“document.json” is not what was sealed", "seal again"},
		},
		{
			"byte of the manifest altered", altered(func(e *axispb.Envelope) {
				at := bytes.LastIndex(e.Manifest, []byte("DigestValue>"))
				at = bytes.LastIndex(e.Manifest[:at], []byte("DigestValue>")) + len("DigestValue>")
				e.Manifest[at] = "AB"[b2i(e.Manifest[at] == 'A')]
			}), refused, "SEAL_FAILED",
			[]string{"TOTAL-FAILED, HASH_FAILURE", "Nội dung đã bị thay đổi sau khi Con dấu số H25 ký", "Hãy ký lại"},
			[]string{"TOTAL-FAILED, HASH_FAILURE", "changed after Con dấu số H25 signed it", "Seal the document again"},
		},
		{
			"byte of the seal altered", altered(func(e *axispb.Envelope) { e.Signature[len(e.Signature)-1] ^= 1 }), refused, "SEAL_FAILED",
			[]string{"không phải do khóa của Con dấu số H25 tạo ra", "Hãy ký lại"},
			[]string{"not made with the key of Con dấu số H25", "Seal the document again"},
		},
		{
			"manifest that is no XML", altered(func(e *axispb.Envelope) { e.Manifest = []byte("<manifest") }), refused, "BAD_MANIFEST",
			[]string{"Bản kê", "Hãy cập nhật phần mềm"},
			[]string{"manifest", "Update the software"},
		},
		{
			"file with another digest", forged(anotherFile), refused, "DIGEST_MISMATCH",
			[]string{"“files/001.bin” khác với nội dung đã ký", "Hãy kiểm tra tệp"},
			[]string{"“files/001.bin” is not what was sealed", "Check the file"},
		},
		{
			"file that was never uploaded", forged(neverUploaded), "answered", "CONTENT_MISSING",
			[]string{"“files/001.bin” chưa được điểm kết nối này tải lên", "Hãy tải lên lại"},
			[]string{"“files/001.bin” was not wholly uploaded", "Upload the whole file again"},
		},
		{
			"file of another endpoint's document", forged(anothersFile), "answered", "CONTENT_MISSING",
			[]string{"“files/001.bin”", "Hãy tải lên lại"},
			[]string{"“files/001.bin”", "by this endpoint"},
		},
		{
			"security level above the allowed one, past the endpoint", edited(func(d *envelope.Document) { d.Security = envelope.SecurityTopSecret }), refused, "SECURITY_LEVEL",
			[]string{"độ mật “tuyệt mật”", "Hãy gửi theo quy định"},
			[]string{"security level “top-secret”", "rules on state secrets"},
		},
		{
			"unknown code, past the endpoint", edited(func(d *envelope.Document) { d.To = []string{"H99"} }), refused, "UNKNOWN_CODE",
			[]string{"H99 không có trong danh mục", "Hãy tra lại mã"},
			[]string{"H99 is not in the registry", "Look the agency up"},
		},
		{
			"sender of another endpoint, past the endpoint", edited(func(d *envelope.Document) { d.Sender = "G22" }), refused, "SENDER_NOT_SERVED",
			[]string{"không được gửi thay mã định danh G22", "Hãy kiểm tra mã nơi gửi"},
			[]string{"sender's code G22", "Check the sender's code"},
		},
		{
			"envelope over 384 KiB, past the endpoint", altered(func(e *axispb.Envelope) { e.Document = append(e.Document, make([]byte, 400<<10)...) }), refused, "ENVELOPE_TOO_LARGE",
			[]string{"vượt giới hạn 384 KB", "Hãy giảm số nơi nhận hoặc số tệp"},
			[]string{"limit of 384 KB", "Name fewer recipients or files"},
		},
		{
			"file over the limit, past the endpoint", forged(overTheLimit), refused, "FILE_TOO_LARGE",
			[]string{"“0.bin” dài 3 MB, vượt giới hạn 2 MB", "Hãy nén hoặc chia nhỏ"},
			[]string{"“0.bin” has 3 MB, over the limit of 2 MB", "split it"},
		},
		{
			"same id with other content, past the endpoint", collision, refused, "ID_COLLISION",
			[]string{"đã được dùng cho một văn bản có nội dung khác", "mã gói tin mới"},
			[]string{"already used for a document with other content", "under a new id"},
		},
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// anotherFile uploads a file of the same size and says that it is the one sealed.
func anotherFile(t *testing.T, s *siege, id string) (wrong, good []byte) {
	good = s.document(t, id, nil)
	e := envelopeOf(t, good)
	other := bytes.Repeat([]byte("k"), int(e.Contents[0].Size))
	e.Contents[0].Chunks[0] = s.raw.upload(t, other)
	return wire(t, e), good
}

func neverUploaded(t *testing.T, s *siege, id string) (wrong, good []byte) {
	doc := envelope.Document{Sender: "H25", ID: id, To: []string{"H41"}}
	wrong = s.compose(t, s.attacker, doc, []byte("không có "+id))
	doc.ID = id
	return wrong, s.document(t, id, nil)
}

func anothersFile(t *testing.T, s *siege, id string) (wrong, good []byte) {
	doc := envelope.Document{Sender: "H25", ID: id, To: []string{"H41"}}
	return s.compose(t, s.attacker, doc, s.crossed.content), s.document(t, id, nil)
}

// overTheLimit is known by what document.json says: it is refused before a byte of
// it was uploaded. That the chunks are lies does not even come to light.
func overTheLimit(t *testing.T, s *siege, id string) (wrong, good []byte) {
	doc := envelope.Document{Sender: "H25", ID: id, To: []string{"H41"}}
	return s.compose(t, s.attacker, doc, make([]byte, 3*chunk.Size)), s.document(t, id, nil)
}

func collision(t *testing.T, s *siege) told {
	id := newID(t)
	first := s.document(t, id, nil)
	if s.submit(t, first).GetReceipt() == nil {
		t.Fatal("the first is refused")
	}
	wait(t, s.receiver, id, axispb.State_STATE_CONSIGNED)
	s.settle(t)
	var got told
	s.only(t, s.attacker, id, func() {
		got = s.refusal(t, s.compose(t, s.attacker, envelope.Document{Sender: "H25", ID: id, To: []string{"H41"}, Subject: "Khác"}))
	})
	if s.submit(t, first).GetReceipt() == nil {
		t.Error("the first is not known any more")
	}
	if s.submit(t, s.document(t, newID(t), nil)).GetReceipt() == nil {
		t.Error("under a new id it is refused")
	}
	s.settle(t)
	if !strings.Contains(got.why.GetArgs()[0], id) {
		t.Errorf("the id is not named: %v", got.why)
	}
	return got
}
