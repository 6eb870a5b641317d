package revocation

import (
	"math/big"
	"time"

	"docaxis/internal/lang"
)

// answer is what a list or an answer says about itself, once it was found to be of
// its issuer. It is stored beside the bytes.
type answer struct {
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	// Number counts the lists of an issuer; nil where there is none.
	Number *big.Int `json:"number,omitempty"`
	// Names are where a list says that it belongs; empty where it does not.
	Names []string `json:"names,omitempty"`
	// UsersOnly and AuthoritiesOnly are the certificates that a list is about.
	UsersOnly       bool `json:"users_only,omitempty"`
	AuthoritiesOnly bool `json:"authorities_only,omitempty"`
}

// timely refuses what has ended already or begins in the future: an authority that
// gives such a thing, or somebody on the way, has nothing to say about now.
func (a *answer) timely(now time.Time) error {
	switch {
	case a.ThisUpdate.After(now.Add(skew)):
		return lang.Errorf("trả lời đề thời điểm tương lai (%s); hãy kiểm tra đồng hồ máy", "the answer is of the future (%s); check this machine's clock", lang.Time(a.ThisUpdate))
	case !a.NextUpdate.IsZero() && a.NextUpdate.Before(a.ThisUpdate):
		return lang.Errorf("trả lời hết hạn trước khi bắt đầu", "the answer ends before it begins")
	case a.end().Before(now):
		return lang.Errorf("trả lời đã hết hạn từ %s", "the answer has ended at %s", lang.Time(a.end()))
	}
	return nil
}

// end is the moment from which nothing relies on it.
func (a *answer) end() time.Time {
	if a.NextUpdate.IsZero() {
		return a.ThisUpdate.Add(answerHoldsFor)
	}
	return a.NextUpdate
}

// follows refuses what is older than what is there: it may leave out a revocation
// that is known by now. The later ThisUpdate counts, then the number.
func (a *answer) follows(old *answer) error {
	older := a.ThisUpdate.Before(old.ThisUpdate)
	if a.ThisUpdate.Equal(old.ThisUpdate) && a.Number != nil && old.Number != nil {
		older = a.Number.Cmp(old.Number) < 0
	}
	if older {
		return lang.Errorf("trả lời cũ hơn (%s) trả lời đã có (%s)", "the answer is older (%s) than the one that is there (%s)",
			lang.Time(a.ThisUpdate), lang.Time(old.ThisUpdate))
	}
	return nil
}
