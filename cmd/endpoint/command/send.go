package command

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	clerk "docaxis/endpoint/admin"
	"docaxis/internal/admin"
	"docaxis/internal/business"
	"docaxis/internal/cli"
)

type sendCommand struct {
	From     string        `help:"Sending agency; the endpoint's only one by default.|Cơ quan gửi; mặc định là cơ quan duy nhất."`
	To       []string      `help:"Codes of recipients.|Mã các nơi nhận."`
	Group    []string      `help:"Groups: all, H41, H41/commune, /province.|Nhóm: all, H41, H41/commune, /province."`
	Subject  string        `required:"" help:"What it is about.|Trích yếu."`
	Number   string        `help:"Number.|Số."`
	Notation string        `help:"Notation.|Ký hiệu."`
	Priority int           `help:"0 ordinary, 1 to 4 urgent.|0 thường, 1 đến 4 khẩn." default:"0" enum:"0,1,2,3,4"`
	Security string        `help:"ordinary, confidential, secret or top-secret; above ordinary is refused.|Độ mật: ordinary (thường), confidential (mật), secret (tối mật), top-secret (tuyệt mật); trên mức thường bị từ chối." default:"ordinary" enum:"ordinary,confidential,secret,top-secret"`
	ReplyTo  string        `xor:"about" help:"Id of the document that this one answers.|Mã văn bản được trả lời."`
	Update   string        `xor:"about" help:"Id of the document sent from here that this one updates.|Mã văn bản đã gửi từ đây được văn bản này cập nhật."`
	Replace  string        `xor:"about" help:"Id of the document sent from here that this one replaces.|Mã văn bản đã gửi từ đây được văn bản này thay thế."`
	Reason   string        `help:"Why, of an update or a replacement.|Lý do cập nhật hoặc thay thế."`
	Within   time.Duration `help:"It must be taken within this time, as 48h.|Phải nhận trong thời hạn, ví dụ 48h."`
	Files    []string      `arg:"" optional:"" help:"Files.|Các tệp." type:"path"`
}

func (sendCommand) Help() string {
	return cli.Help(`endpoint send --to H41 --to H27 --subject "Công văn số 15" congvan.pdf phuluc.xlsx`,
		"Once it prints the id, the document is safe and goes out by itself. An update or a replacement goes to all recipients of the first one where none is named.",
		"Khi đã in mã, văn bản được giữ an toàn và sẽ tự đi. Văn bản cập nhật hoặc thay thế được gửi đến mọi nơi nhận của văn bản trước nếu không nêu nơi nhận.")
}

func (c sendCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	d := clerk.Draft{
		From: c.From, To: c.To, Groups: c.Group, Subject: c.Subject, Number: c.Number, Notation: c.Notation,
		Priority: c.Priority, Security: c.Security, ReplyTo: c.ReplyTo, Reason: c.Reason,
	}
	switch {
	case c.Update != "":
		d.Change, d.About = business.Update, c.Update
	case c.Replace != "":
		d.Change, d.About = business.Replacement, c.Replace
	}
	if c.Within > 0 {
		d.Deadline = time.Now().Add(c.Within).UnixMilli()
	}
	total := int64(0)
	for _, path := range c.Files {
		if err := cli.ExistingFile(path); err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		total += info.Size()
		d.Files = append(d.Files, clerk.FileInfo{
			Title: filepath.Base(path), Type: mime.TypeByExtension(filepath.Ext(path)), Bytes: uint64(info.Size()),
		})
	}
	client, err := admin.Open(g.Dir)
	if err != nil {
		return err
	}
	bar := progress(o, total)
	sent, err := clerk.Send(ctx, client, d, func(n int) (io.ReadCloser, error) {
		f, err := os.Open(c.Files[n])
		if err != nil {
			return nil, err
		}
		return countedFile{io.TeeReader(f, bar), f}, nil
	})
	if err != nil {
		return err
	}
	return o.Print(sent, func(w io.Writer) { fmt.Fprintln(w, sent.ID) })
}

type countedFile struct {
	io.Reader
	io.Closer
}

// longTransfer is from how many bytes on progress is drawn.
const longTransfer = 8 << 20

// progress draws a long transfer on a terminal, and nothing elsewhere.
func progress(o *cli.IO, total int64) io.Writer {
	if !o.Terminal || total < longTransfer {
		return io.Discard
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(o.Err), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

type getCommand struct {
	ID   string `arg:"" help:"Id of the document.|Mã văn bản."`
	Code string `help:"For which code, where it came for several.|Cho mã nào, nếu đến nhiều mã."`
	Out  string `short:"o" help:"Folder to save into.|Thư mục lưu." default:"." type:"path"`
}

func (getCommand) Help() string {
	return cli.Help("endpoint get 0193f2c8-6f5e-7c1a-8d3b-2f6a1e5b9c40 -o den", "", "")
}

func (c getCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	client, err := admin.Open(g.Dir)
	if err != nil {
		return err
	}
	var stories []clerk.Story
	if err := client.Get(ctx, clerk.PathShow, url.Values{"id": {c.ID}}, &stories); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	saved := []string{}
	for n, f := range stories[0].Files {
		path, err := c.save(ctx, client, o, n, f)
		if err != nil {
			return err
		}
		saved = append(saved, path)
	}
	return o.Print(map[string]any{"files": saved}, func(w io.Writer) {
		for _, path := range saved {
			fmt.Fprintln(w, path)
		}
		fmt.Fprintf(w, o.Say("Khi cơ quan đã nhận: endpoint confirm %s\n", "Once the agency has taken it: endpoint confirm %s\n"), c.ID)
	})
}

// save writes one file under its true name, made safe; it never overwrites.
func (c getCommand) save(ctx context.Context, client *admin.Client, o *cli.IO, n int, f clerk.FileInfo) (string, error) {
	content, err := client.Download(ctx, clerk.PathContent, url.Values{"id": {c.ID}, "code": {c.Code}, "n": {fmt.Sprint(n)}})
	if err != nil {
		return "", err
	}
	defer content.Close()
	out, err := create(c.Out, safeName(f.Title, n))
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.MultiWriter(out, progress(o, int64(f.Bytes))), content)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(out.Name()) //nolint:errcheck // the first error counts
		return "", fmt.Errorf("save %s: %w", f.Title, err)
	}
	return out.Name(), nil
}
