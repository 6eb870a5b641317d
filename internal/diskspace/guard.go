package diskspace

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// fresh is how long one look at the disk is good for: asking costs a system call,
// and a disk does not fill up much in it.
const fresh = time.Second

// Space is what a disk has, in bytes.
type Space struct {
	// Free is what this process may still write.
	Free uint64
	// Total is the size of the file system.
	Total uint64
}

// Limits say when a guard refuses, in free bytes.
type Limits struct {
	// Refuse is what must stay free: nothing is allowed that would leave less.
	Refuse uint64
	// Resume is what must be free again before a guard that refused because of
	// Refuse allows anything; at least Refuse. It keeps a program from stopping and
	// going on with every file that comes or goes.
	Resume uint64
}

// Default gives the limits for a disk of which nobody said anything: 2 % of it, at
// least 512 MiB, but never more than a tenth of a small one.
func Default(total uint64) Limits { return Above(min(max(512<<20, total/50), total/10)) }

// Above gives the limits that keep so many bytes free, and resume an eighth later.
func Above(refuse uint64) Limits { return Limits{Refuse: refuse, Resume: refuse + refuse/8} }

// State is what a guard knows, for pages.
type State struct {
	Space
	Limits
	// Full says that the guard refuses, since Since.
	Full  bool
	Since time.Time
	// Err is why the disk could not be looked at the last time; nil where it could.
	Err error
}

// Guard watches the disk on which a folder is. Its methods may be called
// concurrently.
type Guard struct {
	dir  string
	look func(dir string) (Space, error)
	now  func() time.Time

	mu    sync.Mutex
	state State
	// promised is what was allowed since the disk was looked at.
	promised uint64
	looked   time.Time
}

// New makes a guard and looks at the disk once; an error means that the folder's
// disk cannot be asked at all. Limits of zero mean Default. look is Of, or a test's
// own; now is the clock.
func New(dir string, limits Limits, now func() time.Time, look func(dir string) (Space, error)) (*Guard, error) {
	space, err := look(dir)
	if err != nil {
		return nil, err
	}
	if limits == (Limits{}) {
		limits = Default(space.Total)
	}
	if limits.Resume < limits.Refuse {
		return nil, errors.New("diskspace: what must be free to resume is less than what must stay free")
	}
	g := &Guard{dir: dir, look: look, now: now, state: State{Limits: limits}}
	g.take(now(), space)
	return g, nil
}

// Allow says whether so many bytes may be written now. The error is REASON_DISK_FULL,
// temporary: the same may be asked again when there is room. What was allowed counts
// as written until the disk is looked at again, so that many who ask at once do not
// all get the same bytes.
//
// A disk that could be asked once and cannot be asked now is taken to be as it was:
// guessing that it is full would stop everything for nothing.
func (g *Guard) Allow(need uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.fits(need); err != nil {
		return err
	}
	g.promised += need
	return nil
}

// Fits says what Allow would say, and promises nothing: for whoever asks Allow for
// every piece later.
func (g *Guard) Fits(need uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fits(need)
}

func (g *Guard) fits(need uint64) error {
	g.refresh()
	s := g.state
	floor := s.Refuse
	if s.Full {
		floor = s.Resume
	}
	free := s.Free - min(s.Free, g.promised)
	if s.Full || free < floor || free-floor < need {
		return refusal(free, saturated(floor, need))
	}
	return nil
}

// State looks at the disk as Allow does, and says what was found.
func (g *Guard) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refresh()
	return g.state
}

func (g *Guard) refresh() {
	now := g.now()
	// A clock that was set back must not keep an old answer alive.
	if age := now.Sub(g.looked); age >= 0 && age < fresh {
		return
	}
	space, err := g.look(g.dir)
	if g.state.Err = err; err != nil {
		return
	}
	g.take(now, space)
}

func (g *Guard) take(now time.Time, space Space) {
	g.state.Space, g.looked, g.promised = space, now, 0
	switch was := g.state.Full; {
	case !was && space.Free < g.state.Refuse:
		g.state.Full, g.state.Since = true, now
	case was && space.Free >= g.state.Resume:
		g.state.Full, g.state.Since = false, now
	}
}

func refusal(free, needed uint64) error {
	return reason.Temporary(axispb.ReasonCode_REASON_DISK_FULL,
		strconv.FormatUint(free, 10), strconv.FormatUint(needed, 10))
}

// saturated adds without starting over at zero: need may be anybody's number.
func saturated(a, b uint64) uint64 {
	if a+b < a {
		return ^uint64(0)
	}
	return a + b
}
