package command

import (
	"context"
	"fmt"
	"io"
	"strings"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
)

type statusCommand struct {
	Sizes bool `help:"What takes how much on the disk.|Phần nào chiếm bao nhiêu trên đĩa."`
}

func (statusCommand) Help() string { return cli.Help("endpoint status --sizes", "", "") }

func (c statusCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if c.Sizes {
		return printSizes(ctx, g, o)
	}
	var s clerk.Status
	if err := ask(ctx, g, clerk.PathStatus, nil, &s); err != nil {
		return err
	}
	return o.Print(s, func(w io.Writer) {
		state := o.Say("không kết nối", "not connected")
		if s.Connected {
			state = o.Say("đang kết nối", "connected")
		}
		fmt.Fprintf(w, "%s (%s): %s\n", s.Name, strings.Join(s.Codes, " "), state)
		if s.Parked != nil {
			fmt.Fprintf(w, o.Say("ĐANG DỪNG, cần người quyết định: %s\n", "PARKED, needs a person: %s\n"), tell(o, s.Parked))
		}
		fmt.Fprintf(w, o.Say("Đã kiểm sổ đến bản ghi %d của kỷ %d; bằng chứng %d, chưa gửi %d; bị cách ly %d\n",
			"Log verified up to record %d of epoch %d; statements %d, unsent %d; quarantined %d\n"),
			s.SeenSize, s.Epoch, s.Evidence, s.Unsent, s.Quarantine)
		if s.QuarantineDropped > 0 {
			fmt.Fprintf(w, o.Say("Khu cách ly đã đầy, %d mục cũ nhất bị bỏ. Hãy báo quản trị trục.\n",
				"The quarantine was full, its %d oldest items were dropped. Tell the operator of the axis.\n"), s.QuarantineDropped)
		}
		printHeld(w, o, s.Held)
		printSignatures(w, o, s.Signatures)
		printDisk(w, o, s.Disk)
		printCounts(w, o, o.Say("Văn bản đi", "Outbox"), s.Outbox)
		printCounts(w, o, o.Say("Văn bản đến", "Inbox"), s.Inbox)
	})
}

// printHeld says what of the systems' documents waits for a person.
func printHeld(w io.Writer, o *cli.IO, h clerk.Held) {
	if h.ParkedDeliveries > 0 {
		fmt.Fprintf(w, o.Say("%d văn bản đến bị hệ thống báo lỗi quá nhiều lần, không đưa ra nữa. Xem hệ thống rồi chạy: endpoint retry %s\n",
			"%d received documents were failed by their systems too often and are not listed any more. See to the system, then: endpoint retry %s\n"), h.ParkedDeliveries, h.ParkedID)
	}
	if n := h.Unsealed - h.Sealable; n > 0 {
		fmt.Fprintf(w, o.Say("%d văn bản đi của hệ thống chờ con dấu số. Hãy ghi con dấu vào endpoint.toml rồi khởi động lại.\n",
			"%d documents of systems wait for a seal. Name it in endpoint.toml and start again.\n"), n)
	}
	if h.Away > 0 {
		fmt.Fprintf(w, o.Say("%d văn bản đi chờ thiết bị giữ con dấu số và tự đi khi thiết bị ký được. Xem vì sao: endpoint show %s\n",
			"%d documents wait for the token that holds the seal, and go by themselves when it signs. See why: endpoint show %s\n"), h.Away, h.AwayID)
	}
	if h.Sealable > 0 {
		fmt.Fprintf(w, o.Say("%d văn bản đi chờ đóng dấu và nay đã có con dấu. Hãy chạy: endpoint retry %s\n",
			"%d documents wait to be sealed, and there is a seal now. Run: endpoint retry %s\n"), h.Sealable, h.UnsealedID)
	}
}

// size writes a number of bytes for people.
func size(o *cli.IO, n uint64) string { return reason.Size(n, o.Lang) }

func printDisk(w io.Writer, o *cli.IO, d clerk.Disk) {
	fmt.Fprintf(w, o.Say("Đĩa: còn trống %s trên %s, giữ lại %s\n", "Disk: %s free of %s, %s is kept free\n"),
		size(o, d.Free), size(o, d.Total), size(o, d.Keep))
	if d.Full {
		fmt.Fprintf(w, o.Say("ĐĨA ĐẦY từ %s: không gửi và không lấy nội dung. Hãy giải phóng đến khi còn trống %s (endpoint cleanup, hoặc dời tệp khác đi); công việc sẽ tự tiếp tục.\n",
			"DISK FULL since %s: nothing is sent and no contents are fetched. Free space until %s are free (endpoint cleanup, or move other files away); the work goes on by itself.\n"),
			lang.Millis(d.SinceMS), size(o, d.Resume))
	}
	if d.RecordsFull {
		fmt.Fprintln(w, o.Say("Đĩa gần hết hẳn: không nhận thêm văn bản mới nào. Hãy giải phóng chỗ ngay.",
			"The disk is all but full: no new documents come in at all. Free some space now."))
	}
	if d.Problem != "" {
		fmt.Fprintf(w, o.Say("Không hỏi được đĩa còn trống bao nhiêu: %s. Hãy kiểm tra đĩa.\n",
			"The disk could not be asked for its free space: %s. Check the disk.\n"), d.Problem)
	}
	if d.Quota > 0 {
		fmt.Fprintf(w, o.Say("Các tệp: %s, hạn mức %s\n", "Files: %s of a quota of %s\n"), size(o, d.Kept), size(o, d.Quota))
	}
	if d.OverQuota {
		fmt.Fprintln(w, overQuota(o))
	}
}

// overQuota says what to do where what is needed is over the quota.
func overQuota(o *cli.IO) string {
	return o.Say("VƯỢT HẠN MỨC, không gửi được: các văn bản chưa xong cần nhiều hơn. Hãy lấy và xác nhận văn bản đến, chờ nơi nhận, hoặc nâng retention.quota_bytes.",
		"OVER THE QUOTA, nothing can be sent: documents under way need more. Take and confirm what has come in, wait for recipients, or raise retention.quota_bytes.")
}

func printSizes(ctx context.Context, g *grammar, o *cli.IO) error {
	var s clerk.Sizes
	if err := ask(ctx, g, clerk.PathSizes, nil, &s); err != nil {
		return err
	}
	return o.Print(s, func(w io.Writer) {
		rows := [][]string{}
		for _, b := range s.Buckets {
			rows = append(rows, []string{"  " + b.Name, fmt.Sprint(b.Entries), size(o, b.Bytes)})
		}
		rows = append(rows,
			[]string{"content/files", fmt.Sprint(s.Files.Files), size(o, s.Files.Bytes)},
			[]string{"content/partial", fmt.Sprint(s.Partial.Files), size(o, s.Partial.Bytes)})
		fmt.Fprintf(w, o.Say("endpoint.db: %s, trong đó %s sẽ được dùng lại\n", "endpoint.db: %s, of which %s will be used again\n"),
			size(o, s.Store), size(o, s.StoreFree))
		cli.Table(w, []string{o.Say("PHẦN", "PART"), o.Say("SỐ MỤC", "ENTRIES"), o.Say("DUNG LƯỢNG", "SIZE")}, rows)
	})
}
