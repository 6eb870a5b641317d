package lang

import "strings"

// State is a state's word for people. The name is the one that JSON has: ACCEPTED,
// CONSIGNED ... A state that this program does not know keeps its name.
func State(name string, l Language) string {
	vietnamese := ""
	switch name {
	case "UNSPECIFIED":
		return ""
	case "QUEUED":
		vietnamese = "chờ gửi"
	case "SUBMITTED":
		vietnamese = "đang gửi"
	case "ACCEPTED":
		vietnamese = "trục đã nhận"
	case "REJECTED":
		vietnamese = "bị từ chối"
	case "CONSIGNED":
		vietnamese = "đã đến nơi"
	case "CONSIGNMENT_FAILED":
		vietnamese = "không đến được"
	case "HANDED_OVER":
		vietnamese = "cơ quan đã nhận"
	case "HANDOVER_FAILED":
		vietnamese = "cơ quan không nhận"
	case "WITHDRAWN":
		vietnamese = "đã rút lại"
	case "PARKED":
		vietnamese = "chờ người xử lý"
	case "FETCHING":
		vietnamese = "đang tải về"
	case "WAITING":
		vietnamese = "chờ văn bản gốc"
	default:
		return name
	}
	return l.Pick(vietnamese, strings.ToLower(strings.ReplaceAll(name, "_", " ")))
}
