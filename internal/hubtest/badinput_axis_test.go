package hubtest_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/endpoint"
	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// axisCases are what an honest endpoint takes, since it cannot know better or
// leaves the word to the axis.
func axisCases() []badCase {
	const refused = "refused"
	return []badCase{
		{
			"closed code without a successor", mendedTo([]string{"H61"}, "H41"), refused, "CLOSED_CODE",
			[]string{"H61 đã đóng và không có cơ quan kế thừa", "Hãy chọn nơi nhận khác"},
			[]string{"H61 is closed and has no successor", "Choose another recipient"},
		},
		{
			"closed code with several successors", mendedTo([]string{"H28"}, "H41"), refused, "SEVERAL_SUCCESSORS",
			[]string{"H28 đã đóng và có nhiều cơ quan kế thừa: H41, H42", "Hãy chọn đúng cơ quan kế thừa"},
			[]string{"H28 is closed and has several successors: H41, H42", "Choose the right one"},
		},
		{
			"several recipients, none can be served", mendedTo([]string{"H28", "H61"}, "H41"), refused, "NO_RECIPIENT",
			[]string{"Không còn nơi nhận nào gửi được", "Hãy"},
			[]string{"No recipient remains", "mend the list"},
		},
		{"closed code with one successor", routed, "routed and recorded", "", nil, nil},
		{
			"one of two recipients not served", oneOfTwo, "in the receipt", "NOT_SERVED",
			[]string{"Ủy ban nhân dân tỉnh Hưng Yên (H60) chưa được kết nối", "Hãy gửi bằng cách khác"},
			[]string{"Ủy ban nhân dân tỉnh Hưng Yên (H60) is not connected", "Send by other means"},
		},
		{
			"agency not served", notServed, refused, "NOT_SERVED",
			[]string{"(H60) chưa được kết nối với trục", "hoặc gửi lại sau khi cơ quan này đã kết nối"},
			[]string{"(H60) is not connected to the axis yet", "send again once the agency is connected"},
		},
		{
			"answer to a document that is not there", unknownTarget, refused, "UNKNOWN_TARGET",
			[]string{"Không có văn bản nào của H41 mang mã", "Hãy chọn lại văn bản liên quan"},
			[]string{"No document of H41 has the id", "Choose the document that is meant"},
		},
		{
			"file altered on the sender's disk", damagedHere(func(t *testing.T, path string) {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				b[0] ^= 1
				replace(t, path, b)
			}), "parked", "DIGEST_MISMATCH",
			[]string{"“tệp 1.bin” khác với nội dung đã ký", "Hãy kiểm tra tệp"},
			[]string{"“tệp 1.bin” is not what was sealed", "Check the file"},
		},
		{
			"file gone from the sender's disk", damagedHere(func(t *testing.T, path string) {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}), "parked", "DIGEST_MISMATCH",
			[]string{"“tệp 1.bin” khác với nội dung đã ký", "gửi lại"},
			[]string{"“tệp 1.bin” is not what was sealed", "send again"},
		},
	}
}

// mendedTo is refused with some recipients, and arrives with another.
func mendedTo(bad []string, good string) func(*testing.T, *siege) told {
	return func(t *testing.T, s *siege) told {
		got := s.refusedByAxis(t, draftTo(t, bad...))
		s.arrives(t, draftTo(t, good))
		return got
	}
}

// routed: one successor is no refusal. Who is named gets it by the successor, and
// that is recorded.
func routed(t *testing.T, s *siege) told {
	d := draftTo(t, "H27")
	s.arrives(t, d)
	story, err := s.sender.Agent().Show(d.Document.ID)
	if err != nil || len(story.Recipients) != 1 || story.Recipients[0].Code != "H27" || story.Recipients[0].ServingCode != "H41" {
		t.Errorf("%+v (%v)", story.Recipients, err)
	}
	at, err := s.receiver.Agent().Show(d.Document.ID)
	if err != nil || len(at.Received) != 1 || at.Received[0].Code != "H27" {
		t.Errorf("received %+v (%v)", at.Received, err)
	}
	return told{"routed and recorded", nil}
}

