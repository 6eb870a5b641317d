package command

import (
	"context"
	"fmt"
	"io"
	"net/url"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
)

type policyCommands struct {
	Show policyShowCommand `cmd:"" help:"Show what holds, and who said it.|Xem chính sách đang áp dụng và ai đã đặt."`
	Set  policySetCommand  `cmd:"" help:"Change what holds for everybody or for an agency.|Đặt chính sách chung hoặc cho một cơ quan."`
}

func (policyCommands) Help() string {
	return cli.Help("axis policy show\naxis policy set --delegated-seals forbid --reason \"Quyết định 12\"\naxis policy set --code H41 --retention-days 800 --reason \"theo đề nghị\"", "", "")
}

type policyShowCommand struct {
	Code string `help:"Code of an agency.|Mã cơ quan."`
}

func (policyShowCommand) Help() string { return cli.Help("axis policy show --code H41", "", "") }

func (c policyShowCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if c.Code == "" {
		var all []operator.PolicyLine
		if err := ask(ctx, g, operator.PathPolicies, nil, &all); err != nil {
			return err
		}
		return o.Print(all, func(w io.Writer) { printPolicies(w, o, all) })
	}
	var one operator.PolicyLine
	if err := ask(ctx, g, operator.PathPolicyShow, url.Values{"code": {c.Code}}, &one); err != nil {
		return err
	}
	return o.Print(one, func(w io.Writer) { printPolicy(w, o, one) })
}

func printPolicy(w io.Writer, o *cli.IO, p operator.PolicyLine) {
	printPolicies(w, o, []operator.PolicyLine{p})
	if len(p.History) > 0 {
		fmt.Fprintln(w)
		history(w, o, p.History)
	}
}

// printPolicies shows what holds; what an agency has from the policy for everybody
// stands in brackets.
func printPolicies(w io.Writer, o *cli.IO, all []operator.PolicyLine) {
	inherited := func(said bool, text string) string {
		if said {
			return text
		}
		return "(" + text + ")"
	}
	rows := make([][]string, len(all))
	for i, p := range all {
		seals := o.Say("không cho phép", "forbidden")
		if p.Holds.DelegatedSeals {
			seals = o.Say("cho phép", "allowed")
		}
		rows[i] = []string{
			everybody(o, p.Code), inherited(p.DelegatedSeals != "inherit", seals),
			inherited(p.RetentionDays > 0, fmt.Sprint(p.Holds.RetentionDays)), inherited(p.Security != "", p.Holds.Security),
			inherited(p.Registrations != "inherit", registrations(o, p.Holds.Registrations)),
			inherited(p.ConsignHours > 0, hours(p.Holds.ConsignHours)), inherited(p.HandoverHours > 0, hours(p.Holds.HandoverHours)),
			inherited(p.SentFiles != "inherit", files(o, p.Holds.SentFiles)), inherited(p.ReceivedFiles != "inherit", files(o, p.Holds.ReceivedFiles)),
		}
	}
	cli.Table(w, []string{
		o.Say("CƠ QUAN", "AGENCY"), o.Say("CON DẤU SỐ ỦY QUYỀN", "DELEGATED SEALS"), o.Say("GIỮ NỘI DUNG (NGÀY)", "CONTENT KEPT (DAYS)"),
		o.Say("ĐỘ MẬT CAO NHẤT", "HIGHEST SECURITY LEVEL"), o.Say("TỰ ĐĂNG KÝ CƠ QUAN", "REGISTRATIONS"),
		o.Say("HẠN NHẬN (GIỜ)", "CONSIGNED WITHIN (HOURS)"), o.Say("HẠN BÀN GIAO (GIỜ)", "HANDED OVER WITHIN (HOURS)"),
		o.Say("TỆP GỬI ĐI", "FILES SENT"), o.Say("TỆP NHẬN VỀ", "FILES RECEIVED"),
	}, rows)
}

