package command

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type endpointCommands struct {
	List    endpointListCommand `cmd:"" help:"List endpoints and what waits for them.|Danh sách điểm kết nối và văn bản đang chờ."`
	Show    endpointShowCommand `cmd:"" help:"Show all that is known of an endpoint.|Xem mọi thông tin của một điểm kết nối."`
	Invite  inviteCommand       `cmd:"" help:"Invite an endpoint, once.|Mời một điểm kết nối, dùng một lần."`
	Reissue reissueCommand      `cmd:"" help:"Invite an endpoint to come back that lost its key or its machine.|Mời lại điểm kết nối đã mất khóa hoặc mất máy."`
	Revoke  revokeCommand       `cmd:"" help:"End an endpoint for good.|Thu hồi hẳn một điểm kết nối."`
}

func (endpointCommands) Help() string {
	return cli.Help("axis endpoint list\naxis endpoint invite H41.11 H41.11.05\naxis endpoint reissue h41-11-k3qd --reason \"đĩa hỏng\"", "", "")
}

type endpointListCommand struct{}

func (endpointListCommand) Help() string { return cli.Help("axis endpoint list --json", "", "") }

func (endpointListCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []operator.EndpointLine
	if err := ask(ctx, g, operator.PathEndpoints, nil, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, o.Say("Chưa có điểm kết nối nào. Mời một điểm: axis endpoint invite MÃ", "No endpoints yet. Invite one: axis endpoint invite CODE"))
			return
		}
		rows := make([][]string, len(all))
		for i, e := range all {
			rows[i] = []string{e.Name, presence(o, e), sinceText(e.HeardMS), lang.Millis(e.UntilMS), fmt.Sprint(e.Waiting), sinceText(e.OldestMS), some(e.Codes)}
		}
		cli.Table(w, []string{
			o.Say("ĐIỂM KẾT NỐI", "ENDPOINT"), o.Say("KẾT NỐI", "CONNECTION"), o.Say("NGHE LẦN CUỐI", "LAST HEARD"), o.Say("CHỨNG THƯ ĐẾN", "CERTIFICATE UNTIL"),
			o.Say("ĐANG CHỜ", "WAITING"), o.Say("LÂU NHẤT TỪ", "OLDEST SINCE"), o.Say("MÃ", "CODES"),
		}, rows)
	})
}

func presence(o *cli.IO, e operator.EndpointLine) string {
	return connection(o, operator.Endpoint{Connected: e.Connected, Revoked: e.Revoked})
}

type endpointShowCommand struct {
	Name string `arg:"" help:"Name of the endpoint.|Tên điểm kết nối."`
}

func (endpointShowCommand) Help() string { return cli.Help("axis endpoint show h41-11-k3qd", "", "") }

func (c endpointShowCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var e operator.EndpointDetail
	if err := ask(ctx, g, operator.PathEndpointShow, url.Values{"name": {c.Name}}, &e); err != nil {
		return err
	}
	return o.Print(e, func(w io.Writer) { printEndpoint(w, o, e) })
}

func printEndpoint(w io.Writer, o *cli.IO, e operator.EndpointDetail) {
	fmt.Fprintf(w, o.Say("%s: %s; nghe lần cuối %s; gia nhập %s\n", "%s: %s; last heard %s; enrolled %s\n"),
		e.Name, presence(o, e.EndpointLine), sinceText(e.HeardMS), lang.Millis(e.EnrolledMS))
	fmt.Fprintf(w, o.Say("Mã (%d): %s\n", "Codes (%d): %s\n"), len(e.Codes), strings.Join(e.Codes, " "))
	fmt.Fprintf(w, o.Say("Đang chờ: khẩn %d, thường %d; lâu nhất từ %s\n", "Waiting: urgent %d, normal %d; the oldest since %s\n"),
		e.WaitingUrgent, e.WaitingNormal, sinceText(e.OldestMS))
	if s := e.Said; s != nil {
		fmt.Fprintf(w, o.Say("Bằng chứng mới nhất: số %d lúc %s; đã kiểm sổ đến bản ghi %d của kỷ %d; giờ khai lệch %s\n",
			"Newest evidence: number %d at %s; had verified the log up to record %d of epoch %d; its clock was off by %s\n"),
			s.Counter, lang.Millis(s.TimeMS), s.SeenSize, s.SeenEpoch, time.Duration(s.TimeMS-s.ClaimedMS)*time.Millisecond)
	}
	for _, i := range e.Invitations {
		fmt.Fprintf(w, o.Say("Lời mời còn dùng được đến %s\n", "An invitation can be used until %s\n"), lang.Millis(i.ExpiresMS))
	}
	fmt.Fprintln(w)
	rows := make([][]string, len(e.Certificates))
	for i, c := range e.Certificates {
		ended := ""
		if c.EndedMS != 0 {
			ended = o.Say("hết hiệu lực từ ", "ended at ") + lang.Millis(c.EndedMS)
		}
		rows[i] = []string{short(c.Digest), lang.Millis(c.FromMS), lang.Millis(c.UntilMS), fmt.Sprint(c.LeafIndex), ended}
	}
	cli.Table(w, []string{o.Say("CHỨNG THƯ", "CERTIFICATE"), o.Say("TỪ", "FROM"), o.Say("ĐẾN", "UNTIL"), o.Say("BẢN GHI", "RECORD"), ""}, rows)
	fmt.Fprintln(w)
	history(w, o, e.History)
}

