package command

import (
	"context"
	"fmt"
	"io"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
)

type checkCommand struct{}

func (checkCommand) Help() string {
	return cli.Help("axis check",
		"Reads all of the journal and of the contents while the axis runs, which takes long.\nExit code 0: everything is right; 1: something is damaged.",
		"Đọc toàn bộ sổ ghi và nội dung khi trục đang chạy, mất nhiều thời gian.\nMã thoát 0: mọi thứ nguyên vẹn; 1: có phần bị hỏng.")
}

func (checkCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var c operator.Checked
	if err := ask(ctx, g, operator.PathCheck, nil, &c); err != nil {
		return err
	}
	err := o.Print(c, func(w io.Writer) {
		if len(c.Damage) == 0 {
			fmt.Fprintf(w, o.Say("Nguyên vẹn: %d khối của sổ ghi và mọi nội dung.\n", "All is right: %d blocks of the journal, and every content.\n"), c.Blocks)
		}
		printDamage(w, o, c.Damage)
	})
	if err == nil && len(c.Damage) > 0 {
		err = cli.Code{Exit: cli.Failed}
	}
	return err
}

// printDamage names what is damaged, and says what to do.
func printDamage(w io.Writer, o *cli.IO, all []operator.Damage) {
	blocks, chunks := 0, 0
	for _, d := range all {
		if d.Kind == operator.DamagedBlock {
			blocks++
			fmt.Fprintf(w, o.Say("HỎNG: khối %s của sổ ghi (%s)\n", "DAMAGED: block %s of the journal (%s)\n"), d.Place, d.What)
			continue
		}
		chunks++
		fmt.Fprintf(w, o.Say("HỎNG: khúc nội dung %s\n", "DAMAGED: chunk of content %s\n"), d.Place)
	}
	if blocks > 0 {
		fmt.Fprintln(w, o.Say("Hãy kiểm tra đĩa, dừng trục và khôi phục thư mục journal từ bản sao lưu, để nguyên thư mục keys.",
			"Have the disk checked, stop the axis and put the folder journal back from a backup, leaving the folder keys as it is."))
	}
	if chunks > 0 {
		fmt.Fprintln(w, o.Say("Hãy kiểm tra đĩa. Các điểm kết nối còn giữ nội dung sẽ tự gửi lại; nếu sau vài ngày vẫn còn báo hỏng, hãy chép khúc đó vào content/chunks từ bản sao lưu khi trục dừng.",
			"Have the disk checked. Endpoints that still have the content give it again by themselves; what is still named after some days, copy into content/chunks from a backup while the axis is stopped."))
	}
}
