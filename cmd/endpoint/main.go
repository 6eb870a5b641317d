// Command endpoint runs the agent beside a document-management system and the
// clerk's commands.
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
		Name: "endpoint", Grammar: &g, Common: &g.Common,
		About: "The agent of the document axis beside an agency's system.|Điểm kết nối của trục liên thông văn bản bên cạnh hệ thống của cơ quan.",
	}.Run(ctx, args, out, errs)
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
	Retry    retryCommand    `cmd:"" help:"Let a parked document go on.|Cho văn bản đang dừng đi tiếp."`
	Agencies agenciesCommand `cmd:"" help:"Search the directory, also offline.|Tra danh mục cơ quan, kể cả khi mất mạng."`
}
