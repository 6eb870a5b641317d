package main

import (
	"fmt"
	"io"
	"iter"

	"docaxis/internal/cli"
)

// print writes the result for people.
func (r *Result) print(w io.Writer, o *cli.IO) {
	e := r.Environment
	fmt.Fprintf(w, o.Say("%s, %d lõi %s, %s, nhân %s, hệ tệp %s, tải trước khi đo %s, một tệp mới %.0f–%.0f µs\n",
		"%s, %d cores %s, %s, kernel %s, file system %s, load before %s, a new file %.0f–%.0f µs\n"),
		e.System, e.Cores, e.CPU, e.Go, e.Kernel, e.FileSystem, e.LoadBefore, e.NewFileUS.Min, e.NewFileUS.Max)
	if r.Quick {
		fmt.Fprintln(w, o.Say("Cỡ nhỏ: các số này không dùng để so sánh.", "Small sizes: these figures are not for comparing."))
	}
	fmt.Fprintln(w)
	r.table(w, o)
	for seals, t := range r.crossed() {
		t.print(w, o, o.Say(seals.VI, seals.EN))
	}
	if r.Latency != nil {
		r.Latency.print(w, o)
	}
	if r.Memory != nil {
		r.Memory.print(w, o)
	}
	if r.Systems != nil {
		r.Systems.print(w, o)
	}
}

// crossed are the measurements of documents a second, by their seals.
func (r *Result) crossed() iter.Seq2[words, *Throughput] {
	return func(yield func(words, *Throughput) bool) {
		if r.Throughput != nil && !yield(p256Words(), r.Throughput) {
			return
		}
		if r.RSA != nil {
			yield(rsaWords(), r.RSA)
		}
	}
}

func (s *Systems) print(w io.Writer, o *cli.IO) {
	fmt.Fprintf(w, o.Say("\nHệ thống QLVB: sendEdoc mỗi giây, gói %d KiB\n", "\nDocument systems: sendEdoc a second, packages of %d KiB\n"), s.PackageBytes>>10)
	cli.Table(w, []string{"", o.Say("TRUNG VỊ", "MEDIAN"), o.Say("NHỎ NHẤT", "MIN"), o.Say("LỚN NHẤT", "MAX")}, [][]string{
		s.SendPerSecond.row(o.Say("cả trục và hai điểm kết nối cùng chạy trên máy", "axis and both endpoints at work on this machine")),
		s.AlonePerSecond.row(o.Say("riêng điểm kết nối, khi không tới được trục", "the endpoint alone, while the axis is away")),
	})
	fmt.Fprintf(w, o.Say("Ghi bền cùng số byte: %.0f mỗi giây\n", "As many bytes in synced files: %.0f a second\n"), s.SyncedPerSecond)
	fmt.Fprintf(w, o.Say("Gói %d MiB vào và ra: nơi gửi nhiều nhất %.1f MiB, nơi nhận %.1f MiB (VmHWM)\n",
		"A package of %d MiB in and out: sender at most %.1f MiB, receiver %.1f MiB (VmHWM)\n"), s.LargeBytes>>20, s.SenderMiB, s.ReceiverMiB)
	fmt.Fprintf(w, o.Say("Trang đầu của getReceivedEdocList, %d trên %d văn bản đang chờ: trung vị %.1f ms, p99 %.1f ms\n",
		"First page of getReceivedEdocList, %d of %d that wait: median %.1f ms, p99 %.1f ms\n"), s.Listed, s.Waiting, s.List.MedianMS, s.List.P99MS)
}

func (t *Throughput) print(w io.Writer, o *cli.IO, seals string) {
	fmt.Fprintf(w, o.Say("\nVăn bản mỗi giây, %s: %d nơi gửi, %d nơi nhận, tệp %d byte, %d lượt × %d văn bản, %d cùng lúc ở mỗi nơi gửi\n",
		"\nDocuments a second, %s: %d senders, %d receivers, files of %d bytes, %d runs of %d documents, %d at once at each sender\n"),
		seals, t.Senders, t.Receivers, t.FileBytes, len(t.PerSecond.Runs), t.Documents, t.AtOnce)
	cli.Table(w, []string{"", o.Say("TRUNG VỊ", "MEDIAN"), o.Say("NHỎ NHẤT", "MIN"), o.Say("LỚN NHẤT", "MAX")}, [][]string{
		t.PerSecond.row(o.Say("trọn vẹn, từ gửi đến bằng chứng đã nhận được kiểm ở nơi gửi", "end to end, from Send to consignment verified at the sender")),
		t.CryptoPerSecond.row(o.Say("giới hạn mật mã: 2 lần ký và 4 lần kiểm", "bare crypto: 2 signs and 4 verifies")),
	})
	if c := t.CPU; c != nil {
		fmt.Fprintf(w, o.Say("CPU mỗi văn bản: trục %.2f ms, các điểm kết nối %.2f ms, chương trình đo %.2f ms\n",
			"CPU of a document: axis %.2f ms, endpoints together %.2f ms, the benchmark itself %.2f ms\n"), c.AxisMS, c.EndpointsMS, c.DriverMS)
	}
}

