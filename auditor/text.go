package auditor

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"docaxis/internal/lang"
	"docaxis/signing"
)

// Write prints a report for people, as a tree: file, signatures, and what is known of
// each. Times are Viet Nam's. What files put into it stays within its line.
func (r Report) Write(w io.Writer, l lang.Language) {
	t := &tree{w: w, l: l}
	if r.Anchors == 0 {
		t.line(0, "%s", l.Pick("Chưa nêu nguồn tin cậy nào (--anchor) nên không chữ ký nào có thể đạt.", "No anchor was given (--anchor), so no signature can pass."))
	}
	for _, n := range r.NotFetched {
		t.line(0, t.l.Pick("Chưa lấy được %s của %s: %s", "Could not get the %s of %s: %s"), n.Kind, n.Issuer, n.Sentence)
	}
	for _, f := range r.Files {
		t.file(0, f)
	}
	if len(r.Files) > 1 {
		t.line(0, "%s: %s", l.Pick("TẤT CẢ", "ALL"), r.Result.Words(l))
	}
}

// Words are the result for people.
func (r Result) Words(l lang.Language) string {
	switch r {
	case Passed:
		return l.Pick("ĐẠT", "PASSED")
	case Failed:
		return l.Pick("KHÔNG ĐẠT", "FAILED")
	case Indeterminate:
		return l.Pick("CHƯA KẾT LUẬN ĐƯỢC", "INDETERMINATE")
	}
	return l.Pick("KHÔNG KIỂM TRA ĐƯỢC", "UNUSABLE")
}

type tree struct {
	w io.Writer
	l lang.Language
}

func (t *tree) line(depth int, format string, args ...any) {
	fmt.Fprintf(t.w, "%s%s\n", strings.Repeat("  ", depth), clean(fmt.Sprintf(format, args...)))
}

// clean keeps a line one line, without characters that steer a terminal or turn the
// direction of reading.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

func (t *tree) file(depth int, f File) {
	t.line(depth, "%s: %s", f.File, f.Result.Words(t.l))
	if f.Sentence != "" {
		t.line(depth+1, "%s", f.Sentence)
	}
	for _, s := range f.Signatures {
		t.signature(depth+1, s)
	}
	for _, w := range f.Within {
		t.file(depth+1, w)
	}
	if len(f.PassedOver) > 0 {
		t.line(depth+1, t.l.Pick("Không có gì để kiểm tra trong: %s", "Nothing to judge in: %s"), strings.Join(f.PassedOver, ", "))
	}
}

func (t *tree) signature(depth int, s Signature) {
	t.line(depth, "%s: %s", t.title(s), t.answer(s))
	depth++
	t.line(depth, "%s", s.Sentence)
	t.known(depth, t.l.Pick("Người ký", "Signer"), t.certificate(s.Signer, s.Holder))
	t.known(depth, t.l.Pick("Chuỗi chứng thư", "Chain"), chain(s.Chain))
	t.known(depth, t.l.Pick("Thời điểm dựa vào", "Time relied on"), t.reliedOn(s))
	t.known(depth, t.l.Pick("Thời điểm bên ký tự khai", "Time that the signer claims"), when(s.ClaimedTime))
	t.known(depth, t.l.Pick("Phạm vi ký", "Covers"), s.Covers.Sentence)
	for _, c := range s.Changes {
		t.known(depth, t.l.Pick("Thay đổi về sau", "Changed afterwards"), c.Sentence)
	}
	for _, r := range s.Revocation {
		t.known(depth, t.l.Pick("Thu hồi", "Revocation"), t.revocation(r))
	}
	t.known(depth, t.l.Pick("Chi tiết", "Detail"), s.Detail)
	for _, stamp := range s.Timestamps {
		t.signature(depth, stamp)
	}
}

// known is a line about what is known; there is none about what is not.
func (t *tree) known(depth int, what, value string) {
	if value != "" {
		t.line(depth, "%s: %s", what, value)
	}
}

func (t *tree) title(s Signature) string {
	title := s.For
	switch s.For {
	case ForContent:
		title = t.l.Pick("Chữ ký", "Signature")
	case "approval":
		title = t.l.Pick("Chữ ký phê duyệt", "Approval signature")
	case "certification":
		title = t.l.Pick("Chữ ký chứng thực", "Certification signature")
	case "timestamp":
		title = t.l.Pick("Dấu thời gian", "Timestamp")
	case ForSeal:
		title = t.l.Pick("Con dấu số", "Seal")
	case ForStatement:
		title = t.l.Pick("Bằng chứng", "Evidence")
	case ForReceipt:
		title = t.l.Pick("Biên nhận", "Receipt")
	case ForEpoch:
		title = t.l.Pick("Kỷ của sổ", "Epoch")
	case ForTime:
		title = t.l.Pick("Thời điểm", "Time")
	case ForXMLDSig:
		title = "XML-DSig"
	}
	if s.Name != "" {
		title += " “" + s.Name + "”"
	}
	return title
}

func (t *tree) answer(s Signature) string {
	switch {
	case s.Placeholder:
		return t.l.Pick("giữ chỗ", "placeholder")
	case s.SubIndication != "":
		return string(s.Indication) + ", " + string(s.SubIndication)
	}
	return string(s.Indication)
}

func (t *tree) certificate(c *Certificate, holder string) string {
	if c == nil {
		return ""
	}
	kind := map[string]string{
		"person": t.l.Pick(" (cá nhân)", " (person)"), "organisation": t.l.Pick(" (cơ quan, tổ chức)", " (organisation)"),
	}[holder]
	return fmt.Sprintf(t.l.Pick("%s%s; số chứng thư %s, hiệu lực từ %s đến %s", "%s%s; serial number %s, in force from %s until %s"),
		c.Name, kind, c.Serial, lang.Time(c.NotBefore), lang.Time(c.NotAfter))
}

func chain(all []Certificate) string {
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ← ")
}

func when(at *time.Time) string {
	if at == nil {
		return ""
	}
	return lang.Time(*at)
}

// reliedOn is the time, and why it may be.
func (t *tree) reliedOn(s Signature) string {
	why := map[signing.TimeSource]string{
		signing.TimeGiven:      t.l.Pick("do người kiểm tra nêu", "given by whoever checks"),
		signing.TimeNow:        t.l.Pick("lúc kiểm tra, vì không có gì chứng minh thời điểm sớm hơn", "the time of checking, as nothing proves an earlier one"),
		signing.TimeCheckpoint: t.l.Pick("sổ của trục chứng minh", "proven by the axis's log"),
		signing.TimeTimestamp:  t.l.Pick("dấu thời gian chứng minh", "proven by a timestamp"),
	}[s.TimeSource]
	if s.Time == nil || why == "" {
		return ""
	}
	return when(s.Time) + " (" + why + ")"
}

func (t *tree) revocation(r Revocation) string {
	if r.RevokedAt != nil {
		return fmt.Sprintf(t.l.Pick("%s bị thu hồi lúc %s (%s)", "%s was revoked at %s (%s)"), r.Certificate, when(r.RevokedAt), r.Source)
	}
	return fmt.Sprintf(t.l.Pick("%s chưa bị thu hồi vào lúc %s (%s)", "%s was not revoked at %s (%s)"), r.Certificate, lang.Time(r.ThisUpdate), r.Source)
}
