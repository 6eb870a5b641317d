package command

import (
	"context"
	"fmt"
	"io"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/business"
	"docaxis/internal/cli"
)

type recallCommand struct {
	ID     string   `arg:"" help:"Id of a document sent from here.|Mã văn bản đã gửi từ đây."`
	Reason string   `required:"" help:"Why.|Lý do."`
	To     []string `help:"Only from these recipients; from all by default.|Chỉ từ những nơi nhận này; mặc định là mọi nơi nhận."`
}

func (recallCommand) Help() string {
	return cli.Help(`endpoint recall 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40 --reason "Ban hành nhầm"`,
		"What a recipient has not taken yet is withdrawn at once; whoever has taken it is asked. endpoint show tells who agreed.",
		"Văn bản mà nơi nhận chưa lấy được rút lại ngay; nơi nào đã lấy thì được hỏi. endpoint show cho biết nơi nào đã đồng ý.")
}

func (c recallCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return sendChange(ctx, g, o, clerk.Draft{Change: business.Recall, About: c.ID, Reason: c.Reason, To: c.To})
}

type answerCommand struct {
	ID     string `arg:"" help:"Id of the request, or of the document that it is about.|Mã của yêu cầu, hoặc của văn bản liên quan."`
	Agree  bool   `xor:"answer" required:"" help:"Agree.|Đồng ý."`
	Refuse string `xor:"answer" required:"" help:"Refuse, with this reason.|Từ chối, với lý do này."`
	Code   string `help:"For which code, where it came for several.|Cho mã nào, nếu đến nhiều mã."`
}

func (answerCommand) Help() string {
	return cli.Help("endpoint answer 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40 --agree",
		"Agreeing to a recall removes the document's files here; its envelope and proofs stay.",
		"Đồng ý thu hồi thì các tệp của văn bản bị xóa khỏi đây; phong bì và bằng chứng vẫn còn.")
}

func (c answerCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	d := clerk.Draft{Change: business.Agreed, About: c.ID, From: c.Code}
	if !c.Agree {
		d.Change, d.Reason = business.Disagreed, c.Refuse
	}
	return sendChange(ctx, g, o, d)
}

// sendChange sends a change without files, and prints its id.
func sendChange(ctx context.Context, g *grammar, o *cli.IO, d clerk.Draft) error {
	client, err := admin.Open(g.Dir)
	if err != nil {
		return err
	}
	sent, err := clerk.Send(ctx, client, d, nil)
	if err != nil {
		return err
	}
	return o.Print(sent, func(w io.Writer) { fmt.Fprintln(w, sent.ID) })
}
