// Package command owns the command line of an endpoint: what a clerk types, and what
// is printed.
package command

import (
	"context"
	"io"

	"docaxis/internal/cli"
)

// Run runs the command that args name and gives the exit code.
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	var g grammar
	return program(&g).Run(ctx, args, out, errs)
}

func program(g *grammar) cli.Program {
	return cli.Program{
		Name: "endpoint", Grammar: g, Common: &g.Common,
		About: "The agent of the document axis beside an agency's system.|Điểm kết nối của trục liên thông văn bản bên cạnh hệ thống của cơ quan.",
		Detail: cli.Help("endpoint join --dir commune docaxis1...\nendpoint serve --dir commune",
			"Exit codes: 0 done, 1 refused or wrong, 2 not understood, 3 try again later, 4 not found.",
			"Mã thoát: 0 xong, 1 bị từ chối hoặc có lỗi, 2 không hiểu câu lệnh, 3 hãy thử lại sau, 4 không tìm thấy."),
		Folder: cli.Folder{Marker: "identity", Make: "endpoint join --dir %s docaxis1...", Env: "DOCAXIS_ENDPOINT_DIR"},
	}
}

type grammar struct {
	cli.Common
	Dir string `help:"Folder of the endpoint.|Thư mục của điểm kết nối." default:"endpoint-data" env:"DOCAXIS_ENDPOINT_DIR" type:"path"`

	Join     joinCommand     `cmd:"" help:"Enrol with an invitation.|Gia nhập bằng lời mời."`
	Serve    serveCommand    `cmd:"" help:"Run the endpoint.|Chạy điểm kết nối."`
	Status   statusCommand   `cmd:"" help:"Show the endpoint at a glance.|Xem tổng quan điểm kết nối."`
	Send     sendCommand     `cmd:"" help:"Seal and send a document.|Đóng dấu số và gửi văn bản."`
	Outbox   outboxCommand   `cmd:"" help:"List what was sent.|Danh sách văn bản đi."`
	Inbox    inboxCommand    `cmd:"" help:"List what was received.|Danh sách văn bản đến."`
	Show     showCommand     `cmd:"" help:"Tell a document's story, with evidence.|Xem diễn biến của văn bản, kèm bằng chứng."`
	Get      getCommand      `cmd:"" help:"Save a received document's files.|Lưu các tệp của văn bản đến."`
	Confirm  confirmCommand  `cmd:"" help:"Confirm or refuse a received document.|Xác nhận hoặc từ chối văn bản đến."`
	Recall   recallCommand   `cmd:"" help:"Take back a document that was sent.|Thu hồi văn bản đã gửi."`
	Answer   answerCommand   `cmd:"" help:"Agree to a recall, an update or a replacement, or refuse it.|Đồng ý hoặc từ chối việc thu hồi, cập nhật, thay thế."`
	Retry    retryCommand    `cmd:"" help:"Let a parked document go on.|Cho văn bản đang dừng đi tiếp."`
	VXP      vxpCommand      `cmd:"" name:"vxp" help:"Systems that speak the national axis's protocol.|Hệ thống QLVB dùng giao thức của trục quốc gia."`
	Cleanup  cleanupCommand  `cmd:"" help:"Remove files that are kept no longer.|Dọn các tệp đã hết hạn giữ."`
	Backup   backupCommand   `cmd:"" help:"Back up the endpoint, also while it runs.|Sao lưu điểm kết nối, kể cả khi đang chạy."`
	Restore  restoreCommand  `cmd:"" help:"Make an endpoint out of a backup.|Khôi phục điểm kết nối từ bản sao lưu."`
	Check    checkCommand    `cmd:"" help:"Judge edXML files against QCVN 102.|Kiểm tra tệp edXML theo QCVN 102."`
	Doctor   doctorCommand   `cmd:"" help:"Say what is wrong and how to mend it.|Cho biết có gì sai và cách sửa."`
	Agencies agenciesCommand `cmd:"" help:"Search the directory, also offline.|Tra danh mục cơ quan, kể cả khi mất mạng."`
}
