package axistest

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// agency is one that an endpoint registered.
type agency struct {
	put    *axispb.Agency
	closed bool
	leaf   uint64 // of the record that changed it last
}

// register takes what the real axis would, as far as a test of an endpoint needs it:
// the parent, or the agency itself, must be the endpoint's. With HoldRequests every
// request waits.
func (a *Axis) register(endpoint string, r *axispb.RegisterRequest) (proto.Message, error) {
	code := r.GetPut().GetCode()
	if r.GetPut() == nil {
		code = r.GetClose()
	}
	switch by, known := a.serving[code]; {
	case known && by != endpoint:
		return nil, reason.Permanent(axispb.ReasonCode_REASON_SERVED_ELSEWHERE, code, code)
	case !known && r.GetPut() == nil:
		return nil, reason.Permanent(axispb.ReasonCode_REASON_UNKNOWN_CODE, code)
	case !known && a.serving[r.GetPut().GetParent()] != endpoint:
		return nil, reason.Permanent(axispb.ReasonCode_REASON_PARENT, r.GetPut().GetParent())
	}
	was := a.agencies[code]
	if was != nil && (r.GetPut() == nil && was.closed || r.GetPut() != nil && proto.Equal(was.put, r.GetPut())) {
		return &axispb.RegisterAnswer{Receipt: a.receipt(was.leaf)}, nil
	}
	if a.HoldRequests {
		return &axispb.RegisterAnswer{Held: a.hold(endpoint, r)}, nil
	}
	a.agencies[code] = a.registered(endpoint, code, was, r)
	return &axispb.RegisterAnswer{Receipt: a.receipt(a.agencies[code].leaf)}, nil
}

// registered journals what was asked, so that everybody's directory has it.
func (a *Axis) registered(endpoint, code string, was *agency, r *axispb.RegisterRequest) *agency {
	if r.GetPut() == nil {
		next := &agency{closed: true, leaf: a.change(&axispb.Change{Change: &axispb.Change_CloseAgency{
			CloseAgency: &axispb.CloseAgency{Code: code},
		}})}
		if was != nil {
			next.put = was.put
		}
		return next
	}
	a.serving[code] = endpoint
	return &agency{put: r.GetPut(), leaf: a.change(
		&axispb.Change{Change: &axispb.Change_PutAgency{PutAgency: r.GetPut()}},
		&axispb.Change{Change: &axispb.Change_ServeCode{ServeCode: &axispb.ServeCode{Code: code, Endpoint: endpoint}}},
	)}
}

func (a *Axis) hold(endpoint string, r *axispb.RegisterRequest) string {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		a.t.Error(err)
	}
	key := endpoint + " " + string(raw)
	if a.held[key] == "" {
		a.held[key] = fmt.Sprintf("%032x", len(a.held)+1)
	}
	return a.held[key]
}
