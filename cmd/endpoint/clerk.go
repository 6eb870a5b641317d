package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

// ask opens the API of the running endpoint and asks it.
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

func printCounts(w io.Writer, title string, counts map[string]int) {
	fmt.Fprintf(w, "%s:", title)
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "  %s %d", state, counts[state])
	}
	fmt.Fprintln(w)
}

func tell(o *cli.IO, t *clerk.Trouble) string {
	if t == nil {
		return ""
	}
	text := o.Say(t.Vietnamese, t.English)
	if text == "" {
		return t.Detail
	}
	return text
}

type outboxCommand struct{}

func (outboxCommand) Help() string { return "Example:  endpoint outbox|Ví dụ:  endpoint outbox" }

func (outboxCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []clerk.Outgoing
	if err := ask(ctx, g, clerk.PathOutbox, nil, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		rows := make([][]string, len(all))
		for i, d := range all {
			rows[i] = []string{lang.Millis(d.CreatedMS), d.ID, d.From, recipients(d), states(d), d.Subject, tell(o, d.Trouble)}
		}
		cli.Table(w, []string{
			o.Say("LÚC", "TIME"), "ID", o.Say("TỪ", "FROM"), o.Say("ĐẾN", "TO"), o.Say("TRẠNG THÁI", "STATE"),
			o.Say("TRÍCH YẾU", "SUBJECT"), o.Say("VƯỚNG MẮC", "TROUBLE"),
		}, rows)
	})
}

func recipients(d clerk.Outgoing) string {
	if n := len(d.Recipients); n > 3 {
		return fmt.Sprintf("%s +%d", strings.Join(d.Recipients[:3], " "), n-3)
	}
	return strings.Join(d.Recipients, " ")
}

func states(d clerk.Outgoing) string {
	if len(d.States) == 0 {
		return d.State
	}
	var all []string
	for _, state := range slices.Sorted(maps.Keys(d.States)) {
		all = append(all, fmt.Sprintf("%s %d", state, d.States[state]))
	}
	return strings.Join(all, ", ")
}

type inboxCommand struct {
	New bool `help:"Only what the agency has not confirmed.|Chỉ văn bản chưa xác nhận."`
}

func (inboxCommand) Help() string {
	return "Example:  endpoint inbox --new|Ví dụ:  endpoint inbox --new"
}

func (c inboxCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []clerk.Incoming
	if err := ask(ctx, g, clerk.PathInbox, nil, &all); err != nil {
		return err
	}
	if c.New {
		all = slices.DeleteFunc(all, func(d clerk.Incoming) bool { return d.State != "CONSIGNED" })
	}
	return o.Print(all, func(w io.Writer) {
		rows := make([][]string, len(all))
		for i, d := range all {
			rows[i] = []string{lang.Millis(d.ReceivedMS), d.ID, d.From, d.Code, d.State, d.Subject, tell(o, d.Trouble)}
		}
		cli.Table(w, []string{
			o.Say("LÚC", "TIME"), "ID", o.Say("TỪ", "FROM"), o.Say("ĐẾN", "FOR"), o.Say("TRẠNG THÁI", "STATE"),
			o.Say("TRÍCH YẾU", "SUBJECT"), o.Say("VƯỚNG MẮC", "TROUBLE"),
		}, rows)
	})
}

type showCommand struct {
	ID string `arg:"" help:"Id of the document.|Mã văn bản."`
}

func (showCommand) Help() string {
	return "Example:  endpoint show 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40\nExit 1 where a proof does not hold.|Ví dụ:  endpoint show 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40\nMã thoát 1 nếu có bằng chứng không đứng vững."
}

func (c showCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []clerk.Story
	if err := ask(ctx, g, clerk.PathShow, url.Values{"id": {c.ID}}, &all); err != nil {
		return err
	}
	if err := o.Print(all, func(w io.Writer) {
		for _, s := range all {
			printStory(w, o, s)
		}
	}); err != nil {
		return err
	}
	for _, s := range all {
		if slices.ContainsFunc(s.Steps, func(st clerk.Step) bool { return st.Problem != "" }) {
			return cli.Code{Exit: cli.Failed}
		}
	}
	return nil
}

