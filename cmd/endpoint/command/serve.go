package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/link"
	"docaxis/internal/admin"
	"docaxis/internal/bus"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

type joinCommand struct {
	Invitation string `arg:"" help:"The text that axis endpoint invite printed.|Dòng chữ do lệnh axis endpoint invite in ra."`
}

func (joinCommand) Help() string {
	return cli.Help("endpoint join --dir /srv/endpoint docaxis1...", "", "")
}

func (c joinCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	invite, err := bus.ParseInvite(c.Invitation)
	if err != nil {
		return cli.Code{Exit: cli.Usage, Err: lang.Errorf(
			"Lời mời không nguyên vẹn. Hãy chép lại trọn dòng bắt đầu bằng docaxis1; lời mời vẫn dùng được.",
			"The invitation is not whole. Copy the line that begins with docaxis1 again, all of it; it can still be used.").Because(err)}
	}
	if err := os.MkdirAll(g.Dir, 0o700); err != nil {
		return err
	}
	id, err := link.JoinWith(ctx, g.Dir, invite, invite.EnrolAs)
	if err != nil {
		return notJoined(invite, err)
	}
	settings, err := endpoint.WriteSettings(g.Dir, id.Endpoint, id.Codes)
	if err != nil {
		return err
	}
	return o.Print(map[string]any{"endpoint": id.Endpoint, "codes": id.Codes, "dir": g.Dir}, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã gia nhập với tên %s, phục vụ %s.\nTiếp theo: ghi con dấu số vào %s, rồi chạy: endpoint serve --dir %s\n",
			"Joined as %s, to serve %s.\nNext: name the agency's seal in %s, then: endpoint serve --dir %s\n"),
			id.Endpoint, strings.Join(id.Codes, " "), settings, g.Dir)
	})
}

// notJoined says what went wrong between an invitation and an identity.
func notJoined(invite bus.Invite, err error) error {
	switch {
	case errors.Is(err, bus.ErrPin):
		return cli.Code{Exit: cli.Failed, Err: lang.Errorf(
			"Máy trả lời tại %s không phải là trục ghi trong lời mời. Hãy dừng lại và hỏi quản trị trục.",
			"Whoever answers at %s is not the axis that the invitation names. Stop here and ask the operator of the axis.", invite.Address).Because(err)}
	case reason.Is(err, axispb.ReasonCode_REASON_UNAVAILABLE):
		return cli.Code{Exit: cli.TryAgain, Err: lang.Errorf(
			"Chưa kết nối được với trục tại %s. Hãy kiểm tra mạng và hỏi xem trục có đang chạy, rồi dùng lại đúng lời mời này.",
			"The axis at %s cannot be reached. Check the network and whether the axis runs, then use this same invitation again.", invite.Address).Because(err)}
	}
	return err
}

type serveCommand struct {
	Verbose bool `short:"v" help:"Log more.|Ghi nhật ký chi tiết."`
}

