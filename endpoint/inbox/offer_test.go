package inbox

import (
	"testing"
	"time"

	"docaxis/proto/axispb"
)

func TestWhatIsOffered(t *testing.T) {
	why := func(code axispb.ReasonCode) *axispb.Trouble {
		return &axispb.Trouble{Reason: &axispb.Reason{Code: code}}
	}
	deadline, byDMS := why(axispb.ReasonCode_REASON_DEADLINE), why(axispb.ReasonCode_REASON_REFUSED_BY_DMS)
	for _, row := range []struct {
		state    axispb.State
		trouble  *axispb.Trouble
		offered  bool
		finished bool
	}{
		{axispb.State_STATE_FETCHING, nil, false, false},
		{axispb.State_STATE_WAITING, nil, false, false},
		{axispb.State_STATE_CONSIGNED, nil, true, false},
		{axispb.State_STATE_CONSIGNMENT_FAILED, deadline, false, true},
		{axispb.State_STATE_HANDOVER_FAILED, deadline, true, false},
		{axispb.State_STATE_HANDOVER_FAILED, byDMS, false, true},
		{axispb.State_STATE_HANDOVER_FAILED, nil, false, true},
		{axispb.State_STATE_HANDED_OVER, nil, false, true},
		{axispb.State_STATE_WITHDRAWN, nil, false, true},
	} {
		e := &axispb.InboxEntry{State: row.state, Trouble: row.trouble, SinceMs: time.Unix(1, 0).UnixMilli()}
		if Offered(e) != row.offered {
			t.Errorf("%s for %v: offered is %v", row.state, row.trouble.GetReason().GetCode(), !row.offered)
		}
		if _, finished := Finished(e); finished != row.finished {
			t.Errorf("%s for %v: finished is %v", row.state, row.trouble.GetReason().GetCode(), finished)
		}
	}
}
