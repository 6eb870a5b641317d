package hubtest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// shifted is a clock that a test puts forward. It is as steady as the machine's.
type shifted struct{ ahead atomic.Int64 }

func (s *shifted) now() time.Time       { return time.Now().Add(time.Duration(s.ahead.Load())) }
func (s *shifted) pass(d time.Duration) { s.ahead.Add(int64(d)) }
func (s *shifted) days(n int)           { s.pass(time.Duration(n) * 24 * time.Hour) }
func because(why string) operator.Why   { return operator.Why{Actor: "lan", Reason: why} }
func rollOf(key string) operator.Roll {
	return operator.Roll{Why: because("thay khóa định kỳ"), Key: key}
}

func pinOf(t *testing.T, dir string) string {
	t.Helper()
	id, err := link.LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	return string(id.CA.RawSubjectPublicKeyInfo)
}

// checkFromEveryPin has the checker trust, one after the other, every CA that an
// endpoint of the world pinned.
func checkFromEveryPin(t *testing.T, w *hubtest.World) {
	t.Helper()
	s, err := hubtest.Look(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range w.Members() {
		id, err := link.LoadIdentity(m.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if s.CA = id.CA; seen[string(s.CA.Raw)] {
			continue
		}
		seen[string(s.CA.Raw)] = true
		if err := s.Check(); err != nil {
			t.Errorf("promises 1 to 3 do not hold for whoever pinned %s:\n%v", s.CA.Subject, err)
		}
	}
}

// Every key is replaced while documents move: for endpoints that are there, for one
// that is away for 90 days, for one that joins afterwards, and for one that joins
// with an invitation made before.
func TestKeysAreReplacedWhileDocumentsMove(t *testing.T) {
	t.Parallel()
	var clock shifted
	w := world(t, hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second, RenewEvery: 20 * time.Millisecond})
	joinAll(t, w)
	newExchange(t, w, 60).play()
	for i, row := range []struct{ key, early, late string }{
		{operator.KeyLog, "G02", "G03"},
		{operator.KeyEvidence, "G04", "G05"},
		{operator.KeyCA, "G06", "G07"},
		{operator.KeyCA, "G08", "G09"},
		{operator.KeyLog, "G10", "G11"},
	} {
		t.Run(row.key+" for "+row.late, func(t *testing.T) {
			away, before := w.Member("H41.11"), status(t, w)
			if err := away.Stop(); err != nil {
				t.Fatal(err)
			}
			clock.days(89)
			invited, err := w.Hub().Invite(t.Context(), operator.Invite{Why: because("early"), Codes: []string{row.early}})
			if err != nil {
				t.Fatal(err)
			}
			waiting := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41.11"}}, []byte("trước"))
			done, err := w.Hub().RollKey(t.Context(), rollOf(row.key))
			if err != nil {
				t.Fatal(err)
			}
			if opened := done.Epoch > before.Epoch; opened != (row.key != operator.KeyEvidence) {
				t.Errorf("epoch %d after %d", done.Epoch, before.Epoch)
			}
			clock.days(1)
			for _, codes := range []string{"early", "late"} {
				m := (*hubtest.Member)(nil)
				if codes == "early" {
					m, err = w.EnrolWith(t.Context(), invited)
				} else {
					m, err = w.Enrol(t.Context(), row.late)
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := m.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				id := send(t, m, clerk.Draft{To: []string{"H41", "G22"}}, []byte(codes))
				wait(t, m, id, consigned)
				id = send(t, w.Member("G22"), clerk.Draft{To: []string{m.Code}}, []byte(codes))
				wait(t, w.Member("G22"), id, consigned)
			}
			if renewed := pinOf(t, w.Member(row.early).Dir) != pinOf(t, w.Member(row.late).Dir); renewed != (row.key == operator.KeyCA) {
				t.Errorf("the later invitation pins another CA: %v", renewed)
			}
			if err := away.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			wait(t, away, waiting, consigned)
			wait(t, w.Member("G22"), waiting, consigned)
			newExchange(t, w, uint64(61+i)).play()
			checkFromEveryPin(t, w)
			stillProved(t, w)
		})
	}
	if got := len(announced(t, w)); got != 5 {
		t.Errorf("%d epochs, not 5: a key was replaced that nobody asked for", got)
	}
	// The axis finds its way from the first CA to the last, and endpoints theirs.
	stopped(t, w, func(string) error { return nil })
	for _, m := range w.Members() {
		if err := errors.Join(m.Stop(), m.Start(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	newExchange(t, w, 70).play()
	checkFromEveryPin(t, w)
}

// A certificate that is renewed after the CA was replaced is of the new one, also
// where its endpoint was away so long that it may only renew.
func TestAnExpiredCertificateIsRenewedUnderTheNewCA(t *testing.T) {
	t.Parallel()
	var clock shifted
	w := world(t, hubtest.Config{Now: clock.now, Retry: quick, PullEvery: time.Second, RenewEvery: 20 * time.Millisecond}, "G22", "H41")
	away := w.Member("H41")
	if err := away.Stop(); err != nil {
		t.Fatal(err)
	}
	before, err := link.LoadIdentity(away.Dir)
	if err != nil {
		t.Fatal(err)
	}
	clock.days(400)
	if _, err := w.Hub().RollKey(t.Context(), rollOf(operator.KeyCA)); err != nil {
		t.Fatal(err)
	}
	id := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41"}}, []byte("x"))
	if err := away.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, away, id, consigned)
	wait(t, w.Member("G22"), id, consigned)
	after, err := link.LoadIdentity(away.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if string(after.Certificate.Leaf.RawIssuer) == string(before.Certificate.Leaf.RawIssuer) {
		t.Error("the renewed certificate is of the old CA")
	}
	if !after.CA.Equal(before.CA) {
		t.Error("the endpoint pins another CA than the one that it was given")
	}
	check(t, w)
}

// The axis dies at every step of a replacement: its next start is under the old key
// or the new one, whole, and can be asked again.
func TestFailuresOfAReplacement(t *testing.T) {
	t.Parallel()
	commit := []string{"log.key.before", "log.key.after", "append.before", "append.after", "sign.before", "guard.before", "guard.after", "apply.before", "apply.after"}
	for _, row := range []struct {
		key    string
		points []string
	}{
		{operator.KeyLog, commit},
		{operator.KeyCA, []string{"ca.next.before", "ca.next.after", "ca.promote.before", "ca.older", "ca.swap", "ca.promote.after"}},
		{operator.KeyCA, []string{"log.key.before", "log.key.after", "append.before", "append.after"}},
		{operator.KeyCA, []string{"sign.before", "guard.before", "guard.after", "apply.before", "apply.after"}},
		{operator.KeyEvidence, []string{"axis.key.before", "axis.crt.before"}},
	} {
		key, points := row.key, row.points
		t.Run(key+" "+points[0], func(t *testing.T) {
			t.Parallel()
			tb := newTable(t, hubtest.Config{})
			w := tb.world
			for _, point := range points {
				t.Run(point, func(t *testing.T) {
					tb.plan.once("axis " + point)
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					_, err := w.Hub().RollKey(ctx, rollOf(key))
					if tb.plan.fired("axis "+point) != 1 {
						t.Fatalf("the replacement never came to %s (%v)", point, err)
					}
					if err == nil && point != "append.before" && point != "append.after" { // these are settled
						t.Error("the replacement failed and says that it did not")
					}
					eventually(t, "replace it again", func() error {
						_, err := w.Hub().RollKey(ctx, rollOf(key))
						return err
					})
					there := send(t, w.Member("G22"), clerk.Draft{To: []string{"H41", "H41.11"}}, []byte("đi"))
					wait(t, w.Member("G22"), there, consigned)
				})
			}
			newExchange(t, w, 80).play()
			stillProved(t, w)
			late, err := w.Join(t.Context(), "G02")
			if err != nil {
				t.Fatal(err)
			}
			id := send(t, late, clerk.Draft{To: []string{"G22"}}, []byte("x"))
			wait(t, late, id, axispb.State_STATE_CONSIGNED)
			if other := pinOf(t, late.Dir) != pinOf(t, w.Member("G22").Dir); other != (key == operator.KeyCA) {
				t.Errorf("the last to join pinned another CA: %v", other)
			}
			newExchange(t, w, 81).settle()
			checkFromEveryPin(t, w)
		})
	}
}
