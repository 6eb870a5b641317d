package hubtest_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"docaxis/endpoint/link"
	"docaxis/endpoint/outbox"
	"docaxis/internal/evidence"
	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

// stopped does something to the axis's folder while the axis does not run.
func stopped(t *testing.T, w *hubtest.World, do func(dir string) error) {
	t.Helper()
	if err := errors.Join(w.StopAxis(), do(w.AxisDir()), w.StartAxis(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func dump(t *testing.T, w *hubtest.World) string {
	t.Helper()
	var b strings.Builder
	if err := w.Hub().DumpLedger(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func check(t *testing.T, w *hubtest.World) {
	t.Helper()
	if err := hubtest.Check(t.Context(), w); err != nil {
		t.Errorf("promises 1 to 3 do not hold:\n%v", err)
	}
}

// The ledger is derived: whatever happens to its file, the next start has the same
// rows again, and the axis goes on.
func TestTheLedgerIsRebuilt(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	newExchange(t, w, 20).play()
	other := filepath.Join(t.TempDir(), "other.db")
	foreignLedger(t, other)

	path := filepath.Join(w.AxisDir(), "ledger.db")
	change := func(f func([]byte) []byte) func() error {
		return func() error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, f(b), 0o600)
		}
	}
	for _, c := range []struct {
		name   string
		damage func() error
		aside  bool
	}{
		{"deleted", func() error { return os.Remove(path) }, false},
		{"of another journal", func() error { return os.Rename(other, path) }, true},
		{"empty", change(func([]byte) []byte { return nil }), false},
		{"garbage", change(func(b []byte) []byte { return bytes.Repeat([]byte("x"), len(b)) }), true},
		{"cut in the first page", change(func(b []byte) []byte { return b[:100] }), true},
		{"cut in the middle", change(func(b []byte) []byte { return b[:len(b)/2/4096*4096] }), true},
		{"cut at the end", change(func(b []byte) []byte { return b[:len(b)-4096] }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := dump(t, w)
			stopped(t, w, func(dir string) error {
				for _, old := range asides(dir) {
					if err := os.Remove(old); err != nil {
						return err
					}
				}
				return c.damage()
			})
			if after := dump(t, w); after != before {
				t.Errorf("the ledger has other rows than before")
			}
			if aside := len(asides(w.AxisDir())) > 0; aside != c.aside {
				t.Errorf("set aside: %v", aside)
			}
			check(t, w)
		})
	}
	newExchange(t, w, 21).play()
	check(t, w)
}

// Damage that a start does not meet is met later, by whoever comes to it: the axis
// ends, and its next start has a new ledger.
func TestADamagedLedgerIsRebuilt(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{Restart: true})
	joinAll(t, w)
	newExchange(t, w, 23).play()
	path := filepath.Join(w.AxisDir(), "ledger.db")
	for _, share := range []int{2, 3, 4, 8} { // which part of the pages is zeros
		if err := w.StopAxis(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, old := range asides(w.AxisDir()) {
			if err := os.Remove(old); err != nil {
				t.Fatal(err)
			}
		}
		for page := 2; page < len(b)/4096; page += share {
			clear(b[page*4096:][:4096])
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		eventually(t, "start", func() error { return w.StartAxis(t.Context()) })
		newExchange(t, w, uint64(23+share)).play()
		check(t, w)
		if len(asides(w.AxisDir())) == 0 {
			t.Error("no ledger was set aside")
		}
	}
}

func asides(dir string) []string {
	all, _ := filepath.Glob(filepath.Join(dir, "ledger.db.set-aside-*")) // the pattern is good
	return all
}

// foreignLedger is the ledger of another axis, with a journal as long.
func foreignLedger(t *testing.T, path string) {
	t.Helper()
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	newExchange(t, w, 22).play()
	if err := w.StopAxis(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(w.AxisDir(), "ledger.db"), path); err != nil {
		t.Fatal(err)
	}
}

// D5: a log that cannot know what it signed never signs under that name again.
func TestALostGuardOpensAnEpoch(t *testing.T) {
	t.Parallel()
	guard := func(dir string) string { return filepath.Join(dir, "keys", "guard") }
	slots := func(which ...int) func(dir string) error {
		return func(dir string) error {
			b, err := os.ReadFile(guard(dir))
			if err != nil {
				return err
			}
			for _, n := range which {
				b[n*4096+20]++ // the number of the slot, which its checksum covers
			}
			return os.WriteFile(guard(dir), b, 0o600)
		}
	}
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	epoch := uint64(1)
	for i, c := range []struct {
		name   string
		damage func(dir string) error
		opens  bool
	}{
		{"nothing happened", func(string) error { return nil }, false},
		{"the first slot is torn", slots(0), false},
		{"the second slot is torn", slots(1), false},
		{"the guard is gone", func(dir string) error { return os.Remove(guard(dir)) }, true},
		{"both slots are torn", slots(0, 1), true},
		{"the log's key is gone", func(dir string) error {
			keys, err := filepath.Glob(filepath.Join(dir, "keys", "log-*.key"))
			return errors.Join(err, os.Remove(keys[len(keys)-1]))
		}, true},
	} {
		newExchange(t, w, uint64(30+i)).play()
		before := status(t, w)
		stopped(t, w, c.damage)
		if c.opens {
			epoch++
			opened(t, w, epoch, before.Size, before)
		}
		if got := status(t, w).Epoch; got != epoch {
			t.Fatalf("%s: epoch %d, not %d", c.name, got, epoch)
		}
		newExchange(t, w, uint64(40+i)).play()
		if err := hubtest.Check(t.Context(), w); err != nil {
			t.Fatalf("%s: promises 1 to 3 do not hold:\n%v", c.name, err)
		}
	}
}

// logState is the log as the axis tells it.
type logState struct {
	Epoch, Size uint64
	Root        []byte
}

func status(t *testing.T, w *hubtest.World) logState {
	t.Helper()
	s, err := w.Hub().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := base64.StdEncoding.DecodeString(s.Root)
	if err != nil {
		t.Fatal(err)
	}
	return logState{s.Epoch, s.Size, root}
}

// opened asks for the first record of an epoch: what it went on from, and what was
// signed before.
func opened(t *testing.T, w *hubtest.World, number, base uint64, signed logState) {
	t.Helper()
	all := map[uint64]*axispb.Epoch{}
	for _, raw := range announced(t, w) {
		e := epochOf(t, w, raw)
		all[e.Number] = e
	}
	e := all[number]
	if e == nil {
		t.Fatalf("the journal has no epoch %d", number)
	}
	p := e.GetPrevious()
	if e.BaseSize != base || p.GetEpoch() != signed.Epoch || p.GetSize() != signed.Size || !bytes.Equal(p.GetRoot(), signed.Root) {
		t.Errorf("epoch %d goes on from %d and names %d/%d as signed before; not %d and %d/%d",
			number, e.BaseSize, p.GetEpoch(), p.GetSize(), base, signed.Epoch, signed.Size)
	}
	for n, o := range all {
		if n != number && (o.Origin == e.Origin || o.VerifierKey == e.VerifierKey) {
			t.Errorf("epoch %d signs under the name or key of epoch %d", number, n)
		}
	}
}

// announced reads the epochs' announcements out of the journal, oldest first.
func announced(t *testing.T, w *hubtest.World) (all [][]byte) {
	t.Helper()
	err := w.Hub().Blocks(t.Context(), func(raw []byte) error {
		for _, r := range blockOf(raw).Records {
			if headerOf(r).Kind == axispb.Kind_KIND_EPOCH {
				all = append(all, r.Body)
			}
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d epochs in the journal (%v)", len(all), err)
	}
	return all
}

// epochOf believes an announcement only by the CA's signature.
func epochOf(t *testing.T, w *hubtest.World, signed []byte) *axispb.Epoch {
	t.Helper()
	trust := evidence.NewTrust(authority(t, w))
	var all []*axispb.Epoch
	for _, raw := range append(announced(t, w), signed) {
		e, err := trust.AddEpoch(raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all[len(all)-1]
}

// authority is the axis's CA, as an endpoint pinned it.
func authority(t *testing.T, w *hubtest.World) *x509.Certificate {
	t.Helper()
	id, err := link.LoadIdentity(w.Member("G22").Dir)
	if err != nil {
		t.Fatal(err)
	}
	return id.CA
}

// A journal that was set back to an older copy: what is lost is named, what was
// proved stays proved, and nothing is ever signed over.
func TestAJournalThatWasSetBackOpensAnEpoch(t *testing.T) {
	t.Parallel()
	w := world(t, hubtest.Config{})
	joinAll(t, w)
	newExchange(t, w, 50).play()
	copied, old := t.TempDir(), status(t, w)
	stopped(t, w, func(dir string) error { return os.CopyFS(copied, os.DirFS(filepath.Join(dir, "journal"))) })
	setBack := func(dir string) error {
		journal := filepath.Join(dir, "journal")
		return errors.Join(os.RemoveAll(journal), os.CopyFS(journal, os.DirFS(copied)))
	}
	removeGuard := func(dir string) error { return os.Remove(filepath.Join(dir, "keys", "guard")) }

	// The guard remembers what the journal has forgotten.
	newExchange(t, w, 51).play()
	signed := status(t, w)
	stopped(t, w, setBack)
	opened(t, w, 2, old.Size, signed)
	second := announced(t, w)[1]
	newExchange(t, w, 52).play()
	stillProved(t, w)

	// Nobody remembers epoch 2 but the endpoints, and its key beside the others.
	stopped(t, w, func(dir string) error { return errors.Join(removeGuard(dir), setBack(dir)) })
	opened(t, w, 3, old.Size, logState{2, old.Size, old.Root})
	was, is := epochOf(t, w, second), epochOf(t, w, announced(t, w)[1])
	if was.Origin == is.Origin || was.VerifierKey == is.VerifierKey {
		t.Errorf("epoch %d signs under the name or key of epoch 2", is.Number)
	}
	newExchange(t, w, 53).play()
	stillProved(t, w)
}

// Without journal and guard an axis is not a new one: its keys have signed before.
func TestAnEmptiedAxisIsNotFoundedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		guard bool
	}{{"with its guard", true}, {"without its guard", false}} {
		t.Run(c.name, func(t *testing.T) {
			w := world(t, hubtest.Config{})
			before := status(t, w)
			stopped(t, w, func(dir string) error {
				if !c.guard {
					before.Size, before.Root = 0, emptyRoot()
					if err := os.Remove(filepath.Join(dir, "keys", "guard")); err != nil {
						return err
					}
				}
				return os.RemoveAll(filepath.Join(dir, "journal"))
			})
			e := new(axispb.Epoch)
			var s axispb.SignedEpoch
			if err := errors.Join(proto.Unmarshal(announced(t, w)[0], &s), proto.Unmarshal(s.Epoch, e)); err != nil {
				t.Fatal(err)
			}
			p := e.GetPrevious()
			if e.Number != 2 || e.BaseSize != 0 || p.GetEpoch() != 1 || p.GetSize() != before.Size || !bytes.Equal(p.GetRoot(), before.Root) {
				t.Errorf("the journal begins with %v", e)
			}
		})
	}
}

func emptyRoot() []byte {
	root := evidence.EmptyRoot()
	return root[:]
}

// stillProved asks every endpoint whether all that was ever proved to it still is.
func stillProved(t *testing.T, w *hubtest.World) {
	t.Helper()
	for _, m := range w.Members() {
		sent, err := m.Agent().Outbox(outbox.Filter{Limit: math.MaxInt})
		if err := errors.Join(err, m.Agent().Check()); err != nil {
			t.Fatal(err)
		}
		for _, o := range sent {
			s, err := m.Agent().Show(o.Id)
			if err != nil {
				t.Fatal(err)
			}
			steps := s.Steps
			for _, l := range s.Recipients {
				steps = append(steps, l.Steps...)
			}
			for _, step := range steps {
				if !step.Verified {
					t.Errorf("%s: %s of %s is not proved any more: %s", m.Code, step.Event, o.Id, step.Problem)
				}
			}
		}
	}
}
