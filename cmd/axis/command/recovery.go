package command

import (
	"fmt"
	"io"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
)

// printRecovery says what earlier epochs lost, and what came back.
func printRecovery(w io.Writer, o *cli.IO, s operator.Status) {
	if s.Lost > 0 || s.CameBack > 0 {
		fmt.Fprintf(w, o.Say(
			"Các kỷ trước đã mất %d bản ghi (sổ bị đưa về bản cũ); các điểm kết nối đã trả lại %d. Hãy giữ mọi điểm kết nối hoạt động để chúng trả lại phần còn thiếu.\n",
			"Earlier epochs lost %d records (the log was set back to an older copy); endpoints gave back %d. Keep every endpoint running, so that it gives back what is missing.\n"),
			s.Lost, s.CameBack)
	}
	if s.Recovering {
		fmt.Fprintln(w, o.Say(
			"Đang nhận lại: trục chưa nhận văn bản mới cho đến khi các điểm kết nối đã trả lại thay đổi sổ đăng ký, nhiều nhất một phút sau khi điểm đầu tiên nối vào.",
			"Recovering: nothing new is accepted until the endpoints have given back registry changes, at most a minute after the first one connected."))
	}
}
