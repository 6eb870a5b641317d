package axis

import (
	"context"

	operator "docaxis/axis/admin"
	"docaxis/axis/ledger"
	"docaxis/proto/axispb"
)

// Waiting lists who has not received, since when and why, and counts all of them.
func (h *Hub) Waiting(ctx context.Context, f operator.WaitingFilter) (operator.WaitingList, error) {
	filter := ledger.Filter{Code: f.Code, Endpoint: f.Endpoint, BeforeMS: f.BeforeMS, Urgent: f.Urgent, States: []axispb.State{
		axispb.State_STATE_ACCEPTED, axispb.State_STATE_CONSIGNMENT_FAILED, axispb.State_STATE_HANDOVER_FAILED,
	}}
	if f.DMS {
		filter.States = append(filter.States, axispb.State_STATE_CONSIGNED)
	}
	if a, ok := h.registry.Agency(f.Code); ok {
		filter.Code = a.Code
	}
	if f.Limit <= 0 {
		f.Limit = 1000
	}
	out := operator.WaitingList{ByWhy: map[string]uint64{}, Rows: []operator.Waiting{}}
	counts, err := h.ledger.Backlogs(ctx, filter)
	if err != nil {
		return out, err
	}
	for _, b := range counts {
		out.Total += b.Count
		out.ByWhy[h.why(b.State, b.Endpoint)] += b.Count
	}
	all, err := h.ledger.Outstanding(ctx, filter, f.Limit)
	for _, o := range all {
		out.Rows = append(out.Rows, h.waiting(o))
	}
	return out, err
}

func (h *Hub) waiting(o ledger.Outstanding) operator.Waiting {
	w := operator.Waiting{
		Document: o.ID, LeafIndex: o.Document, Sender: o.Sender, Subject: o.Subject, Code: o.Code, Serving: o.Serving,
		Endpoint: o.Endpoint, State: StateName(o.State), Urgent: o.Lane == axispb.Lane_LANE_URGENT,
		SinceMS: o.SinceMS, DeadlineMS: o.DeadlineMS, Why: h.why(o.State, o.Endpoint),
	}
	if a, ok := h.registry.Agency(o.Serving); ok {
		w.Name = a.Name
	}
	return w
}

// why names what a document waits for.
func (h *Hub) why(s axispb.State, endpoint string) string {
	switch {
	case s == axispb.State_STATE_CONSIGNED:
		return "dms"
	case s != axispb.State_STATE_ACCEPTED:
		return "failed"
	case h.broker.IsConnected(endpoint) && h.heard.hasNoRoom(endpoint):
		return "disk"
	case h.broker.IsConnected(endpoint):
		return "fetching"
	}
	return "away"
}
