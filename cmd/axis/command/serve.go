package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"docaxis/axis"
	"docaxis/internal/cli"
)

type initCommand struct {
	Name    string   `help:"Name of the log, a domain name.|Tên sổ ghi, là một tên miền." default:"axis.local"`
	Listen  string   `help:"Where endpoints connect.|Nơi điểm kết nối kết nối." default:"127.0.0.1:7422"`
	Address string   `help:"What invitations name, if not the first host.|Địa chỉ ghi trong lời mời, nếu khác tên máy đầu tiên."`
	Host    []string `help:"Names in the server's certificate.|Tên trong chứng thư máy chủ." default:"localhost,127.0.0.1"`
}

func (initCommand) Help() string {
	return cli.Help("axis init --dir /srv/axis --name axis.example.vn --listen 0.0.0.0:7422 --host axis.example.vn", "", "")
}

func (c initCommand) Run(g *grammar, o *cli.IO) error {
	f := axis.DefaultFile()
	f.Name, f.Listen, f.Address, f.Hosts = c.Name, c.Listen, c.Address, c.Host
	if err := axis.Init(g.Dir, f, axis.Config{}); err != nil {
		return err
	}
	return o.Print(map[string]string{"dir": g.Dir}, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã tạo trục trong %s.\nGiữ bí mật thư mục keys. Tiếp theo: axis serve --dir %s\n",
			"The axis is in %s.\nKeep its keys folder secret. Next: axis serve --dir %s\n"), g.Dir, g.Dir)
	})
}

type serveCommand struct {
	Verbose bool `short:"v" help:"Log more.|Ghi nhật ký chi tiết."`
}

func (serveCommand) Help() string {
	return cli.Help("axis serve --dir /srv/axis", `axis.toml in the folder has:
  name            of the log; never changes
  listen          where endpoints connect, host:port
  address         what invitations name; else the first host
  hosts           names in the server's certificate
  admin           where axis's own commands connect; loopback
  max_file_bytes  largest file; 0 means 2 GiB
  free_bytes      what must stay free on each disk; with less, new documents wait,
                  with less than a quarter evidence, too; 0 means 2 %, at least 1 GiB
  documents_per_day, bytes_per_day
                  what one endpoint may send in a day; 0 means 100,000 and 1 TiB
  registrations_per_day
                  agencies that one endpoint may register, change and close in a day;
                  0 means 1,000
  [signatures]    by what the signatures within files are judged:
    anchors       files or folders of trusted certificates; else the folder trust
    revocation    false: authorities are not asked for revoked certificates
    allow         addresses or host names within your walls that may be asked
    proxy         HTTP proxy that asks, as http://proxy:3128
  [timestamps]    who says when the log's records were there (RFC 3161)
    authorities   addresses, asked in this order; without any it is not done
    anchors       files or folders of their certificates; trust-tsa where left out
    every         least time between two: "1m" (also where left out) to "1h"
  [seal]          seals what is time-stamped; the evidence key where left out
    key, certificate, password_file
                  PEM or PKCS#12; the first line of a file is the password. Or a key
                  "pkcs11:…" in a token, reached by signer (else the one beside axis)

Stops on Ctrl-C or SIGTERM.`, `axis.toml trong thư mục gồm:
  name            tên sổ ghi; không bao giờ đổi
  listen          nơi điểm kết nối gọi đến, máy:cổng
  address         địa chỉ ghi trong lời mời; nếu trống là tên máy đầu tiên
  hosts           các tên trong chứng thư máy chủ
  admin           nơi các lệnh axis kết nối; chỉ trong máy
  max_file_bytes  tệp lớn nhất; 0 là 2 GiB
  free_bytes      phần phải còn trống trên mỗi đĩa; ít hơn thì văn bản mới phải chờ,
                  dưới một phần tư thì bằng chứng cũng chờ; 0 là 2 %, ít nhất 1 GiB
  documents_per_day, bytes_per_day
                  mức một điểm kết nối được gửi trong ngày; 0 là 100.000 và 1 TiB
  registrations_per_day
                  số cơ quan một điểm kết nối được đăng ký, sửa, đóng trong ngày;
                  0 là 1.000
  [signatures]    căn cứ để kiểm tra chữ ký trong tệp:
    anchors       tệp hoặc thư mục chứng thư số tin cậy; nếu trống là thư mục trust
    revocation    false: không hỏi tổ chức chứng thực về chứng thư bị thu hồi
    allow         địa chỉ hoặc tên máy trong mạng nội bộ được phép hỏi
    proxy         proxy HTTP dùng để hỏi, như http://proxy:3128
  [timestamps]    ai xác nhận lúc bản ghi đã có trong sổ (RFC 3161)
    authorities   các địa chỉ, hỏi theo thứ tự này; không nêu thì không thực hiện
    anchors       tệp hoặc thư mục chứng thư của họ; không nêu là trust-tsa
    every         khoảng cách ngắn nhất: "1m" (cả khi không nêu) đến "1h"
  [seal]          con dấu số ký lên mốc kiểm tra; không nêu là khóa bằng chứng
    key, certificate, password_file
                  PEM hoặc PKCS#12; dòng đầu của một tệp là mật khẩu. Hoặc key
                  "pkcs11:…" trong thiết bị, qua signer (nếu không nêu: cạnh axis)

Dừng bằng Ctrl-C hoặc SIGTERM.`)
}

func (c serveCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if err := o.CheckFolder(g.Dir); err != nil {
		return err
	}
	f, err := axis.LoadFile(g.Dir)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: level}))
	h, err := axis.Open(ctx, g.Dir, axis.Config{File: f, Log: log})
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // stopped while it started
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, o.Say("Trục đang chạy tại %s. Dừng bằng Ctrl-C.\n", "The axis runs at %s. Stop it with Ctrl-C.\n"), h.Addr())
	return joinClose(h.Run(ctx), h.Close())
}

func joinClose(run, stop error) error {
	if run != nil {
		return run
	}
	return stop
}
