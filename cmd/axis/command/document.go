package command

import (
	"context"
	"fmt"
	"io"
	"net/url"

	operator "docaxis/axis/admin"
	"docaxis/internal/business"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type documentCommand struct {
	ID       string `arg:"" help:"Id of the document.|Mã văn bản."`
	Evidence string `placeholder:"DIR" type:"path" help:"Write all that proves it into this new folder.|Ghi mọi thứ chứng minh văn bản vào thư mục mới này."`
}

func (documentCommand) Help() string {
	return cli.Help("axis document 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40 --evidence proofs", "", "")
}

func (c documentCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if c.Evidence != "" {
		return saveEvidence(ctx, g, o, c.ID, c.Evidence)
	}
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
		rows[i] = []string{r.Code, o.State(r.State), since, r.Endpoint, business.Name(r.Business, o.Lang)}
	}
	cli.Table(w, []string{o.Say("NƠI NHẬN", "RECIPIENT"), o.Say("TRẠNG THÁI", "STATE"), o.Say("TỪ", "SINCE"), o.Say("ĐIỂM KẾT NỐI", "ENDPOINT"), o.Say("XỬ LÝ", "HANDLING")}, rows)
	printLabels(w, o, d)
	printTold(w, o, d)
	rows = rows[:0]
	for _, e := range d.Evidence {
		rows = append(rows, []string{lang.Millis(e.TimeMS), e.Event, e.Code, e.Issuer, fmt.Sprint(e.LeafIndex), standing(o, e)})
	}
	cli.Table(w, []string{o.Say("LÚC", "TIME"), o.Say("BẰNG CHỨNG", "EVIDENCE"), o.Say("MÃ", "CODE"), o.Say("BÊN KÝ", "ISSUER"), o.Say("BẢN GHI", "RECORD"), o.Say("GHI CHÚ", "NOTE")}, rows)
}

// printTold writes what was asked and told about a document, by name.
func printTold(w io.Writer, o *cli.IO, d operator.Document) {
	if len(d.Told) == 0 {
		return
	}
	rows := make([][]string, len(d.Told))
	for i, t := range d.Told {
		rows[i] = []string{
			lang.Millis(t.TimeMS), t.Code, fmt.Sprintf("%s (%s)", business.Name(t.What, o.Lang), t.What), t.Issuer, fmt.Sprint(t.LeafIndex),
			business.ParseFlag(t.Unusual).Say(o.Lang),
		}
	}
	cli.Table(w, []string{
		o.Say("LÚC", "TIME"), o.Say("NƠI NHẬN", "RECIPIENT"), o.Say("NGHIỆP VỤ", "BUSINESS"), o.Say("BÊN BÁO", "TOLD BY"),
		o.Say("BẢN GHI", "RECORD"), o.Say("BẤT THƯỜNG", "UNUSUAL"),
	}, rows)
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
