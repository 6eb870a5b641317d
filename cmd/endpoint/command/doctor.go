package command

import (
	"context"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/cli"
)

type doctorCommand struct {
	Deep bool `help:"Read every file's content, too.|Đọc cả nội dung từng tệp."`
}

func (doctorCommand) Help() string {
	return cli.Help("endpoint doctor --dir /srv/endpoint", "Works whether or not the endpoint runs. Exit code 0: nothing is wrong; 1: something is.",
		"Chạy được dù điểm kết nối có đang chạy hay không. Mã thoát 0: không có gì sai; 1: có chỗ sai.")
}

func (c doctorCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if err := o.CheckFolder(g.Dir); err != nil {
		return err
	}
	cfg := endpoint.DoctorConfig{Deep: c.Deep}
	var s clerk.Status
	if ask(ctx, g, clerk.PathStatus, nil, &s) == nil {
		cfg.Status = &s
	}
	return o.Findings(endpoint.Doctor(ctx, g.Dir, cfg))
}
