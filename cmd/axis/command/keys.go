package command

import (
	"context"
	"fmt"
	"io"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type keyCommands struct {
	Roll rollCommand `cmd:"" help:"Replace a key of the axis while it runs.|Thay một khóa của trục khi trục đang chạy."`
}

func (keyCommands) Help() string { return rollCommand{}.Help() }

type rollCommand struct {
	Key    string `arg:"" enum:"log,evidence,ca" help:"log, evidence or ca.|log (khóa sổ), evidence (khóa bằng chứng) hoặc ca."`
	Reason string `required:"" help:"Why; it is journaled.|Lý do; được ghi sổ."`
}

func (rollCommand) Help() string {
	return cli.Help("axis key roll log --reason \"yearly\"\naxis key roll ca --reason \"yearly\"",
		"Endpoints need not do anything. After ca, invitations that were handed out already stay good.",
		"Điểm kết nối không phải làm gì. Sau khi thay ca, lời mời đã phát vẫn dùng được.")
}

func (c rollCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.Rolled
	req := operator.Roll{Why: operator.Why{Actor: cli.Actor(), Reason: c.Reason}, Key: c.Key}
	if err := act(ctx, g, operator.PathRoll, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã thay khóa %s. Hãy sao lưu thư mục keys/ ngay.\n  Sổ %s, kỷ %d\n  CA có SHA-256 của khóa công khai %s\n",
			"The %s key is replaced. Back up the folder keys/ now.\n  Log %s, epoch %d\n  CA with SHA-256 of its public key %s\n"),
			c.Key, done.Origin, done.Epoch, done.CA)
	})
}

// printClock says that nothing is decided, why, and what to do.
func printClock(w io.Writer, o *cli.IO, c *operator.Clock) {
	if c == nil {
		return
	}
	var why string
	switch c.Doubt {
	case "ahead", "back":
		why = o.Say("đồng hồ máy đã nhảy", "the machine's clock jumped")
	case "behind":
		why = o.Say("đồng hồ máy chậm hơn bản ghi cuối", "the machine's clock is behind the last record")
	default:
		why = o.Say("trục đã dừng hơn một tuần, hoặc đồng hồ máy bị chỉnh tới", "the axis stood still for over a week, or the machine's clock was put forward")
	}
	fmt.Fprintf(w, o.Say("ĐỒNG HỒ: trục không ghi gì: %s (lẽ ra từ %s, đang là %s). Hãy chỉnh đồng hồ; nếu giờ này đúng: axis clock confirm \"LÝ DO\"\n\n",
		"CLOCK: the axis records nothing: %s (expected from %s, it shows %s). Put the clock right; if it is right: axis clock confirm \"REASON\"\n\n"),
		why, lang.Millis(c.ExpectedMS), lang.Millis(c.ShownMS))
}
