package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"docaxis/axis"
	operator "docaxis/axis/admin"
	"docaxis/axis/backup"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type backupCommand struct {
	cli.BackupFlags
}

func (backupCommand) Help() string {
	return cli.Help("axis backup --keygen /safe/backup.key\naxis backup --to age1... /srv/backup/axis-2026-01-31.backup\naxis backup --verify --identity /safe/backup.key /srv/backup/axis-2026-01-31.backup",
		`The axis may run and serve meanwhile. The file gets its name only after it was
written, read again and checked; it has the keys, so encrypt it.
Exit code 1 with a file: contents that documents name were not at the axis.`,
		`Trục có thể đang chạy và phục vụ. Tệp chỉ có tên sau khi đã được ghi, đọc lại
và kiểm tra; tệp chứa các khóa nên hãy mã hóa.
Mã thoát 1 mà vẫn có tệp: nội dung của vài văn bản không còn ở trục.`)
}

func (c backupCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	switch {
	case c.Keygen:
		return c.MakeKey(o)
	case c.Verify:
		if err := cli.ExistingFile(c.File); err != nil {
			return err
		}
		report, err := axis.VerifyBackup(ctx, c.File, c.Keys())
		if err != nil {
			return err
		}
		return printBackup(o, c.File, report)
	}
	if err := o.CheckFolder(g.Dir); err != nil {
		return err
	}
	if err := c.Protection().Validate(); err != nil {
		return err
	}
	report, err := c.make(ctx, g)
	if err != nil {
		return err
	}
	if err := printBackup(o, c.File, report); err != nil || report.Missing == 0 {
		return err
	}
	return cli.Code{Exit: cli.Failed}
}

// make reads the journal from the running axis, or from the disk where none runs.
func (c backupCommand) make(ctx context.Context, g *grammar) (backup.Report, error) {
	options := axis.BackupOptions{Protection: c.Protection(), WithoutContent: c.WithoutContent}
	stream, err := askJournal(ctx, g.Dir)
	if errors.Is(err, admin.ErrNotRunning) {
		head, blocks, stop, err := axis.RestingJournal(ctx, g.Dir, slog.New(slog.DiscardHandler))
		if err != nil {
			return backup.Report{}, err
		}
		report, err := axis.Backup(ctx, g.Dir, c.File, head, blocks, options)
		return report, errors.Join(err, stop())
	}
	if err != nil {
		return backup.Report{}, err
	}
	defer stream.Close()
	head, blocks, err := operator.ReadJournal(stream)
	if err != nil {
		return backup.Report{}, err
	}
	return axis.Backup(ctx, g.Dir, c.File, head, blocks, options)
}

func askJournal(ctx context.Context, dir string) (io.ReadCloser, error) {
	c, err := admin.Open(dir)
	if err != nil {
		return nil, err
	}
	return c.Download(ctx, operator.PathJournal, url.Values{"actor": {cli.Actor()}})
}

func printBackup(o *cli.IO, path string, r backup.Report) error {
	return o.Print(r, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("%s nguyên vẹn: trục %s lúc %s, kỷ %d, %d bản ghi trong %d khối, %d văn bản.\n",
			"%s is whole and right: axis %s at %s, epoch %d, %d records in %d blocks, %d documents.\n"),
			path, r.Name, lang.Millis(r.MadeMS), r.Epoch, r.Size, r.Blocks, r.Documents)
		printContents(w, o, r)
	})
}

func printContents(w io.Writer, o *cli.IO, r backup.Report) {
	if !r.Content {
		fmt.Fprintln(w, o.Say("KHÔNG gồm nội dung văn bản (--without-content): sau khi khôi phục, nơi nhận chưa lấy sẽ không lấy được.",
			"WITHOUT the contents of documents (--without-content): after a restore, whoever has not fetched them cannot."))
		return
	}
	fmt.Fprintf(w, o.Say("Nội dung: %d khúc, %d byte.\n", "Contents: %d chunks, %d bytes.\n"), r.Chunks, r.Bytes)
	if r.Missing > 0 {
		fmt.Fprintf(w, o.Say("THIẾU %d khúc nội dung: lúc sao lưu trục không còn chúng. Phần còn lại nguyên vẹn; hãy giữ cả bản sao lưu cũ hơn.\n",
			"MISSING are %d chunks of contents: the axis did not have them when this was made. The rest is whole; keep older backups, too.\n"), r.Missing)
	}
}

type restoreCommand struct {
	cli.RestoreFlags
	Reason string `help:"Why; it stands in the journal.|Lý do; được ghi vào sổ." required:""`
}

func (restoreCommand) Help() string {
	return cli.Help("axis restore /srv/backup/axis-2026-01-31.backup --identity /safe/backup.key --dir /srv/axis-new --reason 'disk failed'",
		`Into an empty folder only. The restored axis opens a new epoch when it first
starts; endpoints then offer again what the backup does not have.`,
		`Chỉ vào thư mục trống. Trục được khôi phục mở một kỷ mới khi chạy lần đầu;
các điểm kết nối khi đó gửi lại những gì bản sao lưu không có.`)
}

func (c restoreCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if err := cli.ExistingFile(c.File); err != nil {
		return err
	}
	r, err := axis.Restore(ctx, c.File, g.Dir, axis.RestoreOptions{Keys: c.Keys(), By: cli.Actor(), Reason: c.Reason})
	if err != nil {
		return err
	}
	return o.Print(r, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã khôi phục trục %s vào %s và kiểm tra lại toàn bộ: %d bản ghi trong %d khối, %d văn bản, như lúc %s.\n",
			"Axis %s is restored in %s, and all of it was checked: %d records in %d blocks, %d documents, as of %s.\n"),
			r.Name, g.Dir, r.Size, r.Blocks, r.Documents, lang.Millis(r.MadeMS))
		printContents(w, o, r)
		fmt.Fprintf(w, o.Say(`Mọi thứ trục đã nhận sau %s không có ở đây: các điểm kết nối mới hơn trục này và sẽ gửi lại.
Tiếp theo:
  1. Không bao giờ chạy lại trục cũ: hai trục cùng khóa sẽ làm các điểm kết nối dừng lại.
  2. Xem lại listen, address và hosts trong %s/axis.toml.
  3. axis serve --dir %s  (trục mở một kỷ mới, lý do được ghi vào sổ)
`, `Whatever the axis accepted after %s is not here: endpoints are newer than this axis, and will offer it again.
Next:
  1. Never run the old axis again: two axes with the same keys make endpoints stop.
  2. Look at listen, address and hosts in %s/axis.toml.
  3. axis serve --dir %s  (it opens a new epoch, with the reason in the journal)
`), lang.Millis(r.MadeMS), g.Dir, g.Dir)
	})
}
