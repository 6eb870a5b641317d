package hubtest_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// A recipient that is away when the deadline passes: the axis states the failure;
// when it comes back, its consignment supersedes that.
func TestAPassedDeadlineIsStatedAndNotTheEnd(t *testing.T) {
	var ahead atomic.Int64 // of the real clock
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	w := world(t, hubtest.Config{Now: now, ExpireEvery: 20 * time.Millisecond}, "G22", "H41")
	if err := w.Member("H41").Stop(); err != nil {
		t.Fatal(err)
	}
	id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}, Deadline: now().Add(time.Hour).UnixMilli()}, []byte("x"))
	wait(t, w.Member("G22"), id, axispb.State_STATE_ACCEPTED)
	ahead.Store(int64(2 * time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := w.Member("G22").Agent().Wait(ctx, id, axispb.State_STATE_CONSIGNED)
	if !errors.Is(err, endpoint.ErrStuck) {
		t.Fatalf("error %v: the failure did not come", err)
	}
	if got := steps(t, w.Member("G22"), id); !slices.Equal(got, []string{"SubmissionAcceptance", "ContentConsignmentFailure"}) {
		t.Fatalf("steps %q", got)
	}
	if err := w.Member("H41").Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, w.Member("H41"), id, axispb.State_STATE_CONSIGNED)
	waitSteps(t, w.Member("G22"), id, "SubmissionAcceptance", "ContentConsignmentFailure", "ContentConsignment supersedes")
}

// steps lists a document's evidence as the member shows it; all of it must hold.
func steps(t *testing.T, m *hubtest.Member, id string) (events []string) {
	t.Helper()
	stories, err := endpoint.Clerk(m.Agent()).Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stories[0].Steps {
		if s.Event == "" {
			continue
		}
		if !s.Verified || s.Problem != "" {
			t.Errorf("%s is not proved: %s", s.Event, s.Problem)
		}
		event := s.Event
		if s.Flagged != "" {
			event += " " + s.Flagged
		}
		events = append(events, event)
	}
	return events
}

// waitSteps polls until a document's evidence is what is wanted.
func waitSteps(t *testing.T, m *hubtest.Member, id string, want ...string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		got := steps(t, m, id)
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("evidence %q, not %q", got, want)
		}
		<-time.After(20 * time.Millisecond)
	}
}
