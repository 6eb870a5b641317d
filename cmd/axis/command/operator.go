package command

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	operator "docaxis/axis/admin"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// ask asks the running axis.
func ask(ctx context.Context, g *grammar, path string, query url.Values, into any) error {
	c, err := admin.Open(g.Dir)
	if err != nil {
		return err
	}
	return c.Get(ctx, path, query, into)
}

func act(ctx context.Context, g *grammar, path string, v, into any) error {
	c, err := admin.Open(g.Dir)
	if err != nil {
		return err
	}
	return c.Post(ctx, path, v, into)
}

type statusCommand struct{}

func (statusCommand) Help() string { return cli.Help("axis status", "", "") }

func (statusCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var s operator.Status
	if err := ask(ctx, g, operator.PathStatus, nil, &s); err != nil {
		return err
	}
	return o.Print(s, func(w io.Writer) { printStatus(w, o, s) })
}

func printStatus(w io.Writer, o *cli.IO, s operator.Status) {
	fmt.Fprintf(w, o.Say("Sổ %s, kỷ %d: %d bản ghi trong %d khối, đến %s\n", "Log %s, epoch %d: %d records in %d blocks, up to %s\n"),
		s.Origin, s.Epoch, s.Size, s.Blocks, lang.Millis(s.TimeMS))
	fmt.Fprintf(w, o.Say("Cơ quan %d, văn bản %d, bằng chứng %d, bị từ chối %d\n", "Agencies %d, documents %d, evidence %d, refused %d\n"),
		s.Agencies, s.Documents, s.Evidence, s.Refused)
	if len(s.States) > 0 {
		fmt.Fprintln(w)
		var rows [][]string
		for _, state := range slices.Sorted(maps.Keys(s.States)) {
			rows = append(rows, []string{o.State(state), fmt.Sprint(s.States[state])})
		}
		cli.Table(w, []string{o.Say("TRẠNG THÁI", "STATE"), o.Say("SỐ NƠI NHẬN", "RECIPIENTS")}, rows)
	}
	fmt.Fprintln(w)
	if len(s.Endpoints) == 0 {
		fmt.Fprintln(w, o.Say("Chưa có điểm kết nối nào. Mời một điểm: axis endpoint invite MÃ", "No endpoints yet. Invite one: axis endpoint invite CODE"))
		return
	}
	rows := make([][]string, len(s.Endpoints))
	for i, e := range s.Endpoints {
		rows[i] = []string{e.Name, connection(o, e), strings.Join(e.Codes, " ")}
	}
	cli.Table(w, []string{o.Say("ĐIỂM KẾT NỐI", "ENDPOINT"), o.Say("KẾT NỐI", "CONNECTION"), o.Say("MÃ", "CODES")}, rows)
}

func connection(o *cli.IO, e operator.Endpoint) string {
	switch {
	case e.Revoked:
		return o.Say("đã thu hồi", "revoked")
	case e.Connected:
		return o.Say("đang nối", "connected")
	}
	return o.Say("vắng", "away")
}

type waitingCommand struct {
	Limit int  `help:"Most rows.|Số dòng tối đa." default:"1000"`
	All   bool `help:"Also those that only wait for their DMS.|Cả văn bản chỉ còn chờ hệ thống văn bản lấy."`
}

func (waitingCommand) Help() string {
	return cli.Help("axis waiting --json", "Exit code 0: nobody waits; 1: somebody does.", "Mã thoát 0: không ai chờ; 1: có nơi còn chờ.")
}

func (c waitingCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []operator.Waiting
	if err := ask(ctx, g, operator.PathWaiting, url.Values{"limit": {fmt.Sprint(c.Limit)}}, &all); err != nil {
		return err
	}
	rows := []operator.Waiting{}
	for _, one := range all {
		if c.All || one.Why != "dms" {
			rows = append(rows, one)
		}
	}
	if err := o.Print(rows, func(w io.Writer) { printWaiting(w, o, rows) }); err != nil {
		return err
	}
	if len(rows) > 0 {
		return cli.Code{Exit: cli.Failed}
	}
	return nil
}

