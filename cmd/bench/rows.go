package main

import "fmt"

// What each measurement says in the table.

func p256Words() words { return words{"con dấu P-256", "P-256 seals"} }

func rsaWords() words { return words{"con dấu RSA-2048", "RSA-2048 seals"} }

func sized(vi, en string, args ...any) words {
	return words{fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...)}
}

func (t *Throughput) rows(name string, seals words, aim float64) []Row {
	return []Row{{
		Name: name, Unit: "/s", Measured: t.PerSecond, Aim: Aim{OfLimit: aim},
		What:  words{"văn bản mỗi giây từ gửi đến bằng chứng đã nhận, " + seals.VI, "documents a second, from Send to evidence of consignment verified, " + seals.EN},
		Size:  sized("%d nơi gửi, %d nơi nhận, tệp %d KiB, %d×%d văn bản", "%d senders, %d receivers, files of %d KiB, %d×%d documents", t.Senders, t.Receivers, t.FileBytes>>10, len(t.PerSecond.Runs), t.Documents),
		Limit: &Limit{words{"chỉ 2 lần ký và 4 lần kiểm", "2 signatures and 4 checks alone"}, t.CryptoPerSecond},
	}}
}

func (a *Accept) rows() []Row {
	return []Row{{
		Name: "records", Unit: "/s", Measured: a.PerSecond, Aim: Aim{OfLimit: 5},
		What:  words{"bản ghi mỗi giây trục tiếp nhận, đã ghi bền", "records a second accepted by the axis alone, synced"},
		Size:  sized("%d nơi gửi, %d cùng lúc, %d×%d văn bản, mỗi bản %d byte", "%d senders, %d at once, %d×%d documents of %d bytes", a.Senders, a.AtOnce, len(a.PerSecond.Runs), a.Documents, a.RecordBytes),
		Limit: &Limit{words{"một bên ghi, mỗi thông điệp JetStream một lần ghi bền", "one writer, one JetStream message each, synced"}, a.SinglePerSecond},
	}}
}

func (f *Fanout) rows() []Row {
	size := sized("%d nơi nhận, %d văn bản, hỏi %d hộp thư", "%d recipients, %d documents, %d mailboxes asked", f.Recipients, f.Documents, f.Asked)
	return []Row{
		{
			Name: "fanout", Unit: "ms", Measured: f.ReadableMS, Aim: Aim{AtMost: 300}, Size: size,
			What:  words{"một văn bản đến mọi nơi: từ nộp đến khi mọi hộp thư đọc được", "one document to everybody: from its submission until every mailbox is readable"},
			Limit: &Limit{words{"từng ấy lần ghi bền một thông điệp JetStream", "as many single JetStream messages, synced"}, one(f.SinglesMS)},
		},
		{
			Name: "fanout-bytes", Unit: "B", Measured: one(f.BytesPerRecipient), Aim: Aim{AtMost: 64}, Size: size,
			What: words{"byte lưu thêm cho mỗi nơi nhận, ngoài văn bản", "bytes stored for each recipient, beside the document"},
		},
	}
}

func (m *Memory) rows() []Row {
	size := sized("tệp %d MiB", "a file of %d MiB", m.FileBytes>>20)
	limit := words{"SHA-256 một lõi", "SHA-256 on one core"}
	value := m.HashMBPerSecond
	if m.SyncedMBPerSecond < value {
		limit, value = words{"ghi bền từng 1 MiB", "synced files of 1 MiB"}, m.SyncedMBPerSecond
	}
	rows := []Row{{
		Name: "large", Unit: "MB/s", Measured: one(m.MBPerSecond), Aim: Aim{OfLimit: 0.6}, Size: size,
		What: words{"một tệp lớn từ điểm này sang điểm kia, đã ghi bền", "a large file from one endpoint to another, synced"}, Limit: &Limit{limit, one(value)},
	}}
	if !m.Known {
		return rows
	}
	return append(rows,
		Row{
			Name: "large-agents", Unit: "MiB", Measured: one(max(m.Sender.HighMiB, m.Receiver.HighMiB)), Aim: Aim{AtMost: 64}, Size: size,
			What: words{"bộ nhớ nhiều nhất của điểm kết nối khi đó", "most held by either endpoint meanwhile"},
		},
		Row{
			Name: "large-axis", Unit: "MiB", Measured: one(m.Axis.PeakMiB - m.Axis.IdleMiB), Aim: Aim{AtMost: 256}, Size: size,
			What: words{"bộ nhớ của trục khi đó, trên mức lúc nghỉ", "held by the axis meanwhile, above idle"},
		})
}

