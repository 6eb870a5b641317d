package command

import (
	"context"
	"fmt"
	"io"
	"strings"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type vxpCommand struct {
	Add      vxpAddCommand      `cmd:"" help:"Let a system speak to this endpoint; prints its secret, once.|Cho một hệ thống nối vào điểm này; in mật khẩu, một lần."`
	Rotate   vxpRotateCommand   `cmd:"" help:"Give a system a new secret.|Cấp mật khẩu mới cho một hệ thống."`
	Allow    vxpAllowCommand    `cmd:"" help:"Let a system act for more agencies.|Cho hệ thống làm thay thêm đơn vị."`
	Disallow vxpDisallowCommand `cmd:"" help:"Let a system act for fewer agencies.|Bớt đơn vị của hệ thống."`
	List     vxpListCommand     `cmd:"" help:"List the systems.|Danh sách hệ thống."`
	Remove   vxpRemoveCommand   `cmd:"" help:"End a system's access at once.|Cắt ngay một hệ thống."`
}

func (vxpCommand) Help() string {
	return cli.Help("endpoint vxp add qlvb.xa --code H41.11.05\nendpoint vxp list",
		"More in docs/vendors.md: what its people change, and a first round by hand.",
		"Xem thêm docs/vendors.vi.md: bên hệ thống cần đổi gì, và cách thử bằng tay một vòng.")
}

// changeSystem has the running endpoint do one thing to a system.
func changeSystem(ctx context.Context, g *grammar, o *cli.IO, c clerk.SystemChange) error {
	var done clerk.SystemChanged
	if err := act(ctx, g, clerk.PathSystemChange, c, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { printSystem(w, o, done) })
}

func printSystem(w io.Writer, o *cli.IO, s clerk.SystemChanged) {
	if len(s.Secrets) == 0 {
		fmt.Fprintf(w, o.Say("Đã cắt hệ thống %s.\n", "System %s is removed.\n"), s.Name)
		return
	}
	fmt.Fprintf(w, "systemid: %s\n%s: %s\n", s.Name, o.Say("đơn vị", "agencies"), strings.Join(s.Codes, " "))
	if s.Secret != "" {
		fmt.Fprintf(w, "secret:   %s\n", s.Secret)
		fmt.Fprintln(w, o.Say("Hãy ghi lại ngay: mật khẩu này không hiện lại lần nữa.", "Write it down now: this secret is never shown again."))
	}
	if s.Secret != "" && len(s.Secrets) > 1 {
		fmt.Fprintf(w, o.Say("Mật khẩu cũ còn dùng được đến %s.\n", "The old secret is good until %s.\n"), lang.Millis(s.Secrets[1].EndsMS))
	}
	if len(s.Strange) > 0 {
		fmt.Fprintf(w, o.Say("LƯU Ý: điểm kết nối này không phục vụ và không có con dấu của %s: không gửi nhận được cho đến khi có.\n",
			"NOTE: this endpoint neither serves %s nor has a seal of it: nothing is sent or received until it does.\n"), strings.Join(s.Strange, " "))
	}
}

type vxpAddCommand struct {
	Name string   `arg:"" help:"Name of the system (systemid).|Tên hệ thống (systemid)."`
	Code []string `required:"" help:"Code of an agency that it acts for; may be repeated.|Mã đơn vị mà hệ thống làm thay; ghi được nhiều lần."`
}

func (vxpAddCommand) Help() string {
	return cli.Help("endpoint vxp add qlvb.xa --code H41.11.05", "", "")
}

func (c vxpAddCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return changeSystem(ctx, g, o, clerk.SystemChange{Do: clerk.SystemAdd, Name: c.Name, Codes: c.Code})
}

type vxpRotateCommand struct {
	Name string `arg:"" help:"Name of the system.|Tên hệ thống."`
	Now  bool   `help:"End the old secret at once.|Cắt ngay mật khẩu cũ."`
}

func (vxpRotateCommand) Help() string {
	return cli.Help("endpoint vxp rotate qlvb.xa",
		"Both secrets are good for a while (vxp.overlap_days), so that the system can be changed in peace.",
		"Cả hai mật khẩu dùng được một thời gian (vxp.overlap_days) để kịp đổi ở hệ thống.")
}

func (c vxpRotateCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return changeSystem(ctx, g, o, clerk.SystemChange{Do: clerk.SystemRotate, Name: c.Name, Now: c.Now})
}

type vxpAllowCommand struct {
	Name string   `arg:"" help:"Name of the system.|Tên hệ thống."`
	Code []string `required:"" help:"Code of an agency; may be repeated.|Mã đơn vị; ghi được nhiều lần."`
}

func (vxpAllowCommand) Help() string {
	return cli.Help("endpoint vxp allow qlvb.xa --code H41.11.05.01", "", "")
}

func (c vxpAllowCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return changeSystem(ctx, g, o, clerk.SystemChange{Do: clerk.SystemAllow, Name: c.Name, Codes: c.Code})
}

type vxpDisallowCommand struct {
	Name string   `arg:"" help:"Name of the system.|Tên hệ thống."`
	Code []string `required:"" help:"Code of an agency; may be repeated.|Mã đơn vị; ghi được nhiều lần."`
}

func (vxpDisallowCommand) Help() string {
	return cli.Help("endpoint vxp disallow qlvb.xa --code H41.11.05.01", "", "")
}

func (c vxpDisallowCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return changeSystem(ctx, g, o, clerk.SystemChange{Do: clerk.SystemDisallow, Name: c.Name, Codes: c.Code})
}

type vxpRemoveCommand struct {
	Name string `arg:"" help:"Name of the system.|Tên hệ thống."`
}

func (vxpRemoveCommand) Help() string { return cli.Help("endpoint vxp remove qlvb.xa", "", "") }

func (c vxpRemoveCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return changeSystem(ctx, g, o, clerk.SystemChange{Do: clerk.SystemRemove, Name: c.Name})
}

type vxpListCommand struct{}

func (vxpListCommand) Help() string { return cli.Help("endpoint vxp list", "", "") }

func (vxpListCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []clerk.System
	if err := ask(ctx, g, clerk.PathSystems, nil, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, o.Say("Chưa có hệ thống nào. Thêm bằng: endpoint vxp add TÊN --code MÃ", "There are no systems yet. Add one: endpoint vxp add NAME --code CODE"))
			return
		}
		rows := make([][]string, len(all))
		for i, s := range all {
			rows[i] = []string{s.Name, strings.Join(s.Codes, " "), secretTimes(o, s.Secrets), fmt.Sprint(s.Documents), fmt.Sprint(s.Statuses)}
		}
		cli.Table(w, []string{
			o.Say("HỆ THỐNG", "SYSTEM"), o.Say("ĐƠN VỊ", "AGENCIES"), o.Say("MẬT KHẨU TỪ", "SECRET SINCE"),
			o.Say("VĂN BẢN CHỜ", "DOCUMENTS"), o.Say("TRẠNG THÁI CHỜ", "STATUSES"),
		}, rows)
	})
}

// secretTimes says since when the newest secret is good, and until when an old one.
func secretTimes(o *cli.IO, all []clerk.SystemSecret) string {
	if len(all) == 0 {
		return o.Say("không có", "none")
	}
	text := lang.Millis(all[0].CreatedMS)
	for _, s := range all[1:] {
		text += fmt.Sprintf(o.Say("; cũ đến %s", "; old until %s"), lang.Millis(s.EndsMS))
	}
	return text
}
