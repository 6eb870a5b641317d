package pades

import (
	"fmt"
	"strings"

	"docaxis/signing"
)

// Label is the answer about a whole document, as a list shows it.
type Label string

// The labels. A file without signatures is normal, and no fault.
const (
	// Valid: every signature passed, and nothing that a signer did not permit was
	// changed afterwards.
	Valid Label = "signed, valid"
	// Problem: there are signatures, and one of them did not pass.
	Problem Label = "signed, problem"
	// Unsigned: for information.
	Unsigned Label = "unsigned"
	// Unreadable: it is encrypted, damaged or no PDF, so that nothing is known.
	Unreadable Label = "unreadable"
)

func (d *Document) label() Label {
	if len(d.Signatures) == 0 {
		return Unsigned
	}
	approved := false
	for _, s := range d.Signatures {
		if s.spoils() {
			return Problem
		}
		approved = approved || s.Kind != Timestamp
	}
	switch {
	case d.Left > 0:
		return Problem
	case !approved:
		return Unsigned // a timestamp says when, not who
	}
	return Valid
}

// spoils reports whether the signature makes the document a problem. A timestamp that
// cannot be judged proves nothing, and takes nothing from the signatures.
func (s Signature) spoils() bool {
	if s.Kind == Timestamp {
		return s.Verdict.Indication == signing.TotalFailed
	}
	return !s.Verdict.Passed()
}

// Words is the label in Vietnamese ("vi") or English (any other).
func (l Label) Words(lang string) string {
	switch l {
	case Valid:
		return pick(lang, "đã ký, hợp lệ", "signed, valid")
	case Problem:
		return pick(lang, "đã ký, có vấn đề", "signed, problem")
	case Unsigned:
		return pick(lang, "không có chữ ký số (để tham khảo)", "unsigned (for information)")
	}
	return pick(lang, "không đọc được", "unreadable")
}

// Sentence says to a person what is known of the document, and what to do.
func (d *Document) Sentence(lang string) string {
	switch {
	case d.Encrypted:
		return pick(lang, "Tệp PDF đã được mã hóa nên không kiểm tra được chữ ký; đề nghị nơi gửi gửi lại bản không mã hóa.",
			"The PDF is encrypted, so its signatures cannot be checked; ask the sender for one that is not.")
	case d.Label == Unreadable:
		return pick(lang, "Tệp không đúng cấu trúc PDF nên không biết có chữ ký hay không; đề nghị nơi gửi gửi lại.",
			"The file is not built as a PDF must be, so whether it is signed is not known; ask the sender to send it again.")
	case d.Label == Unsigned && len(d.Signatures) > 0:
		return pick(lang, "Tệp chỉ có dấu thời gian, không có chữ ký số; chỉ để tham khảo.",
			"The file has timestamps only, and no signature; it is for information.")
	case d.Label == Unsigned:
		return pick(lang, "Tệp không có chữ ký số; chỉ để tham khảo.", "The file has no signature; it is for information.")
	case d.Label == Valid:
		return fmt.Sprintf(pick(lang, "Tệp có %d chữ ký số, tất cả hợp lệ: %s.", "The file has %d signatures, all valid: %s."), d.count(), d.signers(lang))
	case d.Left > 0:
		return fmt.Sprintf(pick(lang, "Tệp có quá nhiều chữ ký số, còn %d chữ ký chưa kiểm tra; đề nghị quản trị viên kiểm tra.",
			"The file has too many signatures; %d were not checked; ask an administrator to look at it."), d.Left)
	}
	for _, s := range d.Signatures {
		if s.spoils() {
			return fmt.Sprintf(pick(lang, "Chữ ký trong ô “%s”: ", "Signature in field “%s”: "), s.Field) + s.Sentence(lang)
		}
	}
	return ""
}

func (d *Document) count() (n int) {
	for _, s := range d.Signatures {
		if s.Kind != Timestamp {
			n++
		}
	}
	return n
}

