package command

import (
	"fmt"
	"io"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// printTimestamps says until when an authority outside vouches for the log.
func printTimestamps(w io.Writer, o *cli.IO, t operator.Timestamps) {
	switch {
	case t.LastMS != 0:
		fmt.Fprintf(w, o.Say("Dấu thời gian mới nhất: %s, cho mọi bản ghi trước %d\n", "Newest timestamp: %s, over every record before %d\n"), lang.Millis(t.LastMS), t.Covers)
	case t.Authorities > 0:
		fmt.Fprintln(w, o.Say("Chưa có dấu thời gian nào cho sổ", "No timestamp of the log yet"))
	}
	if t.Authorities == 0 {
		fmt.Fprintln(w, o.Say("Sổ không được đóng dấu thời gian: chưa nêu đơn vị nào ở [timestamps] trong axis.toml", "The log is not timestamped: [timestamps] in axis.toml names no authority"))
	}
	if t.FailingMS != 0 {
		fmt.Fprintf(w, o.Say("Không lấy được dấu thời gian từ %s; văn bản vẫn đi, trục tự thử lại: %s\n", "No timestamp to be had since %s; documents go on, and the axis tries again: %s\n"),
			lang.Millis(t.FailingMS), cli.Clean(o.Say(t.ProblemVI, t.Problem)))
	}
}
