package revocation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// lookAtLeast is how often the clock is looked at, should it be set.
const lookAtLeast = time.Minute

// maxHosts are remembered beyond those that are needed.
const maxHosts = 256

// keeper owns what is looked after. Whoever holds it is its only goroutine.
type keeper struct {
	store   *Store
	cfg     *Config
	fetcher *fetcher

	targets map[string]*state
	hosts   map[string]*host
	bytes   int64

	// ready are targets that are due, the first to be asked first.
	ready []*state
	// wake is when the first of the others becomes due, or earlier.
	wake    time.Time
	results chan result
	running int
	failing int // of those running
}

// state is a target as the keeper knows it.
type state struct {
	shown
	key    string
	wanted time.Time
	// try is the address to ask next.
	try             int
	running, queued bool
	risky           bool // while running: it or its authority failed before
}

// host is an authority's machine. While it is paused nothing is asked of it.
type host struct {
	Authority
	running bool
}

// result is how a request ended.
type result struct {
	state    *state
	host     string
	received *received
	err      error
}

func newKeeper(s *Store) *keeper {
	return &keeper{
		store:   s,
		cfg:     &s.cfg,
		fetcher: newFetcher(s.dir, &s.cfg),
		targets: map[string]*state{},
		hosts:   map[string]*host{},
		results: make(chan result, s.cfg.Parallel),
	}
}

// load takes up the files of an earlier life.
func (k *keeper) load() error {
	names, err := files(k.store.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := k.loadFile(name); errors.Is(err, errDamaged) {
			if err := os.Remove(filepath.Join(k.store.dir, name)); err != nil {
				return fmt.Errorf("remove a damaged file: %w", err)
			}
		} else if err != nil {
			return err
		}
	}
	k.makeRoom(nil, 0)
	return nil
}

func (k *keeper) loadFile(name string) error {
	d, size, err := readDescription(filepath.Join(k.store.dir, name))
	if err != nil {
		return err
	}
	t, err := d.target()
	if err != nil {
		return err
	}
	st := &state{shown: shown{target: t, kept: d, size: size}, key: t.key(), wanted: d.Wanted}
	if st.key+extension != name {
		return fmt.Errorf("%w: it has the name of another", errDamaged)
	}
	now := k.cfg.Now()
	st.next = now.Add(k.cfg.refreshIn(d.Answer.ThisUpdate, d.Answer.NextUpdate, now))
	if d.Answer.end().Before(now) {
		st.next = now
	}
	k.targets[st.key] = st
	k.bytes += size
	k.show(st)
	return nil
}

// work asks for what is due, as long as the context holds or, once, until nothing
// is due.
func (k *keeper) work(ctx context.Context, once bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer k.settle()
	defer cancel()
	k.takeNotes()
	k.queueDue()
	for ctx.Err() == nil {
		k.start(ctx)
		if once && k.running == 0 {
			return
		}
		k.wait(ctx)
	}
}

// wait takes in the next thing that happens.
func (k *keeper) wait(ctx context.Context) {
	timer := time.NewTimer(k.untilNext())
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case chain := <-k.store.wants:
		k.want(chain)
		k.takeNotes()
	case key := <-k.store.damaged:
		k.dropDamaged(key)
		k.queueDue()
	case r := <-k.results:
		k.done(ctx, r)
	case <-timer.C:
		k.queueDue()
	}
}

// untilNext is how long nothing becomes due. What is ready already waits for a
// request to end.
func (k *keeper) untilNext() time.Duration {
	return max(min(k.wake.Sub(k.cfg.Now()), lookAtLeast), time.Millisecond)
}

// putOff sets when a target is asked for again.
func (k *keeper) putOff(st *state, next time.Time) {
	st.next = next
	if next.Before(k.wake) {
		k.wake = next
	}
}

// settle waits for requests whose context has ended.
func (k *keeper) settle() {
	for k.running > 0 {
		r := <-k.results
		k.ended(r)
		if r.received != nil {
			r.received.discard()
		}
	}
	for _, st := range k.ready {
		st.queued = false
	}
	k.ready = nil
}

// takeNotes takes in what Want and Data left.
func (k *keeper) takeNotes() {
	for {
		select {
		case chain := <-k.store.wants:
			k.want(chain)
		case key := <-k.store.damaged:
			k.dropDamaged(key)
		default:
			return
		}
	}
}

