package hubtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/inbox"
	"docaxis/internal/envelope"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// removal is a world in which the code H41.01 moves from one endpoint to another
// while documents wait for it.
type removal struct {
	*hubtest.World
	t                *testing.T
	sender, old, new *hubtest.Member
	stuck            *barriers
}

// barriers make steps of endpoints fail, by "CODE POINT", while they stand.
type barriers struct {
	mu  sync.Mutex
	set map[string]bool
}

func (b *barriers) put(where string, up bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set[where] = up
}

func (b *barriers) hook(code string) fault.Hook {
	return func(point string) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.set[code+" "+point] {
			return reason.Temporary(axispb.ReasonCode_REASON_UNAVAILABLE, "a barrier")
		}
		return nil
	}
}

const moving = "H41.01"

func newRemoval(t *testing.T) *removal {
	t.Helper()
	r := &removal{t: t, stuck: &barriers{set: map[string]bool{}}}
	r.World = world(t, hubtest.Config{EndpointFaults: r.stuck.hook, Retry: quick, PullEvery: 200 * time.Millisecond})
	for _, codes := range [][]string{{"G22"}, {"H41", moving}, {"H41.11"}} {
		if _, err := r.Join(t.Context(), codes...); err != nil {
			t.Fatal(err)
		}
	}
	r.sender, r.old, r.new = r.Member("G22"), r.Member("H41"), r.Member("H41.11")
	return r
}

