// Package hubtest owns an axis and its endpoints in one process, over real TLS,
// NATS, bbolt, SQLite and files: for tests, the demo and the benchmark.
package hubtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/deploy"
	"docaxis/endpoint"
	"docaxis/internal/fault"
)

// Config of a World.
type Config struct {
	// Dir holds everything; it must exist.
	Dir string
	// Agencies is a CSV file's text; deploy.Agencies where empty.
	Agencies string
	Log      *slog.Logger
	Now      func() time.Time
	// AxisFaults and EndpointFaults make steps fail.
	AxisFaults     fault.Hook
	EndpointFaults func(name string) fault.Hook
	// MaxStreamBytes of the journal.
	MaxStreamBytes uint64
	// ExpireEvery is how often the axis looks for passed deadlines.
	ExpireEvery time.Duration
	// Retry and PullEvery of every endpoint.
	Retry     endpoint.Retry
	PullEvery time.Duration
}

// World is an axis and its endpoints.
type World struct {
	cfg    Config
	listen string // kept over restarts, so that endpoints find the axis again

	mu      sync.Mutex
	axis    *running[*axis.Hub]
	members map[string]*Member
}

// Member is an endpoint of the world.
type Member struct {
	Name  string // as the axis knows it
	Code  string // its first code
	Dir   string
	world *World
	run   *running[*endpoint.Agent]
}

// running is a part that runs in a goroutine of its own.
type running[T interface{ Close() error }] struct {
	part   T
	cancel context.CancelFunc
	done   chan error
}

func run[T interface {
	Run(ctx context.Context) error
	Close() error
}](ctx context.Context, part T) *running[T] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running[T]{part: part, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- part.Run(ctx) }()
	return r
}

func (r *running[T]) stop() error {
	r.cancel()
	return errors.Join(<-r.done, r.part.Close())
}

// New founds an axis and imports its agencies.
func New(ctx context.Context, cfg Config) (*World, error) {
	if cfg.Agencies == "" {
		cfg.Agencies = deploy.Agencies
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	w := &World{cfg: cfg, listen: "127.0.0.1:0", members: map[string]*Member{}}
	file := axis.DefaultFile()
	file.Listen = w.listen
	if err := axis.Init(w.AxisDir(), file, axis.Config{Now: cfg.Now}); err != nil {
		return nil, err
	}
	if err := w.StartAxis(ctx); err != nil {
		return nil, err
	}
	if _, err := w.Hub().ImportAgencies(ctx, operator.Import{Why: why, CSV: cfg.Agencies}); err != nil {
		return nil, errors.Join(fmt.Errorf("import the agencies: %w", err), w.Close())
	}
	return w, nil
}

var why = operator.Why{Actor: "hubtest", Reason: "founded"}

// AxisDir is the axis's folder.
func (w *World) AxisDir() string { return filepath.Join(w.cfg.Dir, "axis") }

// StartAxis starts the axis, at the same address as before.
func (w *World) StartAxis(ctx context.Context) error {
	file, err := axis.LoadFile(w.AxisDir())
	if err != nil {
		return err
	}
	file.Listen = w.listen
	h, err := axis.Open(ctx, w.AxisDir(), axis.Config{
		File: file, Now: w.cfg.Now, Log: w.cfg.Log.With("part", "axis"), Faults: w.cfg.AxisFaults,
		MaxStreamBytes: w.cfg.MaxStreamBytes, ExpireEvery: w.cfg.ExpireEvery,
	})
	if err != nil {
		return fmt.Errorf("start the axis: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listen = h.Addr()
	w.axis = run(ctx, h)
	return nil
}

// StopAxis stops the axis; its error is what its Run returned.
func (w *World) StopAxis() error {
	w.mu.Lock()
	a := w.axis
	w.axis = nil
	w.mu.Unlock()
	if a == nil {
		return nil
	}
	return a.stop()
}

// Hub is the running axis.
func (w *World) Hub() *axis.Hub {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.axis.part
}

// AxisFailed is closed over the axis's end: it gives what Run returned, should it
// end by itself.
func (w *World) AxisFailed() <-chan error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.axis.done
}

// Join enrols an endpoint for codes, each with a seal of its own, and starts it.
func (w *World) Join(ctx context.Context, codes ...string) (*Member, error) {
	m, err := w.Enrol(ctx, codes...)
	if err != nil {
		return nil, err
	}
	return m, m.Start(ctx)
}

// Member is the endpoint that serves a code as its first.
func (w *World) Member(code string) *Member {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.members[code]
}

// Close stops everything.
func (w *World) Close() error {
	w.mu.Lock()
	members := make([]*Member, 0, len(w.members))
	for _, m := range w.members {
		members = append(members, m)
	}
	w.mu.Unlock()
	var errs []error
	for _, m := range members {
		errs = append(errs, m.Stop())
	}
	return errors.Join(append(errs, w.StopAxis())...)
}

func (w *World) folder(code string) (string, error) {
	dir := filepath.Join(w.cfg.Dir, "endpoint-"+code)
	return dir, os.MkdirAll(dir, 0o700)
}
