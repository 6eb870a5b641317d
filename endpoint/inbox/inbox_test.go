package inbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"docaxis/internal/boltpb"
	"docaxis/proto/axispb"
)

const (
	fetching  = axispb.State_STATE_FETCHING
	waiting   = axispb.State_STATE_WAITING
	consigned = axispb.State_STATE_CONSIGNED
	failed    = axispb.State_STATE_CONSIGNMENT_FAILED
	handed    = axispb.State_STATE_HANDED_OVER
	refused   = axispb.State_STATE_HANDOVER_FAILED
	withdrawn = axispb.State_STATE_WITHDRAWN
)

var start = time.UnixMilli(1_800_000_000_000)

// proves is the event that leads to a state.
var proves = map[axispb.State]axispb.Event{
	consigned: axispb.Event_EVENT_CONTENT_CONSIGNMENT,
	failed:    axispb.Event_EVENT_CONTENT_CONSIGNMENT_FAILURE,
	handed:    axispb.Event_EVENT_CONTENT_HANDOVER,
	refused:   axispb.Event_EVENT_CONTENT_HANDOVER_FAILURE,
	withdrawn: axispb.Event_EVENT_CONTENT_WITHDRAWAL,
}

// box is an inbox and the counter that its parent would keep.
type box struct {
	t interface {
		Helper()
		Fatal(...any)
		Errorf(string, ...any)
	}
	db      *bbolt.DB
	counter uint64
}

func openBox(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, db: openBolt(t, t.TempDir())}
	t.Cleanup(func() {
		if err := b.check(); err != nil {
			t.Error(err)
		}
		b.db.Close()
	})
	return b
}

