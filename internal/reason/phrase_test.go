package reason_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"docaxis/agency"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func TestPhrasesAreSaidInVietnamese(t *testing.T) {
	_, bad := agency.Parse("h41")
	for text, want := range map[string]string{
		"not connected":                                      "chưa kết nối được với trục",
		"the axis is stopping":                               "trục đang dừng",
		"120 refusals an hour":                               "120 lần bị từ chối trong một giờ",
		"has 600 characters; at most 500":                    "dài 600 ký tự; tối đa 500",
		`no agency has the code "H99"; add the agency first`: `chưa có cơ quan nào mang mã "H99"; hãy thêm cơ quan này trước`,
		`agency H41: alias H42 means G22 already; take it from that agency first`:                         "cơ quan H41: mã khác H42 đang chỉ G22; hãy bỏ mã này khỏi cơ quan đó trước",
		`line 7, column 3 (level): "xã" is no level; write ministry, province, district, commune or unit`: `dòng 7, cột 3 (level): "xã" không phải là cấp; hãy ghi ministry, province, district, commune hoặc unit`,
		fmt.Sprint(bad):                `"h41" không phải mã định danh: chữ cái phải viết hoa; hãy viết H41`,
		"something else entirely (42)": "something else entirely (42)",
		"":                             "",
	} {
		if got := reason.Phrase(text, reason.Vietnamese); got != want {
			t.Errorf("%q: %q", text, got)
		}
		if got := reason.Phrase(text, reason.English); got != text {
			t.Errorf("in English %q: %q", text, got)
		}
	}
}

// A reason told inside another, as a recipient's endpoint does, is Vietnamese too.
func TestAReasonInsideAReason(t *testing.T) {
	inner := reason.Permanent(axispb.ReasonCode_REASON_DIGEST_MISMATCH, "files/001.pdf").Because(errors.New("x"))
	outer := &axispb.Reason{Code: axispb.ReasonCode_REASON_FETCH_FAILED, Args: []string{reason.Sentence(inner.Reason, reason.English)}}
	got := reason.Sentence(outer, reason.Vietnamese)
	if !strings.Contains(got, "Nội dung của “files/001.pdf” khác với nội dung đã ký.") || strings.Contains(got, "is not what") {
		t.Errorf("%q", got)
	}
}

// Every sentence is recognised in its own translation, whatever its arguments.
func TestEverySentenceIsKnownAgain(t *testing.T) {
	for code := range axispb.ReasonCode_name {
		r := &axispb.Reason{Code: axispb.ReasonCode(code), Args: []string{"Đ1", "Đ2", "Đ3"}}
		en, vi := reason.Sentence(r, reason.English), reason.Sentence(r, reason.Vietnamese)
		if got := reason.Phrase(en, reason.Vietnamese) + "."; got != vi {
			t.Errorf("%s:\n%s\n%s", en, got, vi)
		}
	}
}

func TestSecurityAndStateInSentences(t *testing.T) {
	r := &axispb.Reason{Code: axispb.ReasonCode_REASON_STATE, Args: []string{"x", "HANDED_OVER"}}
	if got := reason.Sentence(r, reason.Vietnamese); !strings.Contains(got, "“cơ quan đã nhận”") {
		t.Errorf("%q", got)
	}
	r = &axispb.Reason{Code: axispb.ReasonCode_REASON_SECURITY_LEVEL, Args: []string{"top-secret"}}
	if got := reason.Sentence(r, reason.Vietnamese); !strings.Contains(got, "“tuyệt mật”") {
		t.Errorf("%q", got)
	}
	if got := reason.Sentence(r, reason.English); !strings.Contains(got, "“top-secret”") {
		t.Errorf("%q", got)
	}
}