// oneOfTwo: the other recipient gets it, and sender and operator see why the first
// did not.
func oneOfTwo(t *testing.T, s *siege) told {
	d := draftTo(t, "H60", "H41")
	id, err := s.sender.Agent().Send(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, s.receiver, id, axispb.State_STATE_CONSIGNED)
	s.settle(t)
	story, err := s.sender.Agent().Show(id)
	if err != nil {
		t.Fatal(err)
	}
	var why *axispb.Reason
	for _, line := range story.Recipients {
		if line.Code == "H60" && line.State == axispb.State_STATE_REJECTED {
			why = line.Steps[len(line.Steps)-1].Reason
		}
	}
	known, err := s.Hub().Documents(t.Context(), id)
	if err != nil || len(known) != 1 {
		t.Fatalf("%+v, %v", known, err)
	}
	for _, r := range known[0].Recipients {
		if r.Code == "H60" && (r.ReasonVI != reason.Sentence(why, reason.Vietnamese) || r.Reason != reason.Sentence(why, reason.English)) {
			t.Errorf("the operator reads %q, the clerk %q", r.ReasonVI, reason.Sentence(why, reason.Vietnamese))
		}
	}
	return told{"in the receipt", why}
}

// notServed goes under the same id once somebody serves the agency: by the clerk's
// retry, and by the system that sends it again. The refusals stay proved.
func notServed(t *testing.T, s *siege) told {
	retried, resent := draftTo(t, "H60"), copyOf(draftTo(t, "H60"), "một tệp")
	got := s.refusedByAxis(t, retried)
	s.refusedByAxis(t, copyOf(resent, "một tệp"))
	again := s.refusedAgain(t, retried.Document.ID)
	if _, err := s.Join(t.Context(), "H60"); err != nil {
		t.Fatal(err)
	}
	s.arrives(t, copyOf(resent, "một tệp"))
	desk := endpoint.Clerk(s.sender.Agent())
	if err := desk.Retry(t.Context(), retried.Document.ID); err != nil {
		t.Fatal(err)
	}
	wait(t, s.sender, retried.Document.ID, axispb.State_STATE_CONSIGNED)
	events := strings.Join(steps(t, s.sender, retried.Document.ID), " ")
	expect(t, "its story", events, "SubmissionRejection SubmissionRejection SubmissionAcceptance ContentConsignment")
	if err := desk.Retry(t.Context(), retried.Document.ID); !reason.Is(err, axispb.ReasonCode_REASON_STATE) {
		t.Errorf("retry of what was accepted: %v", err)
	}
	expect(t, "the second refusal", reasonText(again), reasonText(got.why))
	s.settle(t)
	return got
}

// refusedAgain retries what is still wrong.
func (s *siege) refusedAgain(t *testing.T, id string) *axispb.Reason {
	t.Helper()
	if err := endpoint.Clerk(s.sender.Agent()).Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.stuck(t, id, axispb.State_STATE_REJECTED)
	return s.lastRefusal(t, id)
}

func unknownTarget(t *testing.T, s *siege) told {
	d := draftTo(t, "H41")
	d.Document.Kind = envelope.KindReply
	d.Document.References = []envelope.Reference{{Sender: "H41", ID: newID(t), Relation: envelope.RelationTarget}}
	got := s.refusedByAxis(t, d)
	s.arrives(t, draftTo(t, "H41"))
	return got
}

// damagedHere spoils a file that was sealed before it could be uploaded. Once the
// file is as it was, the document goes by the clerk's retry.
func damagedHere(spoil func(t *testing.T, path string)) func(*testing.T, *siege) told {
	return func(t *testing.T, s *siege) told {
		s.offline.Store(true)
		content := "sẽ hỏng " + newID(t)
		d := copyOf(draftTo(t, "H41"), content)
		id, err := s.sender.Agent().Send(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		digest := fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
		path := filepath.Join(s.sender.Dir, "content", "files", digest[:2], digest)
		spoil(t, path)
		s.offline.Store(false)
		s.stuck(t, id, axispb.State_STATE_PARKED)
		e, err := s.sender.Agent().Sent(id)
		if err != nil {
			t.Fatal(err)
		}
		replace(t, path, []byte(content))
		if err := endpoint.Clerk(s.sender.Agent()).Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
		s.settle(t)
		return told{"parked", e.GetTrouble().GetReason()}
	}
}

func replace(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
