package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"docaxis/endpoint"
	clerk "docaxis/endpoint/admin"
	"docaxis/endpoint/backup"
	"docaxis/internal/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type backupCommand struct {
	cli.BackupFlags
}

func (backupCommand) Help() string {
	return cli.Help("endpoint backup --keygen /safe/backup.key\nendpoint backup --to age1... /srv/backup/endpoint-2026-01-31.backup\nendpoint backup --verify --identity /safe/backup.key /srv/backup/endpoint-2026-01-31.backup",
		`The endpoint may run meanwhile. The file gets its name only after it was written,
read again and checked; it has the endpoint's key, so encrypt it. The seals' keys
are not in it: keep them as their keepers say.`,
		`Điểm kết nối có thể đang chạy. Tệp chỉ có tên sau khi đã được ghi, đọc lại và
kiểm tra; tệp chứa khóa của điểm kết nối nên hãy mã hóa. Khóa của các con dấu số
không nằm trong tệp: hãy cất giữ theo quy định.`)
}

func (c backupCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	switch {
	case c.Keygen:
		return c.MakeKey(o)
	case c.Verify:
		if err := cli.ExistingFile(c.File); err != nil {
			return err
		}
		report, err := endpoint.VerifyBackup(ctx, c.File, c.Keys())
		if err != nil {
			return err
		}
		return printBackup(o, c.File, report)
	}
	if err := errors.Join(o.CheckFolder(g.Dir), c.Protection().Validate()); err != nil {
		return err
	}
	report, err := endpoint.Backup(ctx, g.Dir, c.File, func(w io.Writer) error { return giveStore(ctx, g.Dir, w) },
		endpoint.BackupOptions{Protection: c.Protection(), WithoutContent: c.WithoutContent})
	if err != nil {
		return err
	}
	if err := printBackup(o, c.File, report); err != nil || report.Damaged == 0 {
		return err
	}
	return cli.Code{Exit: cli.Failed}
}

// giveStore reads the store through the running endpoint, or from the disk where
// none runs.
func giveStore(ctx context.Context, dir string, w io.Writer) error {
	stream, err := askStore(ctx, dir)
	if errors.Is(err, admin.ErrNotRunning) {
		return endpoint.RestingStore(dir, w)
	}
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = io.Copy(w, stream)
	return err
}

func askStore(ctx context.Context, dir string) (io.ReadCloser, error) {
	c, err := admin.Open(dir)
	if err != nil {
		return nil, err
	}
	return c.Download(ctx, clerk.PathStore, nil)
}

func printBackup(o *cli.IO, path string, r backup.Report) error {
	return o.Print(r, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("%s nguyên vẹn: điểm kết nối %s lúc %s, đã kiểm sổ đến bản ghi %d của kỷ %d.\n",
			"%s is whole and right: endpoint %s at %s, log verified up to record %d of epoch %d.\n"),
			path, r.Name, lang.Millis(r.MadeMS), r.Size, r.Epoch)
		printContents(w, o, r)
	})
}

func printContents(w io.Writer, o *cli.IO, r backup.Report) {
	if !r.Content {
		fmt.Fprintln(w, o.Say("KHÔNG gồm tệp của văn bản (--without-content).", "WITHOUT the documents' files (--without-content)."))
		return
	}
	fmt.Fprintf(w, o.Say("Tệp: %d, %d byte.\n", "Files: %d, %d bytes.\n"), r.Bodies, r.Bytes)
	if r.Damaged > 0 {
		fmt.Fprintf(w, o.Say("BỎ QUA %d tệp không còn đúng mã băm: đĩa có thể đang hỏng. Hãy giữ cả bản sao lưu cũ hơn.\n",
			"LEFT OUT are %d files that no longer have their digest: the disk may be failing. Keep older backups, too.\n"), r.Damaged)
	}
}

type restoreCommand struct {
	cli.RestoreFlags
}

func (restoreCommand) Help() string {
	return cli.Help("endpoint restore /srv/backup/endpoint-2026-01-31.backup --identity /safe/backup.key --dir /srv/endpoint-new",
		`Into an empty folder only. A restored endpoint is behind its own counters: once
the axis has told it so it stops by itself (parked), and the operator of the axis
must issue it anew.`,
		`Chỉ vào thư mục trống. Điểm kết nối được khôi phục chậm hơn số đếm của chính nó:
khi trục cho biết, nó tự dừng, và quản trị trục phải cấp lại.`)
}

func (c restoreCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	if err := cli.ExistingFile(c.File); err != nil {
		return err
	}
	r, err := endpoint.Restore(ctx, c.File, g.Dir, endpoint.RestoreOptions{Keys: c.Keys()})
	if err != nil {
		return err
	}
	seals, err := endpoint.SealFiles(g.Dir)
	if err != nil {
		seals = nil // serve says what is wrong with the settings
	}
	return o.Print(r, func(w io.Writer) {
		fmt.Fprintf(w, o.Say("Đã khôi phục điểm kết nối %s vào %s và kiểm tra toàn bộ, như lúc %s.\n",
			"Endpoint %s is restored in %s, and all of it was checked, as of %s.\n"), r.Name, g.Dir, lang.Millis(r.MadeMS))
		printContents(w, o, r)
		printNext(w, o, g.Dir, r, seals)
	})
}

func printNext(w io.Writer, o *cli.IO, dir string, r backup.Report, seals []string) {
	fmt.Fprintf(w, o.Say(`Những gì điểm kết nối gửi và nhận sau %s không có ở đây, còn trục thì có: trục mới hơn điểm kết nối này.
Tiếp theo:
  1. Không bao giờ chạy lại bản cũ: hai bản cùng chạy sẽ bị trục dừng.
  2. Chép lại các tệp con dấu số: %s
  3. endpoint serve --dir %s
  4. Nếu endpoint status báo ĐANG DỪNG vì số đếm đã dùng: đó là điều phải xảy ra. Hãy xin quản trị trục cấp lại điểm kết nối.
`, `What the endpoint sent and received after %s is not here, but the axis has it: the axis is newer than this endpoint.
Next:
  1. Never run the old copy again: the axis stops two that run.
  2. Put the seals' files back: %s
  3. endpoint serve --dir %s
  4. Where endpoint status says PARKED because a counter was used: that is what must happen. Ask the operator of the axis to issue the endpoint anew.
`), lang.Millis(r.MadeMS), strings.Join(seals, " "), dir)
}
