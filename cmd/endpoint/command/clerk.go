package command

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
	"docaxis/internal/business"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
)

// ask asks the running endpoint.
func ask(ctx context.Context, g *grammar, path string, query url.Values, into any) error {
	return admin.Ask(ctx, g.Dir, path, query, into)
}

func act(ctx context.Context, g *grammar, path string, v, into any) error {
	return admin.Act(ctx, g.Dir, path, v, into)
}

func printCounts(w io.Writer, o *cli.IO, title string, counts map[string]int) {
	text := counted(o, counts)
	if text == "" {
		text = o.Say("chưa có văn bản", "nothing yet")
	}
	fmt.Fprintf(w, "%s: %s\n", title, text)
}

// counted lists how many are in each state.
func counted(o *cli.IO, counts map[string]int) string {
	var all []string
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", o.State(state), counts[state]))
	}
	return strings.Join(all, ", ")
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

func (outboxCommand) Help() string { return cli.Help("endpoint outbox", "", "") }

func (outboxCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	all, err := pages(ctx, g, clerk.PathOutbox, nil, func(d clerk.Outgoing) string { return d.ID })
	if err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, o.Say("Chưa có văn bản đi.", "Nothing was sent yet."))
			return
		}
		rows := make([][]string, len(all))
		for i, d := range all {
			rows[i] = []string{lang.Millis(d.CreatedMS), d.ID, d.From, recipients(d), states(o, d), o.LabelShort(d.Label), subject(o, d.Urgent, d.Subject), repeats(o, d.DuplicateOf, tell(o, d.Trouble))}
		}
		cli.Table(w, []string{
			o.Say("LÚC", "TIME"), "ID", o.Say("TỪ", "FROM"), o.Say("ĐẾN", "TO"), o.Say("TRẠNG THÁI", "STATE"), o.Say("CHỮ KÝ", "SIGNED"),
			o.Say("TRÍCH YẾU", "SUBJECT"), o.Say("VƯỚNG MẮC", "TROUBLE"),
		}, rows)
	})
}

// repeats adds to a trouble that a document seems to repeat another.
func repeats(o *cli.IO, of, trouble string) string {
	if of == "" {
		return trouble
	}
	return strings.TrimSpace(o.Say("trùng ", "repeats ") + of + " " + trouble)
}

// subject marks what is urgent.
func subject(o *cli.IO, urgent bool, text string) string {
	if urgent {
		return o.Say("[khẩn] ", "[urgent] ") + text
	}
	return text
}

func recipients(d clerk.Outgoing) string {
	if n := len(d.Recipients); n > 3 {
		return fmt.Sprintf("%s +%d", strings.Join(d.Recipients[:3], " "), n-3)
	}
	return strings.Join(d.Recipients, " ")
}

// states says how far a document is: one state where all recipients are in it.
func states(o *cli.IO, d clerk.Outgoing) string {
	switch len(d.States) {
	case 0:
		return o.State(d.State)
	case 1:
		for state, n := range d.States {
			if n == 1 || n == len(d.Recipients) {
				return o.State(state)
			}
		}
	}
	return counted(o, d.States)
}

type inboxCommand struct {
	New bool `help:"Only what the agency has not confirmed.|Chỉ văn bản chưa xác nhận."`
}

func (inboxCommand) Help() string { return cli.Help("endpoint inbox --new", "", "") }

func (c inboxCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	query := url.Values{"new": {fmt.Sprint(c.New)}}
	all, err := pages(ctx, g, clerk.PathInbox, query, func(d clerk.Incoming) string { return d.Key })
	if err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, o.Say("Không có văn bản đến nào.", "Nothing has come in."))
			return
		}
		rows := make([][]string, len(all))
		for i, d := range all {
			rows[i] = []string{lang.Millis(d.ReceivedMS), d.ID, d.From, d.Code, o.State(d.State) + holdWord(o, d.Hold), o.LabelShort(d.Label), subject(o, d.Urgent, d.Subject), repeats(o, d.DuplicateOf, tell(o, d.Trouble))}
		}
		cli.Table(w, []string{
			o.Say("LÚC", "TIME"), "ID", o.Say("TỪ", "FROM"), o.Say("ĐẾN", "FOR"), o.Say("TRẠNG THÁI", "STATE"), o.Say("CHỮ KÝ", "SIGNED"),
			o.Say("TRÍCH YẾU", "SUBJECT"), o.Say("VƯỚNG MẮC", "TROUBLE"),
		}, rows)
	})
}

type showCommand struct {
	ID     string `arg:"" help:"Id of the document.|Mã văn bản."`
	Export string `help:"Write everything that an auditor needs into a new folder.|Ghi mọi thứ cần cho việc kiểm tra vào thư mục mới." type:"path" placeholder:"FOLDER"`
}

func (showCommand) Help() string {
	return cli.Help("endpoint show 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40",
		"Exit code 1 where a proof does not hold.", "Mã thoát 1 nếu có bằng chứng không đứng vững.")
}

