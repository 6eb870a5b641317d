package endpoint

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/axistest"
	"docaxis/internal/bus"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

func put(code, parent string) *axispb.RegisterRequest {
	return &axispb.RegisterRequest{Put: &axispb.Agency{Code: code, Name: "Văn phòng", Parent: parent, Level: axispb.Level_LEVEL_UNIT}}
}

// A request whose answer was lost is asked again and succeeds; the directory follows.
func TestRegisteringIsRepeated(t *testing.T) {
	w, from, to := pair(t)
	left := 1
	w.axis.Lock()
	w.axis.Hook = func(_ string, s bus.Service, when string) error {
		if s == bus.Register && when == "after" && left > 0 {
			left--
			return axistest.Away()
		}
		return nil
	}
	w.axis.Unlock()
	if _, err := from.agent.Register(t.Context(), put("H41.01", "H41")); err == nil || !reason.IsTemporary(err) {
		t.Fatalf("the answer was lost: %v", err)
	}
	for range 2 {
		if held, err := from.agent.Register(t.Context(), put("H41.01", "H41")); held != "" || err != nil {
			t.Fatalf("asked again: %q, %v", held, err)
		}
	}
	for _, o := range []*office{from, to} {
		o.until("the directory has it", func() bool {
			e, err := o.agent.Lookup("H41.01")
			return err == nil && e.GetEndpoint() == from.name
		})
	}
	if _, err := to.agent.Register(t.Context(), put("H41.02", "H41")); !reason.Is(err, axispb.ReasonCode_REASON_PARENT) || reason.IsTemporary(err) {
		t.Errorf("below another's: %v", err)
	}
	w.axis.SetOnline("from", false)
	from.until("the line is down", func() bool { return !from.agent.isConnected() })
	if _, err := from.agent.Register(t.Context(), put("H41.03", "H41")); err == nil || !reason.IsTemporary(err) {
		t.Errorf("without the axis: %v", err)
	}
}

// What waits for an operator is told by its id, and an answer that proves nothing is
// not believed.
func TestRegisteringBelievesProofsAlone(t *testing.T) {
	w, from, _ := pair(t)
	w.axis.Lock()
	w.axis.HoldRequests = true
	w.axis.Unlock()
	first, err := from.agent.Register(t.Context(), put("H41.01", "H41"))
	again, err2 := from.agent.Register(t.Context(), put("H41.01", "H41"))
	if first == "" || first != again || err != nil || err2 != nil {
		t.Fatalf("%q, %v; %q, %v", first, err, again, err2)
	}
	w.axis.Lock()
	w.axis.HoldRequests = false
	w.axis.Tamper = func(_ string, s bus.Service, m proto.Message) {
		if a, ok := m.(*axispb.RegisterAnswer); ok && s == bus.Register {
			a.Receipt = nil
		}
	}
	w.axis.Unlock()
	if held, err := from.agent.Register(t.Context(), put("H41.01", "H41")); held != "" || err == nil || !reason.IsTemporary(err) {
		t.Errorf("an answer without a proof: %q, %v", held, err)
	}
}
