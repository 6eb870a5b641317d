package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// plan is what is measured, and how much of it.
type plan struct {
	Quick bool
	Only  []string // measurements by name
	// Dir holds everything; Profile gets the processes' profiles, where it is set.
	Dir, Profile string
	Progress     io.Writer

	Codes      []string
	FileBytes  int // of a small document
	Throughput throughputPlan
	Latency    latencyPlan
	Memory     memoryPlan
	Systems    systemsPlan
}

type throughputPlan struct {
	// Documents of each of Runs, after Warmup documents; AtOnce under way at each
	// endpoint.
	Runs, Documents, Warmup, AtOnce int
	CryptoFor                       time.Duration
}

type latencyPlan struct {
	Documents, Warmup, PerSecond int
	Probes                       int // of the disk and of TLS
}

type memoryPlan struct {
	FileBytes   int64
	Idle        time.Duration
	SampleEvery time.Duration
	SyncedBytes int64 // written in synced files of 1 MiB
}

type systemsPlan struct {
	PackageBytes int
	// Packages of each of Runs, by AtOnce callers.
	Runs, Packages, AtOnce int
	LargeBytes             int
	// Waiting deliveries of which the first page is listed so often.
	Waiting, Lists int
}

// codes of a ministry-level body, a province, a district and a commune.
func codes() []string { return []string{"G22", "H41", "H41.11", "H41.11.05"} }

func fullPlan() plan {
	return plan{
		Codes: codes(), FileBytes: 4 << 10,
		Throughput: throughputPlan{Runs: 5, Documents: 2000, Warmup: 400, AtOnce: 16, CryptoFor: 2 * time.Second},
		Latency:    latencyPlan{Documents: 200, Warmup: 20, PerSecond: 5, Probes: 200},
		Memory: memoryPlan{
			FileBytes: 500 << 20, Idle: 3 * time.Second, SampleEvery: 20 * time.Millisecond, SyncedBytes: 100 << 20,
		},
		Systems: systemsPlan{
			PackageBytes: 1 << 20, Runs: 5, Packages: 300, AtOnce: 8, LargeBytes: 200 << 20, Waiting: 10_000, Lists: 50,
		},
	}
}

// quickPlan shows within a minute whether everything works.
func quickPlan() plan {
	p := fullPlan()
	p.Quick = true
	p.Throughput.Runs, p.Throughput.Documents, p.Throughput.Warmup = 3, 200, 40
	p.Throughput.CryptoFor = 300 * time.Millisecond
	p.Latency.Documents, p.Latency.Warmup, p.Latency.Probes = 20, 4, 50
	p.Memory.FileBytes, p.Memory.Idle, p.Memory.SyncedBytes = 32<<20, time.Second, 16<<20
	p.Systems.Runs, p.Systems.Packages, p.Systems.LargeBytes, p.Systems.Waiting = 2, 20, 16<<20, 200
	return p
}

// measure takes everything in one run, one measurement after the other, each with
// processes and a folder of its own.
func (p plan) measure(ctx context.Context) (*Result, error) {
	r := &Result{Time: time.Now().UTC(), Quick: p.Quick, Environment: environment(p.Dir)}
	steps := []struct {
		name string
		take func(context.Context, *world) error
	}{
		{"throughput", func(ctx context.Context, w *world) (err error) { r.Throughput, err = p.throughput(ctx, w); return err }},
		{"latency", func(ctx context.Context, w *world) (err error) { r.Latency, err = p.latency(ctx, w); return err }},
		{"memory", func(ctx context.Context, w *world) (err error) { r.Memory, err = p.memory(ctx, w); return err }},
		{"systems", func(ctx context.Context, w *world) (err error) { r.Systems, err = p.systems(ctx, w); return err }},
	}
	for _, s := range steps {
		if !slices.Contains(p.Only, s.name) {
			continue
		}
		fmt.Fprintf(p.Progress, "bench: %s\n", s.name)
		if err := p.in(ctx, s.name, s.take); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return r, nil
}

// in takes a measurement in a world of its own.
func (p plan) in(ctx context.Context, name string, take func(context.Context, *world) error) error {
	dir := filepath.Join(p.Dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	profile := ""
	if p.Profile != "" {
		profile = filepath.Join(p.Profile, name+"-")
	}
	w, err := found(ctx, dir, profile, p.Codes)
	if err != nil {
		return err
	}
	err = w.failed(take(ctx, w))
	if stopped := w.close(); err == nil {
		err = stopped
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
