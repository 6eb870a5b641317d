package hubtest_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"docaxis/endpoint"
	"docaxis/internal/fault"
	"docaxis/internal/hubtest"
)

// errFault is what a step fails with; nobody may tell it from a real failure.
var errFault = errors.New("made to fail")

// plan says which points fail, and when.
type plan struct {
	mu     sync.Mutex
	points map[string]*failure // by side and point
}

// failure is how a point fails.
type failure struct {
	left   int        // how often it may still fail
	chance *rand.Rand // by which it fails each other time; nil: always
	fired  int
}

// hook is the plan as one side is asked for.
func (p *plan) hook(side string) fault.Hook {
	return func(point string) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		f := p.points[side+" "+point]
		if f == nil || f.left == 0 || f.chance != nil && f.chance.IntN(2) == 0 {
			return nil
		}
		f.left--
		f.fired++
		return fmt.Errorf("%s: %w", point, errFault)
	}
}

// once makes points fail the next time that they are reached.
func (p *plan) once(points ...string) { p.arm(points, func() *failure { return &failure{left: 1} }) }

// often makes points fail every other time at random, several times in all.
func (p *plan) often(seed uint64, points ...string) {
	p.arm(points, func() *failure {
		return &failure{left: 5, chance: rand.New(rand.NewPCG(seed, 2))}
	})
}

func (p *plan) arm(points []string, how func() *failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.points = map[string]*failure{}
	for _, point := range points {
		p.points[point] = how()
	}
}

// fired counts how often a point failed.
func (p *plan) fired(point string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.points[point]; f != nil {
		return f.fired
	}
	return 0
}

// table is a world whose rows of failures are tried one after the other.
type table struct {
	plan  *plan
	world *hubtest.World
}

// quick is how endpoints try again where nobody wants to wait.
var quick = endpoint.Retry{Min: 2 * time.Millisecond, Max: 50 * time.Millisecond}

func newTable(t *testing.T, cfg hubtest.Config) *table {
	t.Helper()
	p := &plan{}
	cfg.Restart = true
	cfg.Retry = quick
	cfg.PullEvery = time.Second
	cfg.Log = slog.New(slog.NewTextHandler(logOf{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cfg.AxisFaults = p.hook("axis")
	cfg.EndpointFaults = func(string) fault.Hook { return p.hook("endpoint") }
	w := world(t, cfg)
	joinAll(t, w)
	return &table{plan: p, world: w}
}

// row is a point that fails: first once, then, where failsAgain, several times at random.
type row struct {
	point string
	// with are points that must fail for this one to be reached.
	with []string
	// restarts: the part cannot go on, and starts again over its folder.
	restarts bool
}

func (r row) points() []string { return append([]string{r.point}, r.with...) }

func (r row) run(t *testing.T, tb *table) {
	seed := fnv.New64a()
	seed.Write([]byte(r.point))
	before := tb.world.AxisRestarts()

	tb.plan.once(r.points()...)
	newExchange(t, tb.world, seed.Sum64()).play()
	if tb.plan.fired(r.point) == 0 {
		t.Fatalf("the exchange never came to %s", r.point)
	}
	if again := tb.world.AxisRestarts() - before; r.restarts != (again > 0) {
		t.Errorf("the axis was started again %d times", again)
	}

	if failsAgain {
		tb.plan.often(seed.Sum64(), r.points()...)
		newExchange(t, tb.world, seed.Sum64()+1).play()
	}
	tb.plan.once()
	if err := hubtest.Check(t.Context(), tb.world); err != nil {
		t.Errorf("promises 1 to 3 do not hold:\n%v", err)
	}
}

// both gives a step's two rows: not done, and done but reported failed.
func both(side string, steps ...string) (rows []row) {
	for _, s := range steps {
		rows = append(rows, row{point: side + " " + s + ".before"}, row{point: side + " " + s + ".after"})
	}
	return rows
}

// stopping marks rows after which the axis starts again.
func stopping(rows []row) []row {
	for i := range rows {
		rows[i].restarts = true
	}
	return rows
}

// needing marks rows that are only reached where another point fails, too.
func needing(point string, rows []row) []row {
	for i := range rows {
		rows[i].with = append(rows[i].with, point)
	}
	return rows
}

// rowsInAWorld bounds what a check has to read over and over.
const rowsInAWorld = 5

func runRows(t *testing.T, cfg hubtest.Config, rows []row) {
	for len(rows) > 0 {
		n := min(len(rows), rowsInAWorld)
		part := rows[:n]
		rows = rows[n:]
		t.Run(part[0].point+" and "+fmt.Sprint(n-1)+" more", func(t *testing.T) {
			t.Parallel()
			tb := newTable(t, cfg)
			for _, r := range part {
				if !t.Run(r.point, func(t *testing.T) { r.run(t, tb) }) {
					t.FailNow() // what follows would only fail for the same reason
				}
			}
		})
	}
}
