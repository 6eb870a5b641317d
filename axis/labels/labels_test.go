package labels_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"docaxis/axis/labels"
	"docaxis/proto/axispb"
)

// rig is a labeller over a journal that is only told of.
type rig struct {
	t    *testing.T
	dir  string
	cfg  labels.Config
	stop func()

	*labels.Labeller
	store *labels.Store

	mu      sync.Mutex // guards what follows
	now     time.Time
	docs    []labels.Document
	bad     map[string]error // why a document cannot be opened, by its name
	later   map[string]bool  // documents of which something outside is missing
	basis   string
	looked  []string // names, in the order of looks
	failing func(point string) error
	lasts   int // how often it was asked for what is left from earlier
}

func newRig(t *testing.T) *rig {
	r := &rig{
		t: t, dir: t.TempDir(), now: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), basis: "a",
		bad: map[string]error{}, later: map[string]bool{},
	}
	r.cfg = labels.Config{Now: r.clock, Every: time.Millisecond, BytesPerSecond: -1, Faults: r.fault}
	t.Cleanup(r.end)
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) fault(point string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failing == nil {
		return nil
	}
	return r.failing(point)
}

func (r *rig) path() string { return filepath.Join(r.dir, labels.FileName) }

func (r *rig) begin() {
	r.t.Helper()
	var err error
	if r.store, err = labels.Open(r.t.Context(), r.path(), slog.New(slog.DiscardHandler)); err != nil {
		r.t.Fatal(err)
	}
	r.Labeller = labels.New(r.store, r, r, r.cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := errors.Join(<-done, r.store.Close()); err != nil {
			r.t.Error(err)
		}
	}
}

func (r *rig) end() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

func (r *rig) restart() {
	r.t.Helper()
	r.end()
	r.begin()
}

// change changes what the rig has.
func (r *rig) change(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

// accept adds documents to the journal, at every other leaf.
func (r *rig) accept(names ...string) {
	r.change(func() {
		for _, n := range names {
			sum := sha256.Sum256([]byte(n))
			r.docs = append(r.docs, labels.Document{Position: uint64(2 * len(r.docs)), Commitment: sum[:], Bytes: uint64(len(n))})
		}
	})
	if r.Labeller != nil {
		r.Ring()
	}
}

// until waits for so many looks and gives them.
func (r *rig) until(n int) (all []string) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("%d looks", n), func() error {
		r.change(func() { all = slices.Clone(r.looked) })
		if len(all) < n {
			return fmt.Errorf("%q", all)
		}
		return nil
	})
	return all
}

func (r *rig) eventually(what string, ask func() error) {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for err := ask(); err != nil; err = ask() {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: %v", what, err)
		}
		<-time.After(time.Millisecond)
	}
}

