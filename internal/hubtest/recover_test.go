package hubtest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/internal/envelope"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// gap is a world whose axis is going to be replaced by an older copy of itself.
type gap struct {
	t       *testing.T
	w       *hubtest.World
	copied  string // the folder as it was
	old     logState
	signed  logState // the largest that was lost
	pending *letter  // accepted in the gap, for an endpoint that is away
	revoked *hubtest.Member
	late    *hubtest.Member // enrolled in the gap
}

const (
	revokedCode = "H42"
	lateCode    = "H25"
)

func newGap(t *testing.T, cfg hubtest.Config) *gap {
	t.Helper()
	cfg.Restart, cfg.Retry, cfg.PullEvery = true, quick, 200*time.Millisecond
	cfg.Agencies = agenciesOfAGap
	g := &gap{t: t, w: world(t, cfg), copied: t.TempDir()}
	joinAll(t, g.w)
	var err error
	if g.revoked, err = g.w.Join(t.Context(), revokedCode); err != nil {
		t.Fatal(err)
	}
	newExchange(t, g.w, 60).play()
	g.old = status(t, g.w)
	stopped(t, g.w, func(dir string) error { return os.CopyFS(g.copied, os.DirFS(dir)) })
	g.fill()
	return g
}

const agenciesOfAGap = `code,name,aliases,parent,level,valid_from,note
G01,Bộ Quốc phòng,000.00.00.G01,,ministry,,
G22,Văn phòng Chính phủ,000.00.00.G22,,ministry,,
H41,Ủy ban nhân dân tỉnh Nghệ An,000.00.00.H41,,province,,
H41.01,Sở Nội vụ,000.00.01.H41,H41,unit,,
H41.11,Ủy ban nhân dân huyện,000.00.11.H41,H41,district,,
H41.11.05,Ủy ban nhân dân xã,000.05.11.H41,H41.11,commune,,
H42,Ủy ban nhân dân tỉnh Ninh Bình,000.00.00.H42,,province,,
H25,Ủy ban nhân dân tỉnh Hà Nam,000.00.00.H25,,province,,
`

