package axis

import (
	"context"
	"fmt"

	"docaxis/axis/registry"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// underWay is more statements than an endpoint can have on the way to the appender
// (docs/protocol.md, sections 3 and 8: 8 requests of 100). Those that the connections
// of a re-issued endpoint had sent before they were cut may still be taken.
const underWay = 1000

// goesOn tells a re-issued endpoint what it serves, and from which counter on its
// statements cannot meet one that it made before.
func (h *Hub) goesOn(ctx context.Context, answer *axispb.EnrolAnswer) error {
	counter, err := h.ledger.Counter(ctx, answer.Endpoint)
	if err != nil {
		return err
	}
	e, _ := h.registry.Endpoint(answer.Endpoint)
	answer.Codes, answer.Counter = e.Codes, counter+underWay
	return nil
}

// meantFor refuses an invitation to a folder that is another endpoint's already,
// before it is used up.
func meantFor(inv registry.Invitation, endpoint string) error {
	if endpoint == "" || endpoint == inv.Endpoint {
		return nil
	}
	return reason.Permanent(axispb.ReasonCode_REASON_FORBIDDEN,
		fmt.Sprintf("the invitation is for endpoint %s, and this folder is endpoint %s", inv.Endpoint, endpoint))
}

func (h *Hub) isRevoked(endpoint string) bool {
	e, ok := h.registry.Endpoint(endpoint)
	return ok && e.Revoked
}

// justReissued refuses a renewal that whoever held an ended certificate may have
// asked for. The registry would refuse it too, but for good.
func (h *Hub) justReissued(endpoint string) error {
	e, _ := h.registry.Endpoint(endpoint)
	if h.now().Sub(e.Reissued()) >= registry.RenewalPause {
		return nil
	}
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the endpoint was re-issued within the last hour")
}