func (d *Document) signers(lang string) string {
	var names []string
	for _, s := range d.Signatures {
		if s.Kind != Timestamp && s.Verdict.Signer != nil {
			names = append(names, fmt.Sprintf("%s (%s)", cut(s.Verdict.Signer.Subject.CommonName), s.Holder.Words(lang)))
		}
	}
	return strings.Join(names, "; ")
}

// Sentence says the verdict to a person, with what to do.
func (s Signature) Sentence(lang string) string {
	switch {
	case s.SubFilter.Obsolete():
		return fmt.Sprintf(pick(lang, "dạng chữ ký %s đã lỗi thời (dùng SHA-1) nên không thể tin cậy; đề nghị nơi gửi ký lại theo PAdES.",
			"the form %s is obsolete (it rests on SHA-1) and cannot be relied on; ask the sender to sign again by PAdES."), s.SubFilter)
	case s.Verdict.SubIndication == signing.FormatFailure:
		return pick(lang, "chữ ký không đúng định dạng PAdES hoặc không bao trùm tệp nên không thể tin cậy; đề nghị nơi gửi ký lại.",
			"the signature is not built as PAdES asks, or does not cover the file, and cannot be relied on; ask the sender to sign again.")
	}
	if c, ok := s.offence(); ok {
		return c.Sentence(lang)
	}
	return s.Verdict.Sentence(lang)
}

// offence is the change for which the signature did not pass.
func (s Signature) offence() (worst Change, ok bool) {
	if s.Verdict.Passed() || !strings.HasPrefix(s.Verdict.Detail, changedPrefix) {
		return worst, false
	}
	for _, c := range s.Changes {
		if !c.Kind.permitted(s.Permission) && (!ok || c.Kind == ChangeContent && worst.Kind != ChangeContent) {
			worst, ok = c, true
		}
	}
	return worst, ok
}

// changedPrefix begins the Detail of a verdict that a later change spoiled.
const changedPrefix = "changed after signing: "

// Sentence says to a person what was changed after signing, and what to do.
func (c Change) Sentence(lang string) string {
	switch c.Kind {
	case ChangeContent:
		return pick(lang, "nội dung tệp đã bị thay đổi sau khi ký; không sử dụng, đề nghị nơi gửi gửi lại bản đã ký.",
			"the content was changed after signing; do not use it, and ask the sender for the file as it was signed.")
	case ChangeForm:
		return pick(lang, "có ô biểu mẫu được điền hoặc thêm sau khi ký; hãy so với bản đã ký trước khi sử dụng.",
			"form fields were filled or added after signing; compare it with what was signed before you use it.")
	case ChangeAnnotation:
		return pick(lang, "có ghi chú, hình đóng dấu hoặc liên kết được thêm, sửa hoặc xóa sau khi ký; hãy so với bản đã ký trước khi sử dụng.",
			"comments, stamps or links were added, altered or removed after signing; compare it with what was signed before you use it.")
	case ChangeStructure:
		return pick(lang, "cấu trúc dùng cho phần mềm đọc màn hình đã bị sửa sau khi ký; hãy so với bản đã ký trước khi sử dụng.",
			"what screen readers are told was altered after signing; compare it with what was signed before you use it.")
	case ChangeAppended:
		return pick(lang, "có dữ liệu lạ nối vào cuối tệp sau khi ký; đề nghị nơi gửi gửi lại bản đã ký.",
			"unknown data was appended after signing; ask the sender for the file as it was signed.")
	case ChangeSignature:
		return pick(lang, "có chữ ký được thêm sau khi người chứng thực đã khóa tệp; đề nghị nơi gửi kiểm tra lại.",
			"a signature was added though the certifier had locked the file; ask the sender to look at it.")
	case ChangeTimestamp:
		return pick(lang, "đã thêm dấu thời gian sau khi ký; không cần làm gì.", "a timestamp was added after signing; nothing needs to be done.")
	case ChangeValidation:
		return pick(lang, "đã thêm chứng thư số và dữ liệu thu hồi sau khi ký; không cần làm gì.",
			"certificates and revocation data were added after signing; nothing needs to be done.")
	}
	return pick(lang, "thông tin mô tả tệp đã được sửa sau khi ký; không cần làm gì.",
		"the description of the file was altered after signing; nothing needs to be done.")
}