func (r *removal) move(to *hubtest.Member) {
	r.t.Helper()
	_, err := r.Hub().MoveAgencies(r.t.Context(), operator.MoveAgencies{
		Why: operator.Why{Actor: "test", Reason: "moved"}, Codes: []string{moving}, Endpoint: to.Name,
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *removal) send(priority int) string {
	r.t.Helper()
	// Large enough not to come with its page: it has to be fetched.
	id := send(r.t, r.sender, clerk.Draft{To: []string{moving}, Priority: priority}, bytes.Repeat([]byte("nội dung "), 2000))
	wait(r.t, r.sender, id, accepted)
	return id
}

func (r *removal) stop(m *hubtest.Member) {
	r.t.Helper()
	if err := m.Stop(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *removal) start(m *hubtest.Member) {
	r.t.Helper()
	if err := m.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// is waits until a member shows its copy of a document in a state, flagged as a
// second copy or not.
func (r *removal) is(m *hubtest.Member, id string, state axispb.State, second bool) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%s has %s as %s", m.Code, id, state), func() error {
		e, err := r.entry(m, id)
		switch {
		case err != nil:
			return err
		case e == nil:
			return errors.New("it is not there")
		case e.State != state || e.SecondCopy != second:
			return fmt.Errorf("it is %s, second copy %v (%v)", e.State, e.SecondCopy, e.Trouble)
		}
		return nil
	})
}

// gone waits until a member has no copy of a document.
func (r *removal) gone(m *hubtest.Member, id string) {
	r.t.Helper()
	eventually(r.t, m.Code+" gives up "+id, func() error {
		e, err := r.entry(m, id)
		if err == nil && e != nil {
			err = fmt.Errorf("it is %s", e.State)
		}
		return err
	})
}

func (r *removal) entry(m *hubtest.Member, id string) (*axispb.InboxEntry, error) {
	all, err := m.Agent().Inbox(inbox.Filter{Code: moving})
	i := slices.IndexFunc(all, func(e *axispb.InboxEntry) bool { return e.Id == id })
	if err != nil || i < 0 {
		return nil, err
	}
	return all[i], nil
}

// confirm takes a document as the system of the code would.
func (r *removal) confirm(m *hubtest.Member, id string) {
	r.t.Helper()
	e, err := r.entry(m, id)
	if err != nil || e == nil {
		r.t.Fatalf("%s has no %s (%v)", m.Code, id, err)
	}
	if err := m.Agent().Confirm(r.t.Context(), inbox.KeyOf(e), true, ""); err != nil {
		r.t.Fatal(err)
	}
}

// check waits until everybody has seen the whole log and has nothing left to do, and
// asks the checker.
func (r *removal) check() {
	r.t.Helper()
	eventually(r.t, "all is quiet", func() error {
		at, err := r.Hub().Status(r.t.Context())
		for _, m := range r.Members() {
			err = errors.Join(err, quiet(r.t.Context(), m, at.Size))
		}
		return err
	})
	check(r.t, r.World)
}

// quiet reports what an endpoint has still to do in a log of a size.
func quiet(ctx context.Context, m *hubtest.Member, size uint64) error {
	s, err := m.Agent().Status()
	if err != nil {
		return err
	}
	c, err := endpoint.Clerk(m.Agent()).Status(ctx)
	if err != nil {
		return err
	}
	all, err := m.Agent().Inbox(inbox.Filter{Limit: 1000})
	if err != nil {
		return err
	}
	coming := slices.ContainsFunc(all, func(e *axispb.InboxEntry) bool {
		return e.State == axispb.State_STATE_FETCHING || e.State == axispb.State_STATE_WAITING
	})
	if seen := s.Progress.GetSeen().GetSize(); seen != size || c.Unsent > 0 || coming {
		return fmt.Errorf("%s has seen %d of %d records, %d statements are unsent, something is still to come: %v", m.Code, seen, size, c.Unsent, coming)
	}
	return nil
}

// The old endpoint is away: it never sees what came while it was, the new one gets
// all of it, and the order of urgency stays.
func TestACodeMovesWhileItsEndpointIsAway(t *testing.T) {
	r := newRemoval(t)
	before := r.send(0)
	wait(t, r.sender, before, consigned)
	r.stop(r.old)
	slow, urgent := r.send(0), r.send(2)
	r.move(r.new)
	after := r.send(0)
	for _, id := range []string{slow, urgent, after} {
		wait(t, r.sender, id, consigned)
		r.is(r.new, id, consigned, false)
	}
	r.start(r.old)
	r.confirm(r.old, before)
	wait(t, r.sender, before, handedOver)
	r.check()
	for _, id := range []string{slow, urgent, after} {
		if e, err := r.entry(r.old, id); e != nil || err != nil {
			t.Errorf("the old endpoint has %v (%v) of what came after it left", e, err)
		}
	}
	if e, err := r.entry(r.new, before); e != nil || err != nil {
		t.Errorf("the new endpoint has %v (%v) of what the old one had", e, err)
	}
}

// The old endpoint is there, but has not got the content yet: it gives up its copy.
func TestACodeMovesWhileItsEndpointFetches(t *testing.T) {
	r := newRemoval(t)
	r.stuck.put("H41 fetch.before", true)
	id := r.send(0)
	r.is(r.old, id, axispb.State_STATE_FETCHING, false)
	r.move(r.new)
	wait(t, r.sender, id, consigned)
	r.is(r.new, id, consigned, false)
	r.gone(r.old, id)
	r.stuck.put("H41 fetch.before", false)
	r.confirm(r.new, id)
	wait(t, r.sender, id, handedOver)
	r.check()
}

// The code comes back before the other could take anything: what was given up is
// taken anew.
func TestACodeMovesThereAndBack(t *testing.T) {
	r := newRemoval(t)
	r.stuck.put("H41 fetch.before", true)
	id := r.send(0)
	r.is(r.old, id, axispb.State_STATE_FETCHING, false)
	r.stop(r.new)
	r.move(r.new)
	r.gone(r.old, id)
	r.move(r.old)
	r.stuck.put("H41 fetch.before", false)
	wait(t, r.sender, id, consigned)
	r.is(r.old, id, consigned, false)
	r.start(r.new)
	r.check()
	if e, err := r.entry(r.new, id); e != nil || err != nil {
		t.Errorf("the endpoint that was away has %v (%v)", e, err)
	}
}

// Both took a copy, because the old endpoint could not tell anybody. The first
// consignment in the journal counts.
func TestBothTookACopy(t *testing.T) {
	tests := []struct {
		name     string
		oldTakes bool // its system took its copy before it heard of the other
		oldFirst bool // its consignment comes first after all
	}{
		{"the old one's is withdrawn", false, false},
		{"the old one's is taken, and flagged", true, false},
		{"the new one's is withdrawn", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRemoval(t)
			r.stuck.put("H41 evidence.send.before", true)
			id := r.send(0)
			r.is(r.old, id, consigned, false)
			if tt.oldTakes {
				r.confirm(r.old, id)
			}
			r.stop(r.old)
			r.stuck.put("H41 evidence.send.before", false)
			if tt.oldFirst {
				r.theOldOneIsFirst(id)
			} else {
				r.theNewOneIsFirst(id, tt.oldTakes)
			}
			r.check()
		})
	}
}

