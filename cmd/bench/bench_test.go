package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"docaxis/cmd/endpoint/command"
	"docaxis/internal/cli"
)

// The benchmark starts its own executable, which here is the test's; and that stands for
// the endpoint program, too, which takes long to build.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(command.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
	if os.Getenv(roleVariable) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func linkSelf(_ context.Context, path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return os.Symlink(self, path)
}

// smallPlan is as little as there can be of everything.
func smallPlan(t *testing.T) plan {
	p := quickPlan()
	p.Dir, p.Profile, p.Progress = t.TempDir(), t.TempDir(), t.Output()
	for _, s := range p.steps() {
		p.Only = append(p.Only, s.name)
	}
	p.Throughput = throughputPlan{Codes: codes()[:2], Runs: 2, Documents: 6, Warmup: 2, AtOnce: 2, CryptoFor: 10 * time.Millisecond}
	p.RSA = p.Throughput
	p.Accept = acceptPlan{Codes: codes()[:2], Runs: 2, Documents: 8, AtOnce: 2, SingleFor: 10 * time.Millisecond}
	p.Fanout = fanoutPlan{Recipients: 30, Documents: 2, Asked: 3}
	p.Memory.FileBytes, p.Memory.Idle, p.Memory.SyncedBytes = 3<<20, 10*time.Millisecond, 2<<20
	p.Latency = latencyPlan{Documents: 4, Warmup: 1, PerSecond: 20, Probes: 5}
	p.Fleet = fleetPlan{Registered: 20, Connected: 5, Settle: time.Millisecond}
	p.History = historyPlan{Few: 300, Rebuilt: 600, Records: 900, Files: 2, Starts: 1, Runs: 1, Documents: 4, Warmup: 2, AtOnce: 1, LoadFor: 100 * time.Millisecond}
	p.Return = returnPlan{Documents: 10, FileBytes: 8 << 10, AtOnce: 2, Group: 4}
	p.Agent = agentPlan{Starts: 1, Idle: 10 * time.Millisecond, Build: linkSelf}
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
	checkThroughput(t, r.RSA)
	for name, c := range map[string]Timing{
		"safe": r.Latency.Safe, "receipt": r.Latency.Receipt, "consignment": r.Latency.Consignment,
		"sync": r.Latency.Sync, "round trip": r.Latency.RoundTrip,
	} {
		if c.Count < 4 || c.MedianMS <= 0 || c.P99MS < c.MedianMS || c.MaxMS < c.P99MS {
			t.Errorf("%s: %+v", name, c)
		}
	}
	checkMemory(t, r.Memory)
	checkHistory(t, r.History)
	checkSystems(t, r.Systems)
	checkRows(t, r)
	checkPrints(t, r)
	checkFiles(t, r)
	left, err := os.ReadDir(p.Dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, name := range []string{"throughput-axis.cpu.pprof", "memory-endpoint-H41.heap.pprof", "history-axis-2.cpu.pprof"} {
		if info, err := os.Stat(p.Profile + "/" + name); err != nil || info.Size() == 0 {
			t.Errorf("profile %s: %v", name, err)
		}
	}
}

// rowNames are the rows of the table; memory and processor time are in it only where the
// system tells them.
func rowNames() []string {
	names := []string{
		"documents", "documents-rsa", "records", "fanout", "fanout-bytes", "large",
		"receipt-p50", "receipt-p99", "consignment-p50", "consignment-p99",
		"fleet-stop", "start-clean", "start-killed", "rebuild", "return",
		"agent-binary", "agent-start", "systems-send", "systems-list",
	}
	if _, linux := processorTime(os.Getpid()); linux {
		names = append(names, "large-agents", "large-axis", "fleet-memory", "growth", "growth-memory", "agent-memory", "systems-memory")
	}
	slices.Sort(names)
	return names
}

func checkRows(t *testing.T, r *Result) {
	t.Helper()
	var names []string
	for _, row := range r.Rows {
		names = append(names, row.Name)
		// What the axis holds above idle may be nothing, with so small a file.
		if m := row.Measured; (m.Median <= 0 || m.Min > m.Median || m.Max < m.Median) && row.Name != "large-axis" {
			t.Errorf("%s: measured %+v", row.Name, m)
		}
		if row.OfAim <= 0 || row.What.VI == "" || row.What.EN == "" || row.Size.VI == "" || row.Size.EN == "" {
			t.Errorf("%s is not whole: %+v", row.Name, row)
		}
		if row.Limit != nil && (row.Limit.Value.Median <= 0 || row.OfLimit <= 0) {
			t.Errorf("%s: limit %+v", row.Name, row.Limit)
		}
		if row.Aim.OfLimit > 0 && row.Limit == nil {
			t.Errorf("%s: a part of no limit is its aim", row.Name)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(rowNames(), names); diff != "" {
		t.Error(diff)
	}
}

// checkHistory holds the stock to have become an axis's own: it has the records and the
// chunks that were asked for, and was served.
func checkHistory(t *testing.T, h *History) {
	t.Helper()
	if h.Few < 300 || h.Rebuilt < 600 || h.Records < 900 || h.Records < h.Rebuilt || h.Chunks < h.Records/3 {
		t.Errorf("history: %+v", h)
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

// checkPrints holds the text to have what was measured.
func checkPrints(t *testing.T, r *Result) {
	t.Helper()
	var text bytes.Buffer
	r.print(&text, &cli.IO{Lang: "en"})
	for _, want := range []string{"end to end", "bare crypto", "receipt of the axis", "consignment", "MB/s", "sendEdoc a second", "getReceivedEdocList", r.Environment.Go} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not have %q:\n%s", want, text.String())
		}
	}
}

// checkFiles holds the folder that --out leaves to have every figure in every form.
func checkFiles(t *testing.T, r *Result) {
	t.Helper()
	dir := t.TempDir()
	if err := r.write(dir, &cli.IO{Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{outText, outMarkdown, outChart} {
		content := readText(t, dir, name)
		for _, row := range r.Rows {
			if !strings.Contains(content, row.measured()) {
				t.Errorf("%s does not have %q of %s", name, row.measured(), row.Name)
			}
		}
	}
	var back Result
	if err := json.Unmarshal([]byte(readText(t, dir, outJSON)), &back); err != nil {
		t.Fatal(err)
	}
	english := cmp.Transformer("english", func(w words) string { return w.EN })
	if diff := cmp.Diff(r.Rows, back.Rows, english); diff != "" {
		t.Errorf("the JSON has other rows: %s", diff)
	}
}

// readText reads a file; the texts of one of XML, once it is known to be well-formed.
func readText(t *testing.T, dir, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) != ".svg" {
		return string(raw)
	}
	var texts strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts.String()
		}
		if err != nil {
			t.Fatalf("%s is not well-formed: %v", name, err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts.Write(text)
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
