package endpoint

import (
	"docaxis/internal/business"
	"docaxis/proto/axispb"
)

// askedBy is what a submission asks of its recipients, as package business names it;
// empty for nothing.
func (a *Agent) askedBy(e *axispb.OutboxEntry) string {
	env, err := a.envelope(e.EnvelopeDigest)
	if err != nil || !business.IsRequest(what(env.Document)) {
		return ""
	}
	return what(env.Document)
}

// flagUnusual says of each business state in a line what is unusual about it after
// those before, and after what its document itself asks. Steps stand in the order in
// which they came.
func flagUnusual(steps []Step, asked string) {
	var h business.History
	if asked != "" {
		h.Next(asked)
	}
	for i := range steps {
		switch {
		case steps[i].Business != "":
			steps[i].Unusual = h.Next(steps[i].Business)
		case steps[i].State == axispb.State_STATE_WITHDRAWN:
			h.Withdraw()
		}
	}
}
