package endpoint

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"docaxis/proto/axispb"
)

const (
	// smallJobs is how many small submissions go on side by side.
	smallJobs = 8
	// smallFetches is how many small documents are fetched side by side: more than the line
	// takes at once, since most of the time of each is for the disk, and those that end
	// together share a commit.
	smallFetches = 16
)

// idle is how long a pool sleeps when nothing is due and nobody rings.
const idle = time.Minute

// job is a piece of work on one document.
type job struct {
	key  string
	lane axispb.Lane
}

// due lists what is to be done now, most urgent first, at most limit; and, of what
// is to be done later, the earliest time.
type due func(now time.Time, limit int) ([]job, time.Time, error)

// work does a job. giveWay reports that something more urgent waits: a long job
// then ends early, and is taken up again where it stopped. An error is fatal.
type work func(ctx context.Context, key string, giveWay func() bool) error

// pool runs the jobs of one kind, so many at a time. Its run owns all its state.
type pool struct {
	agent *Agent
	size  int
	bell  chan struct{}
	due   due
	work  work
}

func (a *Agent) pool(size int, bell chan struct{}, d due, w work) *pool {
	return &pool{agent: a, size: size, bell: bell, due: d, work: w}
}

// running is a job under way.
type running struct {
	lane    axispb.Lane
	giveWay atomic.Bool
}

// done is a job that ended.
type done struct {
	key string
	err error
}

// run works until ctx ends, and returns when the last job has.
func (p *pool) run(ctx context.Context) error {
	var wg sync.WaitGroup
	ended := make(chan done, p.size)
	jobs := make(map[string]*running)
	ctx, cancel := context.WithCancel(ctx)
	defer wg.Wait()
	defer cancel()
	for {
		wait, err := p.start(ctx, &wg, jobs, ended)
		if err != nil {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case d := <-ended:
			delete(jobs, d.key)
			if d.err != nil {
				timer.Stop()
				return d.err
			}
		case <-p.bell:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// start begins what is due and there is room for, and says how long to wait.
func (p *pool) start(ctx context.Context, wg *sync.WaitGroup, jobs map[string]*running, ended chan<- done) (time.Duration, error) {
	if !p.agent.online() {
		// An attempt that cannot even be made is none.
		return idle, nil
	}
	now := p.agent.cfg.Now()
	list, wake, err := p.due(now, p.size+len(jobs))
	if err != nil {
		return 0, err
	}
	for _, j := range list {
		if _, going := jobs[j.key]; going {
			continue
		}
		if len(jobs) == p.size {
			makeWay(jobs, j.lane)
			break
		}
		r := &running{lane: j.lane}
		jobs[j.key] = r
		wg.Go(func() { ended <- done{j.key, p.work(ctx, j.key, r.giveWay.Load)} })
	}
	if wake.IsZero() {
		return idle, nil
	}
	return min(max(wake.Sub(now), 0), idle), nil
}

// makeWay asks a job that is less urgent than the lane to end early.
func makeWay(jobs map[string]*running, lane axispb.Lane) {
	for _, r := range jobs {
		if r.lane > lane {
			r.giveWay.Store(true)
			return
		}
	}
}

// Retry is how long the endpoint waits between attempts: at random up to a limit
// that begins at Min and doubles up to Max.
type Retry struct{ Min, Max time.Duration }

// wait is the time to wait after so many attempts (full jitter, so that thousands
// of endpoints do not come back together).
func (r Retry) wait(attempts uint32) time.Duration {
	limit := r.Max
	if attempts < 32 {
		limit = min(r.Min<<attempts, r.Max)
	}
	if limit <= 0 {
		limit = r.Max
	}
	return rand.N(limit) + 1
}