func (s Spread) row(name string) []string {
	return []string{name, fmt.Sprintf("%.0f", s.Median), fmt.Sprintf("%.0f", s.Min), fmt.Sprintf("%.0f", s.Max)}
}

func (l *Latency) print(w io.Writer, o *cli.IO) {
	fmt.Fprintf(w, o.Say("\nThời gian tính từ lúc gửi, ms: %d văn bản, mỗi giây %d\n", "\nTime from Send, ms: %d documents, %d a second\n"), l.Documents, l.PerSecond)
	cli.Table(w, []string{"", o.Say("TRUNG VỊ", "MEDIAN"), "P99", o.Say("LỚN NHẤT", "MAX")}, [][]string{
		l.Safe.row(o.Say("đã đóng dấu và nằm trên đĩa nơi gửi", "sealed and on the sender's disk")),
		l.Receipt.row(o.Say("biên nhận của trục được kiểm ở nơi gửi", "receipt of the axis verified at the sender")),
		l.Consignment.row(o.Say("bằng chứng nơi nhận đã nhận được kiểm ở nơi gửi", "evidence of consignment verified at the sender")),
		l.Sync.row(o.Say("ghi bền một tệp cùng cỡ", "one file of that size, written and synced")),
		l.RoundTrip.row(o.Say("một vòng TLS trong máy", "one round trip over loopback TLS")),
	})
}

func (t Timing) row(name string) []string {
	return []string{name, fmt.Sprintf("%.2f", t.MedianMS), fmt.Sprintf("%.2f", t.P99MS), fmt.Sprintf("%.2f", t.MaxMS)}
}

func (m *Memory) print(w io.Writer, o *cli.IO) {
	fmt.Fprintf(w, o.Say("\nMột tệp %d MiB đi từ điểm này sang điểm kia\n", "\nA file of %d MiB passes from one endpoint to another\n"), m.FileBytes>>20)
	if m.Known {
		cli.Table(w, []string{o.Say("BỘ NHỚ, MiB", "RESIDENT, MiB"), o.Say("LÚC NGHỈ", "IDLE"), o.Say("ĐỈNH KHI CHUYỂN", "PEAK WHILE IT PASSES"), "VmHWM"}, [][]string{
			m.Axis.row(o.Say("trục", "axis")), m.Sender.row(o.Say("nơi gửi", "sender")), m.Receiver.row(o.Say("nơi nhận", "receiver")),
		})
	} else {
		fmt.Fprintln(w, o.Say("Hệ điều hành này không có /proc: không đo được bộ nhớ.", "This system has no /proc: resident memory is not known."))
	}
	fmt.Fprintf(w, o.Say("Chuyển: %.1f s vào đĩa nơi gửi, %.1f s có biên nhận, %.1f s có bằng chứng đã nhận: %.0f MB/s (SHA-256 %.0f MB/s, ghi bền từng 1 MiB %.0f MB/s)\n",
		"Passing: on the sender's disk after %.1f s, receipt after %.1f s, consignment after %.1f s: %.0f MB/s (SHA-256 %.0f MB/s, synced files of 1 MiB %.0f MB/s)\n"),
		m.SafeSeconds, m.AcceptedSeconds, m.ConsignedSeconds, m.MBPerSecond, m.HashMBPerSecond, m.SyncedMBPerSecond)
}

func (r Resident) row(name string) []string {
	return []string{name, fmt.Sprintf("%.1f", r.IdleMiB), fmt.Sprintf("%.1f", r.PeakMiB), fmt.Sprintf("%.1f", r.HighMiB)}
}
