package hubtest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	operator "docaxis/axis/admin"
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

// The policy's deadline counts as of the document's own record, whatever comes after, and
// is computed again from the journal; what is accepted later has that of later.
func TestAPolicyGivesADeadline(t *testing.T) {
	t.Parallel()
	clock := &shifted{}
	w := world(t, hubtest.Config{Now: clock.now, ExpireEvery: 20 * time.Millisecond, Retry: quick}, "G22", "H41")
	sender := w.Member("G22")
	hours := func(code string, consign int) {
		set(t, w, operator.SetPolicy{Code: code, ConsignHours: &consign})
	}
	hours("", 5)
	hours("G22", 1)
	stop(t, w.Member("H41"))
	first := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("một"))
	wait(t, sender, first, axispb.State_STATE_ACCEPTED)
	hours("G22", 0)
	second := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("hai"))
	wait(t, sender, second, axispb.State_STATE_ACCEPTED)

	waiting, err := w.Hub().Waiting(t.Context(), operator.WaitingFilter{})
	if err != nil || len(waiting.Rows) != 2 {
		t.Fatalf("%+v, %v", waiting, err)
	}
	for i, row := range waiting.Rows {
		if h := []int64{1, 5}[i]; row.DeadlineMS != row.SinceMS+h*time.Hour.Milliseconds() || row.Document != []string{first, second}[i] {
			t.Errorf("%+v; want %d hours", row, h)
		}
	}
	before := dump(t, w)
	stopped(t, w, func(dir string) error { return os.Remove(filepath.Join(dir, "ledger.db")) })
	if dump(t, w) != before {
		t.Error("the deadlines of the rebuilt ledger are others")
	}
	clock.pass(90 * time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := sender.Agent().Wait(ctx, first, axispb.State_STATE_CONSIGNED); !errors.Is(err, endpoint.ErrStuck) {
		t.Fatalf("error %v: the failure did not come", err)
	}
	if got := steps(t, sender, second); !slices.Equal(got, []string{"SubmissionAcceptance"}) {
		t.Errorf("the second is late after five hours: %q", got)
	}
	if err := w.Member("H41").Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitSteps(t, sender, first, "SubmissionAcceptance", "ContentConsignmentFailure", "ContentConsignment supersedes")
	waitSteps(t, sender, second, "SubmissionAcceptance", "ContentConsignment")
	check(t, w)
}

// A document that its DMS did not take in time is stated late by its endpoint, once; it
// is still offered, and taking it counts, and is flagged.
func TestALateHandoverIsStatedAndNotTheEnd(t *testing.T) {
	t.Parallel()
	clock := &shifted{}
	w := world(t, hubtest.Config{
		Now: clock.now, Retry: quick,
		AdjustEndpoint: func(_ string, c *endpoint.Config) { c.HandoverEvery = 10 * time.Millisecond },
	}, "G22", "H41")
	sender, m := w.Member("G22"), w.Member("H41")
	in := 24
	set(t, w, operator.SetPolicy{HandoverHours: &in})
	id := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("x"))
	wait(t, sender, id, axispb.State_STATE_CONSIGNED)
	waiting, err := w.Hub().Waiting(t.Context(), operator.WaitingFilter{DMS: true})
	if err != nil || len(waiting.Rows) != 1 || waiting.Rows[0].Why != "dms" || waiting.Rows[0].DeadlineMS == 0 {
		t.Errorf("%+v, %v", waiting, err)
	}
	clock.pass(25 * time.Hour)
	late := []string{"SubmissionAcceptance", "ContentConsignment", "ContentHandoverFailure"}
	waitSteps(t, sender, id, late...)
	stop(t, m)
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stopped(t, w, func(string) error { return nil })
	next := send(t, sender, clerk.Draft{To: []string{"H41"}}, []byte("y"))
	wait(t, sender, next, axispb.State_STATE_CONSIGNED)
	waitSteps(t, sender, id, late...)

	story, err := endpoint.Clerk(sender.Agent()).Show(t.Context(), id)
	if err != nil || !strings.Contains(story[0].Steps[len(story[0].Steps)-1].ReasonVI, "thời hạn") {
		t.Errorf("%+v, %v", story, err)
	}
	check(t, w)
	confirm(t, m, id)
	waitSteps(t, sender, id, append(late, "ContentHandover supersedes")...)
	check(t, w)
}
