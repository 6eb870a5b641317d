package evidence

import "docaxis/proto/axispb"

// StateAfter is the state that an event brings a recipient to; unspecified where
// it changes none.
func StateAfter(e axispb.Event) axispb.State {
	switch e {
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT:
		return axispb.State_STATE_CONSIGNED
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE:
		return axispb.State_STATE_CONSIGNMENT_FAILED
	case axispb.Event_EVENT_CONTENT_HANDOVER:
		return axispb.State_STATE_HANDED_OVER
	case axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE:
		return axispb.State_STATE_HANDOVER_FAILED
	case axispb.Event_EVENT_CONTENT_WITHDRAWAL:
		return axispb.State_STATE_WITHDRAWN
	}
	return axispb.State_STATE_UNSPECIFIED
}

// Counts reports whether an evidence of that standing moves a document's state;
// one that does not is kept and shown beside it.
func Counts(s axispb.Standing) bool {
	return s != axispb.Standing_STANDING_CONTRARY && s != axispb.Standing_STANDING_SECOND_COPY
}

// Copy is what the journal has about a document at one code when somebody states
// something: who has its mailbox row now, and whose consignment counts (empty where
// nobody's does yet).
type Copy struct {
	State     axispb.State
	Endpoint  string
	Consigner string
}

// JudgeBy is Judge for a statement of an issuer. A code may have moved while its
// endpoint was away, so that two took a copy: the first consignment in the journal
// counts, whoever's it is, and from then on only its issuer moves the state. Before
// it, an endpoint that no longer has the row may only be the first.
func JudgeBy(c Copy, issuer string, e axispb.Event) axispb.Standing {
	second := c.Consigner != issuer
	if c.Consigner == "" {
		second = c.Endpoint != issuer && e != axispb.Event_EVENT_CONTENT_CONSIGNMENT
	}
	if second {
		return axispb.Standing_STANDING_SECOND_COPY
	}
	return Judge(c.State, e)
}

// Judge says what an event is worth to a recipient in a state: progress counts,
// also after a failure (then it supersedes it); what contradicts is recorded and
// changes nothing.
func Judge(now axispb.State, e axispb.Event) axispb.Standing {
	const (
		first    = axispb.Standing_STANDING_FIRST
		contrary = axispb.Standing_STANDING_CONTRARY
	)
	switch e {
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT:
		return pick(now, axispb.State_STATE_ACCEPTED, axispb.State_STATE_CONSIGNMENT_FAILED)
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE:
		if now == axispb.State_STATE_ACCEPTED {
			return first
		}
		return contrary
	case axispb.Event_EVENT_CONTENT_HANDOVER:
		return pick(now, axispb.State_STATE_CONSIGNED, axispb.State_STATE_HANDOVER_FAILED)
	case axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE:
		if now == axispb.State_STATE_CONSIGNED {
			return first
		}
		return contrary
	case axispb.Event_EVENT_CONTENT_WITHDRAWAL:
		if now == axispb.State_STATE_HANDED_OVER || now == axispb.State_STATE_WITHDRAWN {
			return contrary
		}
		return first
	case axispb.Event_EVENT_BUSINESS_STATE:
		return first
	}
	return contrary
}

// pick is FIRST in the state that an event normally follows, SUPERSEDES in the
// failure that it overcomes, else CONTRARY.
func pick(now, after, failed axispb.State) axispb.Standing {
	switch now {
	case after:
		return axispb.Standing_STANDING_FIRST
	case failed:
		return axispb.Standing_STANDING_SUPERSEDES
	}
	return axispb.Standing_STANDING_CONTRARY
}