// settled waits until nothing is left to be looked at.
func (r *rig) settled() {
	r.t.Helper()
	r.eventually("nothing is left", func() error {
		if s := r.Status(r.t.Context()); s.Backlog > 0 || s.Trouble != nil {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
}

func (r *rig) of(name string) *axispb.DocumentLabels {
	r.t.Helper()
	sum := sha256.Sum256([]byte(name))
	l, err := r.store.Get(r.t.Context(), sum[:])
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *rig) want(names ...string) {
	r.t.Helper()
	for _, n := range names {
		if l := r.of(n); len(l.GetFiles()) != 1 || l.Files[0].Name != n {
			r.t.Errorf("%s: %v", n, l)
		}
	}
}

// The rig is the labeller's source.

func (r *rig) find(such func(labels.Document) bool, from []labels.Document) (labels.Document, bool, error) {
	i := slices.IndexFunc(from, such)
	if i < 0 {
		return labels.Document{}, false, nil
	}
	return from[i], true, nil
}

func (r *rig) Next(_ context.Context, after int64) (labels.Document, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(func(d labels.Document) bool { return int64(d.Position) > after }, r.docs)
}

func (r *rig) Last(_ context.Context, before int64) (labels.Document, bool, error) {
	r.change(func() { r.lasts++ })
	r.mu.Lock()
	defer r.mu.Unlock()
	down := slices.Clone(r.docs)
	slices.Reverse(down)
	return r.find(func(d labels.Document) bool { return int64(d.Position) < before }, down)
}

func (r *rig) Find(_ context.Context, commitment []byte) (labels.Document, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(func(d labels.Document) bool { return string(d.Commitment) == string(commitment) }, r.docs)
}

func (r *rig) Waiting(_ context.Context, after, before int64) (n uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.docs {
		if int64(d.Position) > after || int64(d.Position) < before {
			n++
		}
	}
	return n, nil
}

func (r *rig) Open(_ context.Context, d labels.Document) (labels.Contents, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.names() {
		if sum := sha256.Sum256([]byte(n)); string(sum[:]) == string(d.Commitment) {
			c := labels.Contents{AcceptedMS: 7, Files: []labels.File{{Name: n, Size: int64(len(n)), Content: strings.NewReader(n)}}}
			return c, r.bad[n]
		}
	}
	return labels.Contents{}, errors.New("a document that was never accepted")
}

// names of all documents that tests accept.
func (r *rig) names() []string {
	all := []string{strings.Repeat("large", 10)}
	for i := range 40 {
		all = append(all, fmt.Sprintf("d%d", i))
	}
	return all
}

// And it is the judge.

func (r *rig) Basis() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.basis
}

func (r *rig) Label(_ context.Context, name, _ string, _ io.ReaderAt, _ int64, at time.Time) (*axispb.FileLabel, time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.UnixMilli() != 7 {
		return nil, time.Time{}, errors.New("not judged at the time of the acceptance")
	}
	r.looked = append(r.looked, name)
	var retry time.Time
	if r.later[name] {
		retry = r.now
	}
	return &axispb.FileLabel{Name: name, SentenceEn: r.basis}, retry, nil
}

// What comes in is looked at first, then what is left from earlier, newest first; what
// was looked at is not again, over a start.
func TestNewOnesFirst(t *testing.T) {
	r := newRig(t)
	r.accept("d0", "d1", "d2", "d3")
	begun, hold := make(chan struct{}), make(chan struct{})
	r.failing = func(point string) error {
		if point == "labels.look.before" && len(r.looked) == 2 {
			r.mu.Unlock()
			close(begun)
			<-hold
			r.mu.Lock()
		}
		return nil
	}
	r.begin()
	select {
	case <-begun:
	case <-time.After(20 * time.Second):
		t.Fatal("there is no third look")
	}
	r.accept("d4", "d5")
	close(hold)
	if got := r.until(6); !slices.Equal(got, []string{"d3", "d2", "d1", "d4", "d5", "d0"}) {
		t.Errorf("looked at in the order %q", got)
	}
	r.settled()
	r.restart()
	r.accept("d6")
	r.until(7)
	r.settled()
	if got := r.until(7); len(got) != 7 {
		t.Errorf("looked at again: %q", got)
	}
	r.want("d0", "d1", "d2", "d3", "d4", "d5", "d6")
}

// Once nothing is left, a new document is all that is looked for until the next tick:
// a search for each other kind would cost more than a small document does.
func TestANewDocumentIsAllThatIsLookedFor(t *testing.T) {
	r := newRig(t)
	r.cfg.Every, r.cfg.Large = time.Hour, 40
	r.begin()
	r.accept("d0")
	r.until(1)
	r.settled()
	for i := range 20 {
		r.accept(fmt.Sprint("d", 1+i))
		r.until(2 + i)
	}
	var asked int
	r.change(func() { asked = r.lasts })
	if asked > 5 {
		t.Errorf("asked %d times for what is left from earlier", asked)
	}
	r.accept(strings.Repeat("large", 10)) // put off, and then due at once
	r.until(22)
}

// A step that fails, before or after it was done, is done again: every document is
// labelled, whatever failed, and the trouble is told as long as it lasts.
func TestFailuresOfLabelling(t *testing.T) {
	for _, point := range []string{"labels.look.before", "labels.look.after", "labels.row.before", "labels.row.after"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.accept("d0", "d1", "d2")
			fail := true
			r.failing = func(p string) error {
				if fail && p == point {
					return errors.New("the disk is full")
				}
				return nil
			}
			r.begin()
			r.eventually("the trouble is told", func() error {
				// What was done before it failed does not fail again.
				if s := r.Status(t.Context()); (s.Trouble == nil || s.Since.IsZero()) && point != "labels.row.after" {
					return fmt.Errorf("%+v", s)
				}
				return nil
			})
			r.change(func() { fail = false })
			r.settled()
			r.restart()
			r.settled()
			r.want("d0", "d1", "d2")
		})
	}
}

// What cannot be read now is looked at again, later and later, and holds up nothing; what
// was known of it before stays.
func TestWhatCannotBeReadIsLookedAtAgain(t *testing.T) {
	r := newRig(t)
	r.accept("d0", "d1")
	r.bad["d0"] = errors.New("set aside")
	r.begin()
	r.settled()
	r.want("d1")
	first := r.of("d0")
	if len(first.Files) > 0 || first.AgainMs <= r.clock().UnixMilli() {
		t.Fatalf("%v", first)
	}
	r.change(func() { r.now, r.bad = r.now.Add(time.Hour), map[string]error{} })
	r.eventually("it is read", func() error {
		if len(r.of("d0").GetFiles()) == 0 {
			return errors.New("it is not")
		}
		return nil
	})
	r.want("d0")
	if l := r.of("d0"); l.Looks != 2 || l.AgainMs != 0 {
		t.Errorf("%v", l)
	}
}

