// Package command owns the command line of the axis: what an operator types, and what
// is printed.
package command

import (
	"context"
	"io"

	"docaxis/axis"
	"docaxis/internal/cli"
)

// Run runs the command that args name and gives the exit code.
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	var g grammar
	return program(&g).Run(ctx, args, out, errs)
}

func program(g *grammar) cli.Program {
	return cli.Program{
		Name: "axis", Grammar: g, Common: &g.Common,
		About: "The document axis: routes, records and proves.|Trục liên thông văn bản: chuyển, ghi và chứng minh.",
		Detail: cli.Help("axis init --dir axis\naxis serve --dir axis",
			"Exit codes: 0 done, 1 refused or wrong, 2 not understood, 3 try again later, 4 not found.",
			"Mã thoát: 0 xong, 1 bị từ chối hoặc có lỗi, 2 không hiểu câu lệnh, 3 hãy thử lại sau, 4 không tìm thấy."),
		Folder: cli.Folder{Marker: axis.FileName, Make: "axis init --dir %s", Env: "DOCAXIS_AXIS_DIR"},
	}
}

type grammar struct {
	cli.Common
	Dir string `help:"Folder of the axis.|Thư mục của trục." default:"axis-data" env:"DOCAXIS_AXIS_DIR" type:"path"`

	Init     initCommand      `cmd:"" help:"Make a folder for a new axis.|Tạo thư mục cho một trục mới."`
	Serve    serveCommand     `cmd:"" help:"Run the axis.|Chạy trục."`
	Status   statusCommand    `cmd:"" help:"Show the axis at a glance.|Xem tổng quan trục."`
	Waiting  waitingCommand   `cmd:"" help:"Who has not received, since when, why.|Ai chưa nhận, từ bao giờ, vì sao."`
	Document documentCommand  `cmd:"" help:"Tell a document's story.|Xem diễn biến của một văn bản."`
	Agency   agencyCommands   `cmd:"" help:"Agencies.|Cơ quan."`
	Seal     sealCommands     `cmd:"" help:"Seals.|Con dấu số."`
	Endpoint endpointCommands `cmd:"" help:"Endpoints.|Điểm kết nối."`
	Policy   policyCommands   `cmd:"" help:"What holds for agencies.|Chính sách."`
	Journal  journalCommand   `cmd:"" help:"Who did what, when and why.|Ai đã làm gì, khi nào, vì sao."`
	Key      keyCommands      `cmd:"" help:"Keys.|Khóa."`
	Clock    clockCommands    `cmd:"" help:"Clock.|Đồng hồ."`
	Doctor   doctorCommand    `cmd:"" help:"Say what is wrong and how to mend it.|Cho biết có gì sai và cách sửa."`
	Backup   backupCommand    `cmd:"" help:"Back up the axis, also while it runs.|Sao lưu trục, kể cả khi đang chạy."`
	Check    checkCommand     `cmd:"" help:"Read everything and name what is damaged.|Đọc toàn bộ và nêu phần bị hỏng."`
	Restore  restoreCommand   `cmd:"" help:"Make an axis out of a backup.|Khôi phục trục từ bản sao lưu."`
}

type clockCommands struct {
	Confirm clockCommand `cmd:"" help:"Confirm a clock that jumped.|Xác nhận đồng hồ đã nhảy."`
}

func (clockCommands) Help() string { return clockCommand{}.Help() }