func (r *removal) theNewOneIsFirst(id string, taken bool) {
	r.t.Helper()
	r.move(r.new)
	wait(r.t, r.sender, id, consigned)
	r.start(r.old)
	if !taken {
		r.is(r.old, id, axispb.State_STATE_WITHDRAWN, true)
		waitSteps(r.t, r.sender, id, "SubmissionAcceptance", "ContentConsignment", "ContentConsignment second", "ContentWithdrawal second")
		return
	}
	r.is(r.old, id, handedOver, true)
	waitSteps(r.t, r.sender, id, "SubmissionAcceptance", "ContentConsignment", "ContentConsignment second", "ContentHandover second")
	if got := r.sees(id); got != consigned {
		r.t.Errorf("the sender sees %s", got)
	}
}

func (r *removal) theOldOneIsFirst(id string) {
	r.t.Helper()
	r.stuck.put("H41.11 evidence.send.before", true)
	r.move(r.new)
	r.is(r.new, id, consigned, false)
	r.start(r.old)
	wait(r.t, r.sender, id, consigned)
	r.stuck.put("H41.11 evidence.send.before", false)
	r.is(r.new, id, axispb.State_STATE_WITHDRAWN, true)
	r.is(r.old, id, consigned, false)
	r.confirm(r.old, id)
	wait(r.t, r.sender, id, handedOver)
}

func (r *removal) sees(id string) axispb.State {
	story, err := r.sender.Agent().Show(id)
	if err != nil || len(story.Recipients) != 1 {
		r.t.Fatalf("%+v (%v)", story, err)
	}
	return story.Recipients[0].State
}

// An agency is closed and another endpoint's takes over: it gets what waited, its
// evidence counts for the sender, and it may answer what its predecessor received.
func TestAnHeirGetsWhatWaitedAndAnswers(t *testing.T) {
	r := newRemoval(t)
	received := r.send(0)
	wait(t, r.sender, received, consigned)
	r.stop(r.old)
	waiting := r.send(0)
	if _, err := r.Hub().CloseAgencies(t.Context(), operator.CloseAgencies{
		Why: operator.Why{Actor: "test", Reason: "sáp nhập"}, Codes: []string{moving}, Successors: []string{"H41.11"},
	}); err != nil {
		t.Fatal(err)
	}
	wait(t, r.sender, waiting, consigned)
	r.is(r.new, waiting, consigned, false)
	for _, target := range []string{waiting, received} {
		reply := newExchange(t, r.World, 1).send("reply", "H41.11", envelope.Document{
			To: []string{"G22"}, Kind: envelope.KindReply,
			References: []envelope.Reference{{Sender: "G22", ID: target, Relation: envelope.RelationTarget}},
		}, nil, 10)
		wait(t, r.new, reply.id, consigned)
	}
	r.start(r.old)
	r.check()
}

// Documents keep coming while the code moves to and fro, endpoints come and go, and
// some take what they have: whatever the order, each document counts once, and
// nobody is left without it.
func TestACodeMovesAtRandom(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r := newRemoval(t)
			random := rand.New(rand.NewPCG(seed, 7))
			up := map[*hubtest.Member]bool{r.old: true, r.new: true}
			both := []*hubtest.Member{r.old, r.new}
			var ids []string
			for range 30 {
				m := both[random.IntN(2)]
				switch random.IntN(6) {
				case 0, 1:
					ids = append(ids, r.send(random.IntN(2)))
				case 2:
					r.move(m)
				case 3:
					if up[m] {
						r.stop(m)
					} else {
						r.start(m)
					}
					up[m] = !up[m]
				case 4:
					point := m.Code + []string{" fetch.before", " evidence.send.before", " call.evidence.after"}[random.IntN(3)]
					r.stuck.put(point, random.IntN(2) == 0)
				case 5:
					if up[m] {
						r.takeWhatIsThere(m)
					}
				}
			}
			r.stuck.clear()
			for _, m := range both {
				if !up[m] {
					r.start(m)
				}
			}
			for _, id := range ids {
				wait(t, r.sender, id, consigned)
			}
			r.check()
		})
	}
}

func (b *barriers) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.set)
}

// takeWhatIsThere confirms whatever a member shows as consigned.
func (r *removal) takeWhatIsThere(m *hubtest.Member) {
	r.t.Helper()
	all, err := m.Agent().Inbox(inbox.Filter{Code: moving, State: consigned})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range all {
		// It may have been withdrawn meanwhile.
		if err := m.Agent().Confirm(r.t.Context(), inbox.KeyOf(e), true, ""); err != nil && !errors.Is(err, inbox.ErrState) {
			r.t.Fatal(err)
		}
	}
}