func registrations(o *cli.IO, word string) string {
	switch word {
	case "held":
		return o.Say("phải duyệt", "held for approval")
	case "forbidden":
		return o.Say("không cho phép", word)
	}
	return o.Say("cho phép", word)
}

// files says what is asked of files.
func files(o *cli.IO, word string) string {
	switch word {
	case "sound":
		return o.Say("không nhận chữ ký sai", word)
	case "signed":
		return o.Say("PDF phải ký số", word)
	}
	return o.Say("chỉ gắn nhãn", word)
}

func hours(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

type policySetCommand struct {
	reasonFlags
	Code           string  `help:"Code of an agency; everybody where it is left out.|Mã cơ quan; bỏ trống là mọi cơ quan."`
	DelegatedSeals *string `enum:"allow,forbid,inherit" placeholder:"WORD" help:"May a delegated seal sign: allow, forbid, inherit.|Con dấu số ủy quyền: allow (cho phép), forbid (không), inherit (theo chính sách chung)."`
	RetentionDays  *int    `placeholder:"N" help:"Days for which content is kept once nobody needs it; 0 inherits.|Số ngày giữ nội dung khi không ai còn cần; 0 là theo chính sách chung."`
	Security       *string `enum:"ordinary,confidential,secret,top-secret" placeholder:"LEVEL" help:"Highest level that may enter: ordinary, confidential, secret, top-secret.|Độ mật cao nhất được qua trục: ordinary (thường), confidential (mật), secret (tối mật), top-secret (tuyệt mật)."`
	Registrations  *string `enum:"allowed,held,forbidden,inherit" placeholder:"WORD" help:"May endpoints register agencies below: allowed, held (an operator approves each), forbidden, inherit.|Điểm kết nối tự đăng ký cơ quan cấp dưới: allowed (cho phép), held (chờ duyệt), forbidden (không), inherit (theo chính sách chung)."`
	ConsignHours   *int    `placeholder:"N" help:"Hours within which its documents must be consigned; 0 inherits.|Số giờ mà văn bản của cơ quan phải được nhận; 0 là theo chính sách chung."`
	HandoverHours  *int    `placeholder:"N" help:"Hours within which its documents must be handed over to the DMS; 0 inherits.|Số giờ mà văn bản của cơ quan phải được bàn giao; 0 là theo chính sách chung."`
	SentFiles      *string `enum:"label,sound,signed,inherit" placeholder:"WORD" help:"Files that it sends: label (only), sound (no signature may have failed), signed (and every PDF is signed), inherit.|Tệp cơ quan gửi đi: label (chỉ gắn nhãn), sound (không nhận tệp có chữ ký sai), signed (và mọi tệp PDF phải ký số), inherit (theo chính sách chung)."`
	ReceivedFiles  *string `enum:"label,sound,signed,inherit" placeholder:"WORD" help:"Files that it receives, before they are handed over: label, sound, signed, inherit.|Tệp cơ quan nhận về, trước khi bàn giao: label (chỉ gắn nhãn), sound (không nhận tệp có chữ ký sai), signed (và mọi tệp PDF phải ký số), inherit (theo chính sách chung)."`
}

func (policySetCommand) Help() string {
	return cli.Help(`axis policy set --code H41 --delegated-seals forbid --reason "Công văn 45"`,
		"What is not named stays as it is. Endpoints learn of it by themselves.",
		"Điều không nêu thì giữ nguyên. Các điểm kết nối tự nhận được thay đổi.")
}

func (c policySetCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.PolicyLine
	req := operator.SetPolicy{
		Why: c.why(), Code: c.Code, DelegatedSeals: c.DelegatedSeals, RetentionDays: c.RetentionDays, Security: c.Security,
		Registrations: c.Registrations, ConsignHours: c.ConsignHours, HandoverHours: c.HandoverHours,
		SentFiles: c.SentFiles, ReceivedFiles: c.ReceivedFiles,
	}
	if err := act(ctx, g, operator.PathPolicySet, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { printPolicy(w, o, done) })
}
