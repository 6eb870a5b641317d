package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type cleanupCommand struct {
	DryRun bool `help:"Only say what would go, and why.|Chỉ nói sẽ dọn gì, vì sao."`
}

func (cleanupCommand) Help() string {
	return cli.Help("endpoint cleanup --dry-run",
		`Removes the files of documents that nobody needs and that are kept no longer,
as [retention] in endpoint.toml says. Documents that are not with every recipient,
or that the agency has not taken, keep their files. Proofs always stay. A running
endpoint does it by itself once a day; this works also while it is stopped.`,
		`Dọn các tệp của văn bản không ai cần nữa và đã hết hạn giữ, theo [retention]
trong endpoint.toml. Văn bản chưa đến đủ nơi nhận, hoặc cơ quan chưa nhận, giữ
nguyên tệp. Bằng chứng luôn ở lại. Điểm kết nối đang chạy tự dọn mỗi ngày một lần;
lệnh này chạy được cả khi điểm kết nối đã dừng.`)
}

func (c cleanupCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	req := clerk.Clean{DryRun: c.DryRun}
	var done clerk.Cleanup
	err := act(ctx, g, clerk.PathClean, req, &done)
	if errors.Is(err, admin.ErrNotRunning) {
		done, err = cleanOffline(ctx, g, o, req)
	}
	if err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { printCleanup(w, o, done) })
}

// cleanOffline cleans up without a running endpoint.
func cleanOffline(ctx context.Context, g *grammar, o *cli.IO, req clerk.Clean) (clerk.Cleanup, error) {
	if err := o.CheckFolder(g.Dir); err != nil {
		return clerk.Cleanup{}, err
	}
	settings, err := endpoint.LoadSettings(g.Dir)
	if err != nil {
		return clerk.Cleanup{}, err
	}
	log := slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := endpoint.Open(g.Dir, endpoint.Config{Settings: settings, Log: log})
	if err != nil {
		return clerk.Cleanup{}, err
	}
	done, err := endpoint.Clerk(a).Clean(ctx, req)
	return done, joinClose(err, a.Close())
}

func printCleanup(w io.Writer, o *cli.IO, c clerk.Cleanup) {
	rows := make([][]string, len(c.Removed))
	for i, r := range c.Removed {
		oldest := ""
		if r.OldestMS != 0 {
			oldest = lang.Millis(r.OldestMS)
		}
		rows[i] = []string{cleanedWhy(o, r.Why), fmt.Sprint(r.Documents), fmt.Sprint(r.Files), size(o, r.Bytes), oldest}
	}
	switch {
	case len(rows) == 0:
		fmt.Fprintln(w, o.Say("Không có gì để dọn.", "There is nothing to remove."))
	case c.DryRun:
		fmt.Fprintln(w, o.Say("Sẽ dọn (chưa dọn gì):", "Would be removed (nothing was):"))
	default:
		fmt.Fprintln(w, o.Say("Đã dọn:", "Removed:"))
	}
	if len(rows) > 0 {
		cli.Table(w, []string{
			o.Say("VÌ SAO", "WHY"), o.Say("VĂN BẢN", "DOCUMENTS"), o.Say("SỐ TỆP", "FILES"), o.Say("DUNG LƯỢNG", "SIZE"), o.Say("CŨ NHẤT", "OLDEST"),
		}, rows)
	}
	fmt.Fprintf(w, o.Say("Còn giữ %s.\n", "Kept: %s.\n"), size(o, c.Kept))
	if c.OverQuota {
		fmt.Fprintln(w, overQuota(o))
	}
	if c.Failed > 0 {
		fmt.Fprintf(w, o.Say("%d tệp chưa dọn được; lần sau sẽ dọn lại.\n", "%d files could not be removed; the next cleanup tries again.\n"), c.Failed)
	}
}

func cleanedWhy(o *cli.IO, why string) string {
	switch why {
	case endpoint.CleanSent:
		return o.Say("văn bản đi đã xong, hết hạn giữ", "sent, done, kept long enough")
	case endpoint.CleanReceived:
		return o.Say("văn bản đến đã xong, hết hạn giữ", "received, done, kept long enough")
	case endpoint.CleanQuota:
		return o.Say("đã xong, dọn sớm vì hạn mức", "done, early because of the quota")
	case endpoint.CleanLeft:
		return o.Say("không thuộc văn bản nào", "of no document")
	case endpoint.CleanPartial:
		return o.Say("đang lấy dở, không cần nữa", "fetched in part, not needed")
	}
	return why
}

// pages asks for a list page by page, so that the endpoint never holds all of it.
func pages[T any](ctx context.Context, g *grammar, path string, query url.Values, last func(T) string) ([]T, error) {
	all := []T{}
	for after := ""; ; after = last(all[len(all)-1]) {
		asked := url.Values{"after": {after}}
		for k, v := range query {
			asked[k] = v
		}
		var page []T
		if err := ask(ctx, g, path, asked, &page); err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
	}
}
