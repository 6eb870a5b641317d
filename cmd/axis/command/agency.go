package command

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type agencyCommands struct {
	List   agencyListCommand  `cmd:"" help:"List agencies.|Danh sách cơ quan."`
	Show   agencyShowCommand  `cmd:"" help:"Show all that is known of an agency.|Xem mọi thông tin của một cơ quan."`
	Import importCommand      `cmd:"" help:"Import agencies from a CSV file.|Nhập cơ quan từ tệp CSV."`
	Close  agencyCloseCommand `cmd:"" help:"Close an agency.|Đóng một cơ quan."`
	Merge  agencyMergeCommand `cmd:"" help:"Close agencies in favour of one.|Hợp nhất nhiều cơ quan thành một."`
	Split  agencySplitCommand `cmd:"" help:"Close an agency in favour of several.|Chia một cơ quan thành nhiều."`
	Move   agencyMoveCommand  `cmd:"" help:"Give codes to another endpoint, with what waits for them.|Giao mã cho điểm kết nối khác, kèm văn bản đang chờ."`

	Requests agencyRequestsCommand `cmd:"" help:"What endpoints ask of the registry.|Những yêu cầu của điểm kết nối về danh mục."`
	Approve  agencyApproveCommand  `cmd:"" help:"Approve a request.|Duyệt một yêu cầu."`
	Refuse   agencyRefuseCommand   `cmd:"" help:"Refuse a request.|Từ chối một yêu cầu."`
}

func (agencyCommands) Help() string {
	return cli.Help("axis agency list \"Nghệ An\"\naxis agency import deploy/agencies.csv\naxis agency merge H41.11.05 H41.11.06 --into H41.11.30 --name \"Ủy ban nhân dân xã Kim Nam\" --reason \"Nghị quyết 1/2026\"", "", "")
}

type agencyListCommand struct {
	Search   string `arg:"" optional:"" help:"Part of a code or name.|Một phần mã hoặc tên."`
	Parent   string `help:"Only those right below this code.|Chỉ cơ quan trực thuộc mã này."`
	Unserved bool   `help:"Only those that nobody serves.|Chỉ cơ quan chưa ai phục vụ."`
	Limit    int    `help:"Most rows.|Số dòng tối đa." default:"1000"`
}

func (agencyListCommand) Help() string {
	return cli.Help("axis agency list --parent H41 --unserved", "", "")
}

func (c agencyListCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all operator.AgencyList
	query := url.Values{"search": {c.Search}, "parent": {c.Parent}, "unserved": {fmt.Sprint(c.Unserved)}, "limit": {fmt.Sprint(c.Limit)}}
	if err := ask(ctx, g, operator.PathAgencies, query, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		printAgencies(w, o, all.Agencies)
		if n := all.Total - len(all.Agencies); n > 0 {
			fmt.Fprintf(w, o.Say("… còn %d cơ quan; hãy tăng --limit hoặc tìm hẹp hơn.\n", "… and %d more; raise --limit or search for less.\n"), n)
		}
	})
}

func printAgencies(w io.Writer, o *cli.IO, all []operator.AgencyLine) {
	rows := make([][]string, len(all))
	for i, a := range all {
		rows[i] = []string{a.Code, a.Name, level(o, a.Level), agencyState(o, a), a.Endpoint, strings.Join(a.Aliases, " ")}
	}
	cli.Table(w, []string{
		o.Say("MÃ", "CODE"), o.Say("TÊN", "NAME"), o.Say("CẤP", "LEVEL"), o.Say("TÌNH TRẠNG", "STATE"),
		o.Say("ĐIỂM KẾT NỐI", "ENDPOINT"), o.Say("MÃ KHÁC", "ALIASES"),
	}, rows)
}

func agencyState(o *cli.IO, a operator.AgencyLine) string {
	switch {
	case a.ClosedMS != 0 && len(a.Successors) > 0:
		return o.Say("đã đóng, kế thừa: ", "closed, taken over by ") + strings.Join(a.Successors, " ")
	case a.ClosedMS != 0:
		return o.Say("đã đóng", "closed")
	case a.Served:
		return o.Say("đã nối", "served")
	}
	return o.Say("chưa nối", "not served")
}

func level(o *cli.IO, name string) string {
	switch name {
	case "ministry":
		return o.Say("bộ, ngành", name)
	case "province":
		return o.Say("tỉnh", name)
	case "district":
		return o.Say("huyện", name)
	case "commune":
		return o.Say("xã", name)
	case "unit":
		return o.Say("đơn vị", name)
	}
	return name
}

