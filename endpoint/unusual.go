package endpoint

import (
	"slices"
	"time"

	"docaxis/internal/business"
	"docaxis/proto/axispb"
)

// flagUnusual says of each business state in a line what is unusual about it after
// those before, after what its document itself asks, and after what was asked about it:
// requests, oldest first. Steps stand in the order in which they came.
func (a *Agent) flagUnusual(l *Line, document *axispb.OutboxEntry, requests []*axispb.OutboxEntry) {
	var h business.History
	if document.Asks != "" {
		h.Next(document.Asks)
	}
	for i := range l.Steps {
		s := &l.Steps[i]
		for len(requests) > 0 && (s.Business != "" || s.State == axispb.State_STATE_WITHDRAWN) && !a.acceptedAt(requests[0]).After(s.Time) {
			if concerns(requests[0], l) {
				h.Next(requests[0].Asks)
			}
			requests = requests[1:]
		}
		switch {
		case s.Business != "":
			s.Unusual = h.Next(s.Business)
		case s.State == axispb.State_STATE_WITHDRAWN:
			h.Withdraw()
		}
	}
}

// acceptedAt is the journal time of an accepted submission.
func (a *Agent) acceptedAt(e *axispb.OutboxEntry) time.Time {
	proven, err := a.trust.Receipt(e.Receipt, nil)
	if err != nil {
		return time.UnixMilli(e.CreatedMs)
	}
	return journalTime(proven.Header)
}

// concerns reports whether a request went to the recipient of a line.
func concerns(r *axispb.OutboxEntry, l *Line) bool {
	return r.Grouped || slices.ContainsFunc(r.Recipients, func(code string) bool { return code == l.Code || code == l.ServingCode })
}
