package inbox

import "docaxis/proto/axispb"

// Offered reports whether a document is to be offered to its agency's DMS: it is here
// whole and was not taken, or was not taken in time. A passed deadline is told to the
// sender and ends nothing: what the DMS refused itself is offered no more.
func Offered(e *axispb.InboxEntry) bool {
	return e.GetState() == axispb.State_STATE_CONSIGNED || Overdue(e)
}

// Overdue reports whether a document was not taken in time, and that was stated. Its
// DMS may still take it.
func Overdue(e *axispb.InboxEntry) bool {
	return e.GetState() == axispb.State_STATE_HANDOVER_FAILED &&
		e.GetTrouble().GetReason().GetCode() == axispb.ReasonCode_REASON_DEADLINE
}
