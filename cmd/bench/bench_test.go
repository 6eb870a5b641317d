package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"docaxis/internal/cli"
)

// The benchmark starts its own executable, which here is the test's.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// smallPlan is as little as there can be of everything.
func smallPlan(t *testing.T) plan {
	p := quickPlan()
	p.Only, p.Dir, p.Profile, p.Progress = []string{"throughput", "latency", "memory", "systems"}, t.TempDir(), t.TempDir(), t.Output()
	p.Codes = codes()[:2]
	p.Throughput = throughputPlan{Runs: 2, Documents: 6, Warmup: 2, AtOnce: 2, CryptoFor: 10 * time.Millisecond}
	p.Latency = latencyPlan{Documents: 4, Warmup: 1, PerSecond: 20, Probes: 5}
	p.Memory.FileBytes, p.Memory.Idle, p.Memory.SyncedBytes = 3<<20, 10*time.Millisecond, 2<<20
	p.Systems = systemsPlan{PackageBytes: 64 << 10, Runs: 2, Packages: 4, AtOnce: 2, LargeBytes: 2 << 20, Waiting: 6, Lists: 4}
	return p
}

func TestMeasuresWholeProcesses(t *testing.T) {
	p := smallPlan(t)
	r, err := p.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkThroughput(t, r.Throughput)
	for name, c := range map[string]Timing{
		"safe": r.Latency.Safe, "receipt": r.Latency.Receipt, "consignment": r.Latency.Consignment,
		"sync": r.Latency.Sync, "round trip": r.Latency.RoundTrip,
	} {
		if c.Count < 4 || c.MedianMS <= 0 || c.P99MS < c.MedianMS || c.MaxMS < c.P99MS {
			t.Errorf("%s: %+v", name, c)
		}
	}
	checkMemory(t, r.Memory)
	checkSystems(t, r.Systems)
	checkPrints(t, r)
	left, err := os.ReadDir(p.Dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, name := range []string{"throughput-axis.cpu.pprof", "memory-endpoint-H41.heap.pprof"} {
		if info, err := os.Stat(p.Profile + "/" + name); err != nil || info.Size() == 0 {
			t.Errorf("profile %s: %v", name, err)
		}
	}
}

func checkThroughput(t *testing.T, r *Throughput) {
	t.Helper()
	for name, s := range map[string]Spread{"documents": r.PerSecond, "crypto": r.CryptoPerSecond} {
		if len(s.Runs) != 2 || s.Min <= 0 || s.Median < s.Min || s.Max < s.Median {
			t.Errorf("%s a second: %+v", name, s)
		}
	}
	if _, linux := processorTime(os.Getpid()); linux != (r.CPU != nil) {
		t.Errorf("processor time: %+v", r.CPU)
	}
}

func checkMemory(t *testing.T, m *Memory) {
	t.Helper()
	if m.SafeSeconds <= 0 || m.AcceptedSeconds < m.SafeSeconds || m.ConsignedSeconds < m.AcceptedSeconds {
		t.Errorf("the file passed in %+v", m)
	}
	if m.MBPerSecond <= 0 || m.HashMBPerSecond <= 0 || m.SyncedMBPerSecond <= 0 {
		t.Errorf("rates of %+v", m)
	}
	if _, err := os.Stat("/proc/self/status"); m.Known != (err == nil) {
		t.Errorf("memory known: %v, although /proc: %v", m.Known, err)
	}
	m.each(func(r *Resident) {
		if m.Known && (r.IdleMiB <= 0 || r.PeakMiB <= 0 || r.HighMiB <= 0) {
			t.Errorf("resident: %+v", r)
		}
	})
}

func checkSystems(t *testing.T, s *Systems) {
	t.Helper()
	for name, rate := range map[string]Spread{"with the axis": s.SendPerSecond, "alone": s.AlonePerSecond} {
		if len(rate.Runs) != 2 || rate.Min <= 0 {
			t.Errorf("sendEdoc a second %s: %+v", name, rate)
		}
	}
	if s.Listed < 6 || s.List.Count != 4 || s.List.MedianMS <= 0 || s.SyncedPerSecond <= 0 {
		t.Errorf("lists: %+v", s)
	}
	if _, err := os.Stat("/proc/self/status"); err == nil && (s.SenderMiB <= 0 || s.ReceiverMiB <= 0) {
		t.Errorf("resident: %+v", s)
	}
}

// checkPrints holds both forms to have what was measured.
func checkPrints(t *testing.T, r *Result) {
	t.Helper()
	var text, data bytes.Buffer
	r.print(&text, &cli.IO{Lang: "en"})
	for _, want := range []string{"end to end", "bare crypto", "receipt of the axis", "consignment", "MB/s", "sendEdoc a second", "getReceivedEdocList", r.Environment.Go} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not have %q:\n%s", want, text.String())
		}
	}
	if err := json.NewEncoder(&data).Encode(r); err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data.Bytes(), &keys); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"environment", "throughput", "latency", "memory", "systems"} {
		if len(keys[want]) == 0 {
			t.Errorf("the JSON does not have %q", want)
		}
	}
}

func TestAProcessThatDoesNotStartIsToldWithWhatItSaid(t *testing.T) {
	dir := t.TempDir()
	_, err := start(t.Context(), "axis", dir+"/axis.log", "role-axis", dir+"/nothing")
	if err == nil || !strings.Contains(err.Error(), "axis.toml") {
		t.Fatalf("error %v does not have what the process said", err)
	}
}

func TestFigures(t *testing.T) {
	if got, want := spread([]float64{4, 1, 3, 2}), (Spread{2.5, 1, 4, []float64{4, 1, 3, 2}}); !cmp.Equal(got, want) {
		t.Errorf("spread %+v, not %+v", got, want)
	}
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(i+1)*time.Millisecond)
	}
	slices.Reverse(all)
	if got, want := timing(all), (Timing{200, 100, 198, 200}); got != want {
		t.Errorf("timing %+v, not %+v", got, want)
	}
	if got := timing(all[:1]); got != (Timing{1, 200, 200, 200}) {
		t.Errorf("timing of one: %+v", got)
	}
}