func printWaiting(w io.Writer, o *cli.IO, rows []operator.Waiting) {
	if len(rows) == 0 {
		fmt.Fprintln(w, o.Say("Không ai còn chờ văn bản nào.", "Nobody waits for anything."))
		return
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{r.Code, r.Name, lang.Millis(r.SinceMS), why(o, r), r.Sender, r.Document, r.Subject}
	}
	cli.Table(w, []string{
		o.Say("NƠI NHẬN", "RECIPIENT"), o.Say("TÊN", "NAME"), o.Say("TỪ", "SINCE"), o.Say("VÌ SAO", "WHY"),
		o.Say("NƠI GỬI", "SENDER"), "ID", o.Say("TRÍCH YẾU", "SUBJECT"),
	}, cells)
}

func why(o *cli.IO, w operator.Waiting) string {
	switch w.Why {
	case "away":
		return o.Say("điểm kết nối ", "endpoint ") + w.Endpoint + o.Say(" không kết nối", " is not connected")
	case "fetching":
		return o.Say("đang tải về", "being fetched")
	case "failed":
		return o.Say("thất bại: xem axis document", "failed: see axis document")
	}
	return o.Say("hệ thống văn bản chưa lấy", "its DMS has not taken it")
}

type documentCommand struct {
	ID string `arg:"" help:"Id of the document.|Mã văn bản."`
}

func (documentCommand) Help() string {
	return cli.Help("axis document 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40", "", "")
}

func (c documentCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []operator.Document
	if err := ask(ctx, g, operator.PathDocument, url.Values{"id": {c.ID}}, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		for _, d := range all {
			printDocument(w, o, d)
		}
	})
}

func printDocument(w io.Writer, o *cli.IO, d operator.Document) {
	fmt.Fprintf(w, "%s  %s\n", d.Sender, d.ID)
	if d.Subject != "" {
		fmt.Fprintln(w, cli.Clean(d.Subject))
	}
	if d.Refused != "" {
		fmt.Fprintf(w, "%s: %s\n", o.Say("Bị từ chối", "Refused"), o.Say(d.RefusedWhyVI, d.RefusedWhy))
		return
	}
	fmt.Fprintf(w, o.Say("Chấp nhận %s, bản ghi %d kỷ %d, cam kết %s\n", "Accepted %s, record %d of epoch %d, commitment %s\n"),
		lang.Millis(d.AcceptedMS), d.LeafIndex, d.Epoch, d.Commitment)
	rows := make([][]string, len(d.Recipients))
	for i, r := range d.Recipients {
		since := o.Say(r.ReasonVI, r.Reason)
		if since == "" {
			since = lang.Millis(r.SinceMS)
		}
		rows[i] = []string{r.Code, o.State(r.State), since, r.Endpoint}
	}
	cli.Table(w, []string{o.Say("NƠI NHẬN", "RECIPIENT"), o.Say("TRẠNG THÁI", "STATE"), o.Say("TỪ", "SINCE"), o.Say("ĐIỂM KẾT NỐI", "ENDPOINT")}, rows)
	rows = rows[:0]
	for _, e := range d.Evidence {
		rows = append(rows, []string{lang.Millis(e.TimeMS), e.Event, e.Code, e.Issuer, fmt.Sprint(e.LeafIndex), standing(o, e)})
	}
	cli.Table(w, []string{o.Say("LÚC", "TIME"), o.Say("BẰNG CHỨNG", "EVIDENCE"), o.Say("MÃ", "CODE"), o.Say("BÊN KÝ", "ISSUER"), o.Say("BẢN GHI", "RECORD"), o.Say("GHI CHÚ", "NOTE")}, rows)
}

// standing says what is special about an evidence; the first of its kind is not.
func standing(o *cli.IO, e operator.Evidence) string {
	switch e.Standing {
	case "FIRST":
		return ""
	case "CONTRARY":
		return o.Say("trái với bằng chứng trước", "contrary to an earlier one")
	case "SECOND_COPY":
		return o.Say("bản thứ hai: bản của điểm kết nối khác được tính", "a second copy: another endpoint's counts")
	case "SUPERSEDES":
		return o.Say("thay cho bằng chứng trước", "supersedes an earlier one")
	}
	return e.Standing
}

