package intake

import (
	"context"
	"errors"
	"testing"
	"time"

	"docaxis/internal/envelope"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// patient looks at files for as long as a test says.
type patient struct {
	begun chan lookAt
	end   chan error
	why   *axispb.Reason
}

func (p *patient) Asks(string) axispb.FilePolicy { return axispb.FilePolicy_FILE_POLICY_SOUND }

func (p *patient) Refuses(ctx context.Context, asked axispb.FilePolicy, e *envelope.Envelope) (*axispb.Reason, error) {
	p.begun <- lookAt{manifest: e.ManifestDigest, policy: asked}
	select {
	case err := <-p.end:
		return p.why, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type filesRig struct {
	*Intake
	*patient
	t     *testing.T
	now   time.Time
	ended chan struct{}
}

func newFilesRig(t *testing.T) *filesRig {
	r := &filesRig{
		t: t, patient: &patient{begun: make(chan lookAt, 100), end: make(chan error)},
		now: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), ended: make(chan struct{}),
	}
	r.Intake = &Intake{judging: newJudging(r.patient, func() time.Time { return r.now }, r.ended)}
	return r
}

func document(endpoint string, n byte) *submission {
	e := &envelope.Envelope{Document: &envelope.Document{Sender: "H41"}}
	e.ManifestDigest[0] = n
	return &submission{endpoint: endpoint, envelope: e}
}

// gone is a request that has ended.
func gone(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func (r *filesRig) ask(ctx context.Context, s *submission) error {
	return r.examineFiles(ctx, s, 1)
}

func (r *filesRig) takes(c <-chan lookAt, what string) {
	r.t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		r.t.Fatal(what)
	}
}

// ends ends the look that goes on.
func (r *filesRig) ends(err error) {
	r.t.Helper()
	select {
	case r.end <- err:
	case <-time.After(20 * time.Second):
		r.t.Fatal("no look goes on")
	}
}

// A look goes on when its request ends, and its outcome, of either kind, is that of the
// repetition; what could not be read is looked at anew, and everything after a while.
func TestALookOutlivesItsRequest(t *testing.T) {
	r := newFilesRig(t)
	for i, want := range []axispb.ReasonCode{0, axispb.ReasonCode_REASON_FILE_PROBLEM} {
		if want != 0 {
			r.why = &axispb.Reason{Code: want, Args: []string{"H41", "a.pdf", "x"}}
		}
		s := document("e1", byte(i))
		if err := r.ask(gone(t), s); !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
			t.Fatal(err)
		}
		r.takes(r.begun, "the look did not begin")
		r.ends(nil)
		err := r.ask(t.Context(), document("e1", byte(i)))
		if want == 0 && err != nil || want != 0 && !reason.Is(err, want) {
			t.Errorf("the repetition is answered: %v", err)
		}
		if len(r.begun) > 0 {
			t.Error("it was looked at twice")
		}
	}
	s := document("e1", 9)
	_ = r.ask(gone(t), s)
	r.takes(r.begun, "the look did not begin")
	r.ends(errors.New("set aside"))
	again := make(chan error)
	go func() { again <- r.ask(t.Context(), s) }()
	for range 1000 {
		select {
		case err := <-again: // that look's own end
			if !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
				t.Fatal(err)
			}
			go func() { again <- r.ask(t.Context(), s) }()
			continue
		case <-r.begun:
		case <-time.After(20 * time.Second):
			t.Fatal("what could not be read is not looked at anew")
		}
		break
	}
	r.ends(nil)
	select {
	case err := <-again:
		if !reason.Is(err, axispb.ReasonCode_REASON_FILE_PROBLEM) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the look has no outcome")
	}
	r.now = r.now.Add(judgedFor)
	_ = r.ask(gone(t), s)
	r.takes(r.begun, "an outcome is known for ever")
	close(r.ended)
}

// An endpoint's looks are bounded, and one after another; another's are beside them.
func TestLooksOfOneEndpointAreBounded(t *testing.T) {
	r := newFilesRig(t)
	for i := range byte(mostLooks) {
		_ = r.ask(gone(t), document("e1", i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := r.ask(ctx, document("e1", mostLooks))
	if !errors.Is(err, errLooks) || !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
		t.Errorf("one more: %v", err)
	}
	_ = r.ask(gone(t), document("e2", 0))
	r.takes(r.begun, "no look")
	r.takes(r.begun, "the other endpoint's look waits")
	if len(r.begun) > 0 {
		t.Error("two of one endpoint's at once")
	}
	for range mostLooks + 1 {
		r.ends(nil)
	}
	if err := r.ask(t.Context(), document("e1", 0)); err != nil {
		t.Error(err)
	}
	close(r.ended)
}

// When the axis stops, looks stop with it.
func TestLooksEndWithTheAxis(t *testing.T) {
	r := newFilesRig(t)
	got := make(chan error)
	go func() { got <- r.ask(t.Context(), document("e1", 0)) }()
	r.takes(r.begun, "the look did not begin")
	close(r.ended)
	select {
	case err := <-got:
		if !reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
}
