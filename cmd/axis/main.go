// Command axis runs the document axis and the operator's commands.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"docaxis/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var g grammar
	return cli.Program{
		Name: "axis", Grammar: &g, Common: &g.Common,
		About: "The document axis: routes, records and proves.|Trục liên thông văn bản: chuyển, ghi và chứng minh.",
	}.Run(ctx, args, out, errs)
}

type grammar struct {
	cli.Common
	Dir string `help:"Folder of the axis.|Thư mục của trục." default:"axis-data" env:"DOCAXIS_AXIS_DIR" type:"path"`

	Init     initCommand     `cmd:"" help:"Make a folder for a new axis.|Tạo thư mục cho một trục mới."`
	Serve    serveCommand    `cmd:"" help:"Run the axis.|Chạy trục."`
	Status   statusCommand   `cmd:"" help:"Show the axis at a glance.|Xem tổng quan trục."`
	Waiting  waitingCommand  `cmd:"" help:"Who has not received, since when, why.|Ai chưa nhận, từ bao giờ, vì sao."`
	Document documentCommand `cmd:"" help:"Tell a document's story.|Xem diễn biến của một văn bản."`
	Agency   struct {
		Import importCommand `cmd:"" help:"Import agencies from a CSV file.|Nhập cơ quan từ tệp CSV."`
	} `cmd:"" help:"Agencies.|Cơ quan."`
	Seal struct {
		Admit admitCommand `cmd:"" help:"Admit a certificate as an agency's seal.|Chấp nhận chứng thư làm con dấu số của cơ quan."`
	} `cmd:"" help:"Seals.|Con dấu số."`
	Endpoint struct {
		Invite inviteCommand `cmd:"" help:"Invite an endpoint, once.|Mời một điểm kết nối, dùng một lần."`
	} `cmd:"" help:"Endpoints.|Điểm kết nối."`
	Clock struct {
		Confirm clockCommand `cmd:"" help:"Confirm a clock that jumped.|Xác nhận đồng hồ đã nhảy."`
	} `cmd:"" help:"Clock.|Đồng hồ."`
}
