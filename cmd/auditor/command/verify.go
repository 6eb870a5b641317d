package command

import (
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"docaxis/auditor"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
	"docaxis/signing"
)

type verifyCommand struct {
	Files   []string `arg:"" help:"Files, or folders of proofs.|Các tệp, hoặc thư mục bằng chứng." type:"path"`
	Anchor  []string `help:"Certificate to believe, or a folder of them; may be repeated.|Chứng thư được tin cậy, hoặc thư mục chứng thư; có thể lặp lại." type:"path" sep:"none" placeholder:"FILE"`
	Content string   `help:"File that a detached signature is over.|Tệp mà chữ ký tách rời ký lên." type:"path" placeholder:"FILE"`
	At      string   `help:"Moment to judge at, as you can prove it; now by default.|Thời điểm kiểm tra mà bạn chứng minh được; mặc định là bây giờ." placeholder:"2026-11-21T09:00"`

	ran bool
}

func (verifyCommand) Help() string {
	return cli.Help("auditor verify quyet-dinh.pdf --anchor root-ca.crt\nauditor verify congvan.pdf.p7s --content congvan.pdf --anchor root-ca.crt\nauditor verify proofs --anchor axis-ca.crt --anchor seal.crt",
		"Files are known by their content: CMS signatures, PDF, edXML packages, and what axis document --evidence writes. No network is used: revocation is judged by what a file "+
			"brings along, and without that the answer is INDETERMINATE, TRY_LATER, but for a signer whose own certificate is an anchor. XML-DSig in packages is checked, and must cover the whole package. Of several files the worst counts: "+
			"1 failed, then 3 unusable, then 2 indeterminate, then 0 all passed.",
		"Tệp được nhận biết theo nội dung: chữ ký CMS, PDF, gói edXML và bằng chứng do axis document --evidence ghi ra. Không dùng mạng: việc thu hồi được xét theo dữ liệu kèm trong tệp, "+
			"nếu không có thì kết luận là INDETERMINATE, TRY_LATER, trừ khi chính chứng thư của người ký được nêu bằng --anchor. XML-DSig trong gói tin được kiểm tra và phải ký toàn bộ gói. Với nhiều tệp, kết quả xấu nhất được lấy: "+
			"1 không đạt, rồi 3 không dùng được, rồi 2 chưa đủ căn cứ, rồi 0 tất cả đạt.")
}

// Run judges the files; the exit code is the answer.
func (c *verifyCommand) Run(o *cli.IO) error {
	c.ran = true
	options, err := c.options(o, time.Now())
	if err != nil {
		return cli.Code{Exit: Unusable, Err: err}
	}
	report := auditor.Verify(c.Files, options)
	if err := o.Print(report, func(w io.Writer) { report.Write(w, o.Lang) }); err != nil {
		return cli.Code{Exit: Unusable, Err: err}
	}
	return cli.Code{Exit: exitOf(report.Result)}
}

func (c *verifyCommand) options(o *cli.IO, now time.Time) (auditor.Options, error) {
	options := auditor.Options{At: now, Source: signing.TimeNow, Content: c.Content, Lang: o.Lang}
	if c.Content != "" && len(c.Files) != 1 {
		return options, lang.Errorf("--content chỉ dùng với một tệp chữ ký. Hãy kiểm tra từng tệp.", "--content goes with one signature. Verify the files one by one.")
	}
	if c.At != "" {
		at, err := moment(c.At)
		if err != nil {
			return options, err
		}
		options.At, options.Source = at, signing.TimeGiven
	}
	var err error
	options.Anchors, err = anchors(c.Anchor)
	return options, err
}

// maxAnchor is the largest file of anchors, in bytes.
const maxAnchor = 16 << 20

// anchors are read whole or not at all: trust must not depend on which files happened
// to be readable.
func anchors(paths []string) ([]*x509.Certificate, error) {
	for _, path := range paths {
		if err := usable(path); err != nil {
			return nil, err
		}
	}
	certs, err := signing.LoadCertificates(paths...)
	if err != nil {
		return nil, lang.Errorf("Không đọc được nguồn tin cậy. Hãy nêu chứng thư dạng PEM hoặc DER bằng --anchor. Chi tiết: %v",
			"The anchors cannot be read. Name certificates in PEM or DER with --anchor. Details: %v", err).Because(err)
	}
	if len(paths) > 0 && len(certs) == 0 {
		return nil, lang.Errorf("Các thư mục đã nêu bằng --anchor không có chứng thư nào (.pem, .crt, .cer, .der).",
			"The folders named with --anchor have no certificates (.pem, .crt, .cer, .der).")
	}
	return certs, nil
}

// usable refuses what a reader would wait on, or read for ever.
func usable(path string) error {
	return filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && at != path {
			return filepath.SkipDir
		}
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return nil
		}
		if !info.Mode().IsRegular() || info.Size() > maxAnchor {
			return lang.Errorf("%s không thể là chứng thư. Hãy nêu tệp chứng thư bằng --anchor.", "%s cannot be a certificate. Name one with --anchor.", at)
		}
		return nil
	})
}

// moment reads a time; without a zone it is Viet Nam's.
func moment(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, lang.VietNam()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, lang.Errorf("Không hiểu thời điểm %s. Hãy viết như 2026-11-21T09:00 (giờ Việt Nam) hoặc 2026-11-21T02:00:00Z.",
		"%s is no time that is understood. Write it as 2026-11-21T09:00 (Viet Nam time) or 2026-11-21T02:00:00Z.", fmt.Sprintf("%q", text))
}