type inviteCommand struct {
	whyFlags
	Codes []string `arg:"" help:"Codes that it will serve.|Các mã sẽ phục vụ."`
	Name  string   `help:"Name of the endpoint; made from the first code.|Tên điểm kết nối; mặc định theo mã đầu."`
	Hours int      `help:"Hours for which it can be used.|Số giờ có hiệu lực." default:"168"`
}

func (inviteCommand) Help() string { return cli.Help("axis endpoint invite H41.11 H41.11.05", "", "") }

func (c inviteCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	req := operator.Invite{Why: c.why(), Codes: c.Codes, Endpoint: c.Name, Hours: c.Hours}
	var done operator.Invited
	if err := act(ctx, g, operator.PathInvite, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		printInvitation(w, o, done)
		fmt.Fprintln(w, o.Say("Tại điểm kết nối: endpoint join LỜI_MỜI", "At the endpoint: endpoint join INVITATION"))
	})
}

func printInvitation(w io.Writer, o *cli.IO, i operator.Invited) {
	fmt.Fprintf(w, o.Say("Lời mời cho %s (%s), dùng một lần, đến %s:\n\n%s\n\n", "Invitation for %s (%s), usable once, until %s:\n\n%s\n\n"),
		i.Endpoint, strings.Join(i.Codes, " "), lang.Millis(i.ExpiresMS), i.Invitation)
}

type reissueCommand struct {
	reasonFlags
	Name  string `arg:"" help:"Name of the endpoint.|Tên điểm kết nối."`
	Hours int    `help:"Hours for which it can be used.|Số giờ có hiệu lực." default:"168"`
}

func (reissueCommand) Help() string {
	return cli.Help(`axis endpoint reissue h41-11-k3qd --reason "hỏng đĩa, thay máy"`,
		"Nothing ends before the invitation is used; then every earlier certificate does. Codes and mailbox stay. A later invitation takes the place of this one.",
		"Chưa có gì thay đổi cho đến khi lời mời được dùng; khi đó mọi chứng thư cũ hết hiệu lực. Mã và hộp thư giữ nguyên. Lời mời sau thay lời mời trước.")
}

func (c reissueCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.Invited
	req := operator.Reissue{Why: c.why(), Endpoint: c.Name, Hours: c.Hours}
	if err := act(ctx, g, operator.PathReissue, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		printInvitation(w, o, done)
		fmt.Fprintln(w, o.Say("Tại điểm kết nối: dừng endpoint serve, rồi endpoint join LỜI_MỜI vào thư mục cũ nếu dữ liệu còn, không thì vào thư mục trống; sau đó chạy lại endpoint serve.",
			"At the endpoint: stop endpoint serve, then endpoint join INVITATION in the old folder if its data is there, else in an empty one; then endpoint serve again."))
	})
}

type revokeCommand struct {
	reasonFlags
	Name string `arg:"" help:"Name of the endpoint.|Tên điểm kết nối."`
}

func (revokeCommand) Help() string {
	return cli.Help(`axis endpoint revoke h41-11-k3qd --reason "mất máy, nghi bị lộ khóa"`,
		"The name is gone for good. Where the agency only changes its machine or key, use axis endpoint reissue.",
		"Tên này mất hẳn. Nếu cơ quan chỉ đổi máy hoặc khóa, hãy dùng axis endpoint reissue.")
}

func (c revokeCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.Revoked
	if err := act(ctx, g, operator.PathRevoke, operator.Revoke{Why: c.why(), Endpoint: c.Name}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã thu hồi %s và cắt kết nối.\n", "Revoked %s and cut its connections.\n"), done.Endpoint)
		if len(done.Codes) == 0 {
			return
		}
		fmt.Fprintf(w, o.Say("Nay chưa ai phục vụ %d mã, với %d văn bản đang chờ: %s\nGiao cho điểm khác: axis agency move %s --to TÊN --reason LÝ_DO\n",
			"Nobody serves %d codes now, with %d documents waiting: %s\nGive them to another: axis agency move %s --to NAME --reason WHY\n"),
			len(done.Codes), done.Waiting, some(done.Codes), strings.Join(done.Codes, " "))
	})
}
