package hubtest_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/diskspace"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// total is the size of a test's disk.
const total = 1000 << 30

// The axis's disk fills up, and has room again: new documents wait and say why,
// evidence is taken a while longer, downloads go on, nobody does anything by hand.
func TestTheAxisHasNoRoom(t *testing.T) {
	t.Parallel()
	var free atomic.Uint64
	free.Store(total)
	space := func(string) (diskspace.Space, error) { return diskspace.Space{Free: free.Load(), Total: total}, nil }
	l := newLate(t, hubtest.Config{AxisSpace: space}, "G22", "H41")
	g22, h41 := l.Member("G22"), l.Member("H41")
	passed := 0.0
	becomes := func(bytes uint64) { // and the guard looks again
		free.Store(bytes)
		passed += 0.001
		l.ahead.Store(int64(passed * 24 * float64(time.Hour)))
	}

	before := send(t, g22, clerk.Draft{To: []string{"H41"}}, []byte("before"))
	wait(t, h41, before, axispb.State_STATE_CONSIGNED)
	later := send(t, g22, clerk.Draft{To: []string{"H41"}}, []byte("later"))
	wait(t, h41, later, axispb.State_STATE_CONSIGNED)
	wait(t, g22, later, axispb.State_STATE_CONSIGNED)
	becomes(10 << 30) // less than 2 %, more than a quarter of it
	during := send(t, g22, clerk.Draft{To: []string{"H41"}}, []byte("during"))
	waitsFor(t, g22, during, axispb.ReasonCode_REASON_DISK_FULL)
	if err := endpointConfirm(t, h41, before); err != nil {
		t.Fatal(err)
	}
	wait(t, g22, before, axispb.State_STATE_HANDED_OVER)
	wantStatus(t, l, true, false)
	wantRefusedByDesk(t, l)

	becomes(1 << 30) // not even evidence
	wantStatus(t, l, true, true)
	if err := endpointConfirm(t, h41, later); err != nil {
		t.Fatal(err)
	}
	if err := unsent(t, h41); err == nil {
		t.Error("evidence is taken without any room")
	}
	becomes(21 << 30) // not yet clearly more than 2 %
	wantStatus(t, l, true, false)
	wait(t, g22, later, axispb.State_STATE_HANDED_OVER)
	becomes(23 << 30)
	wait(t, g22, during, axispb.State_STATE_CONSIGNED)
	wantStatus(t, l, false, false)
	wantSizes(t, l)
	allSaid(t, l.World)
	check(t, l.World)
}

func endpointConfirm(t *testing.T, m *hubtest.Member, id string) error {
	_, err := endpoint.Clerk(m.Agent()).Confirm(t.Context(), clerk.Confirm{ID: id})
	return err
}

// waitsFor waits until a document waits at its sender for a reason.
func waitsFor(t *testing.T, m *hubtest.Member, id string, code axispb.ReasonCode) {
	t.Helper()
	eventually(t, "the document waits", func() error {
		story, err := m.Agent().Show(id)
		if err != nil {
			return err
		}
		if got := story.Sent.Trouble.GetReason().GetCode(); got != code {
			return fmt.Errorf("it is %s, because of %s", story.Sent.State, got)
		}
		return nil
	})
}

func wantStatus(t *testing.T, l *late, full, evidenceFull bool) {
	t.Helper()
	s, err := l.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Disks) == 0 {
		t.Fatal("no disks")
	}
	for _, d := range s.Disks {
		if d.Full != full || d.EvidenceFull != evidenceFull || d.Keep != total/50 {
			t.Errorf("disk %+v", d)
		}
	}
}

// wantRefusedByDesk asks as an operator's commands do: what can wait waits.
func wantRefusedByDesk(t *testing.T, l *late) {
	t.Helper()
	c, err := admin.Open(l.AxisDir())
	if err != nil {
		t.Fatal(err)
	}
	err = c.Post(t.Context(), operator.PathInvite, operator.Invite{Codes: []string{"G01"}}, new(operator.Invited))
	if !reason.Is(err, axispb.ReasonCode_REASON_DISK_FULL) {
		t.Errorf("an invitation while the disk is full: %v", err)
	}
	why := operator.Why{Actor: "test", Reason: "the clock is right"}
	if err := c.Post(t.Context(), operator.PathClock, why, new(operator.Done)); err != nil {
		t.Errorf("what mends things is refused: %v", err)
	}
}

// wantSizes asks what everything takes, as the command does.
func wantSizes(t *testing.T, l *late) {
	t.Helper()
	c, err := admin.Open(l.AxisDir())
	if err != nil {
		t.Fatal(err)
	}
	var s operator.Sizes
	if err := c.Get(t.Context(), operator.PathSizes, nil, &s); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Parts {
		if p.Bytes == 0 && p.Name != "parts" && p.Name != "revocation" { // nobody was asked
			t.Errorf("%s takes nothing", p.Name)
		}
		if p.Name == "chunks" && p.Files != 3 {
			t.Errorf("%d chunks, not 3", p.Files)
		}
	}
	if s.Streams != 1 || s.Rows["document"] != 3 || s.Rows["holding"] != 3 {
		t.Errorf("streams %d, rows %v", s.Streams, s.Rows)
	}
}
