package endpoint

import (
	"context"
	"fmt"

	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Register asks the axis for an agency below one that this endpoint serves: to add or
// change it, or to close it. held is the id under which the request waits for an
// operator, where the policy wants that; ask the same again later to hear what they
// decided. Repeating a request that was carried out succeeds and changes nothing.
//
// It works only while the axis can be reached. Errors are *reason.Error: temporary
// ones may be asked again as they are, and whether the request was carried out is then
// not known; permanent ones name what to mend. The directory has what changed once it
// was pulled, a moment later.
func (a *Agent) Register(ctx context.Context, req *axispb.RegisterRequest) (held string, err error) {
	if !a.isConnected() || !a.recovering.over() {
		return "", reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "not connected")
	}
	var answer axispb.RegisterAnswer
	err = a.step("register", func() error { return a.link.Load().Call(ctx, bus.Register, req, &answer) })
	if err != nil {
		return "", err
	}
	if answer.Held != "" {
		return answer.Held, nil
	}
	proven, err := a.trust.Receipt(answer.Receipt, nil)
	if err == nil {
		if k := proven.Header.GetKind(); k != axispb.Kind_KIND_REGISTRY && k != axispb.Kind_KIND_RECOVERED {
			err = fmt.Errorf("receipt of a %s", k)
		}
	}
	if err != nil {
		a.needsPull(err)
		return "", notProven(err)
	}
	ring(a.wake.pull)
	return "", nil
}

// notProven is for an answer that does not show what it says: nothing is believed of
// it, and asking again does no harm.
func notProven(err error) error {
	return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "the axis's answer makes no sense").Because(err)
}
