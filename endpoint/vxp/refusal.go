package vxp

import (
	"context"
	"errors"

	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// refusal is why a request was not served, with its ErrorCode.
type refusal struct {
	code int
	says *lang.Error
}

func refuse(code int, vietnamese, english string, args ...any) refusal {
	return refusal{code: code, says: lang.Errorf(vietnamese, english, args...)}
}

// Error is the English text.
func (r refusal) Error() string { return r.says.Error() }

// Unwrap lets the text be said in either language.
func (r refusal) Unwrap() error { return r.says }

func busy() refusal {
	return refuse(503, "Điểm kết nối đang bận. Hãy gọi lại sau ít phút.", "The endpoint is busy. Call again in a few minutes.")
}

// errorCode is the ErrorCode of an error.
func errorCode(err error) int {
	var r refusal
	switch {
	case errors.As(err, &r):
		return r.code
	case reason.Of(err) != nil:
		return reasonCode(reason.Of(err).GetCode())
	case errors.Is(err, context.DeadlineExceeded):
		return 503
	}
	return 500
}

// describe says an error to the person who sees ErrorDesc. What nobody decided to tell
// stays in the log.
func describe(err error, l lang.Language) string {
	var said *lang.Error
	switch {
	case reason.Of(err) != nil:
		return reason.Sentence(reason.Of(err), l)
	case errors.As(err, &said):
		return lang.Say(said, l)
	case errors.Is(err, context.DeadlineExceeded):
		return lang.Say(busy().says, l)
	}
	return l.Pick("Điểm kết nối gặp lỗi bên trong. Hãy gọi lại sau; nếu vẫn lỗi, hãy báo người quản trị điểm kết nối xem nhật ký.",
		"The endpoint failed. Call again later; if it goes on, ask whoever runs the endpoint to look at its log.")
}

// reasonCode gives every reason its ErrorCode. The SDK knows none of them: they are for
// people and for programs that look closer.
func reasonCode(code axispb.ReasonCode) int {
	switch code {
	case axispb.ReasonCode_REASON_MALFORMED, axispb.ReasonCode_REASON_SEVERAL_CODES,
		axispb.ReasonCode_REASON_NO_RECIPIENT, axispb.ReasonCode_REASON_DUPLICATE_CODE,
		axispb.ReasonCode_REASON_BAD_CODE, axispb.ReasonCode_REASON_SENDER_UNNAMED,
		axispb.ReasonCode_REASON_BAD_MANIFEST, axispb.ReasonCode_REASON_BAD_DOCUMENT,
		axispb.ReasonCode_REASON_DIGEST_MISMATCH, axispb.ReasonCode_REASON_BAD_PACKAGE,
		axispb.ReasonCode_REASON_FILE_PROBLEM, axispb.ReasonCode_REASON_FILE_UNSIGNED,
		axispb.ReasonCode_REASON_NOT_BELOW:
		return 400
	case axispb.ReasonCode_REASON_FORBIDDEN, axispb.ReasonCode_REASON_SENDER_NOT_SERVED,
		axispb.ReasonCode_REASON_OTHER_SYSTEM, axispb.ReasonCode_REASON_SECURITY_LEVEL,
		axispb.ReasonCode_REASON_NOT_RECIPIENT, axispb.ReasonCode_REASON_NOT_ITS_SENDER,
		axispb.ReasonCode_REASON_NOT_ITS_RECIPIENT, axispb.ReasonCode_REASON_SERVED_ELSEWHERE,
		axispb.ReasonCode_REASON_OPERATORS_ONLY, axispb.ReasonCode_REASON_REGISTRATION_FORBIDDEN:
		return 403
	case axispb.ReasonCode_REASON_NOT_FOUND, axispb.ReasonCode_REASON_UNKNOWN_CODE,
		axispb.ReasonCode_REASON_UNKNOWN_TARGET, axispb.ReasonCode_REASON_RELEASED,
		axispb.ReasonCode_REASON_CONTENT_RELEASED, axispb.ReasonCode_REASON_PARENT:
		return 404
	case axispb.ReasonCode_REASON_STATE, axispb.ReasonCode_REASON_CLOSED_CODE,
		axispb.ReasonCode_REASON_SEVERAL_SUCCESSORS, axispb.ReasonCode_REASON_NOT_SERVED,
		axispb.ReasonCode_REASON_SEAL_FAILED, axispb.ReasonCode_REASON_SEAL_NOT_ADMITTED,
		axispb.ReasonCode_REASON_SEAL_NOT_VALID, axispb.ReasonCode_REASON_SEAL_RETIRED,
		axispb.ReasonCode_REASON_NO_SEAL, axispb.ReasonCode_REASON_SEAL_DELEGATED,
		axispb.ReasonCode_REASON_ID_COLLISION, axispb.ReasonCode_REASON_DEADLINE_PASSED,
		axispb.ReasonCode_REASON_DEADLINE, axispb.ReasonCode_REASON_REFUSED_BY_DMS,
		axispb.ReasonCode_REASON_REGISTRY_CONFLICT, axispb.ReasonCode_REASON_REGISTRATION_REFUSED,
		axispb.ReasonCode_REASON_AGENCIES_BELOW:
		return 409
	case axispb.ReasonCode_REASON_ENVELOPE_TOO_LARGE, axispb.ReasonCode_REASON_FILE_TOO_LARGE:
		return 413
	case axispb.ReasonCode_REASON_BUSY, axispb.ReasonCode_REASON_UNAVAILABLE,
		axispb.ReasonCode_REASON_QUOTA, axispb.ReasonCode_REASON_CLOCK,
		axispb.ReasonCode_REASON_DISK_FULL, axispb.ReasonCode_REASON_CONTENT_QUOTA,
		axispb.ReasonCode_REASON_FILES_UNCHECKED,
		axispb.ReasonCode_REASON_CONTENT_MISSING, axispb.ReasonCode_REASON_STORE_FAILED,
		axispb.ReasonCode_REASON_FETCH_FAILED, axispb.ReasonCode_REASON_SEAL_AWAY:
		return 503
	}
	return 500
}