type agencyShowCommand struct {
	Code string `arg:"" help:"Code of the agency, any of its codes.|Mã cơ quan, một mã bất kỳ của cơ quan."`
}

func (agencyShowCommand) Help() string { return cli.Help("axis agency show H41.11.05", "", "") }

func (c agencyShowCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var a operator.AgencyDetail
	if err := ask(ctx, g, operator.PathAgencyShow, url.Values{"code": {c.Code}}, &a); err != nil {
		return err
	}
	return o.Print(a, func(w io.Writer) { printAgency(w, o, a) })
}

func printAgency(w io.Writer, o *cli.IO, a operator.AgencyDetail) {
	printAgencies(w, o, []operator.AgencyLine{a.AgencyLine})
	if a.ClosedMS != 0 {
		fmt.Fprintf(w, o.Say("Đóng lúc %s\n", "Closed at %s\n"), lang.Millis(a.ClosedMS))
	}
	fmt.Fprintf(w, o.Say("Cấp trên %s; trực thuộc %d cơ quan; trước do %s phục vụ\n", "Above it %s; right below it %d agencies; served before by %s\n"),
		dash(a.Parent), a.Children, dash(strings.Join(a.ServedBefore, " ")))
	fmt.Fprintf(w, o.Say("Thư điện tử %s; điện thoại %s; fax %s\n", "Mail %s; telephone %s; fax %s\n"), dash(a.Mail), dash(a.Phone), dash(a.Fax))
	fmt.Fprintf(w, o.Say("Đang chờ %d văn bản, lâu nhất từ %s\n\n", "%d documents wait, the oldest since %s\n\n"), a.Waiting, sinceText(a.OldestMS))
	printSeals(w, o, a.Seals)
	fmt.Fprintln(w)
	printPolicies(w, o, []operator.PolicyLine{a.Policy})
	fmt.Fprintln(w)
	history(w, o, a.History)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

type importCommand struct {
	whyFlags
	File string `arg:"" help:"CSV file: code,name,aliases,parent,level,valid_from,mail,phone,fax,note.|Tệp CSV: code,name,aliases,parent,level,valid_from,mail,phone,fax,note." type:"path"`
}

func (importCommand) Help() string { return cli.Help("axis agency import deploy/agencies.csv", "", "") }

func (c importCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if err := cli.ExistingFile(c.File); err != nil {
		return err
	}
	csv, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	var done operator.Imported
	if err := act(ctx, g, operator.PathImport, operator.Import{Why: c.why(), CSV: string(csv)}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Thêm %d, sửa %d, giữ nguyên %d cơ quan.\n", "Agencies: %d added, %d changed, %d as they were.\n"), done.Added, done.Changed, done.Same)
	})
}

type agencyCloseCommand struct {
	reasonFlags
	Code      string   `arg:"" help:"Code of the agency.|Mã cơ quan."`
	Successor []string `placeholder:"CODE" help:"Code that takes over; may be given again.|Mã kế thừa; có thể nêu nhiều lần."`
}

func (agencyCloseCommand) Help() string {
	return cli.Help(`axis agency close H41.11.05 --successor H41.11.30 --reason "Nghị quyết 1/2026"`,
		"With one successor, documents are routed to it, also those that wait; with several, senders are told to choose.",
		"Có một mã kế thừa: văn bản được chuyển đến mã đó, kể cả văn bản đang chờ; có nhiều mã: nơi gửi được báo để chọn.")
}

func (c agencyCloseCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	return closeAgencies(ctx, g, o, operator.CloseAgencies{Why: c.why(), Codes: []string{c.Code}, Successors: c.Successor})
}

// newAgencyFlags say what a successor has that is not there yet.
type newAgencyFlags struct {
	Parent string `help:"Code above new successors; as the closed agency's where left out.|Mã cấp trên của cơ quan mới; mặc định như cơ quan bị đóng."`
	Level  string `help:"Level of new successors: ministry, province, district, commune, unit.|Cấp của cơ quan mới: ministry, province, district, commune, unit."`
	To     string `placeholder:"ENDPOINT" help:"Endpoint that serves new successors; the closed agencies' where they have one in common.|Điểm kết nối phục vụ cơ quan mới; mặc định là điểm chung của các cơ quan bị đóng."`
}

func (f newAgencyFlags) agency(code, name string) operator.NewAgency {
	return operator.NewAgency{Code: code, Name: name, Parent: f.Parent, Level: f.Level, Endpoint: f.To}
}

