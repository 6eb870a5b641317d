package endpoint

import (
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"docaxis/endpoint/inbox"
	"docaxis/endpoint/outbox"
	"docaxis/internal/chunk"
	"docaxis/proto/axispb"
)

// begunAtMost bounds the first attempts that are recorded ahead: what is not begun
// soon stays QUEUED, so that no list says otherwise.
const begunAtMost = 2 * smallJobs

// begun are the jobs whose first attempt was recorded in the commit that made them,
// and that nobody has made yet. It saves a commit. A crash forgets it: the attempt
// then counts as made, and the next start records another.
type begun struct {
	mu   sync.Mutex
	keys map[string]bool
}

// reserve notes a job before its commit; false where it has to be recorded when it is
// made.
func (b *begun) reserve(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.keys) >= begunAtMost || b.keys[key] {
		return false
	}
	if b.keys == nil {
		b.keys = make(map[string]bool)
	}
	b.keys[key] = true
	return true
}

// take uses a reservation up, or gives it back.
func (b *begun) take(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.keys[key]
	delete(b.keys, key)
	return was
}

// online reports whether an attempt that is due can be made at once.
func (a *Agent) online() bool { return a.isConnected() && a.recovering.over() }

// beginSubmission records the first attempt at a new submission that will be made at
// once, in e; undo takes that back where e was not committed.
func (a *Agent) beginSubmission(e *axispb.OutboxEntry) (undo func()) {
	if outbox.ClassOf(e) != outbox.Small || outbox.Unsealed(e) || len(e.After) > 0 || !a.online() || !a.submitting.reserve(e.Id) {
		return func() {}
	}
	e.Attempts = 1
	return func() { a.submitting.take(e.Id) }
}

// begunSubmission gives a submission whose first attempt is recorded and not yet made;
// nil where the attempt has still to be recorded.
func (a *Agent) begunSubmission(id string) (e *axispb.OutboxEntry, err error) {
	if !a.submitting.take(id) {
		return nil, nil //nolint:nilnil // as boltpb.Get does
	}
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		e, err = outbox.In(tx).Get(id)
		return err
	})
	if err != nil || e.Attempts != 1 || e.State != axispb.State_STATE_SUBMITTED {
		return nil, err
	}
	return e, nil
}

// afterBegun is when to try again after a first attempt that was recorded ahead, which
// left no time for it; zero where the attempt did.
func (a *Agent) afterBegun(attempts uint32, dueMs int64) time.Time {
	now := a.cfg.Now()
	if attempts != 1 || dueMs > now.UnixMilli() {
		return time.Time{}
	}
	return now.Add(a.cfg.Retry.wait(0))
}

// beginFetch records the first attempt at a document that just came and whose files
// will be fetched at once, in e; undo as for beginSubmission.
func (a *Agent) beginFetch(e *axispb.InboxEntry) (undo func()) {
	key := inbox.KeyOf(e).String()
	if inbox.ClassOf(e) != inbox.Small || e.State != axispb.State_STATE_FETCHING || e.Target == axispb.Target_TARGET_PRECEDES || !a.fetching.reserve(key) {
		return func() {}
	}
	e.Attempts = 1
	return func() { a.fetching.take(key) }
}

// begunFetch is begunSubmission for a document that came.
func (a *Agent) begunFetch(key inbox.Key) (e *axispb.InboxEntry, err error) {
	if !a.fetching.take(key.String()) {
		return nil, nil //nolint:nilnil // as boltpb.Get does
	}
	err = a.db.View(func(tx *bbolt.Tx) (err error) {
		e, err = inbox.In(tx).Get(key)
		return err
	})
	if err != nil || e.Attempts != 1 || e.State != axispb.State_STATE_FETCHING {
		return nil, err
	}
	return e, nil
}

// beginFetches begins the documents of a part; settle says whether it was committed.
func (p *part) beginFetches() (settle func(committed bool)) {
	if p.agent.disk.contents.Fits(chunk.Size) != nil {
		return func(bool) {} // as whenRoom: it may be long until one is fetched
	}
	undo := make(map[*arrival]func())
	for _, o := range p.outcomes {
		if o.arrived != nil && o.arrived.failure == nil && !o.arrived.second && !o.arrived.whole {
			undo[o.arrived] = p.agent.beginFetch(o.arrived.entry)
		}
	}
	return func(committed bool) {
		for arrived, undo := range undo {
			if !committed || !arrived.added {
				undo()
			}
		}
	}
}
