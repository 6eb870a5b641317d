package hubtest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"docaxis/internal/bus"
	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// sinceBase counts the records of a kind that were journaled since the axis was set
// back.
func (g *gap) sinceBase(kind axispb.Kind) (n int) {
	g.t.Helper()
	leaf := uint64(0)
	for _, raw := range journalBytes(g.t, g.w) {
		for _, r := range blockOf(raw).Records {
			if leaf >= g.old.Size && headerOf(r).Kind == kind {
				n++
			}
			leaf++
		}
	}
	return n
}

// Promise 8, the order in it: who was revoked in the gap, and comes first, gets
// nothing journaled before its revocation is back; nobody else does before the hold
// is over or everybody gave back, and then all do.
func TestNobodySlipsInBeforeTheRegistryIsBack(t *testing.T) {
	t.Parallel()
	const hold = 5 * time.Minute
	for _, everybody := range []bool{false, true} {
		t.Run(fmt.Sprintf("everybody comes: %v", everybody), func(t *testing.T) {
			t.Parallel()
			clock := &shifted{}
			g := newGap(t, hubtest.Config{RecoverHold: hold, Now: clock.now})
			l := gather(t, g.w, "G22")
			for _, m := range g.w.Members() {
				if err := m.Stop(); err != nil {
					t.Fatal(err)
				}
			}
			g.setBack(marked)
			first := lying(t, g.revoked)
			first.shut(g, l, bus.Submit, bus.Evidence, bus.Register, bus.Have, bus.Put, bus.Get)
			if answer, err := first.ask(&axispb.RecoverRequest{Epoch: status(t, g.w).Epoch, RegistryDone: true}); err != nil {
				t.Fatal(answer, err)
			}
			first.shut(g, l, bus.Submit, bus.Evidence, bus.Register)
			if !recoveringNow(t, g) {
				t.Error("the operator is not told that the axis waits")
			}

			start(t, g, "G22")
			eventually(t, "the revocation is back", func() error {
				if first.conn.Connected() {
					return errors.New("who was revoked is still connected")
				}
				return nil
			})
			x := newExchange(t, g.w, 80)
			d := x.write("waits", "G22", envelope.Document{To: []string{lateCode}}, want{lateCode: consigned}, 100)
			if err := d.submit(t.Context(), g.w); err != nil {
				t.Fatal(err)
			}
			eventually(t, "G22 gave back all that it has", func() error {
				s, err := g.w.Hub().Status(t.Context())
				if err == nil && s.CameBack == 0 {
					err = errors.New("nothing came back")
				}
				return err
			})
			if n := g.sinceBase(axispb.Kind_KIND_DOCUMENT) + g.sinceBase(axispb.Kind_KIND_EVIDENCE); n > 0 || !recoveringNow(t, g) {
				t.Errorf("%d records of endpoints were journaled in the hold", n)
			}
			if everybody {
				start(t, g, "H41", "H41.11", lateCode)
			} else {
				clock.pass(hold + time.Minute)
			}
			eventually(t, "the hold ends", func() error {
				if g.sinceBase(axispb.Kind_KIND_DOCUMENT) == 0 || recoveringNow(t, g) {
					return errors.New("what was submitted waits")
				}
				return nil
			})
			for leaf, r := range gather(t, g.w, "G22").records {
				if uint64(leaf) >= g.old.Size && decisionOf(t, r).Endpoint == g.revoked.Name {
					t.Errorf("record %d is of who was revoked: %v", leaf, headerOf(r))
				}
			}
		})
	}
}

// shut holds services to be closed to an endpoint for now.
func (l liar) shut(g *gap, have loot, services ...bus.Service) {
	l.t.Helper()
	body := have.records[have.byID[g.pending.id]].Body
	for _, s := range services {
		err := l.conn.Call(l.t.Context(), s, &axispb.SubmitRequest{Envelope: body}, new(axispb.SubmitAnswer))
		r := reason.Of(err)
		if !reason.IsTemporary(err) || r.GetCode() != axispb.ReasonCode_REASON_UNAVAILABLE || len(r.Args) != 1 || r.Args[0] != "recovering" {
			l.t.Errorf("%s: %v", s, err)
		}
	}
}

func recoveringNow(t *testing.T, g *gap) bool {
	t.Helper()
	s, err := g.w.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Recovering
}

func start(t *testing.T, g *gap, codes ...string) {
	t.Helper()
	for _, code := range codes {
		if err := g.w.Member(code).Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func decisionOf(t *testing.T, r *axispb.Record) *axispb.Decision {
	t.Helper()
	d := new(axispb.Decision)
	if err := proto.Unmarshal(r.Decision, d); err != nil {
		t.Fatal(err)
	}
	return d
}
