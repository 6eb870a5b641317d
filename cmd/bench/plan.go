package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"docaxis/internal/hubtest"
)

// plan is what is measured, and how much of it.
type plan struct {
	Quick bool
	Only  []string // measurements by name
	// Dir holds everything; Profile gets the processes' profiles, where it is set.
	Dir, Profile string
	Progress     io.Writer

	FileBytes  int // of a small document
	Throughput throughputPlan
	RSA        throughputPlan
	Accept     acceptPlan
	Fanout     fanoutPlan
	Memory     memoryPlan
	Latency    latencyPlan
	Fleet      fleetPlan
	History    historyPlan
	Return     returnPlan
	Agent      agentPlan
	Systems    systemsPlan
}

type throughputPlan struct {
	// Codes of the endpoints: the first half send, the others receive.
	Codes []string
	// Documents of each of Runs, after Warmup documents; AtOnce under way at each
	// sender.
	Runs, Documents, Warmup, AtOnce int
	CryptoFor                       time.Duration
}

type acceptPlan struct {
	Codes []string
	// Documents of each of Runs; AtOnce submissions under way at each sender.
	Runs, Documents, AtOnce int
	SingleFor               time.Duration // of the limit, before each run
}

type fanoutPlan struct {
	Recipients, Documents, Asked int
}

type memoryPlan struct {
	FileBytes   int64
	Idle        time.Duration
	SampleEvery time.Duration
	SyncedBytes int64 // written in synced files of 1 MiB
}

type latencyPlan struct {
	Documents, Warmup, PerSecond int
	Probes                       int // of the disk and of TLS
}

type fleetPlan struct {
	Registered, Connected int
	Settle                time.Duration // before memory is read
}

type historyPlan struct {
	// Few, Rebuilt and Records are how many records the journal has when documents cost
	// little, when the ledger is rebuilt, and in the end.
	Few, Rebuilt, Records int
	// Files of each document, one chunk each.
	Files int
	// Starts of each kind.
	Starts int
	// Documents of each of Runs that cross, after Warmup, to find what one costs.
	Runs, Documents, Warmup, AtOnce int
	// LoadFor is for how long documents cross before the axis is killed.
	LoadFor time.Duration
}

type returnPlan struct {
	Documents, FileBytes, AtOnce int
	// Group is how many documents a commit of the bare bbolt takes.
	Group int
}

