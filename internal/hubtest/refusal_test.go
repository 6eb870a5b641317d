package hubtest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// A refusal is as well proved as an acceptance: the sender holds the axis's signed
// reason and the receipt of the record that has it.
func TestARefusalIsProvedToTheSender(t *testing.T) {
	w := world(t, hubtest.Config{}, "G22")
	id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H27"}}, []byte("x"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := w.Member("G22").Agent().Wait(ctx, id, axispb.State_STATE_REJECTED); err != nil {
		t.Fatal(err)
	}
	if got := steps(t, w.Member("G22"), id); !slices.Equal(got, []string{"SubmissionRejection"}) {
		t.Errorf("evidence %q", got)
	}
	stories, err := endpoint.Clerk(w.Member("G22").Agent()).Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	last := stories[0].Steps[len(stories[0].Steps)-1]
	if len(last.Receipt) == 0 || last.Epoch != 1 || last.ReasonVI == "" || last.ReasonEN == "" {
		t.Errorf("step %+v has no receipt or no reason", last)
	}
	known, err := w.Hub().Documents(t.Context(), id)
	if err != nil || len(known) != 1 || known[0].Refused != "NOT_SERVED" {
		t.Errorf("the operator sees %+v (%v)", known, err)
	}
}
