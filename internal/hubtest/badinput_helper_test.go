package hubtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/directory"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// limitFiles gives an endpoint, before it starts, a limit on what it sends.
func (s *siege) limitFiles(t *testing.T, m *hubtest.Member) {
	t.Helper()
	path := filepath.Join(m.Dir, endpoint.SettingsFile)
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("%s\n[limits]\nfile_bytes = %d\n", was, fileHere)
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
}

// directoryKnows waits until the sender's directory has an agency that is served.
func (s *siege) directoryKnows(t *testing.T, code string) {
	t.Helper()
	until(t, "the directory knows "+code, func() bool {
		all, err := s.sender.Agent().Agencies(directory.Filter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.GetAgency().GetCode() == code && a.GetEndpoint() != "" {
				return true
			}
		}
		return false
	})
}

// only does something wrong in the name of an endpoint, about a document, and holds
// that nothing changed but what tells of just that.
func (s *siege) only(t *testing.T, who *hubtest.Member, id string, do func()) {
	t.Helper()
	before := s.state(t)
	do()
	after := s.state(t)
	number := after.number(who.Name)
	for _, line := range before.changes(after) {
		if !tellsOf(line, who, number, id) {
			t.Errorf("changed: %s", line)
		}
	}
}

// tellsOf reports whether a changed line is the refusal of a document, what follows
// from its record, what its sender uploaded, or what its sender's clerk sees.
func tellsOf(line string, who *hubtest.Member, number, id string) bool {
	has := func(start string, rest ...string) bool {
		for _, r := range rest {
			if !strings.Contains(line, r) {
				return false
			}
		}
		return strings.HasPrefix(line, start)
	}
	switch {
	case has("+hash "), has("+position "), has("-position "), has("+starts "), has("-starts "):
		return true
	case has("+refusal ", "endpoint="+number+" "), has("+endpoint ", "name="+who.Name):
		return true
	case has("+record ", fmt.Sprintf("kind=%d ", axispb.Kind_KIND_EVIDENCE)):
		return true // refusals, as the next line holds
	case has("+evidence ", "document=<nil>", "issuer=axis", fmt.Sprintf("event=%d ", axispb.Event_EVENT_SUBMISSION_REJECTION)):
		return true
	case has("+possession ", "endpoint="+who.Name), has("-possession ", "endpoint="+who.Name), has("+usage ", "endpoint="+who.Name), has("-usage ", "endpoint="+who.Name):
		return true
	case has("+file /chunks/"), has("+file /parts/"):
		return true // what the possession is of
	}
	return id != "" && (has("+outbox of "+who.Code+" ", id) || has("-outbox of "+who.Code+" ", id))
}

// atOnce sends what the endpoint itself refuses: nothing at all may change.
func (s *siege) atOnce(t *testing.T, d endpoint.Draft) told {
	t.Helper()
	var got told
	s.attack(t, nil, func() {
		id, err := s.sender.Agent().Send(t.Context(), d)
		if reason.IsTemporary(err) {
			t.Fatalf("sent %q: %v", id, err)
		}
		got = told{"at once", reason.Of(err)}
	})
	return got
}

// refusedByAxis sends what the endpoint takes and the axis refuses, and reads what
// the clerk sees: the signed reason with the receipt of its record.
func (s *siege) refusedByAxis(t *testing.T, d endpoint.Draft) told {
	t.Helper()
	var got told
	s.only(t, s.sender, d.Document.ID, func() {
		id, err := s.sender.Agent().Send(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		s.stuck(t, id, axispb.State_STATE_REJECTED)
		got = told{"refused", s.lastRefusal(t, id)}
	})
	return got
}

// stuck waits until a submission does not go on by itself.
func (s *siege) stuck(t *testing.T, id string, want axispb.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := s.sender.Agent().Wait(ctx, id, axispb.State_STATE_ACCEPTED)
	e, err2 := s.sender.Agent().Sent(id)
	if !errors.Is(err, endpoint.ErrStuck) || err2 != nil || e.State != want {
		t.Fatalf("%s is %v (%v, %v): %v", id, e.GetState(), err, err2, e.GetTrouble())
	}
}

// lastRefusal is the reason of the last step of a story; it must be proved.
func (s *siege) lastRefusal(t *testing.T, id string) *axispb.Reason {
	t.Helper()
	story, err := s.sender.Agent().Show(id)
	if err != nil {
		t.Fatal(err)
	}
	last := story.Steps[len(story.Steps)-1]
	if last.Event != "SubmissionRejection" || !last.Verified || len(last.Receipt) == 0 {
		t.Errorf("the last step is %+v", last)
	}
	desk, err := endpoint.Clerk(s.sender.Agent()).Outbox(t.Context(), clerk.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range desk {
		if d.ID == id && (d.Trouble == nil || d.Trouble.Vietnamese != reason.Sentence(last.Reason, reason.Vietnamese)) {
			t.Errorf("the list shows %+v", d.Trouble)
		}
	}
	return last.Reason
}

// arrives sends a document, mended, and waits until its recipients have it.
func (s *siege) arrives(t *testing.T, d endpoint.Draft) {
	t.Helper()
	id, err := s.sender.Agent().Send(t.Context(), d)
	if err != nil || id != d.Document.ID {
		t.Fatalf("mended: %q, %v", id, err)
	}
	wait(t, s.sender, id, axispb.State_STATE_CONSIGNED)
	s.settle(t)
}

// draftTo is a document with a small file, under an id that its sender chose.
func draftTo(t *testing.T, codes ...string) endpoint.Draft {
	t.Helper()
	return draft(envelope.Document{
		ID: newID(t), Sender: "G22", To: codes, Kind: envelope.KindDocument, Subject: "Công văn thử",
	}, [][]byte{[]byte("nội dung " + newID(t))})
}

// copyOf is the same draft, its files from their beginning.
func copyOf(d endpoint.Draft, content string) endpoint.Draft {
	d.Files = []endpoint.DraftFile{{Title: d.Files[0].Title, Content: strings.NewReader(content)}}
	return d
}