type agentPlan struct {
	Starts int
	Idle   time.Duration // of all starts together
	// Build puts the endpoint program at a path.
	Build func(ctx context.Context, path string) error
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

// halves are eight that send and eight that receive, of all four levels.
func halves() []string {
	return []string{
		"G22", "G12", "H41", "H42", "H41.11", "H41.12", "H41.11.05", "H41.12.01",
		"G01", "G09", "H25", "H43", "H41.13", "H41.14", "H41.13.01", "H41.14.01",
	}
}

func fullPlan() plan {
	return plan{
		FileBytes:  4 << 10,
		Throughput: throughputPlan{Codes: halves(), Runs: 5, Documents: 2000, Warmup: 800, AtOnce: 8, CryptoFor: 2 * time.Second},
		RSA:        throughputPlan{Codes: halves(), Runs: 5, Documents: 1000, Warmup: 400, AtOnce: 8, CryptoFor: 2 * time.Second},
		Accept:     acceptPlan{Codes: halves()[:8], Runs: 5, Documents: 5000, AtOnce: 6, SingleFor: 2 * time.Second},
		Fanout:     fanoutPlan{Recipients: 11_400, Documents: 7, Asked: 20},
		Memory: memoryPlan{
			FileBytes: 500 << 20, Idle: 3 * time.Second, SampleEvery: 20 * time.Millisecond, SyncedBytes: 100 << 20,
		},
		Latency: latencyPlan{Documents: 120, Warmup: 20, PerSecond: 1, Probes: 200},
		Fleet:   fleetPlan{Registered: 30_000, Connected: 3_000, Settle: 3 * time.Second},
		History: historyPlan{
			Few: 10_000, Rebuilt: 300_000, Records: 1_000_000, Files: 1, Starts: 3,
			Runs: 3, Documents: 1000, Warmup: 300, AtOnce: 16, LoadFor: 2 * time.Second,
		},
		Return: returnPlan{Documents: 10_000, FileBytes: 64 << 10, AtOnce: 6, Group: 64},
		Agent:  agentPlan{Starts: 9, Idle: 9 * time.Second, Build: build},
		Systems: systemsPlan{
			PackageBytes: 1 << 20, Runs: 5, Packages: 300, AtOnce: 8, LargeBytes: 200 << 20, Waiting: 10_000, Lists: 50,
		},
	}
}

// longPlan takes the largest sizes: two million records, of documents with three files
// each, so two million chunks, too.
func longPlan() plan {
	p := fullPlan()
	p.History.Records, p.History.Files = 2_000_000, 3
	p.Latency.Documents = 600
	return p
}

// quickPlan shows within a minute or two whether everything works.
func quickPlan() plan {
	p := fullPlan()
	p.Quick = true
	for _, t := range []*throughputPlan{&p.Throughput, &p.RSA} {
		t.Codes = append(halves()[:2:2], halves()[8:10]...)
		t.Runs, t.Documents, t.Warmup, t.CryptoFor = 3, 200, 40, 300*time.Millisecond
	}
	p.Accept.Codes, p.Accept.Runs, p.Accept.Documents, p.Accept.SingleFor = halves()[:2], 3, 300, 200*time.Millisecond
	p.Fanout = fanoutPlan{Recipients: 300, Documents: 3, Asked: 5}
	p.Memory.FileBytes, p.Memory.Idle, p.Memory.SyncedBytes = 32<<20, time.Second, 16<<20
	p.Latency.Documents, p.Latency.Warmup, p.Latency.PerSecond, p.Latency.Probes = 20, 4, 5, 50
	p.Fleet = fleetPlan{Registered: 600, Connected: 60, Settle: time.Second}
	p.History = historyPlan{Few: 600, Rebuilt: 3_000, Records: 6_000, Files: 1, Starts: 1, Runs: 2, Documents: 60, Warmup: 20, AtOnce: 4, LoadFor: time.Second}
	p.Return.Documents = 200
	p.Agent = agentPlan{Starts: 2, Idle: time.Second, Build: build}
	p.Systems.Runs, p.Systems.Packages, p.Systems.LargeBytes, p.Systems.Waiting = 2, 20, 16<<20, 200
	return p
}

// step is a measurement: the world that it takes, and what it fills in of the result.
type step struct {
	name  string
	world func(*world) // nil for one of endpoints with the codes of all four levels
	take  func(context.Context, *world, *Result) error
}

func (p plan) steps() []step {
	with := func(codes []string) func(*world) { return func(w *world) { w.codes = codes } }
	return []step{
		{"throughput", with(p.Throughput.Codes), func(ctx context.Context, w *world, r *Result) (err error) {
			r.Throughput, err = p.throughput(ctx, w)
			return err
		}},
		{"rsa", func(w *world) { w.codes, w.newSeal = p.RSA.Codes, hubtest.NewRSASeal }, func(ctx context.Context, w *world, r *Result) (err error) { r.RSA, err = p.rsa(ctx, w); return err }},
		{"accept", with(nil), func(ctx context.Context, w *world, r *Result) (err error) {
			r.Accept, err = p.accept(ctx, w)
			return err
		}},
		{"fanout", with(nil), func(ctx context.Context, w *world, r *Result) (err error) {
			r.Fanout, err = p.fanout(ctx, w)
			return err
		}},
		{"memory", nil, func(ctx context.Context, w *world, r *Result) (err error) {
			r.Memory, err = p.memory(ctx, w)
			return err
		}},
		{"latency", nil, func(ctx context.Context, w *world, r *Result) (err error) {
			r.Latency, err = p.latency(ctx, w)
			return err
		}},
		{"fleet", with(nil), func(ctx context.Context, w *world, r *Result) (err error) { r.Fleet, err = p.fleet(ctx, w); return err }},
		{"history", with(codes()[:2]), func(ctx context.Context, w *world, r *Result) (err error) {
			r.History, err = p.history(ctx, w)
			return err
		}},
		{"return", with(nil), func(ctx context.Context, w *world, r *Result) (err error) {
			r.Return, err = p.comeBack(ctx, w)
			return err
		}},
		{"agent", with(codes()[2:]), func(ctx context.Context, w *world, r *Result) (err error) { r.Agent, err = p.agent(ctx, w); return err }},
		{"systems", nil, func(ctx context.Context, w *world, r *Result) (err error) {
			r.Systems, err = p.systems(ctx, w)
			return err
		}},
	}
}

// measure takes everything in one run, one measurement after the other, each with
// processes and a folder of its own.
func (p plan) measure(ctx context.Context) (*Result, error) {
	begun := time.Now()
	r := &Result{Time: begun.UTC(), Quick: p.Quick, Environment: environment(p.Dir)}
	var used []string
	var newFiles []float64
	for _, s := range p.steps() {
		if !slices.Contains(p.Only, s.name) {
			continue
		}
		probe := filepath.Join(p.Dir, s.name+"-new")
		took, err := newFile(probe)
		if err != nil {
			return nil, err
		}
		p.warn(took)
		newFiles = append(newFiles, took)
		used = append(used, probe, filepath.Join(p.Dir, s.name))
		at := time.Now()
		if err := p.in(ctx, s, r); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(p.Progress, "bench: %s, %.0f s\n", s.name, time.Since(at).Seconds())
	}
	r.Seconds = time.Since(begun).Seconds()
	r.Environment.NewFileUS = spread(newFiles)
	r.Rows = r.rows()
	// Not before: see newFile.
	for _, dir := range used {
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// warn says that new files are dear just now.
func (p plan) warn(newFileUS float64) {
	if newFileUS > dearFileUS {
		fmt.Fprintf(p.Progress, "bench: a new file takes %.0f µs: where many were deleted lately, ext4 looks at each of them again for up to six minutes; wait, or take another disk\n", newFileUS)
	}
}

// in takes a measurement in a world of its own.
func (p plan) in(ctx context.Context, s step, r *Result) error {
	w := &world{dir: filepath.Join(p.Dir, s.name), codes: codes(), newSeal: hubtest.NewSeal}
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		return err
	}
	if p.Profile != "" {
		w.profile = filepath.Join(p.Profile, s.name+"-")
	}
	if s.world != nil {
		s.world(w)
	}
	err := w.found(ctx)
	if err == nil {
		err = s.take(ctx, w, r)
	}
	err = w.failed(err)
	if stopped := w.close(); err == nil {
		err = stopped
	}
	return err
}
