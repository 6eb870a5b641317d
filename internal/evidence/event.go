package evidence

import "docaxis/proto/axispb"

// etsiEvents is where ETSI EN 319 522-1 clause 6 names its events.
const etsiEvents = "http://uri.etsi.org/19522/Event/"

// EventName is the short name of an event, as ETSI EN 319 522-1 clause 6 has it
// (or in its manner, for our own); empty for a number that is no event.
func EventName(ev axispb.Event) string {
	switch ev {
	case axispb.Event_EVENT_SUBMISSION_ACCEPTANCE:
		return "SubmissionAcceptance"
	case axispb.Event_EVENT_SUBMISSION_REJECTION:
		return "SubmissionRejection"
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT:
		return "ContentConsignment"
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE:
		return "ContentConsignmentFailure"
	case axispb.Event_EVENT_CONTENT_HANDOVER:
		return "ContentHandover"
	case axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE:
		return "ContentHandoverFailure"
	case axispb.Event_EVENT_CONTENT_WITHDRAWAL:
		return "ContentWithdrawal"
	case axispb.Event_EVENT_BUSINESS_STATE:
		return "BusinessState"
	}
	return ""
}

// EventURI is the URI by which ETSI EN 319 522-1 identifies an event. It is
// empty for the events that are ours, not ETSI's.
func EventURI(ev axispb.Event) string {
	switch ev {
	case axispb.Event_EVENT_CONTENT_WITHDRAWAL, axispb.Event_EVENT_BUSINESS_STATE:
		return ""
	}
	if name := EventName(ev); name != "" {
		return etsiEvents + name
	}
	return ""
}

// IsNegative reports whether an event tells of a failure or a refusal, so that
// its statement must give a reason.
func IsNegative(ev axispb.Event) bool {
	switch ev {
	case axispb.Event_EVENT_SUBMISSION_REJECTION,
		axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE,
		axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE:
		return true
	}
	return false
}

// statedBy says whose statement an event may be: the axis never speaks for a
// recipient's endpoint, nor an endpoint for the axis.
func statedBy(ev axispb.Event, axis bool) bool {
	switch ev {
	case axispb.Event_EVENT_SUBMISSION_REJECTION:
		return axis
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE:
		return true
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT,
		axispb.Event_EVENT_CONTENT_HANDOVER,
		axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE,
		axispb.Event_EVENT_CONTENT_WITHDRAWAL,
		axispb.Event_EVENT_BUSINESS_STATE:
		return !axis
	}
	return false
}
