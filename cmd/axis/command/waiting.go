package command

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/durable"
	"docaxis/internal/lang"
)

type waitingCommand struct {
	Limit    int           `help:"Most rows.|Số dòng tối đa." default:"1000"`
	All      bool          `help:"Also those that only wait for their DMS.|Cả văn bản chỉ còn chờ hệ thống văn bản lấy."`
	Code     string        `help:"Only this recipient.|Chỉ nơi nhận này."`
	Endpoint string        `help:"Only this endpoint.|Chỉ điểm kết nối này."`
	Older    time.Duration `placeholder:"DURATION" help:"Only what waits longer than this, like 48h.|Chỉ văn bản chờ lâu hơn, như 48h."`
	Urgent   bool          `help:"Only urgent documents.|Chỉ văn bản khẩn."`
	Totals   bool          `help:"Only how many, by reason.|Chỉ số lượng, theo lý do."`
	Export   string        `placeholder:"csv" enum:",csv" default:"" help:"Write the rows as csv to FILE, or - for standard output.|Ghi các dòng dạng csv vào TỆP, hoặc - để in ra."`
	File     string        `arg:"" optional:"" help:"File for --export.|Tệp cho --export."`
}

func (waitingCommand) Help() string {
	return cli.Help("axis waiting --older 48h --urgent\naxis waiting --limit 100000 --export csv waiting.csv",
		"Exit code 0: nobody waits; 1: somebody does. With --export or --totals: 0.",
		"Mã thoát 0: không ai chờ; 1: có nơi còn chờ. Với --export hoặc --totals: 0.")
}

func (c waitingCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if (c.Export == "") != (c.File == "") {
		return cli.Code{Exit: cli.Usage, Err: lang.Errorf("Hãy nêu cả --export csv và tên tệp (hoặc -).", "Name both --export csv and a file (or -).")}
	}
	var list operator.WaitingList
	query := url.Values{
		"limit": {fmt.Sprint(c.Limit)}, "code": {c.Code}, "endpoint": {c.Endpoint}, "before_ms": {fmt.Sprint(before(c.Older))},
		"urgent": {fmt.Sprint(c.Urgent)}, "dms": {fmt.Sprint(c.All)},
	}
	if err := ask(ctx, g, operator.PathWaiting, query, &list); err != nil {
		return err
	}
	switch {
	case c.Export != "":
		return export(o, c.File, list)
	case c.Totals:
		list.Rows = nil
		return o.Print(list, func(w io.Writer) { printTotals(w, o, list) })
	}
	if err := o.Print(list.Rows, func(w io.Writer) { printWaiting(w, o, list) }); err != nil {
		return err
	}
	if list.Total > 0 {
		return cli.Code{Exit: cli.Failed}
	}
	return nil
}

func printWaiting(w io.Writer, o *cli.IO, list operator.WaitingList) {
	if list.Total == 0 {
		fmt.Fprintln(w, o.Say("Không ai còn chờ văn bản nào.", "Nobody waits for anything."))
		return
	}
	cells := make([][]string, len(list.Rows))
	for i, r := range list.Rows {
		subject := r.Subject
		if r.Urgent {
			subject = o.Say("[khẩn] ", "[urgent] ") + subject
		}
		cells[i] = []string{r.Code, r.Name, lang.Millis(r.SinceMS), deadlineText(o, r), whyText(o, r), r.Sender, r.Document, subject}
	}
	cli.Table(w, slices.Insert(waitingHeader(o), 3, o.Say("THỜI HẠN", "DEADLINE")), cells)
	printTotals(w, o, list)
}

func waitingHeader(o *cli.IO) []string {
	return []string{
		o.Say("NƠI NHẬN", "RECIPIENT"), o.Say("TÊN", "NAME"), o.Say("TỪ", "SINCE"), o.Say("VÌ SAO", "WHY"),
		o.Say("NƠI GỬI", "SENDER"), "ID", o.Say("TRÍCH YẾU", "SUBJECT"),
	}
}

// deadlineText is by when the document must be consigned or, where it is, handed over.
func deadlineText(o *cli.IO, r operator.Waiting) string {
	switch {
	case r.DeadlineMS == 0:
		return "-"
	case time.UnixMilli(r.DeadlineMS).Before(time.Now()):
		return lang.Millis(r.DeadlineMS) + o.Say(" (đã quá)", " (passed)")
	}
	return lang.Millis(r.DeadlineMS)
}