func (c showCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if c.Export != "" {
		return exportProofs(ctx, g, o, c.ID, c.Export)
	}
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
	fmt.Fprintf(w, "%s  %s  %s\n%s\n", s.From, s.ID, o.State(s.State), cli.Clean(s.Subject))
	fmt.Fprintf(w, "  SHA-256 %s\n", s.Manifest)
	for _, f := range s.Files {
		fmt.Fprintf(w, o.Say("  %s (%d byte)\n", "  %s (%d bytes)\n"), cli.Clean(f.Title), f.Bytes)
		if f.Label != nil {
			o.PrintLabel(w, "    ", *f.Label)
		}
	}
	printLooks(w, o, s)
	if s.DuplicateOf != "" {
		fmt.Fprintf(w, o.Say("  LƯU Ý: có vẻ trùng với văn bản %s. Hãy xem lại cả hai.\n", "  NOTE: it seems to repeat document %s. Look at both.\n"), s.DuplicateOf)
	}
	if s.GivenBack {
		fmt.Fprintln(w, o.Say("  Nơi gửi đã thu hồi văn bản này và yêu cầu đó được đồng ý: không dùng văn bản nữa.",
			"  Its sender took this document back, which was agreed to: it must not be used any more."))
	}
	if s.Business != "" {
		fmt.Fprintf(w, o.Say("  Trả lời yêu cầu thay đổi: %s (%s)\n", "  A change of it was answered: %s (%s)\n"), business.Name(s.Business, o.Lang), s.Business)
	}
	if s.ReleasedMS != 0 {
		fmt.Fprintf(w, o.Say("  Các tệp đã được dọn khỏi đây lúc %s; diễn biến và bằng chứng vẫn còn.\n",
			"  Its files were removed from here at %s; the story and the proofs stay.\n"), lang.Millis(s.ReleasedMS))
	}
	if s.Trouble != nil {
		fmt.Fprintf(w, "  %s\n", tell(o, s.Trouble))
	}
	rows := make([][]string, len(s.Steps))
	for i, st := range s.Steps {
		rows[i] = []string{lang.Millis(st.TimeMS), st.Code, o.State(st.State), event(o, st), proof(o, st), o.Say(st.ReasonVI, st.ReasonEN)}
	}
	cli.Table(w, []string{
		o.Say("LÚC", "TIME"), o.Say("NƠI NHẬN", "RECIPIENT"), o.Say("TRẠNG THÁI", "STATE"), o.Say("BẰNG CHỨNG", "EVIDENCE"),
		o.Say("KIỂM TRA", "CHECKED"), o.Say("LÝ DO", "REASON"),
	}, rows)
}

// event names what a step is, with the business state that it tells.
func event(o *cli.IO, s clerk.Step) string {
	if s.Business == "" {
		return s.Event
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s (%s)", s.Event, s.Business, business.Name(s.Business, o.Lang)))
}

// proof says where the evidence of a step is in the journal, and whether it holds.
func proof(o *cli.IO, s clerk.Step) string {
	switch {
	case s.Problem != "":
		return o.Say("KHÔNG ĐỨNG VỮNG: ", "DOES NOT HOLD: ") + reason.Phrase(s.Problem, o.Lang)
	case s.Event == "" && s.Business == "":
		return ""
	case !s.Verified:
		return o.Say("chưa có trong sổ", "not in the journal yet")
	}
	text := fmt.Sprintf(o.Say("đúng; bản ghi %d, kỷ %d, ký bởi %s", "holds; record %d, epoch %d, signed by %s"), s.LeafIndex, s.Epoch, s.Issuer)
	if s.Flagged != "" {
		text += " [" + flagged(o, s.Flagged) + "]"
	}
	return text
}

// flagged says what is noted about an evidence.
func flagged(o *cli.IO, words string) string {
	all := strings.Fields(words)
	for i, word := range all {
		switch word {
		case "contrary":
			all[i] = o.Say("trái với bằng chứng trước", "contrary to an earlier one")
		case "supersedes":
			all[i] = o.Say("thay cho bằng chứng trước", "supersedes an earlier one")
		case "second":
			all[i] = o.Say("bản thứ hai: bản của điểm kết nối khác được tính", "a second copy: another endpoint's counts")
		case "clock":
			all[i] = o.Say("giờ khai lệch hơn 10 phút", "the claimed time is off by more than 10 minutes")
		default:
			if f := business.ParseFlag(word); f != business.Usual {
				all[i] = f.Say(o.Lang)
			}
		}
	}
	return strings.Join(all, "; ")
}

type confirmCommand struct {
	ID     string `arg:"" help:"Id of the document.|Mã văn bản."`
	Code   string `help:"For which code, where it came for several.|Cho mã nào, nếu đến nhiều mã."`
	Refuse string `help:"Refuse it, with this reason.|Từ chối, với lý do này."`
}

func (confirmCommand) Help() string {
	return cli.Help("endpoint confirm 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40", "", "")
}

func (c confirmCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done clerk.Confirmed
	if err := act(ctx, g, clerk.PathConfirm, clerk.Confirm{ID: c.ID, Code: c.Code, Refuse: c.Refuse}, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) {
		fmt.Fprintln(w, o.State(done.State))
		if done.Unread {
			fmt.Fprintln(w, o.Say("Xác nhận khi chưa lấy nội dung; bằng chứng ghi rõ như vậy.", "Confirmed without having been fetched; the evidence says so."))
		}
	})
}

type retryCommand struct {
	ID string `arg:"" help:"Id of the document.|Mã văn bản."`
}

func (retryCommand) Help() string {
	return cli.Help("endpoint retry 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40", "", "")
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
	return cli.Help(`endpoint agencies "Nghệ An"`, "", "")
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
			rows[i] = []string{a.Code, a.Name, level(o, a.Level), served, strings.Join(a.Aliases, " ")}
		}
		cli.Table(w, []string{o.Say("MÃ", "CODE"), o.Say("TÊN", "NAME"), o.Say("CẤP", "LEVEL"), o.Say("LIÊN THÔNG", "AXIS"), o.Say("MÃ KHÁC", "ALIASES")}, rows)
	})
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
