package command

import (
	"context"
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
	Files      []string `arg:"" help:"Files, or folders of proofs.|Các tệp, hoặc thư mục bằng chứng." type:"path"`
	Anchor     []string `help:"Certificate to believe, or a folder of them; may be repeated.|Chứng thư được tin cậy, hoặc thư mục chứng thư; có thể lặp lại." type:"path" sep:"none" placeholder:"FILE"`
	Content    string   `help:"File that a detached signature is over.|Tệp mà chữ ký tách rời ký lên." type:"path" placeholder:"FILE"`
	Revocation []string `help:"Revocation list or OCSP answer (DER or PEM), or a folder of them; may be repeated.|Danh sách thu hồi hoặc trả lời OCSP (DER hoặc PEM), hoặc thư mục chứa chúng; có thể lặp lại." type:"path" sep:"none" placeholder:"FILE"`
	Online     bool     `help:"Ask authorities over the network which certificates they revoked.|Hỏi các đơn vị cấp chứng thư số qua mạng xem đã thu hồi chứng thư nào."`
	Allow      []string `help:"With --online: address block or host within your own network that may be asked; may be repeated.|Cùng với --online: khối địa chỉ hoặc tên máy trong mạng nội bộ được phép hỏi; có thể lặp lại." sep:"none" placeholder:"10.1.0.0/16"`
	Proxy      string   `help:"With --online: HTTP proxy that asks.|Cùng với --online: máy chủ proxy HTTP dùng để hỏi." placeholder:"http://proxy:3128"`
	At         string   `help:"Moment to judge at, as you can prove it; now by default.|Thời điểm kiểm tra mà bạn chứng minh được; mặc định là bây giờ." placeholder:"2026-11-21T09:00"`

	ran bool
}

func (verifyCommand) Help() string {
	return cli.Help("auditor verify quyet-dinh.pdf --anchor root-ca.crt\nauditor verify congvan.pdf.p7s --content congvan.pdf --anchor root-ca.crt\nauditor verify proofs --anchor axis-ca.crt --anchor seal.crt",
		"Files are known by their content: CMS signatures, PDF, edXML packages, and what axis document --evidence writes. No network is used without --online: revocation is judged by what a file "+
			"brings along and what --revocation names, and without either the answer is INDETERMINATE, TRY_LATER, but for a signer whose own certificate is an anchor. XML-DSig in packages is checked, and must cover the whole package. Of several files the worst counts: "+
			"1 failed, then 3 unusable, then 2 indeterminate, then 0 all passed.",
		"Tệp được nhận biết theo nội dung: chữ ký CMS, PDF, gói edXML và bằng chứng do axis document --evidence ghi ra. Không dùng mạng nếu không có --online: việc thu hồi được xét theo dữ liệu kèm trong tệp và dữ liệu nêu bằng --revocation, "+
			"nếu không có cả hai thì kết luận là INDETERMINATE, TRY_LATER, trừ khi chính chứng thư của người ký được nêu bằng --anchor. XML-DSig trong gói tin được kiểm tra và phải ký toàn bộ gói. Với nhiều tệp, kết quả xấu nhất được lấy: "+
			"1 không đạt, rồi 3 không dùng được, rồi 2 chưa đủ căn cứ, rồi 0 tất cả đạt.")
}

// Run judges the files; the exit code is the answer.
func (c *verifyCommand) Run(ctx context.Context, o *cli.IO) error {
	c.ran = true
	options, err := c.options(o, time.Now())
	if err != nil {
		return cli.Code{Exit: Unusable, Err: err}
	}
	asking, err := c.asking(ctx, o.Lang)
	if err != nil {
		return cli.Code{Exit: Unusable, Err: err}
	}
	if asking != nil {
		options.Ask = asking.ask
	}
	report := auditor.Verify(c.Files, options)
	if asking != nil && asking.err != nil {
		return cli.Code{Exit: Unusable, Err: noRoom(asking.err)}
	}
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
	if options.Anchors, err = anchors(c.Anchor); err != nil {
		return options, err
	}
	options.Revocation, err = revocationData(c.Revocation)
	return options, err
}

// revocationData is read whole or not at all, as anchors are.
func revocationData(paths []string) (*signing.Revocation, error) {
	known, err := signing.LoadRevocation(paths...)
	if err != nil {
		return nil, lang.Errorf("Không đọc được dữ liệu thu hồi. Hãy nêu danh sách thu hồi (CRL) hoặc trả lời OCSP, dạng DER hoặc PEM, bằng --revocation. Chi tiết: %v",
			"The revocation data cannot be read. Name lists (CRL) or OCSP answers, in DER or PEM, with --revocation. Details: %v", err).Because(err)
	}
	if len(paths) > 0 && len(known.CRLs)+len(known.OCSPs) == 0 {
		return nil, lang.Errorf("Các thư mục đã nêu bằng --revocation không có tệp nào (.crl, .ocsp, .ors, .der, .pem).",
			"The folders named with --revocation have no files (.crl, .ocsp, .ors, .der, .pem).")
	}
	return known, nil
}

// noRoom is about the folder that what is fetched is put into.
func noRoom(err error) error {
	return lang.Errorf("Không dùng được thư mục tạm để giữ dữ liệu thu hồi. Hãy kiểm tra chỗ trống và quyền ghi. Chi tiết: %v",
		"The temporary folder for revocation data cannot be used. Check its room and permissions. Details: %v", err).Because(err)
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