type agencyMergeCommand struct {
	reasonFlags
	newAgencyFlags
	Codes []string `arg:"" help:"Codes that end.|Các mã bị đóng."`
	Into  string   `required:"" placeholder:"CODE" help:"Code that takes over.|Mã kế thừa."`
	Name  string   `help:"Its name, where it does not exist yet: it is made.|Tên, nếu mã kế thừa chưa có: cơ quan được tạo luôn."`
}

func (agencyMergeCommand) Help() string {
	return cli.Help(`axis agency merge H41.11.05 H41.11.06 --into H41.11.30 --name "Ủy ban nhân dân xã Kim Nam" --reason "Nghị quyết 1/2026"`,
		"One change: all of it is journaled, or nothing.", "Một thay đổi duy nhất: ghi sổ tất cả hoặc không gì cả.")
}

func (c agencyMergeCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	req := operator.CloseAgencies{Why: c.why(), Codes: c.Codes, Successors: []string{c.Into}}
	if c.Name != "" {
		req.New = []operator.NewAgency{c.agency(c.Into, c.Name)}
	}
	return closeAgencies(ctx, g, o, req)
}

type agencySplitCommand struct {
	reasonFlags
	newAgencyFlags
	Code string            `arg:"" help:"Code that ends.|Mã bị đóng."`
	Into []string          `required:"" placeholder:"CODE" help:"Codes that take over.|Các mã kế thừa."`
	Name map[string]string `placeholder:"CODE=NAME" help:"Name of a code that does not exist yet: it is made.|Tên của mã chưa có: cơ quan được tạo luôn." mapsep:"none"`
}

func (agencySplitCommand) Help() string {
	return cli.Help(`axis agency split H41.11.05 --into H41.11.30 --into H41.11.31 --name H41.11.31="Ủy ban nhân dân xã Nam Kim" --reason "Nghị quyết 2/2026"`,
		"One change: all of it is journaled, or nothing. Senders to the old code are told to choose.",
		"Một thay đổi duy nhất: ghi sổ tất cả hoặc không gì cả. Nơi gửi đến mã cũ được báo để chọn.")
}

func (c agencySplitCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	req := operator.CloseAgencies{Why: c.why(), Codes: []string{c.Code}, Successors: c.Into}
	for _, code := range slices.Sorted(maps.Keys(c.Name)) {
		req.New = append(req.New, c.agency(code, c.Name[code]))
	}
	return closeAgencies(ctx, g, o, req)
}

func closeAgencies(ctx context.Context, g *grammar, o *cli.IO, req operator.CloseAgencies) error {
	var done operator.Closed
	if err := act(ctx, g, operator.PathAgencyClose, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		printAgencies(w, o, append(done.Closed, done.Successors...))
		for _, endpoint := range slices.Sorted(maps.Keys(done.Waiting)) {
			fmt.Fprintf(w, o.Say("%d văn bản đang chờ được giao cho điểm kết nối %s.\n", "%d waiting documents are with endpoint %s.\n"), done.Waiting[endpoint], endpoint)
		}
		for _, a := range done.Successors {
			if !a.Served {
				fmt.Fprintf(w, o.Say("Chưa ai phục vụ %[1]s. Giao cho một điểm: axis agency move %[1]s --to TÊN --reason LÝ_DO\n",
					"Nobody serves %[1]s yet. Give it to an endpoint: axis agency move %[1]s --to NAME --reason WHY\n"), a.Code)
			}
		}
	})
}

type agencyMoveCommand struct {
	reasonFlags
	Codes []string `arg:"" help:"Codes of agencies.|Các mã cơ quan."`
	To    string   `required:"" placeholder:"ENDPOINT" help:"Endpoint that serves them from now on.|Điểm kết nối phục vụ từ nay."`
}

func (agencyMoveCommand) Help() string {
	return cli.Help(`axis agency move H41.11.05 H41.11.06 --to h41-vinh --reason "dùng chung điểm kết nối của tỉnh"`,
		"What waits for the codes and nobody has consigned goes along. The new endpoint needs the seal of an agency that it sends for.",
		"Văn bản đang chờ mà chưa nơi nào nhận được chuyển theo. Điểm mới cần con dấu số của cơ quan mà nó gửi thay.")
}

func (c agencyMoveCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.Moved
	req := operator.MoveAgencies{Why: c.why(), Codes: c.Codes, Endpoint: c.To}
	if err := act(ctx, g, operator.PathAgencyMove, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("%s phục vụ %s từ nay; %d văn bản đang chờ được chuyển theo.\n", "%s serves %s from now on; %d waiting documents are with it.\n"),
			done.Endpoint, strings.Join(done.Codes, " "), done.Waiting)
	})
}