// printTotals says how many wait for what, those that are not listed among them.
func printTotals(w io.Writer, o *cli.IO, list operator.WaitingList) {
	var parts []string
	for _, word := range slices.Sorted(maps.Keys(list.ByWhy)) {
		parts = append(parts, fmt.Sprintf("%s %d", whyWord(o, word), list.ByWhy[word]))
	}
	fmt.Fprintf(w, o.Say("Tổng số %d: %s\n", "In all %d: %s\n"), list.Total, strings.Join(parts, ", "))
	if n := len(list.Rows); n > 0 && uint64(n) < list.Total {
		fmt.Fprintf(w, o.Say("Chỉ hiện %d dòng chờ lâu nhất; hãy tăng --limit hoặc lọc hẹp hơn.\n", "Only the %d that wait longest are listed; raise --limit or narrow the list.\n"), n)
	}
}

func whyWord(o *cli.IO, word string) string {
	switch word {
	case "away":
		return o.Say("điểm kết nối vắng", "endpoint away")
	case "fetching":
		return o.Say("đang tải về", "being fetched")
	case "disk":
		return o.Say("đĩa ở điểm kết nối đầy", "disk full at the endpoint")
	case "failed":
		return o.Say("thất bại", "failed")
	}
	return o.Say("chờ hệ thống văn bản lấy", "waiting for the DMS")
}

func whyText(o *cli.IO, w operator.Waiting) string {
	switch w.Why {
	case "away":
		return o.Say("điểm kết nối ", "endpoint ") + w.Endpoint + o.Say(" không kết nối", " is not connected")
	case "fetching":
		return o.Say("đang tải về", "being fetched")
	case "disk":
		return o.Say("đĩa ở điểm kết nối ", "the disk at endpoint ") + w.Endpoint + o.Say(" đã đầy: hãy báo cơ quan dọn chỗ", " is full: have the office make room")
	case "failed":
		return o.Say("thất bại: xem axis document", "failed: see axis document")
	}
	return o.Say("hệ thống văn bản chưa lấy", "its DMS has not taken it")
}

// bom lets spreadsheet programs read UTF-8 as what it is.
const bom = "\ufeff"

// export writes the rows for a spreadsheet program.
func export(o *cli.IO, path string, list operator.WaitingList) error {
	var text bytes.Buffer
	text.WriteString(bom)
	c := csv.NewWriter(&text)
	c.UseCRLF = true
	rows := [][]string{append(waitingHeader(o),
		o.Say("TỪ (UTC)", "SINCE (UTC)"), o.Say("THỜI HẠN", "DEADLINE"), o.Say("KHẨN", "URGENT"), o.Say("ĐIỂM KẾT NỐI", "ENDPOINT"),
		o.Say("TRẠNG THÁI", "STATE"), o.Say("BẢN GHI", "RECORD"))}
	for _, r := range list.Rows {
		rows = append(rows, exported(o, r))
	}
	if err := c.WriteAll(rows); err != nil {
		return err
	}
	if path == "-" {
		_, err := o.Out.Write(text.Bytes())
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return lang.Errorf("Tệp %s đã có; không có gì bị ghi đè. Hãy nêu tên khác.", "File %s exists; nothing was overwritten. Name another.", path)
	}
	if err := durable.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(o.Err, o.Say("Đã ghi %d trong %d dòng vào %s.\n", "Wrote %d of %d rows to %s.\n"), len(list.Rows), list.Total, path)
	return nil
}

func exported(o *cli.IO, r operator.Waiting) []string {
	local, utc := isoTimes(r.SinceMS)
	deadline, _ := isoTimes(r.DeadlineMS)
	cells := []string{r.Code, r.Name, local, whyText(o, r), r.Sender, r.Document, r.Subject, utc, deadline, "", r.Endpoint, o.State(r.State), fmt.Sprint(r.LeafIndex)}
	if r.Urgent {
		cells[9] = o.Say("khẩn", "urgent")
	}
	for i, cell := range cells {
		cells[i] = plain(cell)
	}
	return cells
}

// isoTimes gives a time in Viet Nam and in UTC as ISO 8601 has it; empty for none.
func isoTimes(ms int64) (local, utc string) {
	if ms == 0 {
		return "", ""
	}
	at := time.UnixMilli(ms)
	return at.In(time.FixedZone("", 7*60*60)).Format(time.RFC3339), at.UTC().Format(time.RFC3339)
}

// plain keeps a spreadsheet program from taking what others wrote for a formula.
func plain(cell string) string {
	cell = cli.Clean(cell)
	if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
