package endpoint

import (
	"errors"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/outbox"
	"docaxis/endpoint/systems"
	"docaxis/internal/business"
	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// A system that asked for a document back by a status 13 is told how that went as it
// would be by another system: by a status message about the document, since a status
// message has no name of its own.

// tellTakeBack tells of an evidence about such a request.
func tellTakeBack(tx *bbolt.Tx, r outbox.Report) error {
	e, err := outbox.In(tx).Get(r.ID)
	if err != nil || e.System == "" || e.Asks != business.TakeBack || !evidence.Counts(r.Proof.Standing) {
		return err
	}
	status := takeBackStatus(r.Statement)
	about, err := outbox.In(tx).Get(e.TargetId)
	if errors.Is(err, outbox.ErrNotFound) || status == "" {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = systems.In(tx).Tell(&axispb.NoticeEntry{
		Id: about.Id, Sender: e.Sender, Code: r.Statement.Code, Status: status, Reason: r.Statement.Reason, TimeMs: r.TimeMs,
	})
	return err
}

// takeBackStatus is what an evidence says to who asked for a document back: that it was
// given back, or that the request did not come to the agency. Empty for anything else.
func takeBackStatus(st *axispb.Statement) string {
	switch st.Event {
	case axispb.Event_EVENT_BUSINESS_STATE:
		if business.IsAnswer(st.BusinessState) {
			return st.BusinessState
		}
	case axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE:
		return business.Disagreed
	case axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE:
		if st.Reason.GetCode() != axispb.ReasonCode_REASON_DEADLINE {
			return business.Disagreed
		}
	}
	return ""
}