type importCommand struct {
	File   string `arg:"" help:"CSV file: code,name,aliases,parent,level,valid_from,note.|Tệp CSV: code,name,aliases,parent,level,valid_from,note." type:"path"`
	Reason string `help:"Why; it is journaled.|Lý do; được ghi sổ."`
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
	req := operator.Import{Why: operator.Why{Actor: cli.Actor(), Reason: c.Reason}, CSV: string(csv)}
	if err := act(ctx, g, operator.PathImport, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Thêm %d, sửa %d, giữ nguyên %d cơ quan.\n", "Agencies: %d added, %d changed, %d as they were.\n"), done.Added, done.Changed, done.Same)
	})
}

type admitCommand struct {
	Code        string `arg:"" help:"Code of the agency.|Mã cơ quan."`
	Certificate string `arg:"" help:"Certificate, PEM or DER, chain after it.|Chứng thư, PEM hoặc DER, kèm chuỗi phía sau." type:"path"`
	Delegated   bool   `help:"The endpoint holds the key for the agency.|Điểm kết nối giữ khóa thay cơ quan."`
	Reason      string `help:"Why; it is journaled.|Lý do; được ghi sổ."`
}

func (admitCommand) Help() string { return cli.Help("axis seal admit H41 nghean-seal.pem", "", "") }

func (c admitCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	certs, err := certificates(c.Certificate)
	if err != nil {
		return err
	}
	req := operator.Seal{
		Why: operator.Why{Actor: cli.Actor(), Reason: c.Reason}, Code: c.Code,
		Certificate: certs[0], Chain: certs[1:], Delegated: c.Delegated,
	}
	var done operator.Admitted
	if err := act(ctx, g, operator.PathSeal, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Con dấu số của %s: %s\n  SHA-256 %s, đến %s\n", "Seal of %s: %s\n  SHA-256 %s, until %s\n"),
			done.Code, done.Subject, done.Digest, lang.Millis(done.UntilMS))
	})
}

// certificates reads a file of certificates, the seal's first.
func certificates(path string) ([][]byte, error) {
	if err := cli.ExistingFile(path); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(data), "-----BEGIN") {
		return [][]byte{data}, nil
	}
	var all [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			all = append(all, block.Bytes)
		}
	}
	if len(all) == 0 {
		return nil, lang.Errorf("Trong %s không có chứng thư nào. Hãy nêu tệp chứng thư của con dấu, dạng PEM hoặc DER.",
			"There is no certificate in %s. Name the file of the seal's certificate, PEM or DER.", path)
	}
	return all, nil
}

type inviteCommand struct {
	Codes  []string `arg:"" help:"Codes that it will serve.|Các mã sẽ phục vụ."`
	Name   string   `help:"Name of the endpoint; made from the first code.|Tên điểm kết nối; mặc định theo mã đầu."`
	Hours  int      `help:"Hours for which it can be used.|Số giờ có hiệu lực." default:"168"`
	Reason string   `help:"Why; it is journaled.|Lý do; được ghi sổ."`
}

func (inviteCommand) Help() string { return cli.Help("axis endpoint invite H41.11 H41.11.05", "", "") }

func (c inviteCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	req := operator.Invite{Why: operator.Why{Actor: cli.Actor(), Reason: c.Reason}, Codes: c.Codes, Endpoint: c.Name, Hours: c.Hours}
	var done operator.Invited
	if err := act(ctx, g, operator.PathInvite, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Lời mời cho %s (%s), dùng một lần, đến %s:\n\n%s\n\nTại điểm kết nối: endpoint join LỜI_MỜI\n",
			"Invitation for %s (%s), usable once, until %s:\n\n%s\n\nAt the endpoint: endpoint join INVITATION\n"),
			done.Endpoint, strings.Join(done.Codes, " "), lang.Time(time.UnixMilli(done.ExpiresMS)), done.Invitation)
	})
}

type clockCommand struct {
	Reason string `arg:"" help:"Why the clock is right; it is journaled.|Vì sao đồng hồ đúng; được ghi sổ."`
}

func (clockCommand) Help() string {
	return cli.Help(`axis clock confirm "NTP was wrong for an hour, put right by Lan"`, "", "")
}

func (c clockCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.Done
	if err := act(ctx, g, operator.PathClock, operator.Why{Actor: cli.Actor(), Reason: c.Reason}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { fmt.Fprintln(w, o.Say("Đã xác nhận đồng hồ.", "The clock is confirmed.")) })
}
