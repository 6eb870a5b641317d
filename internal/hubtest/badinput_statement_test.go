package hubtest_test

import (
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	operator "docaxis/axis/admin"
	"docaxis/internal/bus"
	"docaxis/internal/evidence"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// stated is a statement that the axis must not take; after it, a true one counts.
func stated(of func(*siege) parcel, code string, edit func(*axispb.Statement)) func(*testing.T, *siege) told {
	return func(t *testing.T, s *siege) told {
		st := s.about(t, of(s), code)
		if edit != nil {
			edit(st)
		}
		var got *axispb.EvidenceOutcome
		s.attack(t, nil, func() { got = s.offer(t, st) })
		if got.GetRefused() == nil {
			t.Fatalf("taken: %v", got)
		}
		s.counted-- // a refused statement used up no counter
		return told{"answered", got.GetRefused()}
	}
}

func (s *siege) offer(t *testing.T, st *axispb.Statement) *axispb.EvidenceOutcome {
	t.Helper()
	return s.offerBytes(t, s.sign(t, st))
}

func (s *siege) offerBytes(t *testing.T, raw []byte) *axispb.EvidenceOutcome {
	t.Helper()
	answer := new(axispb.EvidenceAnswer)
	mustBody(t, s.raw.ask(t, bus.Evidence, &axispb.EvidenceRequest{Evidence: [][]byte{raw}}), answer)
	return answer.GetOutcomes()[0]
}

// decided is where a receipted statement is and what was decided about it.
func decided(t *testing.T, o *axispb.EvidenceOutcome) (uint64, *axispb.EvidenceDecision) {
	t.Helper()
	r, d := new(axispb.Receipt), new(axispb.Decision)
	if err := proto.Unmarshal(o.GetReceipt(), r); err != nil || len(o.GetReceipt()) == 0 {
		t.Fatalf("no receipt: %v (%v)", o, err)
	}
	if err := proto.Unmarshal(r.GetDecision(), d); err != nil {
		t.Fatal(err)
	}
	return r.GetLeafIndex(), d.GetEvidence()
}

func statementCases() []badCase {
	crossed, shared := func(s *siege) parcel { return s.crossed }, func(s *siege) parcel { return s.shared }
	const answered = "answered"
	return []badCase{
		{
			"evidence by one who is no recipient", stated(crossed, "H41", nil), answered, "NOT_RECIPIENT",
			[]string{"không phải nơi nhận văn bản cho mã H41", "đề nghị quản trị trục kiểm tra"},
			[]string{"no recipient of the document for H41", "Ask the operator"},
		},
		{
			"evidence for an unknown epoch", stated(shared, "H25", func(st *axispb.Statement) { st.Document.Epoch = 99 }), answered, "UNKNOWN_RECORD",
			[]string{"xác nhận nêu một bản ghi khác", "báo quản trị trục"},
			[]string{"another record than the journal has", "tell the operator"},
		},
		{
			"evidence that names a log never signed", stated(shared, "H25", func(st *axispb.Statement) { st.Checkpoint.Root = sum(nil) }), answered, "SPLIT_VIEW",
			[]string{"chưa từng ký", "báo ngay quản trị trục"},
			[]string{"this log never signed", "tell the operator of the axis and an auditor"},
		},
		{
			"evidence with an absurd counter", stated(shared, "H25", func(st *axispb.Statement) { st.Counter = math.MaxUint64 }), answered, "MALFORMED",
			[]string{"Yêu cầu không đúng giao thức", "Hãy cập nhật phần mềm"},
			[]string{"not one that the axis's protocol knows", "Update the endpoint's software"},
		},
		{
			"evidence by another's key", anothersKey, answered, "EVIDENCE_SIGNATURE",
			[]string{"Chữ ký của xác nhận không khớp", "Hãy kiểm tra khóa"},
			[]string{"does not agree with its certificate", "Check the endpoint's key"},
		},
		{
			"evidence back-dated to before its certificate", stated(shared, "H25", func(st *axispb.Statement) { st.TimeMs -= (365 * day).Milliseconds() }), answered, "EVIDENCE_SIGNATURE",
			[]string{"chứng thư số chỉ có hiệu lực từ", "Hãy kiểm tra khóa"},
			[]string{"certificate is valid from", "Check the endpoint's key"},
		},
		{
			"evidence back-dated, repeated, contradicting", backDatedRepeatedContrary, answered, "COUNTER_REUSED",
			[]string{"Số thứ tự xác nhận", "Hãy dừng bản thừa"},
			[]string{"was already used for other content", "Stop the copy"},
		},
		{
			"invitation used twice", usedTwice, answered, "INVITATION_INVALID",
			[]string{"đã được dùng", "cấp thư mời mới"},
			[]string{"unknown or was used", "Ask the operator of the axis for a new one"},
		},
	}
}

func anothersKey(t *testing.T, s *siege) told {
	st := s.about(t, s.shared, "H25")
	st.Issuer = s.receiver.Name
	var got *axispb.EvidenceOutcome
	s.attack(t, nil, func() { got = s.offer(t, st) })
	s.counted--
	return told{"answered", got.GetRefused()}
}

// backDatedRepeatedContrary: all three are recorded as what they are, and flagged;
// the first counts. Another statement under a counter that was used is refused.
func backDatedRepeatedContrary(t *testing.T, s *siege) told {
	first := s.about(t, s.shared, "H25")
	first.TimeMs -= time.Hour.Milliseconds()
	raw := s.sign(t, first)
	at, d := decided(t, s.offerBytes(t, raw))
	if !d.GetClockOff() || d.GetStanding() != axispb.Standing_STANDING_FIRST {
		t.Errorf("back-dated: %v", d)
	}
	s.settle(t)
	again := s.about(t, s.shared, "H25")
	s.attack(t, nil, func() {
		if leaf, _ := decided(t, s.offerBytes(t, raw)); leaf != at {
			t.Errorf("the same bytes: leaf %d, not %d", leaf, at)
		}
		if leaf, _ := decided(t, s.offer(t, again)); leaf != at {
			t.Errorf("said again: leaf %d, not %d", leaf, at)
		}
	})
	contrary := s.about(t, s.shared, "H25")
	contrary.Event = axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE
	contrary.Reason = &axispb.Reason{Code: axispb.ReasonCode_REASON_STORE_FAILED, Args: []string{"x"}}
	if _, d := decided(t, s.offer(t, contrary)); d.GetStanding() != axispb.Standing_STANDING_CONTRARY {
		t.Errorf("contrary: %v", d)
	}
	s.settle(t)
	expect(t, "the sender sees", evidence.EventName(axispb.Event_EVENT_CONTENT_CONSIGNMENT), s.firstSaid(t, "H25"))
	reused := s.about(t, s.shared, "H25")
	reused.Counter = contrary.Counter
	var got *axispb.EvidenceOutcome
	s.attack(t, nil, func() { got = s.offer(t, reused) })
	return told{"answered", got.GetRefused()}
}

// firstSaid is the event that counts for a recipient of the shared document, flagged
// as back-dated, in the sender's eyes; the contrary one stands behind it.
func (s *siege) firstSaid(t *testing.T, code string) string {
	t.Helper()
	story, err := s.sender.Agent().Show(s.shared.envelope.Document.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range story.Recipients {
		if line.Code != code {
			continue
		}
		said := line.Steps[1:]
		if line.State != axispb.State_STATE_CONSIGNED || len(said) != 2 || !said[0].ClockOff || said[1].Standing != axispb.Standing_STANDING_CONTRARY {
			t.Errorf("%v %+v", line.State, said)
		}
		return said[0].Event
	}
	return ""
}

func usedTwice(t *testing.T, s *siege) told {
	invited, err := s.Hub().Invite(t.Context(), operator.Invite{Why: byTest, Codes: []string{"H28"}})
	if reason.Is(err, axispb.ReasonCode_REASON_REGISTRY_CONFLICT) {
		invited, err = s.Hub().Invite(t.Context(), operator.Invite{Why: byTest, Codes: []string{"H42"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	i, err := bus.ParseInvite(invited.Invitation)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Enrol(t.Context(), newRequest(t, "x")); err != nil {
		t.Fatal(err)
	}
	s.settle(t)
	s.attack(t, nil, func() { _, err = i.Enrol(t.Context(), newRequest(t, "y")) })
	return told{"answered", reason.Of(err)}
}
