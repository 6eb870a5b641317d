package main

import (
	"slices"
	"time"
)

// Result is everything that one run measured; what was left out is nil.
type Result struct {
	Time        time.Time   `json:"time"`
	Quick       bool        `json:"quick,omitempty"` // sizes too small to be worth quoting
	Seconds     float64     `json:"seconds"`         // that the run took
	Environment Environment `json:"environment"`
	Rows        []Row       `json:"rows"` // the table; what follows is where it comes from
	Throughput  *Throughput `json:"throughput,omitempty"`
	RSA         *Throughput `json:"rsa,omitempty"`
	Accept      *Accept     `json:"accept,omitempty"`
	Fanout      *Fanout     `json:"fanout,omitempty"`
	Memory      *Memory     `json:"memory,omitempty"`
	Latency     *Latency    `json:"latency,omitempty"`
	Fleet       *Fleet      `json:"fleet,omitempty"`
	History     *History    `json:"history,omitempty"`
	Return      *Return     `json:"return,omitempty"`
	Agent       *Agent      `json:"agent,omitempty"`
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
	// NewFileUS is what an empty new file takes, before each measurement.
	NewFileUS Spread `json:"new_file_us"`
}

// Throughput is documents that cross with every sender busy: from Send to the
// evidence of consignment verified at the sender.
type Throughput struct {
	Senders   int `json:"senders"`
	Receivers int `json:"receivers"`
	FileBytes int `json:"file_bytes"`
	Warmup    int `json:"warmup"`
	Documents int `json:"documents"` // of each run
	AtOnce    int `json:"at_once"`   // under way at each sender
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

// Accept is what the axis accepts when nothing but it works.
type Accept struct {
	Senders     int `json:"senders"`
	AtOnce      int `json:"at_once"`   // submissions under way in all
	Documents   int `json:"documents"` // of each run
	RecordBytes int `json:"record_bytes"`
	// PerSecond is records; SinglePerSecond messages of as many bytes that one writer
	// publishes to JetStream, each synced before the next, taken before each run.
	PerSecond       Spread `json:"per_second"`
	SinglePerSecond Spread `json:"single_per_second"`
	// AxisMS is the axis's processor time of a record; 0 where it is not known.
	AxisMS float64 `json:"axis_ms,omitempty"`
}

// Fanout is one document to very many recipients.
type Fanout struct {
	Recipients int `json:"recipients"`
	Documents  int `json:"documents"`
	Asked      int `json:"asked"` // mailboxes that were read, the first and the last among them
	// AcceptedMS is from submission to receipt, ReadableMS until the mailboxes were
	// read with the document in them.
	AcceptedMS Spread `json:"accepted_ms"`
	ReadableMS Spread `json:"readable_ms"`
	// SinglesMS is as many single JetStream messages, each synced.
	SinglesMS float64 `json:"singles_ms"`
	// DocumentBytes is the envelope; BytesPerRecipient what the axis's folder grew by
	// beyond it, for each recipient.
	DocumentBytes     int     `json:"document_bytes"`
	BytesPerRecipient float64 `json:"bytes_per_recipient"`
}

// Fleet is an axis with very many endpoints.
type Fleet struct {
	Registered     int     `json:"registered"`
	Connected      int     `json:"connected"`
	AxisMiB        float64 `json:"axis_mib,omitempty"` // 0 where it is not known
	StartSeconds   float64 `json:"start_seconds"`      // with all of them registered
	StopSeconds    float64 `json:"stop_seconds"`
	ConnectSeconds float64 `json:"connect_seconds"` // as fast as one address may
}

// History is an axis with a long journal.
type History struct {
	Few     int `json:"few"`     // records at first
	Rebuilt int `json:"rebuilt"` // records at the rebuild
	Records int `json:"records"` // in the end
	Chunks  int `json:"chunks"`
	// CleanStart and KilledStart are seconds until a pull was answered.
	CleanStart  Spread `json:"clean_start_seconds"`
	KilledStart Spread `json:"killed_start_seconds"`
	// RebuildPerSecond is records; InsertPerSecond the same when their rows are only
	// inserted into an empty ledger.
	RebuildPerSecond float64 `json:"rebuild_per_second"`
	InsertPerSecond  float64 `json:"insert_per_second"`
	// FewMS and ManyMS are the axis's processor time of a document with few and with all
	// records, Growth the second over the first; 0 where it is not known.
	FewMS   float64 `json:"few_ms,omitempty"`
	ManyMS  float64 `json:"many_ms,omitempty"`
	Growth  float64 `json:"growth,omitempty"`
	AxisMiB float64 `json:"axis_mib,omitempty"` // most held with all records (VmHWM)
	// StockSeconds is what it took to make the records.
	StockSeconds float64 `json:"stock_seconds"`
}

// Return is an endpoint that comes back to what waited for it.
type Return struct {
	Documents     int     `json:"documents"`
	FileBytes     int     `json:"file_bytes"`
	PerSecond     float64 `json:"per_second"`
	BoltPerSecond float64 `json:"bolt_per_second"` // the same bytes into bbolt, a group a commit
}

// Agent is the endpoint program by itself.
type Agent struct {
	BinaryMB float64 `json:"binary_mb"` // 10^6 bytes
	StartMS  Spread  `json:"start_ms"`
	IdleMiB  float64 `json:"idle_mib,omitempty"` // 0 where it is not known
}

// Systems is what document systems get over the national axis's protocol.
type Systems struct {
	PackageBytes int `json:"package_bytes"`
	Packages     int `json:"packages"` // of each run
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
