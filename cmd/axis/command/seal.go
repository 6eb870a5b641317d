package command

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	operator "docaxis/axis/admin"
	"docaxis/internal/cli"
	"docaxis/internal/lang"
)

type sealCommands struct {
	List   sealListCommand `cmd:"" help:"List seals.|Danh sách con dấu số."`
	Admit  admitCommand    `cmd:"" help:"Admit a certificate as an agency's seal.|Chấp nhận chứng thư làm con dấu số của cơ quan."`
	Retire retireCommand   `cmd:"" help:"End the admission of a seal.|Ngừng chấp nhận một con dấu số."`
}

func (sealCommands) Help() string {
	return cli.Help("axis seal list H41\naxis seal admit H41 nghean-seal.pem\naxis seal retire H41 --digest 3f9a --reason \"đổi chứng thư\"", "", "")
}

type sealListCommand struct {
	Code string `arg:"" optional:"" help:"Code of an agency; all where it is left out.|Mã cơ quan; bỏ trống là tất cả."`
}

func (sealListCommand) Help() string { return cli.Help("axis seal list H41", "", "") }

func (c sealListCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var all []operator.SealLine
	if err := ask(ctx, g, operator.PathSeals, url.Values{"code": {c.Code}}, &all); err != nil {
		return err
	}
	return o.Print(all, func(w io.Writer) { printSeals(w, o, all) })
}

func printSeals(w io.Writer, o *cli.IO, all []operator.SealLine) {
	if len(all) == 0 {
		fmt.Fprintln(w, o.Say("Chưa có con dấu số nào. Chấp nhận một con dấu: axis seal admit MÃ TỆP", "No seals yet. Admit one: axis seal admit CODE FILE"))
		return
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		delegated := ""
		if s.Delegated {
			delegated = o.Say("ủy quyền", "delegated")
		}
		rows[i] = []string{
			s.Code, short(s.Digest), sealState(o, s), delegated, lang.Millis(s.FromMS), lang.Millis(s.UntilMS), s.Subject, s.Issuer,
			s.AdmittedBy + " " + sinceText(s.AdmittedMS),
		}
	}
	cli.Table(w, []string{
		o.Say("MÃ", "CODE"), "SHA-256", o.Say("TÌNH TRẠNG", "STATE"), "", o.Say("TỪ", "FROM"), o.Say("ĐẾN", "UNTIL"),
		o.Say("CHỦ THỂ", "SUBJECT"), o.Say("NƠI CẤP", "ISSUER"), o.Say("CHẤP NHẬN BỞI", "ADMITTED BY"),
	}, rows)
}

func sealState(o *cli.IO, s operator.SealLine) string {
	switch s.State {
	case "valid":
		return o.Say("dùng được", "valid")
	case "expiring":
		return o.Say("SẮP HẾT HẠN", "EXPIRING")
	case "expired":
		return o.Say("hết hạn", "expired")
	case "early":
		return o.Say("chưa đến hạn", "not valid yet")
	case "retired":
		return o.Say("đã ngừng ", "retired ") + lang.Millis(s.RetiredMS)
	case "forbidden":
		return o.Say("chính sách không cho phép", "forbidden by the policy")
	}
	return s.State
}

type admitCommand struct {
	whyFlags
	Code        string `arg:"" help:"Code of the agency.|Mã cơ quan."`
	Certificate string `arg:"" help:"Certificate, PEM or DER, chain after it.|Chứng thư, PEM hoặc DER, kèm chuỗi phía sau." type:"path"`
	Delegated   bool   `help:"The endpoint holds the key for the agency.|Điểm kết nối giữ khóa thay cơ quan."`
}

func (admitCommand) Help() string { return cli.Help("axis seal admit H41 nghean-seal.pem", "", "") }

func (c admitCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	certs, err := certificates(c.Certificate)
	if err != nil {
		return err
	}
	req := operator.Seal{Why: c.why(), Code: c.Code, Certificate: certs[0], Chain: certs[1:], Delegated: c.Delegated}
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

type retireCommand struct {
	reasonFlags
	Code   string `arg:"" help:"Code of the agency.|Mã cơ quan."`
	Digest string `required:"" placeholder:"HEX" help:"How the SHA-256 of its certificate begins, as axis seal list shows it.|Phần đầu SHA-256 của chứng thư, như axis seal list hiện."`
}

func (retireCommand) Help() string {
	return cli.Help(`axis seal retire H41 --digest 3f9a12 --reason "đổi chứng thư"`, "", "")
}

func (c retireCommand) Run(ctx context.Context, g *grammar, o *cli.IO) error {
	var done operator.SealLine
	req := operator.Retire{Why: c.why(), Code: c.Code, Digest: c.Digest}
	if err := act(ctx, g, operator.PathSealRetire, req, &done); err != nil {
		return err
	}
	return o.Print(done, func(w io.Writer) { printSeals(w, o, []operator.SealLine{done}) })
}