// queueDue finds what is due, and forgets what nobody wants any more.
func (k *keeper) queueDue() {
	now := k.cfg.Now()
	k.forgetHosts()
	k.wake = now.Add(lookAtLeast)
	for _, st := range k.targets {
		switch {
		case st.running || st.queued:
		case now.Sub(st.wanted) > k.cfg.Forget:
			k.drop(st)
		case len(st.urls) > 0 && due(st.next, now):
			k.queue(st)
		case len(st.urls) > 0:
			k.putOff(st, st.next)
		}
	}
	slices.SortStableFunc(k.ready, func(a, b *state) int {
		if c := min(a.failures, 1) - min(b.failures, 1); c != 0 {
			return c
		}
		if c := a.next.Compare(b.next); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
}

// due reports whether a moment has come. One that is too far away was set by a clock
// that was wrong.
func due(next, now time.Time) bool {
	return !next.After(now) || next.After(now.Add(2*latest))
}

func (k *keeper) queue(st *state) {
	st.queued = true
	k.ready = append(k.ready, st)
}

// start begins as many requests as may run: one to each authority, and with what
// failed before never more than half of the places, so that authorities that do
// not answer leave room for those that do.
func (k *keeper) start(ctx context.Context) {
	var left []*state
	for i, st := range k.ready {
		if k.running >= k.cfg.Parallel {
			left = append(left, k.ready[i:]...)
			break
		}
		if k.targets[st.key] != st {
			continue
		}
		switch h, paused := k.hostFor(st); {
		case paused:
			st.queued = false
		case h.running, st.failures+h.Failures > 0 && k.failing >= max(1, k.cfg.Parallel/2):
			left = append(left, st)
		default:
			st.queued = false
			k.begin(ctx, st, h)
		}
	}
	k.ready = left
}

// hostFor is the authority to ask next: the first that is not paused. Where all
// are, the target waits for the first to be asked again.
func (k *keeper) hostFor(st *state) (h *host, paused bool) {
	now := k.cfg.Now()
	var soonest *host
	for ; st.try < len(st.urls); st.try++ {
		h := k.host(hostOf(st.urls[st.try]))
		if due(h.Next, now) {
			return h, false
		}
		if soonest == nil || h.Next.Before(soonest.Next) {
			soonest = h
		}
	}
	st.try = 0
	k.putOff(st, soonest.Next)
	k.failedWith(st, soonest.Err)
	return nil, true
}

func (k *keeper) host(name string) *host {
	h := k.hosts[name]
	if h == nil {
		h = &host{Authority: Authority{Host: name}}
		k.hosts[name] = h
	}
	return h
}

// forgetHosts drops authorities that nothing leads to any more, once there are many.
func (k *keeper) forgetHosts() {
	if len(k.hosts) <= maxHosts+len(k.targets)*maxURLs {
		return
	}
	named := map[string]bool{}
	for _, st := range k.targets {
		for _, u := range st.urls {
			named[hostOf(u)] = true
		}
	}
	for name, h := range k.hosts {
		if !h.running && !named[name] {
			delete(k.hosts, name)
			k.store.authorities.Delete(name)
		}
	}
}

func (k *keeper) begin(ctx context.Context, st *state, h *host) {
	st.running, h.running = true, true
	k.running++
	if st.risky = st.failures+h.Failures > 0; st.risky {
		k.failing++
	}
	t, url, old, name := st.target, st.urls[st.try], st.kept, h.Host
	go func() {
		r, err := k.fetcher.fetch(ctx, t, url, old)
		k.results <- result{state: st, host: name, received: r, err: err}
	}()
}

// ended gives back the places that a request took.
func (k *keeper) ended(r result) {
	k.running--
	if r.state.risky {
		k.failing--
	}
	r.state.running = false
	k.hosts[r.host].running = false
}

func (k *keeper) done(ctx context.Context, r result) {
	k.ended(r)
	st := r.state
	gone := k.targets[st.key] != st
	switch {
	case gone || ctx.Err() != nil && r.err != nil:
		if r.received != nil {
			r.received.discard()
		}
		return
	case r.err == nil:
		r.err = k.keep(st, r.received)
	}
	k.heard(r.host, r.err)
	if r.err != nil && !errors.Is(r.err, errTwice) {
		k.failed(st, r.err)
		return
	}
	now := k.cfg.Now()
	st.try, st.failures, st.err, st.since = 0, 0, nil, time.Time{}
	k.putOff(st, now.Add(k.cfg.refreshIn(st.kept.Answer.ThisUpdate, st.kept.Answer.NextUpdate, now)))
	k.show(st)
}

// heard notes whether an authority answers; what it answered is another matter.
func (k *keeper) heard(name string, err error) {
	h, now := k.hosts[name], k.cfg.Now()
	if down := (unreachable{}); errors.As(err, &down) {
		h.Failures++
		h.Next = now.Add(k.cfg.retryIn(h.Failures))
		h.Err = err
		if h.Since.IsZero() {
			h.Since = now
		}
	} else {
		h.Authority = Authority{Host: name}
		k.store.authorities.Delete(name)
		return
	}
	k.store.authorities.Store(name, h.Authority)
}

// failed goes on with the next address, or waits.
func (k *keeper) failed(st *state, err error) {
	if st.try++; st.try < len(st.urls) {
		k.queue(st)
		return
	}
	st.try = 0
	st.failures++
	k.putOff(st, k.cfg.Now().Add(k.cfg.retryIn(st.failures)))
	k.failedWith(st, err)
}

func (k *keeper) failedWith(st *state, err error) {
	st.err = err
	if st.since.IsZero() {
		st.since = k.cfg.Now()
	}
	k.show(st)
}

// show tells others how a target stands.
func (k *keeper) show(st *state) {
	now := st.shown
	k.store.shown.Store(st.key, &now)
}

// oldest gives the targets in the order in which they may go: first what was never
// obtained, then what was not wanted for longest.
func (k *keeper) oldest() []*state {
	return slices.SortedFunc(maps.Values(k.targets), func(a, b *state) int {
		if (a.kept == nil) != (b.kept == nil) {
			if a.kept == nil {
				return -1
			}
			return 1
		}
		return a.wanted.Compare(b.wanted)
	})
}