func (serveCommand) Help() string {
	return cli.Help("endpoint serve --dir /srv/endpoint", `endpoint.toml in the folder has:
  listen                where the endpoint's own commands connect; loopback
  security              highest level that may be sent; ordinary
  [[seal]]              one for each agency that sends from here:
    code                its code
    key                 PEM or PKCS#12 file, or pkcs11:… of a key in a token, as
                        signer list prints it
    certificate         certificate and chain, where they are not in key
    password_file       password of a PKCS#12 file
    signer              program that reaches tokens; signer beside this one
  [limits]
    file_bytes          largest file that is sent; 2 GiB
    free_bytes          what must stay free on the disk: with less, nothing is sent
                        and no contents are fetched; 2 % of it, at least 512 MiB
  [retention]           how long files stay here; proofs always stay
    outbox_days         after every recipient has what was sent; 30
    inbox_days          after the agency took or refused what came; 90
    quota_bytes         most that files may take: above it, what nobody needs goes
                        earlier; no bound
  [vxp]                 systems that speak the national axis's protocol (endpoint vxp):
    listen              where they find the endpoint; 127.0.0.1:8805 once there is one
    certificate, key    PEM files for https; without them, this machine only
    language            of what they are told, vi or en; vi
    keep_days           how long the same package is answered the same; 400
    overlap_days        how long an old secret stays good beside a new one; 7
    lease_minutes       for how long "processing" takes a delivery off the list; 60
    fail_limit          after how many "fail" a person decides; 5
  [signatures]          how signatures within documents' files are judged:
    anchors             files and folders of trusted certificates; the folder trust
    revocation          ask authorities about revoked certificates; true
    allow               addresses (10.1.0.0/16) and names of hosts within your walls
                        that may be asked, as "crl.coquan.local"
    proxy               HTTP proxy that asks for the endpoint, as http://proxy:3128

Stops on Ctrl-C or SIGTERM.`, `endpoint.toml trong thư mục gồm:
  listen                nơi các lệnh endpoint kết nối; chỉ trong máy
  security              độ mật cao nhất được gửi; ordinary (thường)
  [[seal]]              mỗi cơ quan gửi từ đây một mục:
    code                mã cơ quan
    key                 tệp PEM hoặc PKCS#12, hoặc pkcs11:… của khóa trong thiết
                        bị, như signer list in ra
    certificate         chứng thư và chuỗi, nếu không nằm trong key
    password_file       mật khẩu của tệp PKCS#12
    signer              chương trình dùng thiết bị; signer cạnh chương trình này
  [limits]
    file_bytes          tệp lớn nhất được gửi; 2 GiB
    free_bytes          chỗ trống phải giữ lại trên đĩa: ít hơn thì không gửi và
                        không lấy nội dung; 2 % đĩa, ít nhất 512 MiB
  [retention]           các tệp ở lại đây bao lâu; bằng chứng luôn ở lại
    outbox_days         sau khi mọi nơi nhận đã có văn bản đi; 30
    inbox_days          sau khi cơ quan nhận hoặc từ chối văn bản đến; 90
    quota_bytes         các tệp được chiếm nhiều nhất: vượt quá thì tệp không ai
                        cần được dọn sớm; không giới hạn
  [vxp]                 hệ thống dùng giao thức của trục quốc gia (endpoint vxp):
    listen              nơi các hệ thống gọi đến; 127.0.0.1:8805 khi đã có hệ thống
    certificate, key    tệp PEM cho https; không có thì chỉ trong máy này
    language            của lời nhắn cho hệ thống, vi hoặc en; vi
    keep_days           gói gửi lại được trả lời như lần đầu trong bao lâu; 400
    overlap_days        mật khẩu cũ còn dùng được bao lâu bên cạnh mật khẩu mới; 7
    lease_minutes       "processing" đưa văn bản ra khỏi danh sách bao lâu; 60
    fail_limit          sau bao nhiêu lần "fail" thì cần người quyết định; 5
  [signatures]          cách xét chữ ký trong các tệp của văn bản:
    anchors             tệp và thư mục chứng thư tin cậy; thư mục trust
    revocation          hỏi cơ quan chứng thực về chứng thư bị thu hồi; true
    allow               địa chỉ (10.1.0.0/16) và tên máy trong mạng nội bộ được
                        phép hỏi, như "crl.coquan.local"
    proxy               máy proxy HTTP hỏi thay, như http://proxy:3128

Dừng bằng Ctrl-C hoặc SIGTERM.`)
}

func (c serveCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if err := o.CheckFolder(g.Dir); err != nil {
		return err
	}
	settings, err := endpoint.LoadSettings(g.Dir)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: level}))
	a, err := endpoint.Open(g.Dir, endpoint.Config{Settings: settings, Log: log})
	if err != nil {
		return err
	}
	face, err := endpoint.OpenFace(a)
	if err != nil {
		return joinClose(err, a.Close())
	}
	api, err := admin.Listen(g.Dir, settings.Listen, clerk.Handler(endpoint.Clerk(a)))
	if err != nil {
		return joinClose(err, errors.Join(face.Close(), a.Close()))
	}
	fmt.Fprintf(o.Out, o.Say("Điểm kết nối %s đang chạy. Dừng bằng Ctrl-C.\n", "Endpoint %s runs. Stop it with Ctrl-C.\n"), a.Name())
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { return a.Run(ctx) })
	running.Go(func() error { return api.Run(ctx) })
	running.Go(func() error { return face.Run(ctx) })
	return joinClose(running.Wait(), a.Close())
}

func joinClose(run, stop error) error {
	if run != nil {
		return run
	}
	return stop
}