func (l *Latency) rows() []Row {
	size := sized("%d văn bản, mỗi giây %d", "%d documents, %d a second", l.Documents, l.PerSecond)
	limit := func(of func(Timing) float64) *Limit {
		return &Limit{words{"một lần ghi bền và một vòng TLS", "one sync and one round trip"}, one(of(l.Sync) + of(l.RoundTrip))}
	}
	p50, p99 := func(t Timing) float64 { return t.MedianMS }, func(t Timing) float64 { return t.P99MS }
	row := func(name, vi, en string, t Timing, of func(Timing) float64, aim float64) Row {
		return Row{
			Name: name, Unit: "ms", Measured: one(of(t)), Limit: limit(of), Aim: Aim{AtMost: aim}, Size: size,
			What: words{vi, en},
		}
	}
	return []Row{
		row("receipt-p50", "từ gửi đến biên nhận, trung vị", "from Send to the receipt, median", l.Receipt, p50, 4),
		row("receipt-p99", "từ gửi đến biên nhận, 99 %", "from Send to the receipt, 99 %", l.Receipt, p99, 15),
		row("consignment-p50", "từ gửi đến bằng chứng đã nhận, trung vị", "from Send to evidence of consignment, median", l.Consignment, p50, 15),
		row("consignment-p99", "từ gửi đến bằng chứng đã nhận, 99 %", "from Send to evidence of consignment, 99 %", l.Consignment, p99, 40),
	}
}

func (f *Fleet) rows() []Row {
	size := sized("%d điểm đã đăng ký, %d đang nối TLS", "%d endpoints registered, %d connected with TLS", f.Registered, f.Connected)
	rows := []Row{{
		Name: "fleet-stop", Unit: "s", Measured: one(f.StopSeconds), Aim: Aim{AtMost: 3}, Size: size,
		What: words{"dừng trục gọn gàng", "clean stop of the axis"},
	}}
	if f.AxisMiB == 0 {
		return rows
	}
	return append([]Row{{
		Name: "fleet-memory", Unit: "MiB", Measured: one(f.AxisMiB), Size: size,
		Aim:  Aim{AtMost: 150 + float64(f.Connected)*110/1024},
		What: words{"bộ nhớ của trục với các điểm kết nối đang nối", "held by the axis with the endpoints connected"},
	}}, rows...)
}

func (h *History) rows() []Row {
	size := sized("%d bản ghi, %d khối nội dung", "%d records, %d chunks", h.Records, h.Chunks)
	rows := []Row{
		{
			Name: "start-clean", Unit: "s", Measured: h.CleanStart, Aim: Aim{AtMost: 2}, Size: size,
			What: words{"khởi động đến khi phục vụ, sau khi dừng gọn gàng", "start to serving, after a clean stop"},
		},
		{
			Name: "start-killed", Unit: "s", Measured: h.KilledStart, Aim: Aim{AtMost: 10}, Size: size,
			What: words{"khởi động đến khi phục vụ, sau kill -9 lúc đang tải", "start to serving, after kill -9 under load"},
		},
		{
			Name: "rebuild", Unit: "/s", Measured: one(h.RebuildPerSecond), Aim: Aim{OfLimit: 0.6},
			What:  words{"bản ghi mỗi giây khi dựng lại sổ cái từ nhật ký", "records a second, rebuilding the ledger from the journal"},
			Size:  sized("%d bản ghi", "%d records", h.Rebuilt),
			Limit: &Limit{words{"chỉ thêm các dòng ấy vào SQLite", "inserting the same rows into SQLite alone"}, one(h.InsertPerSecond)},
		},
	}
	if h.Growth > 0 {
		rows = append(rows, Row{
			Name: "growth", Unit: "×", Measured: one(h.Growth), Aim: Aim{AtMost: 1.2},
			What: words{"thời gian CPU của trục cho mỗi văn bản, so với lúc còn ít bản ghi", "the axis's processor time for a document, against what it was with few records"},
			Size: sized("%d bản ghi so với %d: %.2f và %.2f ms", "%d records against %d: %.2f and %.2f ms", h.Records, h.Few, h.ManyMS, h.FewMS),
		})
	}
	if h.AxisMiB > 0 {
		rows = append(rows, Row{
			Name: "growth-memory", Unit: "MiB", Measured: one(h.AxisMiB), Aim: Aim{AtMost: 300}, Size: size,
			What: words{"bộ nhớ của trục với từng ấy khối nội dung", "held by the axis with that many chunks"},
		})
	}
	return rows
}

