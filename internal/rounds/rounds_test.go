package rounds_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"docaxis/internal/hubtest"
	"docaxis/proto/axispb"
)

var (
	howMany  = flag.Int("rounds", 6, "rounds of TestRounds")
	fromSeed = flag.Uint64("seed", 0, "seed of TestRounds; 0 takes a random one")
	onlyOne  = flag.Int("round", -1, "the one round of TestRounds to run")
)

// roundsInAWorld bounds what a check has to read over and over.
const roundsInAWorld = 6

// Under load processes are killed at random times, or where a system call says, or
// system calls fail; when they run again everything settles, and promises 1 to 3 of
// the design hold.
func TestRounds(t *testing.T) {
	seed := *fromSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test ./internal/rounds -run TestRounds -rounds=%d -seed=%d", *howMany, seed)
	founded, s := found(t), &summary{rows: map[string]*row{}}
	each := min(roundsInAWorld, (*howMany+1)/2)
	t.Run("worlds", func(t *testing.T) {
		for first := 0; first < *howMany; first += each {
			last := min(first+each, *howMany)
			t.Run(fmt.Sprintf("rounds %d to %d", first, last-1), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, founded)
				for n := first; n < last; n++ {
					if *onlyOne < 0 || *onlyOne == n {
						w.round(t, newPlan(seed, uint64(n), kinds()), s)
					}
				}
			})
		}
	})
	t.Log("\n" + s.String())
}

// round is one round; after one that fails its world is of no more use.
func (w *world) round(t *testing.T, p plan, s *summary) {
	began := time.Now()
	starts := w.starts()
	for _, name := range w.names() {
		w.named(name).note("-- round %d", p.round)
		w.named(name).start(p.under[name].command(w.named(name).straced())...)
	}
	w.load(t.Context(), p)
	hit := len(p.blows) > 0
	for name := range p.under {
		hit = w.named(name).injected() || hit
		w.named(name).kill() // what is left of the process whose system calls fail
	}
	loaded := time.Since(began)
	err := w.settle(t.Context())
	settled := time.Since(began)
	again := w.starts() - starts - len(w.names())
	w.each(func(x *process) { x.end(p.endKilled) })
	if err == nil {
		err = w.check(t.Context(), s.of(p.kind))
	}
	w.each(func(x *process) { err = errors.Join(err, x.died()) })
	if err != nil {
		t.Fatalf("%v\n%v", p, err)
	}
	s.add(p, hit, again)
	t.Logf("round %d, %s: %d restarts; load %v, settled %v, checked %v", p.round, p.kind, again,
		loaded.Round(time.Millisecond), settled.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

func (w *world) starts() (n int) {
	w.each(func(p *process) { n += p.started() })
	return n
}

// check opens the folders, on which nothing runs, and judges what is there: the
// checker of hubtest, and what the processes had answered.
func (w *world) check(ctx context.Context, r *row) (err error) {
	log := slog.New(slog.DiscardHandler)
	open, err := hubtest.Reopen(ctx, hubtest.Config{Dir: w.dir, Log: log})
	if err != nil {
		return fmt.Errorf("open what the processes left: %w", err)
	}
	defer func() { err = errors.Join(err, open.Close()) }()
	seen, err := hubtest.Look(ctx, open)
	if err != nil {
		return err
	}
	seen.Held = w.story.receipts()
	if err := seen.Check(); err != nil {
		return fmt.Errorf("promises 1 to 3 do not hold:\n%w", err)
	}
	if seen.Size < w.size {
		return fmt.Errorf("the journal had %d records and has %d", w.size, seen.Size)
	}
	w.size = seen.Size
	r.seen(seen)
	return w.story.check(seen)
}

// check holds what is there to what was answered.
func (s *story) check(seen *hubtest.Seen) error {
	sent, states := map[string][]*axispb.OutboxEntry{}, map[at]string{}
	for _, e := range seen.Endpoints {
		for _, o := range e.Outbox {
			sent[o.Subject] = append(sent[o.Subject], o)
		}
		for _, i := range e.Inbox {
			states[at{i.Id, i.Code}] = i.State.String()[len("STATE_"):]
		}
	}
	for subject, entries := range sent {
		l := s.letters[subject]
		if n := s.tried[subject]; len(entries) > n {
			s.complain("%q was offered %d times, and was sent %d times", subject, n, len(entries))
		}
		for _, o := range entries {
			if refused := o.State == axispb.State_STATE_REJECTED; refused != l.refused {
				s.complain("%q came to %s", subject, o.State)
			}
		}
	}
	for subject, ids := range s.taken {
		for _, id := range ids {
			if !slices.ContainsFunc(sent[subject], func(o *axispb.OutboxEntry) bool { return o.Id == id }) {
				s.complain("%q was taken as %s, and is not there", subject, id)
			}
		}
	}
	for where, state := range s.confirmed {
		if states[where] != state {
			s.complain("%s at %s was answered to be %s, and is %s", where.id, where.code, state, states[where])
		}
	}
	return errors.Join(s.found...)
}

// summary is what rounds were run, by kind.
type summary struct {
	mu   sync.Mutex
	rows map[string]*row
}

// row is the rounds of a kind. Documents and receipts are counted at each check.
type row struct {
	mu                                    sync.Mutex
	rounds, hit, restarts, docs, receipts int
}

func (s *summary) of(kind string) *row {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows[kind] == nil {
		s.rows[kind] = &row{}
	}
	return s.rows[kind]
}

func (s *summary) add(p plan, hit bool, restarts int) {
	r := s.of(p.kind)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds++
	r.restarts += restarts
	if hit {
		r.hit++
	}
}

func (r *row) seen(s *hubtest.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range s.Endpoints {
		r.docs += len(e.Outbox)
	}
	r.receipts += len(s.Held)
}

func (s *summary) String() string {
	out := fmt.Sprintf("%-45s %7s %7s %9s %10s %9s\n", "kind", "rounds", "hit", "restarts", "documents", "receipts")
	for _, k := range slices.Sorted(maps.Keys(s.rows)) {
		r := s.rows[k]
		out += fmt.Sprintf("%-45s %7d %7d %9d %10d %9d\n", k, r.rounds, r.hit, r.restarts, r.docs, r.receipts)
	}
	return out
}
