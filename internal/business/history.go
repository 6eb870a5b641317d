package business

import "docaxis/internal/lang"

// Flag says what is unusual about a state, given what was told before it.
type Flag int

// The flags. Usual is the absence of any.
const (
	Usual Flag = iota
	// NoState is none of the nine states and no request.
	NoState
	// Repeated: the same was the last that was told.
	Repeated
	// Backwards: a later step was told before.
	Backwards
	// Unregistered: it is handled, and nobody said that it was registered.
	Unregistered
	// RefusedLate: refused after it had been registered.
	RefusedLate
	// AfterRefusal: it goes on after it was refused.
	AfterRefusal
	// AfterWithdrawal: it goes on after it was taken back.
	AfterWithdrawal
	// Unasked answers a request that was not made.
	Unasked
	// AnsweredAgain answers a request that was answered before.
	AnsweredAgain
)

// String is a short word for lists and logs; empty for Usual.
func (f Flag) String() string {
	words := [...]string{
		"", "no-state", "repeated", "backwards", "unregistered", "refused-late", "after-refusal", "after-withdrawal", "unasked",
		"answered-again",
	}
	if f < 0 || int(f) >= len(words) {
		return "no-state"
	}
	return words[f]
}

// Say says a flag for people; empty for Usual.
func (f Flag) Say(l lang.Language) string {
	switch f {
	case Usual:
		return ""
	case Repeated:
		return l.Pick("báo lại lần nữa", "told again")
	case Backwards:
		return l.Pick("lùi lại: trước đó đã báo bước sau", "backwards: a later step was told before")
	case Unregistered:
		return l.Pick("chưa báo tiếp nhận", "never told as registered")
	case RefusedLate:
		return l.Pick("từ chối sau khi đã tiếp nhận", "refused after it was registered")
	case AfterRefusal:
		return l.Pick("đi tiếp sau khi đã từ chối", "goes on after it was refused")
	case AfterWithdrawal:
		return l.Pick("đi tiếp sau khi đã được lấy lại", "goes on after it was taken back")
	case Unasked:
		return l.Pick("trả lời khi không có yêu cầu", "answers what was not asked")
	case AnsweredAgain:
		return l.Pick("trả lời lại lần nữa", "answers once more")
	}
	return l.Pick("không phải trạng thái nghiệp vụ", "no business state")
}

// ParseFlag reads what String wrote; Usual for anything else.
func ParseFlag(word string) Flag {
	for f := NoState; f <= AnsweredAgain; f++ {
		if f.String() == word {
			return f
		}
	}
	return Usual
}

// History is what was told about a document at one recipient so far. Its zero value
// is a document about which nothing was told.
type History struct {
	last      string
	step      int
	refused   bool
	withdrawn bool
	request   string // the last one that was made
	answered  bool
}

// Next adds a state, or a request by its kind, and says what is unusual about it.
func (h *History) Next(state string) Flag {
	f := h.judge(state)
	h.add(state)
	return f
}

// Withdraw adds that the copy was withdrawn at the recipient's endpoint
// (ContentWithdrawal), before its agency had taken it.
func (h *History) Withdraw() { h.withdrawn = true }

// Flags judges a whole history, oldest first: one flag for each.
func Flags(states []string) []Flag {
	var h History
	all := make([]Flag, len(states))
	for i, s := range states {
		all[i] = h.Next(s)
	}
	return all
}

func (h *History) judge(state string) Flag {
	switch {
	case IsRequest(state):
		return h.judgeRequest(state)
	case IsAnswer(state):
		return h.judgeAnswer(state)
	case step(state) == 0 && state != Refused:
		return NoState
	case state == h.last:
		return Repeated
	case h.withdrawn:
		return AfterWithdrawal
	}
	return h.judgeStep(state)
}

func (h *History) judgeRequest(state string) Flag {
	switch {
	case state == h.last:
		return Repeated
	case h.withdrawn:
		return AfterWithdrawal
	}
	return Usual
}

func (h *History) judgeAnswer(state string) Flag {
	switch {
	case h.request == "":
		return Unasked
	case state == h.last:
		return Repeated
	case h.answered:
		return AnsweredAgain
	}
	return Usual
}

// judgeStep looks at how the recipient gets on. Steps may be left out, except that
// what is handled must have been registered.
func (h *History) judgeStep(state string) Flag {
	switch {
	case state == Refused && h.step >= step(Registered):
		return RefusedLate
	case state == Refused:
		return Usual
	case h.refused:
		return AfterRefusal
	case step(state) <= h.step:
		return Backwards
	case step(state) > step(Registered) && h.step < step(Registered):
		return Unregistered
	}
	return Usual
}

func (h *History) add(state string) {
	switch {
	case IsRequest(state):
		h.request, h.answered = state, false
	case IsAnswer(state):
		h.withdrawn = h.withdrawn || state == Agreed && TakesBack(h.request)
		h.answered = true
	case state == Refused:
		h.refused = true
	default:
		h.step = max(h.step, step(state))
	}
	h.last = state
}

// step orders how a recipient gets on; 0 for what is no step.
func step(state string) int {
	switch state {
	case Arrived:
		return 1
	case Registered:
		return 2
	case Assigned:
		return 3
	case InProgress:
		return 4
	case Finished:
		return 5
	}
	return 0
}