// printStory writes a document's timeline.
func printStory(w io.Writer, o *cli.IO, s clerk.Story) {
	fmt.Fprintf(w, "%s  %s  %s\n%s\n", s.From, s.ID, s.State, s.Subject)
	fmt.Fprintf(w, "  SHA-256 %s\n", s.Manifest)
	for _, f := range s.Files {
		fmt.Fprintf(w, "  %s (%d)\n", f.Title, f.Bytes)
	}
	if s.Trouble != nil {
		fmt.Fprintf(w, "  %s\n", tell(o, s.Trouble))
	}
	rows := make([][]string, len(s.Steps))
	for i, st := range s.Steps {
		rows[i] = []string{lang.Millis(st.TimeMS), st.Code, st.State, st.Event, proof(o, st), o.Say(st.ReasonVI, st.ReasonEN)}
	}
	cli.Table(w, []string{
		o.Say("LÚC", "TIME"), o.Say("NƠI NHẬN", "RECIPIENT"), o.Say("TRẠNG THÁI", "STATE"), o.Say("BẰNG CHỨNG", "EVIDENCE"),
		o.Say("KIỂM TRA", "CHECKED"), o.Say("LÝ DO", "REASON"),
	}, rows)
}

// proof says where the evidence of a step is in the journal, and whether it holds.
func proof(o *cli.IO, s clerk.Step) string {
	switch {
	case s.Problem != "":
		return o.Say("KHÔNG ĐỨNG VỮNG: ", "DOES NOT HOLD: ") + s.Problem
	case s.Event == "":
		return ""
	case !s.Verified:
		return o.Say("chưa có trong sổ", "not in the journal yet")
	}
	text := fmt.Sprintf(o.Say("đúng; bản ghi %d, kỷ %d, ký bởi %s", "holds; record %d, epoch %d, signed by %s"), s.LeafIndex, s.Epoch, s.Issuer)
	if s.Flagged != "" {
		text += " [" + s.Flagged + "]"
	}
	return text
}

type confirmCommand struct {
	ID     string `arg:"" help:"Id of the document.|Mã văn bản."`
	Code   string `help:"For which code, where it came for several.|Cho mã nào, nếu đến nhiều mã."`
	Refuse string `help:"Refuse it, with this reason.|Từ chối, với lý do này."`
}

func (confirmCommand) Help() string {
	return "Example:  endpoint confirm 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40|Ví dụ:  endpoint confirm 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40"
}

func (c confirmCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done clerk.Confirmed
	if err := act(ctx, g, clerk.PathConfirm, clerk.Confirm{ID: c.ID, Code: c.Code, Refuse: c.Refuse}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintln(w, done.State)
		if done.Unread {
			fmt.Fprintln(w, o.Say("Xác nhận khi chưa lấy nội dung; bằng chứng ghi rõ như vậy.", "Confirmed without having been fetched; the evidence says so."))
		}
	})
}

type retryCommand struct {
	ID string `arg:"" help:"Id of the document.|Mã văn bản."`
}

func (retryCommand) Help() string {
	return "Example:  endpoint retry 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40|Ví dụ:  endpoint retry 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40"
}

func (c retryCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done clerk.Sent
	if err := act(ctx, g, clerk.PathRetry, clerk.Sent{ID: c.ID}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { fmt.Fprintln(w, o.Say("Đã xếp lại hàng đợi.", "Queued again.")) })
}

type agenciesCommand struct {
	Search string `arg:"" optional:"" help:"Part of a code or name.|Một phần mã hoặc tên."`
}

func (agenciesCommand) Help() string {
	return `Example:  endpoint agencies "Nghệ An"|Ví dụ:  endpoint agencies "Nghệ An"`
}

func (c agenciesCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []clerk.Agency
	if err := ask(ctx, g, clerk.PathAgencies, url.Values{"search": {c.Search}}, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		rows := make([][]string, len(all))
		for i, a := range all {
			served := o.Say("chưa nối", "not served")
			if a.Served {
				served = o.Say("đã nối", "served")
			}
			rows[i] = []string{a.Code, a.Name, a.Level, served, strings.Join(a.Aliases, " ")}
		}
		cli.Table(w, []string{o.Say("MÃ", "CODE"), o.Say("TÊN", "NAME"), o.Say("CẤP", "LEVEL"), o.Say("LIÊN THÔNG", "AXIS"), o.Say("MÃ KHÁC", "ALIASES")}, rows)
	})
}
