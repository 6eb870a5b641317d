package command

import (
	"context"
	"errors"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
)

type doctorCommand struct {
	Deep    bool   `help:"Read every chunk and, of an axis that does not run, the whole journal.|Đọc mọi khối nội dung và, khi trục không chạy, toàn bộ sổ ghi."`
	Backups string `placeholder:"FOLDER" type:"path" help:"Where backups are kept.|Thư mục giữ các bản sao lưu."`
}

func (doctorCommand) Help() string {
	return cli.Help("axis doctor --dir /srv/axis --backups /srv/backup",
		`Works whether or not the axis runs. Without --deep it changes nothing in the folder;
--deep starts the journal's server over the folder of an axis that does not run, with
nobody listening. Exit code 0: nothing is wrong; 1: something is.`,
		`Chạy được dù trục có đang chạy hay không. Không có --deep thì không thay đổi gì
trong thư mục; khi trục không chạy, --deep chạy riêng máy chủ của sổ ghi trên thư mục
đó, không nghe ai. Mã thoát 0: không có gì sai; 1: có chỗ sai.`)
}

func (c doctorCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if err := o.CheckFolder(g.Dir); err != nil {
		return err
	}
	cfg := axis.DoctorConfig{Deep: c.Deep, Backups: c.Backups}
	var s operator.Status
	err := ask(ctx, g, operator.PathStatus, nil, &s)
	if err == nil {
		cfg.Status = &s
		err = ask(ctx, g, operator.PathEndpoints, nil, &cfg.Endpoints)
	}
	if err != nil && !errors.Is(err, admin.ErrNotRunning) {
		cfg.Unanswered = err
	}
	return o.Findings(axis.Doctor(ctx, g.Dir, cfg))
}
