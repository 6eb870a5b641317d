package hubtest_test

import (
	"testing"

	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/proto/axispb"
)

// Promise 4 of DESIGN.md: an endpoint with valid credentials tries every
// subject, reply subject, service, id, digest and code of the others; it gets
// nothing and changes nothing.
func TestAnEndpointGetsNothingOfAnother(t *testing.T) {
	s := besiege(t)
	for _, step := range []struct {
		name string
		try  func(*testing.T, *siege)
	}{
		{"publishing", testPublishing},
		{"listening", testListening},
		{"replies", testReplies},
		{"have", testHave},
		{"put", testPut},
		{"get", testGet},
		{"chunks by resubmission", testResubmission},
		{"submit", testSubmit},
		{"content of others", testForeignContent},
		{"changes", testChanges},
		{"seals", testSeals},
		{"evidence", testEvidence},
		{"forged evidence", testForgedEvidence},
		{"pull", testPull},
		{"proof", testProof},
		{"renew", testRenew},
		{"certificates", testCertificates},
		{"registrations", testRegistrations},
		{"garbage", testGarbage},
		{"restart", testRestart},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.try(t, s)
			s.emptyHanded(t)
		})
	}
}

// What the axis has in memory is what the journal says.
func testRestart(t *testing.T, s *siege) {
	s.attack(t, nil, func() {
		if err := s.StopAxis(); err != nil {
			t.Fatal(err)
		}
		if err := s.StartAxis(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	id := s.send(t, "sau", "H41")
	wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
	s.raw = s.connect(t, s.attacker)
	mustBody(t, s.raw.ask(t, bus.Pull, fromTheStart()), new(axispb.Page))
}

func docTo(codes ...string) envelope.Document {
	return envelope.Document{Sender: "H25", To: codes}
}
