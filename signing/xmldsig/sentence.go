package xmldsig

import (
	"strings"

	"docaxis/signing"
)

// Sentence says to a person, in Vietnamese ("vi") or English (any other), what is known
// of the signature, and what to do.
func (s Signature) Sentence(lang string) string {
	pick := func(vietnamese, english string) string {
		if lang == "vi" {
			return vietnamese
		}
		return english
	}
	switch {
	case s.Placeholder:
		return pick("Thẻ Signature (XML-DSig) chỉ giữ chỗ, không có giá trị chữ ký; chữ ký có giá trị nằm trong các tệp đính kèm.",
			"The Signature element (XML-DSig) is a placeholder without a signature's value; the signatures that count are in the attached files.")
	case s.Verdict.SubIndication == signing.FormatFailure:
		return pick("Chữ ký XML-DSig không đúng định dạng nên không thể tin cậy; đề nghị nơi gửi ký lại.",
			"The XML-DSig signature is not in its format and cannot be relied on; ask the sender to sign again.")
	case s.Verdict.SubIndication == signing.SigConstraintsFailure && s.Verdict.Signer != nil && !s.Whole && len(s.Covers) > 0:
		return pick("Chữ ký XML-DSig chỉ ký một phần ("+strings.Join(s.Covers, ", ")+") nên phần còn lại có thể là của người khác; đề nghị nơi gửi ký toàn bộ gói tin.",
			"The XML-DSig signature covers a part only ("+strings.Join(s.Covers, ", ")+"), so the rest may be anybody's; ask the sender to sign the whole package.")
	case s.Verdict.SubIndication == signing.SigConstraintsFailure:
		return pick("Chữ ký XML-DSig được tạo theo cách không được kiểm tra ở đây; đề nghị nơi gửi ký toàn bộ gói tin theo cách thông thường (enveloped, C14N).",
			"The XML-DSig signature is made in a way that is not checked here; ask the sender to sign the whole package in the usual way (enveloped, C14N).")
	}
	return s.Verdict.Sentence(lang)
}
