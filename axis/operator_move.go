package axis

import (
	"context"

	operator "docaxis/axis/admin"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// MoveCodes gives codes to another endpoint. What nobody has consigned yet goes with
// them; what the old endpoint has stays with it.
func (h *Hub) MoveCodes(ctx context.Context, req operator.Move) (operator.Done, error) {
	if len(req.Codes) == 0 {
		return operator.Done{}, reason.Permanent(axispb.ReasonCode_REASON_REGISTRY_CONFLICT, "name at least one code to move")
	}
	var steps []*axispb.Change
	for _, code := range req.Codes {
		steps = append(steps, &axispb.Change{Change: &axispb.Change_ServeCode{
			ServeCode: &axispb.ServeCode{Code: code, Endpoint: req.Endpoint},
		}})
	}
	_, err := h.intake.Change(ctx, "", change(req.Actor, req.Reason, steps...))
	return operator.Done{OK: err == nil}, err
}

// CloseAgency ends an agency. What waits for it goes to its one successor, where it
// has one.
func (h *Hub) CloseAgency(ctx context.Context, req operator.Close) (operator.Done, error) {
	_, err := h.intake.Change(ctx, "", change(req.Actor, req.Reason, &axispb.Change{Change: &axispb.Change_CloseAgency{
		CloseAgency: &axispb.CloseAgency{Code: req.Code, Successors: req.Successors},
	}}))
	return operator.Done{OK: err == nil}, err
}