// fill does in the gap whatever an axis records: documents, evidence, refusals, an
// endpoint that comes and one that goes, a seal, a code that moves.
func (g *gap) fill() {
	t := g.t
	t.Helper()
	x := newExchange(t, g.w, 61)
	x.play()
	var err error
	if g.late, err = g.w.Join(t.Context(), lateCode, revokedCode); err != nil { // takes the other's code
		t.Fatal(err)
	}
	moved := newExchange(t, g.w, 62)
	moved.send("to one who came", "G22", envelope.Document{To: []string{lateCode}}, want{lateCode: consigned}, 1000)
	moved.send("by one who came", lateCode, envelope.Document{To: []string{"G22", "H41"}}, want{"G22": consigned, "H41": consigned}, 1000)
	moved.settle()
	if _, err := g.w.Hub().Revoke(t.Context(), operator.Revoke{
		Why: operator.Why{Actor: "hubtest", Reason: "gone"}, Endpoint: g.revoked.Name,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.w.Member("H41").Agent().Register(t.Context(), registering("H41.77", "H41")); err != nil {
		t.Fatal(err)
	}
	if err := g.w.Member("H41").Stop(); err != nil {
		t.Fatal(err)
	}
	away := newExchange(t, g.w, 63)
	g.pending = away.send("pending", "G22", envelope.Document{To: []string{"H41", "H41.11"}}, want{"H41": consigned, "H41.11": consigned}, 70_000)
	away.arrived(g.pending, "H41.11")
	var running []*hubtest.Member
	for _, m := range g.w.Members() {
		if m.Code != "H41" && m.Code != revokedCode {
			running = append(running, m)
			// Or the log would grow after somebody has seen its end.
			eventually(t, m.Code+" has said everything", func() error { return unsent(t, m) })
		}
	}
	for _, m := range running {
		g.pulled(m)
	}
	g.signed = status(t, g.w)
}

// pulled waits until an endpoint has seen all that the axis signed.
func (g *gap) pulled(m *hubtest.Member) {
	g.t.Helper()
	eventually(g.t, m.Code+" has pulled", func() error {
		s, err := m.Agent().Status()
		if at := status(g.t, g.w); err == nil && s.Progress.GetSeen().GetSize() < at.Size {
			err = fmt.Errorf("at %d of %d", s.Progress.GetSeen().GetSize(), at.Size)
		}
		return err
	})
}

// setBack puts the older copy in the axis's place.
func (g *gap) setBack(also func(dir string, newer string) error) {
	g.t.Helper()
	if err := g.w.StopAxis(); err != nil {
		g.t.Fatal(err)
	}
	g.replace(also)
	if err := g.w.StartAxis(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}

// replace puts the older copy in the place of an axis that does not run.
func (g *gap) replace(also func(dir string, newer string) error) {
	g.t.Helper()
	dir, newer := g.w.AxisDir(), g.t.TempDir()
	err := errors.Join(
		os.CopyFS(newer, os.DirFS(dir)), os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(g.copied)), also(dir, newer))
	if err != nil {
		g.t.Fatal(err)
	}
}

// cameBack asks for everything that the gap had.
func (g *gap) cameBack() {
	t, w := g.t, g.w
	t.Helper()
	if w.Member("H41").Start(t.Context()) != nil {
		t.Fatal("H41 does not start")
	}
	eventually(t, "the pending document arrives with its content", func() error { return g.pending.settled(w) })
	eventually(t, "who came in the gap is let in, who was revoked is not", func() error {
		s, err := w.Hub().Status(t.Context())
		if err != nil {
			return err
		}
		for _, e := range s.Endpoints {
			if e.Name == g.late.Name && e.Connected {
				err = nil
				continue
			}
			if e.Name == g.revoked.Name && (!e.Revoked || e.Connected) {
				return fmt.Errorf("%s: revoked %v, connected %v", e.Name, e.Revoked, e.Connected)
			}
		}
		if !connected(s, g.late.Name) {
			return errors.New("who came in the gap is not connected")
		}
		return nil
	})
	x := newExchange(t, w, 64)
	x.send("after it", "G22", envelope.Document{To: []string{lateCode, "H41"}}, want{lateCode: consigned, "H41": consigned}, 500)
	x.send("after it, too", lateCode, envelope.Document{To: []string{"G22"}}, want{"G22": consigned}, 500)
	x.settle()
	newExchange(t, w, 65).play()
	eventually(t, "promises 1 to 3 hold", func() error { return hubtest.Check(t.Context(), w) })
	stillProved(t, w)
}

func connected(s operator.Status, name string) bool {
	for _, e := range s.Endpoints {
		if e.Name == name {
			return e.Connected
		}
	}
	return false
}

// longer lists what the journal says of logs that were longer than was known.
func longer(t *testing.T, w *hubtest.World) (all []*axispb.LogWasLonger) {
	t.Helper()
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		for _, r := range blockOf(raw).Records {
			a := new(axispb.Act)
			if headerOf(r).Kind == axispb.Kind_KIND_ACT && proto.Unmarshal(r.Body, a) == nil && a.GetLogWasLonger() != nil {
				all = append(all, a.GetLogWasLonger())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Promise 8 and D5: an axis that was restored opens a new epoch and gets back, from
// the endpoints, what it lost; whoever was revoked since stays out.
func TestARestoredAxisGetsBackWhatItLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		also   func(dir, newer string) error
		longer bool // nobody but the endpoints knows how long the log was
	}{
		{"and says so", marked, true},
		{"with the newer guard", func(dir, newer string) error {
			guard, err := os.ReadFile(filepath.Join(newer, "keys", "guard"))
			return errors.Join(err, os.WriteFile(filepath.Join(dir, "keys", "guard"), guard, 0o600))
		}, false},
		{"and does not know it", func(string, string) error { return nil }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newGap(t, hubtest.Config{})
			g.setBack(c.also)
			g.cameBack()
			found := false
			for _, l := range longer(t, g.w) {
				found = found || l.Seen.Epoch == 1 && l.Seen.Size == g.signed.Size
			}
			if found != c.longer {
				t.Errorf("the journal says that the log was longer: %v", found)
			}
			if a, err := g.w.Hub().ShowAgency(t.Context(), "H41.77"); err != nil || a.Endpoint != g.w.Member("H41").Name {
				t.Errorf("what H41 registered: %+v, %v", a, err)
			}
			if s, err := g.w.Hub().Status(t.Context()); err != nil || s.Lost != g.signed.Size-g.old.Size || s.CameBack == 0 {
				t.Errorf("status: %d leaves lost, not %d; %d came back (%v)", s.Lost, g.signed.Size-g.old.Size, s.CameBack, err)
			}
		})
	}
}

// An endpoint that was away for long gives back what it has when it comes, though
// the others were served meanwhile.
func TestWhoComesLateStillGivesBack(t *testing.T) {
	t.Parallel()
	g := newGap(t, hubtest.Config{})
	late := []string{"G22", "H41.11"}
	for _, code := range late {
		if err := g.w.Member(code).Stop(); err != nil {
			t.Fatal(err)
		}
	}
	g.setBack(marked)
	x := newExchange(t, g.w, 70)
	l := x.send("meanwhile", lateCode, envelope.Document{To: []string{lateCode}}, want{lateCode: consigned}, 100)
	eventually(t, "meanwhile", func() error { return l.settled(g.w) })
	if _, err := g.w.Hub().Documents(t.Context(), g.pending.id); err == nil {
		t.Fatal("who is away gave something back")
	}
	for _, code := range late {
		if err := g.w.Member(code).Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	g.cameBack()
}

// marked says that the axis was restored, as a restore does.
func marked(dir, _ string) error {
	return axis.MarkRestored(filepath.Join(dir, "keys"), axis.Restored{Who: "hubtest", When: time.Now(), Reason: "a test"})
}

// Two restores of one backup: no epoch has another's number, name or key, and the
// endpoints, which know both, give back what either lost.
func TestTwoRestoresOfOneBackup(t *testing.T) {
	t.Parallel()
	g := newGap(t, hubtest.Config{})
	g.setBack(marked)
	first := announced(t, g.w)
	x := newExchange(t, g.w, 71)
	l := x.send("between", "G22", envelope.Document{To: []string{lateCode}}, want{lateCode: consigned}, 100)
	eventually(t, "between", func() error { return l.settled(g.w) })
	for _, code := range []string{"G22", lateCode} {
		g.pulled(g.w.Member(code))
	}
	eventually(t, "the clock goes on", func() error {
		if next := time.Now().UTC().Format("20060102150405"); next <= fmt.Sprint(epochOf(t, g.w, first[len(first)-1]).Number) {
			return errors.New("in the same second")
		}
		return nil
	})
	g.setBack(marked)
	second := announced(t, g.w)
	a, b := epochOf(t, g.w, first[len(first)-1]), epochOf(t, g.w, second[len(second)-1])
	if a.Number == b.Number || a.Origin == b.Origin || a.VerifierKey == b.VerifierKey {
		t.Errorf("two epochs are called %d and %d, %s and %s", a.Number, b.Number, a.Origin, b.Origin)
	}
	g.cameBack()
}

// Whatever fails in the recovery, on either side: nothing is lost, and nothing comes
// twice.
func TestFailuresOfTheRecovery(t *testing.T) {
	t.Parallel()
	for _, points := range [][]string{
		{"endpoint recover.before", "endpoint recover.store.after", "axis apply.before", "endpoint t1.after"},
		{"endpoint recover.after", "endpoint recover.store.before", "axis guard.before", "axis sign.before"},
		{"endpoint call.recover.before", "endpoint call.recover.after", "axis apply.after", "endpoint put.before"},
	} {
		t.Run(points[0], func(t *testing.T) {
			t.Parallel()
			p := &plan{}
			g := newGap(t, hubtest.Config{
				AxisFaults: p.hook("axis"), EndpointFaults: func(string) fault.Hook { return p.hook("endpoint") },
			})
			if err := g.w.StopAxis(); err != nil {
				t.Fatal(err)
			}
			p.often(uint64(len(points[0])), points...)
			g.replace(marked)
			eventually(t, "the axis starts", func() error { return g.w.StartAxis(t.Context()) })
			eventually(t, "the recovery comes to "+points[0], func() error {
				if p.fired(points[0]) == 0 {
					return errors.New("not yet")
				}
				return nil
			})
			g.cameBack()
		})
	}
}