func openBolt(t interface{ Fatal(...any) }, dir string) *bbolt.DB {
	db, err := bbolt.Open(filepath.Join(dir, "db"), 0o600, &bbolt.Options{NoSync: true})
	if err == nil {
		err = db.Update(Init)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (b *box) check() error {
	return b.db.View(func(tx *bbolt.Tx) error { return Check(tx, b.counter) })
}

func (b *box) try(f func(Inbox) error) error {
	return b.db.Update(func(tx *bbolt.Tx) error { return f(In(tx)) })
}

func (b *box) do(f func(Inbox) error) {
	b.t.Helper()
	if err := b.try(f); err != nil {
		b.t.Fatal(err)
	}
}

func entry(id, code string, edit ...func(*axispb.InboxEntry)) *axispb.InboxEntry {
	e := &axispb.InboxEntry{
		Id: id, Sender: "G22", Code: code, ManifestDigest: make([]byte, 32), State: fetching,
		Lane: axispb.Lane_LANE_NORMAL, NextAttemptMs: start.UnixMilli(),
	}
	for _, f := range edit {
		f(e)
	}
	return e
}

func about(id string) func(*axispb.InboxEntry) {
	return func(e *axispb.InboxEntry) {
		e.Target, e.TargetSender, e.TargetId = axispb.Target_TARGET_PRECEDES, "G22", id
	}
}

func at(position uint64, lane axispb.Lane) func(*axispb.InboxEntry) {
	return func(e *axispb.InboxEntry) { e.Position, e.Lane = position, lane }
}

func (b *box) add(e *axispb.InboxEntry) (added bool) {
	b.t.Helper()
	b.do(func(in Inbox) error {
		var err error
		added, err = in.Add(proto.Clone(e).(*axispb.InboxEntry))
		return err
	})
	return added
}

func stating(event axispb.Event, counter uint64, e *axispb.InboxEntry) []byte {
	s, _ := proto.Marshal(&axispb.Statement{Event: event, Counter: counter, EnvelopeId: e.Id, Code: e.Code})
	raw, _ := proto.Marshal(&axispb.Evidence{Statement: s})
	return raw
}

// move enters a state as the agent does: statement and state in one transaction.
func (b *box) move(e *axispb.InboxEntry, to axispb.State) error {
	err := b.try(func(in Inbox) error {
		n := b.counter + 1
		if err := in.AddEvidence(n, stating(proves[to], n, e), 1); err != nil {
			return err
		}
		return in.Move(KeyOf(e), to, n, start, nil)
	})
	if err == nil {
		b.counter++
	}
	return err
}

func (b *box) mustMove(e *axispb.InboxEntry, to axispb.State) {
	b.t.Helper()
	if err := b.move(e, to); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) wantState(e *axispb.InboxEntry, want axispb.State) {
	b.t.Helper()
	b.do(func(in Inbox) error {
		got, err := in.Get(KeyOf(e))
		if got.GetState() != want {
			b.t.Errorf("%s is %s, want %s", e.Id, got.GetState(), want)
		}
		return err
	})
}

func (b *box) due(c Class) (ids []string) {
	b.do(func(in Inbox) error {
		jobs, _, err := in.Due(c, start, 100)
		for _, j := range jobs {
			ids = append(ids, j.Key.ID)
		}
		return err
	})
	return ids
}

func TestADocumentIsAddedOnce(t *testing.T) {
	b := openBox(t)
	e := entry("a", "H41")
	if !b.add(e) || b.add(e) {
		t.Fatal("added twice, or not at all")
	}
	b.mustMove(e, consigned)
	if b.add(e) {
		t.Fatal("added again after it was consigned")
	}
	b.wantState(e, consigned)
	other := entry("a", "H41", func(e *axispb.InboxEntry) { e.ManifestDigest[0] = 1 })
	if !b.add(other) || !b.add(entry("a", "H42")) {
		t.Fatal("another manifest or code is another entry")
	}
}

func TestKeysThatCouldBeMistakenAreRefused(t *testing.T) {
	b := openBox(t)
	for _, id := range []string{"", "a\x00b", "a~b"} {
		if err := b.try(func(in Inbox) error { _, err := in.Add(entry(id, "H41")); return err }); err == nil {
			t.Errorf("id %q was taken", id)
		}
	}
}

func TestKeyAsText(t *testing.T) {
	k := Key{Sender: "000.00.00.G22", ID: "0190-a", Manifest: [32]byte{1, 2}, Code: "H41.11"}
	got, err := ParseKey(k.String())
	if err != nil || got != k {
		t.Fatalf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "a~b~c", "a~b~c~zz", "a~b~c~00", k.String() + "~"} {
		if _, err := ParseKey(bad); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestUrgentFirstAndLargeApart(t *testing.T) {
	b := openBox(t)
	b.add(entry("n", "H41"))
	b.add(entry("u", "H41", at(9, axispb.Lane_LANE_URGENT)))
	b.add(entry("big", "H41", func(e *axispb.InboxEntry) { e.Bytes = BulkBytes + 1 }))
	b.add(entry("later", "H41", func(e *axispb.InboxEntry) { e.NextAttemptMs++ }))
	if got := b.due(Small); !slices.Equal(got, []string{"u", "n"}) {
		t.Errorf("small: %q", got)
	}
	if got := b.due(Bulk); !slices.Equal(got, []string{"big"}) {
		t.Errorf("bulk: %q", got)
	}
}

func TestAttemptsAreCountedBefore(t *testing.T) {
	b := openBox(t)
	e := entry("a", "H41")
	b.add(e)
	b.do(func(in Inbox) error {
		got, err := in.Attempt(KeyOf(e), start.Add(time.Second))
		if got.GetAttempts() != 1 {
			t.Errorf("attempts %d", got.GetAttempts())
		}
		return err
	})
	if len(b.due(Small)) != 0 {
		t.Error("still due")
	}
	b.do(func(in Inbox) error { return in.Fail(KeyOf(e), &axispb.Trouble{Detail: "x"}, start, true) })
	if len(b.due(Small)) != 1 {
		t.Error("not due")
	}
}

func TestTransitions(t *testing.T) {
	b := openBox(t)
	path := func(id string, states ...axispb.State) {
		t.Helper()
		e := entry(id, "H41")
		b.add(e)
		for i, s := range states {
			if err := b.move(e, s); (err == nil) != (i < len(states)-1) {
				t.Errorf("%s: step %d to %s: %v", id, i, s, err)
			}
		}
	}
	// The last step of each is not allowed.
	path("twice", consigned, consigned)
	path("fails after", consigned, failed)
	path("failed stays", failed, consigned)
	path("not before content", handed)
	path("no way back", consigned, handed, refused)
	path("refused, then taken", consigned, refused, handed, handed)
	path("withdrawn is final", consigned, withdrawn, handed)
	path("recalled before it could be had", failed, withdrawn, consigned)
	path("not from the DMS", consigned, handed, withdrawn)
}

func TestChangeWaitsForEveryCopyOfItsTarget(t *testing.T) {
	b := openBox(t)
	change := entry("change", "H41", about("target"))
	b.add(change)
	b.wantState(change, waiting)
	one, two := entry("target", "H41"), entry("target", "H42")
	b.add(one)
	b.add(two)
	b.mustMove(one, consigned)
	b.wantState(change, waiting)
	b.mustMove(two, failed)
	b.wantState(change, fetching)
	late := entry("late", "H41", about("target"))
	b.add(late)
	b.wantState(late, fetching)
}

func TestChangeDoesNotWaitForWhatNeverCame(t *testing.T) {
	b := openBox(t)
	e := entry("change", "H41", about("gone"), func(e *axispb.InboxEntry) { e.Target = axispb.Target_TARGET_ELSEWHERE })
	b.add(e)
	b.wantState(e, fetching)
	orphan, other := entry("orphan", "H41", about("gone")), entry("other", "H41", about("coming"))
	b.add(orphan)
	b.add(other)
	b.add(entry("coming", "H41"))
	b.do(Inbox.ReleaseOrphans)
	b.wantState(orphan, fetching)
	b.wantState(other, waiting)
}

func TestTargetThatArrivesFailedReleases(t *testing.T) {
	b := openBox(t)
	change := entry("change", "H41", about("target"))
	b.add(change)
	target := entry("target", "H41", func(e *axispb.InboxEntry) { e.State = failed; e.Evidence = []uint64{1} })
	b.counter = 1
	b.do(func(in Inbox) error {
		if err := in.AddEvidence(1, stating(proves[failed], 1, target), 1); err != nil {
			return err
		}
		_, err := in.Add(target)
		return err
	})
	b.wantState(change, fetching)
}

func TestReadingNeedsTheContent(t *testing.T) {
	b := openBox(t)
	e := entry("a", "H41")
	b.add(e)
	mark := func(in Inbox) error { return in.MarkFetched(KeyOf(e)) }
	if err := b.try(mark); !errors.Is(err, ErrState) {
		t.Fatalf("got %v", err)
	}
	b.mustMove(e, consigned)
	b.do(mark)
}

func TestListInJournalOrderByPages(t *testing.T) {
	b := openBox(t)
	for i, p := range []uint64{5, 3, 9, 1} {
		e := entry(fmt.Sprint("p", p), "H41", at(p, axispb.Lane_LANE_NORMAL))
		b.add(e)
		if i < 3 {
			b.mustMove(e, consigned)
		}
	}
	b.add(entry("u", "H41", at(100, axispb.Lane_LANE_URGENT)))
	b.mustMove(entry("u", "H41"), consigned)
	b.add(entry("foreign", "H411"))
	list := func(state axispb.State) (ids []string) {
		b.do(func(in Inbox) error {
			f := Filter{Code: "H41", State: state, Limit: 1}
			for {
				page, err := in.List(f)
				if err != nil || len(page) == 0 {
					return err
				}
				ids, f.After = append(ids, page[0].Id), page[0]
			}
		})
		return ids
	}
	if got := list(consigned); !slices.Equal(got, []string{"u", "p3", "p5", "p9"}) {
		t.Errorf("consigned: %q", got)
	}
	if got := list(axispb.State_STATE_UNSPECIFIED); len(got) != 5 {
		t.Errorf("all: %q", got)
	}
}

func TestByID(t *testing.T) {
	b := openBox(t)
	b.add(entry("a", "H41"))
	b.add(entry("a", "H42", func(e *axispb.InboxEntry) { e.Sender = "H7" }))
	b.add(entry("ab", "H41"))
	b.do(func(in Inbox) error {
		got, err := in.ByID("a")
		if len(got) != 2 {
			t.Errorf("got %v", got)
		}
		return err
	})
}

func TestStatementsGoOutInOrderAndOnce(t *testing.T) {
	b := openBox(t)
	e := entry("a", "H41")
	for n := uint64(1); n <= 300; n++ {
		b.do(func(in Inbox) error {
			return in.AddEvidence(n, stating(axispb.Event_EVENT_BUSINESS_STATE, n, e), 1)
		})
	}
	b.counter = 300
	var got []uint64
	for {
		var page []Statement
		b.do(func(in Inbox) error {
			var err error
			page, err = in.Unsent(100, 1<<20)
			return err
		})
		if len(page) == 0 {
			break
		}
		for _, s := range page {
			got = append(got, s.Counter)
			b.do(func(in Inbox) error { return in.Settle(s.Counter, []byte("receipt"), nil) })
		}
	}
	if len(got) != 300 || !slices.IsSorted(got) {
		t.Fatalf("%d statements", len(got))
	}
	if err := b.try(func(in Inbox) error { return in.AddEvidence(7, nil, 1) }); !errors.Is(err, ErrCounter) {
		t.Fatalf("got %v", err)
	}
	b.do(func(in Inbox) error {
		page, err := in.Unsent(10, 0)
		if len(page) != 0 {
			t.Error("something is left")
		}
		return err
	})
}

func TestUnsentIsBoundedByBytes(t *testing.T) {
	b := openBox(t)
	b.counter = 2
	for n := uint64(1); n <= 2; n++ {
		b.do(func(in Inbox) error {
			return in.AddEvidence(n, stating(axispb.Event_EVENT_BUSINESS_STATE, n, entry("a", "H")), 1)
		})
	}
	b.do(func(in Inbox) error {
		page, err := in.Unsent(10, 1)
		if len(page) != 1 {
			t.Errorf("%d statements", len(page))
		}
		return err
	})
}

func TestCheckSeesViolations(t *testing.T) {
	e := entry("a", "H41")
	for name, spoil := range map[string]func(in Inbox) error{
		"state without statement": func(in Inbox) error {
			_, err := in.Add(entry("b", "H41", func(e *axispb.InboxEntry) { e.State = handed }))
			return err
		},
		"another's statement": func(in Inbox) error {
			return errors.Join(in.AddEvidence(1, stating(proves[consigned], 1, entry("z", "H41")), 1),
				in.Move(KeyOf(e), consigned, 1, start, nil))
		},
		"counter not used":      func(in Inbox) error { return in.AddEvidence(9, stating(proves[handed], 9, e), 1) },
		"wrong counter":         func(in Inbox) error { return in.AddEvidence(1, stating(proves[handed], 2, e), 1) },
		"missing in due":        func(in Inbox) error { return in.due.Delete(first(in.due)) },
		"missing in code index": func(in Inbox) error { return in.codes.Delete(first(in.codes)) },
		"stray index":           func(in Inbox) error { return in.ids.Put([]byte("x"), nil) },
		"stray wait":            func(in Inbox) error { return in.waiting.Put([]byte("x"), nil) },
		"queued statement gone": func(in Inbox) error { return in.unsent.Put([]byte("12345678"), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			b := &box{t: t, db: openBolt(t, t.TempDir()), counter: 1}
			defer b.db.Close()
			b.add(e)
			if err := b.check(); err != nil {
				t.Fatal(err)
			}
			b.do(spoil)
			if b.check() == nil {
				t.Fatal("not seen")
			}
		})
	}
}

func first(b *boltpb.Lazy) []byte { k, _ := b.Cursor().First(); return k }

func TestRandomSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "inbox")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		b := &box{t: t, db: openBolt(t, dir)}
		defer b.db.Close()
		ids := rapid.SampledFrom([]string{"a", "b", "c"})
		codes := rapid.SampledFrom([]string{"H41", "H42"})
		pick := func(t *rapid.T) *axispb.InboxEntry { return entry(ids.Draw(t, "id"), codes.Draw(t, "code")) }
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				e := pick(t)
				if rapid.Bool().Draw(t, "change") {
					about(ids.Draw(t, "target"))(e)
				}
				due(rapid.IntRange(0, 2).Draw(t, "due"))(e)
				b.add(e)
			},
			"move": func(t *rapid.T) {
				to := rapid.SampledFrom([]axispb.State{consigned, failed, handed, refused, withdrawn}).Draw(t, "to")
				if err := b.move(pick(t), to); err != nil && !errors.Is(err, ErrState) && !errors.Is(err, ErrNotFound) {
					t.Fatal(err)
				}
			},
			"attempt": func(t *rapid.T) {
				err := b.try(func(in Inbox) error {
					_, err := in.Attempt(KeyOf(pick(t)), start.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "s"))))
					return err
				})
				if err != nil && !errors.Is(err, ErrState) && !errors.Is(err, ErrNotFound) {
					t.Fatal(err)
				}
			},
			"settle": func(t *rapid.T) {
				b.do(func(in Inbox) error {
					page, err := in.Unsent(1, 1000)
					if err != nil || len(page) == 0 {
						return err
					}
					return in.Settle(page[0].Counter, []byte("r"), nil)
				})
			},
			"orphans": func(*rapid.T) { b.do(Inbox.ReleaseOrphans) },
			"": func(t *rapid.T) {
				if err := b.check(); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}