// What waits for something outside is looked at again as often as that is worth while,
// and with another basis everything is; of what is gone, the labels stay.
func TestLabelsAreMadeAgain(t *testing.T) {
	r := newRig(t)
	r.accept("d0", "d1")
	r.later["d0"] = true
	r.begin()
	r.settled()
	for looks := uint32(1); looks < 40; looks++ {
		r.eventually("a further look", func() error {
			if l := r.of("d0"); l.Looks != looks || l.AgainMs == 0 {
				return fmt.Errorf("%v", l)
			}
			return nil
		})
		wait := time.UnixMilli(r.of("d0").AgainMs).Sub(r.clock())
		if wait < 10*time.Second || looks > 10 && wait < 20*time.Hour || looks > 36 && wait < 20*24*time.Hour {
			t.Errorf("after %d looks again in %s", looks, wait)
		}
		r.change(func() { r.now = r.now.Add(wait) })
	}
	r.change(func() {
		r.basis, r.later = "b", map[string]bool{}
		r.bad["d1"] = labels.ErrGone
	})
	r.restart()
	r.eventually("everything by the new basis", func() error {
		if l := r.of("d0"); l.Files[0].SentenceEn != "b" || r.of("d1").Looks != 2 {
			return fmt.Errorf("%v", l)
		}
		return nil
	})
	if l := r.of("d1"); l.AgainMs != 0 || len(l.Files) != 1 || l.Files[0].SentenceEn != "a" {
		t.Errorf("of what is gone: %v", l)
	}
	if s := r.Status(t.Context()); s.Again > 0 || s.Backlog > 0 {
		t.Errorf("%+v", s)
	}
}

// A large document waits until nothing else is new.
func TestLargeOnesWait(t *testing.T) {
	r := newRig(t)
	r.cfg.Large = 40
	large := strings.Repeat("large", 10)
	r.accept(large, "d0", "d1")
	r.change(func() { r.docs[0], r.docs[2] = r.docs[2], r.docs[0]; r.docs[0].Position, r.docs[2].Position = 0, 4 })
	r.begin()
	if got := r.until(3); got[2] != large {
		t.Errorf("looked at in the order %q", got)
	}
	r.settled()
	r.want(large, "d0", "d1")
}

// However much comes in, what was put off has its turn.
func TestWhatWasPutOffHasItsTurn(t *testing.T) {
	r := newRig(t)
	r.cfg.Large = 40
	large, names := strings.Repeat("large", 10), []string{}
	for i := range 30 {
		names = append(names, fmt.Sprintf("d%d", i))
	}
	r.begin()
	r.accept("d39")
	r.until(1)
	r.accept(append([]string{large}, names...)...)
	if at := slices.Index(r.until(32), large); at < 3 || at > 20 {
		t.Errorf("it was looked at as number %d of 32", at)
	}
}

// A journal that was set back has other documents at the same places: each is looked
// at, and what it lost is forgotten.
func TestAJournalThatWasSetBack(t *testing.T) {
	r := newRig(t)
	r.accept("d0", "d1", "d2")
	r.later["d2"] = true
	r.begin()
	r.settled()
	r.end()
	r.change(func() { r.docs, r.looked = r.docs[:1], nil })
	r.accept("d10", "d11", "d12")
	r.change(func() { r.now = r.now.Add(48 * time.Hour) })
	r.begin()
	r.settled()
	r.want("d0", "d10", "d11", "d12")
	r.eventually("what is lost is forgotten", func() error {
		if r.of("d2") != nil {
			return errors.New("it is not")
		}
		return nil
	})
	if got := r.until(3); len(got) != 3 || slices.Contains(got, "d0") {
		t.Errorf("looked at %q", got)
	}
}

// A file that is gone, damaged or of another version is begun anew.
func TestTheFileIsMadeAnew(t *testing.T) {
	r := newRig(t)
	r.accept("d0", "d1")
	for name, harm := range map[string]func() error{
		"gone":    func() error { return os.Remove(r.path()) },
		"garbage": func() error { return os.WriteFile(r.path(), []byte(strings.Repeat("garbage ", 2000)), 0o600) },
		"empty":   func() error { return os.Truncate(r.path(), 0) },
	} {
		r.begin()
		r.settled()
		r.end()
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		r.begin()
		r.settled()
		r.want("d0", "d1")
		if s := r.Status(t.Context()); s.Trouble != nil {
			t.Errorf("%s: %v", name, s.Trouble)
		}
		r.end()
	}
}
