// Package business owns the nine business states that agencies tell one another about
// a document, what people call them, and which of them usually follow which. It judges
// nothing away: an unusual state is stored and shown like any other, with what is
// unusual about it beside it (docs/design.md, D12).
package business

import "docaxis/internal/lang"

// The states, by their codes on the national axis (Quyết định 28/2018/QĐ-TTg article
// 10 names them; QCVN 102:2016 StatusCode carries them). TakeBack is a request of the
// sender; Agreed and Disagreed answer it, or a recall, an update or a replacement; all
// others tell how the recipient gets on.
const (
	Arrived    = "01"
	Refused    = "02"
	Registered = "03"
	Assigned   = "04"
	InProgress = "05"
	Finished   = "06"
	TakeBack   = "13"
	Agreed     = "15"
	Disagreed  = "16"
)

// Requests that are kinds of documents (envelope.Kind), not states: they are answered
// as TakeBack is.
const (
	Recall      = "recall"
	Update      = "update"
	Replacement = "replacement"
)

// States lists the nine, in order.
func States() []string {
	return []string{Arrived, Refused, Registered, Assigned, InProgress, Finished, TakeBack, Agreed, Disagreed}
}

// Name is what people call a state, or a request; its code where it is neither.
func Name(state string, l lang.Language) string {
	switch state {
	case Arrived:
		return l.Pick("đã đến", "arrived")
	case Refused:
		return l.Pick("từ chối tiếp nhận", "refused")
	case Registered:
		return l.Pick("đã tiếp nhận", "registered")
	case Assigned:
		return l.Pick("phân công xử lý", "assigned")
	case InProgress:
		return l.Pick("đang xử lý", "in progress")
	case Finished:
		return l.Pick("hoàn thành", "finished")
	case TakeBack:
		return l.Pick("yêu cầu lấy lại", "asked to be given back")
	case Agreed:
		return l.Pick("đồng ý cập nhật, lấy lại", "agreed to the change")
	case Disagreed:
		return l.Pick("từ chối cập nhật, lấy lại", "refused the change")
	case Recall:
		return l.Pick("thu hồi", "recall")
	case Update:
		return l.Pick("cập nhật", "update")
	case Replacement:
		return l.Pick("thay thế", "replacement")
	}
	return state
}

// BySender reports whether a state or request comes from the sender of the document
// that it is about; all others come from a recipient.
func BySender(state string) bool { return IsRequest(state) }

// IsRequest reports whether a recipient is to answer it with Agreed or Disagreed.
func IsRequest(state string) bool {
	switch state {
	case TakeBack, Recall, Update, Replacement:
		return true
	}
	return false
}

// TakesBack reports whether a request, once agreed to, withdraws the document.
func TakesBack(state string) bool { return state == TakeBack || state == Recall }

// IsAnswer reports whether a state answers a request.
func IsAnswer(state string) bool { return state == Agreed || state == Disagreed }