func (b *Return) rows() []Row {
	return []Row{{
		Name: "return", Unit: "/s", Measured: one(b.PerSecond), Aim: Aim{OfLimit: 0.5},
		What:  words{"văn bản mỗi giây một điểm kết nối trở lại nhận về", "documents a second that a returning endpoint takes in"},
		Size:  sized("%d văn bản đang chờ, mỗi bản %d KiB", "%d documents of %d KiB waiting", b.Documents, b.FileBytes>>10),
		Limit: &Limit{words{"ghi bền vào bbolt theo nhóm", "synced bbolt in groups"}, one(b.BoltPerSecond)},
	}}
}

func (a *Agent) rows() []Row {
	build := words{"chương trình endpoint, như make bin", "the endpoint program, as make bin builds it"}
	rows := []Row{
		{Name: "agent-binary", Unit: "MB", Measured: one(a.BinaryMB), Aim: Aim{AtMost: 20}, Size: build, What: words{"kích thước chương trình điểm kết nối", "size of the endpoint program"}},
		{Name: "agent-start", Unit: "ms", Measured: a.StartMS, Aim: Aim{AtMost: 100}, Size: build, What: words{"điểm kết nối khởi động đến khi trả lời lệnh", "endpoint's start until it answers commands"}},
	}
	if a.IdleMiB == 0 {
		return rows
	}
	return append(rows, Row{
		Name: "agent-memory", Unit: "MiB", Measured: one(a.IdleMiB), Aim: Aim{AtMost: 24}, Size: build,
		What: words{"bộ nhớ của điểm kết nối lúc nghỉ", "held by an idle endpoint"},
	})
}

func (s *Systems) rows() []Row {
	packages := sized("gói %d KiB, %d×%d", "packages of %d KiB, %d×%d", s.PackageBytes>>10, len(s.AlonePerSecond.Runs), s.Packages)
	rows := []Row{
		{
			Name: "systems-send", Unit: "/s", Measured: s.AlonePerSecond, Aim: Aim{AtLeast: 150}, Size: packages,
			What:  words{"sendEdoc, riêng điểm kết nối", "sendEdoc, the endpoint alone"},
			Limit: &Limit{words{"ghi bền từng ấy byte", "as many bytes in synced files"}, one(s.SyncedPerSecond)},
		},
		{
			Name: "systems-list", Unit: "ms", Measured: one(s.List.MedianMS), Aim: Aim{AtMost: 50},
			What: words{"trang đầu của getReceivedEdocList", "first page of getReceivedEdocList"},
			Size: sized("%d trên %d đang chờ", "%d of %d that wait", s.Listed, s.Waiting),
		},
	}
	if s.SenderMiB > 0 {
		rows = append(rows, Row{
			Name: "systems-memory", Unit: "MiB", Measured: one(max(s.SenderMiB, s.ReceiverMiB)), Aim: Aim{AtMost: 96},
			What: words{"bộ nhớ nhiều nhất khi một gói lớn vào và ra", "most held while a large package goes in and out"},
			Size: sized("gói %d MiB", "a package of %d MiB", s.LargeBytes>>20),
		})
	}
	return rows
}
