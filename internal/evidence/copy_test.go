package evidence_test

import (
	"testing"

	"docaxis/internal/evidence"
	"docaxis/proto/axispb"
)

// Two endpoints may take a copy of one document, since a code can move while one of
// them is away: the first consignment counts, and then only its issuer.
func TestWhoseWordCounts(t *testing.T) {
	const (
		consigned = axispb.Event_EVENT_CONTENT_CONSIGNMENT
		failed    = axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE
		taken     = axispb.Event_EVENT_CONTENT_HANDOVER
		withdrawn = axispb.Event_EVENT_CONTENT_WITHDRAWAL

		first      = axispb.Standing_STANDING_FIRST
		supersedes = axispb.Standing_STANDING_SUPERSEDES
		contrary   = axispb.Standing_STANDING_CONTRARY
		second     = axispb.Standing_STANDING_SECOND_COPY
	)
	waits := evidence.Copy{State: axispb.State_STATE_ACCEPTED, Endpoint: "new"}
	late := evidence.Copy{State: axispb.State_STATE_CONSIGNMENT_FAILED, Endpoint: "new"}
	has := evidence.Copy{State: axispb.State_STATE_CONSIGNED, Endpoint: "new", Consigner: "old"}
	tests := []struct {
		copy   evidence.Copy
		issuer string
		event  axispb.Event
		want   axispb.Standing
	}{
		{waits, "new", consigned, first},
		{waits, "old", consigned, first}, // it was faster
		{waits, "new", failed, first},
		{waits, "old", failed, second},
		{waits, "old", withdrawn, second},
		{waits, "new", taken, contrary},
		{late, "old", consigned, supersedes},
		{has, "old", taken, first},
		{has, "new", consigned, second},
		{has, "new", taken, second},
		{has, "new", withdrawn, second},
		{has, "old", withdrawn, first},
		{has, "old", consigned, contrary},
	}
	for _, tt := range tests {
		got := evidence.JudgeBy(tt.copy, tt.issuer, tt.event)
		if got != tt.want {
			t.Errorf("%+v: %s by %s is %s, not %s", tt.copy, tt.event, tt.issuer, got, tt.want)
		}
		if counts := got == first || got == supersedes; evidence.Counts(got) != counts {
			t.Errorf("%s counts: %v", got, !counts)
		}
	}
}
