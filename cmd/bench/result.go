package main

import (
	"slices"
	"time"
)

// Result is everything that one run measured; what was left out is nil.
type Result struct {
	Time        time.Time   `json:"time"`
	Quick       bool        `json:"quick,omitempty"` // sizes too small to be worth quoting
	Environment Environment `json:"environment"`
	Throughput  *Throughput `json:"throughput,omitempty"`
	Latency     *Latency    `json:"latency,omitempty"`
	Memory      *Memory     `json:"memory,omitempty"`
	Systems     *Systems    `json:"systems,omitempty"`
}

// Environment is what was measured on.
type Environment struct {
	System     string `json:"system"`
	Cores      int    `json:"cores"`
	CPU        string `json:"cpu,omitempty"`
	Go         string `json:"go"`
	Kernel     string `json:"kernel,omitempty"`
	FileSystem string `json:"file_system,omitempty"`
	LoadBefore string `json:"load_before,omitempty"` // mean of a minute
}

// Throughput is documents that cross with every endpoint busy: from Send to the
// evidence of consignment verified at the sender.
type Throughput struct {
	Endpoints int `json:"endpoints"`
	FileBytes int `json:"file_bytes"`
	Warmup    int `json:"warmup"`
	Documents int `json:"documents"` // of each run
	AtOnce    int `json:"at_once"`   // under way at each endpoint
	// PerSecond is whole documents; CryptoPerSecond is what the cores could sign
	// and verify, taken before each run.
	PerSecond       Spread `json:"per_second"`
	CryptoPerSecond Spread `json:"crypto_per_second"`
	CPU             *CPU   `json:"cpu,omitempty"`
}

// CPU is the processor time of one document, by who used it.
type CPU struct {
	AxisMS      float64 `json:"axis_ms"`
	EndpointsMS float64 `json:"endpoints_ms"` // all together
	DriverMS    float64 `json:"driver_ms"`    // the benchmark itself
}

// Latency is how long a document takes when nothing else is going on.
type Latency struct {
	Documents   int    `json:"documents"`
	PerSecond   int    `json:"per_second"`
	FileBytes   int    `json:"file_bytes"`
	Safe        Timing `json:"safe"`        // sealed and on the sender's disk
	Receipt     Timing `json:"receipt"`     // the axis's receipt verified at the sender
	Consignment Timing `json:"consignment"` // its evidence verified at the sender
	Sync        Timing `json:"sync"`        // one new file of the same size, synced
	RoundTrip   Timing `json:"round_trip"`  // the same bytes to and fro over loopback TLS
}

// Memory is what the processes hold while a large file passes.
type Memory struct {
	Known             bool     `json:"known"` // this system tells what is resident
	FileBytes         int64    `json:"file_bytes"`
	Axis              Resident `json:"axis"`
	Sender            Resident `json:"sender"`
	Receiver          Resident `json:"receiver"`
	SafeSeconds       float64  `json:"safe_seconds"`
	AcceptedSeconds   float64  `json:"accepted_seconds"`
	ConsignedSeconds  float64  `json:"consigned_seconds"`
	MBPerSecond       float64  `json:"mb_per_second"` // from Send to consigned; 10^6 bytes
	HashMBPerSecond   float64  `json:"hash_mb_per_second"`
	SyncedMBPerSecond float64  `json:"synced_mb_per_second"`
}

func (m *Memory) each(do func(*Resident)) {
	for _, r := range []*Resident{&m.Axis, &m.Sender, &m.Receiver} {
		do(r)
	}
}

// Resident is a process's memory, in MiB.
type Resident struct {
	IdleMiB float64 `json:"idle_mib"`
	PeakMiB float64 `json:"peak_mib"` // sampled while the file passed
	HighMiB float64 `json:"high_mib"` // VmHWM: the most since its start
	of      *process
}

// Systems is what document systems get over the national axis's protocol.
type Systems struct {
	PackageBytes int `json:"package_bytes"`
	// SendPerSecond is packages that sendEdoc made safe, while endpoints and axis pass
	// them on; AlonePerSecond the same while the axis is away; SyncedPerSecond as many
	// bytes in synced files of 1 MiB.
	SendPerSecond   Spread  `json:"send_per_second"`
	AlonePerSecond  Spread  `json:"alone_per_second"`
	SyncedPerSecond float64 `json:"synced_per_second"`
	// What the endpoints held at most while a large package passed in and out (VmHWM); 0
	// where it is not known.
	LargeBytes  int     `json:"large_bytes"`
	SenderMiB   float64 `json:"sender_mib"`
	ReceiverMiB float64 `json:"receiver_mib"`
	// List is the first page of getReceivedEdocList, Listed long, while so many wait.
	Waiting int    `json:"waiting"`
	Listed  int    `json:"listed"`
	List    Timing `json:"list"`
}

// Spread is a figure over several runs.
type Spread struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Runs   []float64 `json:"runs"`
}

func spread(runs []float64) Spread {
	sorted := slices.Sorted(slices.Values(runs))
	n := len(sorted)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1], Runs: runs}
}

// Timing is how long something took, over several times.
type Timing struct {
	Count    int     `json:"count"`
	MedianMS float64 `json:"median_ms"`
	P99MS    float64 `json:"p99_ms"`
	MaxMS    float64 `json:"max_ms"`
}

func timing(all []time.Duration) Timing {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	ms := func(i int) float64 { return float64(sorted[i]) / float64(time.Millisecond) }
	return Timing{Count: n, MedianMS: ms((n - 1) / 2), P99MS: ms((n*99+99)/100 - 1), MaxMS: ms(n - 1)}
}
