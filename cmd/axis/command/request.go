package command

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type agencyRequestsCommand struct {
	All bool `help:"Also what was decided.|Cả những yêu cầu đã quyết định."`
}

func (agencyRequestsCommand) Help() string {
	return cli.Help("axis agency requests\naxis agency approve 3f2a --reason \"đúng đề nghị của tỉnh\"",
		"What endpoints ask of the registry where the policy holds it: axis policy set --registrations held.",
		"Những điều điểm kết nối đề nghị với danh mục khi chính sách đòi duyệt: axis policy set --registrations held.")
}

func (c agencyRequestsCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []operator.AgencyRequest
	if err := ask(ctx, g, operator.PathRequests, url.Values{"all": {fmt.Sprint(c.All)}}, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, o.Say("Không có yêu cầu nào đang chờ.", "No requests wait."))
			return
		}
		printRequests(w, o, all)
	})
}

func printRequests(w io.Writer, o *cli.IO, all []operator.AgencyRequest) {
	rows := make([][]string, len(all))
	for i, r := range all {
		rows[i] = []string{r.ID[:min(len(r.ID), 8)], lang.Millis(r.AskedMS), r.Endpoint, asked(o, r), contacts(r), requestState(o, r)}
	}
	cli.Table(w, []string{
		o.Say("YÊU CẦU", "REQUEST"), o.Say("LÚC", "AT"), o.Say("ĐIỂM KẾT NỐI", "ENDPOINT"), o.Say("ĐỀ NGHỊ", "ASKS"),
		o.Say("LIÊN HỆ", "CONTACTS"), o.Say("TÌNH TRẠNG", "STATE"),
	}, rows)
}

func asked(o *cli.IO, r operator.AgencyRequest) string {
	switch r.What {
	case "add":
		return fmt.Sprintf(o.Say("thêm %s (%s), %s, dưới %s", "add %s (%s), %s, below %s"), r.Code, r.Name, level(o, r.Level), dash(r.Parent))
	case "change":
		if r.Name == r.Known {
			return fmt.Sprintf(o.Say("sửa liên hệ của %s (%s)", "change how to reach %s (%s)"), r.Code, r.Name)
		}
		return fmt.Sprintf(o.Say("sửa %s: “%s” thành “%s”", "change %s: “%s” to “%s”"), r.Code, r.Known, r.Name)
	}
	return fmt.Sprintf(o.Say("đóng %s (%s)", "close %s (%s)"), r.Code, r.Known)
}

func contacts(r operator.AgencyRequest) string {
	return dash(strings.Join(strings.Fields(r.Mail+" "+r.Phone+" "+r.Fax), " "))
}

func requestState(o *cli.IO, r operator.AgencyRequest) string {
	settled := func(vi, en string) string {
		return fmt.Sprintf(o.Say("%s lúc %s, %s: %s", "%s at %s by %s: %s"), o.Say(vi, en), lang.Millis(r.SettledMS), r.By, r.Why)
	}
	switch r.State {
	case "open":
		return o.Say("đang chờ", "open")
	case "approved":
		return settled("đã duyệt", "approved")
	case "refused":
		return settled("đã từ chối", "refused")
	case "replaced":
		return o.Say("đã thay bằng yêu cầu sau", "replaced by a later one")
	}
	return r.State
}

// settleFlags name the request that is decided.
type settleFlags struct {
	reasonFlags
	ID string `arg:"" help:"Id of the request, or its beginning.|Mã yêu cầu, hoặc phần đầu của mã."`
}

func (f settleFlags) settle(ctx context.Context, g *grammar, o *cli.IO, approve bool) error {
	var done operator.AgencyRequest
	if err := act(ctx, g, operator.PathSettle, operator.Settle{Why: f.why(), ID: f.ID, Approve: approve}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { printRequests(w, o, []operator.AgencyRequest{done}) })
}

type agencyApproveCommand struct{ settleFlags }

func (agencyApproveCommand) Help() string {
	return cli.Help("axis agency approve 3f2a --reason \"đúng đề nghị của tỉnh\"",
		"Journals what the endpoint asked for and your word on it, both or neither. It is checked again: the registry may have moved on since.",
		"Ghi sổ điều điểm kết nối đề nghị kèm quyết định, cả hai hoặc không gì cả. Đề nghị được kiểm tra lại vì danh mục có thể đã thay đổi.")
}

func (c agencyApproveCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return c.settle(ctx, g, o, true)
}

type agencyRefuseCommand struct{ settleFlags }

func (agencyRefuseCommand) Help() string {
	return cli.Help("axis agency refuse 3f2a --reason \"sai tên theo Nghị quyết 1/2026\"",
		"The endpoint is told the reason when it asks again within seven days.",
		"Điểm kết nối được báo lý do khi hỏi lại trong vòng bảy ngày.")
}

func (c agencyRefuseCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return c.settle(ctx, g, o, false)
}
