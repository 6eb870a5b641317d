// Package hubtest owns an axis and its endpoints in one process, over real TLS,
// NATS, bbolt, SQLite and files, and the bare JetStream that an axis is measured against:
// for tests, the demo and the benchmark.
package hubtest

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/deploy"
	"docaxis/endpoint"
	"docaxis/internal/diskspace"
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
	// Monotonic is what the axis holds Now against; see axis.Config.
	Monotonic func() time.Duration
	// EndpointNow is an endpoint's clock, where it is another than Now.
	EndpointNow func(code string) func() time.Time
	// AxisFaults and EndpointFaults make steps fail. An endpoint's hook is also
	// asked at call.SERVICE.before and call.SERVICE.after, where its line may lose a
	// request or an answer.
	AxisFaults     fault.Hook
	EndpointFaults func(name string) fault.Hook
	// AdjustEndpoint changes the configuration of an endpoint, named by its first
	// code, before each of its starts; nil changes nothing.
	AdjustEndpoint func(code string, c *endpoint.Config)
	// AdjustAxis changes the configuration of the axis before each of its starts; nil
	// changes nothing.
	AdjustAxis func(c *axis.Config)
	// Anchors are whom Check believes about the axis's seal and about time, beside its
	// CA.
	Anchors []*x509.Certificate
	// MaxFileBytes is the largest file that the axis takes; 2 GiB where 0.
	MaxFileBytes uint64
	// MaxStreamBytes of the journal.
	MaxStreamBytes uint64
	// ExpireEvery is how often the axis looks for passed deadlines.
	ExpireEvery time.Duration
	// AxisSpace says what the axis's disk has; the real disk where nil.
	AxisSpace func(dir string) (diskspace.Space, error)
	// ScrubEvery of the axis.
	ScrubEvery time.Duration
	// RecoverHold of the axis; none where it is 0.
	RecoverHold time.Duration
	// Retry and PullEvery of every endpoint.
	Retry     endpoint.Retry
	PullEvery time.Duration
	// RenewEvery of every endpoint.
	RenewEvery time.Duration
	// Reconnect is how long an endpoint waits at first before it connects again;
	// 20 ms by default.
	Reconnect time.Duration
	// Restart starts again whatever ends by itself, as a service manager does.
	Restart bool
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

// New founds an axis and imports its agencies.
func New(ctx context.Context, cfg Config) (*World, error) {
	if cfg.Agencies == "" {
		cfg.Agencies = deploy.Agencies
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Reconnect == 0 {
		cfg.Reconnect = defaultReconnect
	}
	listen, err := Port()
	if err != nil {
		return nil, fmt.Errorf("find a port: %w", err)
	}
	w := &World{cfg: cfg, listen: listen, members: map[string]*Member{}}
	file := axis.DefaultFile()
	file.Listen, file.MaxFileBytes = w.listen, cfg.MaxFileBytes
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
	r, err := start(ctx, w.openAxis, w.cfg.Restart, w.cfg.Log.With("part", "axis"))
	if err != nil {
		return fmt.Errorf("start the axis: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.axis = r
	return nil
}

func (w *World) openAxis(ctx context.Context) (*axis.Hub, error) {
	file, err := axis.LoadFile(w.AxisDir())
	if err != nil {
		return nil, err
	}
	file.Listen = w.Address()
	config := axis.Config{
		File: file, Now: w.cfg.Now, Log: w.cfg.Log.With("part", "axis"), Faults: w.cfg.AxisFaults,
		MaxStreamBytes: w.cfg.MaxStreamBytes, ExpireEvery: w.cfg.ExpireEvery, Monotonic: w.cfg.Monotonic,
		ScrubEvery: w.cfg.ScrubEvery, Space: w.cfg.AxisSpace, RecoverHold: cmp.Or(w.cfg.RecoverHold, -1),
	}
	if w.cfg.AdjustAxis != nil {
		w.cfg.AdjustAxis(&config)
	}
	h, err := axis.Open(ctx, w.AxisDir(), config)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listen = h.Addr()
	return h, nil
}

// Address is where endpoints find the axis, host:port, also while it does not run.
func (w *World) Address() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.listen
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
func (w *World) Hub() *axis.Hub { return w.running().get() }

// AxisFailed gives what Run returned, should the axis end by itself and not be
// started again.
func (w *World) AxisFailed() <-chan error { return w.running().failed }

// AxisRestarts counts how often the axis ended by itself and was started again.
func (w *World) AxisRestarts() int { return w.running().restarted() }

func (w *World) running() *running[*axis.Hub] {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.axis
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

// Members lists the endpoints by their first codes.
func (w *World) Members() []*Member {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*Member
	for _, code := range slices.Sorted(maps.Keys(w.members)) {
		all = append(all, w.members[code])
	}
	return all
}

// Close stops everything.
func (w *World) Close() error {
	var errs []error
	for _, m := range w.Members() {
		errs = append(errs, m.Stop())
	}
	return errors.Join(append(errs, w.StopAxis())...)
}

func (w *World) folder(code string) (string, error) {
	dir := filepath.Join(w.cfg.Dir, "endpoint-"+code)
	return dir, os.MkdirAll(dir, 0o700)
}
