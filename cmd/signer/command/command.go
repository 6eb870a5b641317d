// Package command owns the command line of the signer.
package command

import (
	"context"
	"encoding/hex"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"docaxis/internal/cli"
	"docaxis/internal/lang"
	"docaxis/internal/signer"
	"docaxis/internal/token"
)

// Run runs the command that args name and gives the exit code. serve reads from in and
// answers on the process's standard output.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	g := grammar{Serve: serveCommand{in: in}}
	return program(&g).Run(ctx, args, out, errs)
}

func program(g *grammar) cli.Program {
	return cli.Program{
		Name: "signer", Grammar: g, Common: &g.Common,
		About: "Signs with keys in PKCS#11 tokens and HSMs for other programs, and sets tokens up.|Ký bằng khóa trong thiết bị PKCS#11 và HSM thay cho chương trình khác, và chuẩn bị thiết bị.",
		Detail: cli.Help("signer list --module /usr/lib/softhsm/libsofthsm2.so",
			"A PIN is only ever read from a file: everybody on the machine can read a command line.",
			"Mã PIN chỉ được đọc từ tệp: ai trong máy cũng đọc được dòng lệnh."),
	}
}

type grammar struct {
	cli.Common

	Serve    serveCommand    `cmd:"" help:"Sign for the program that started this one.|Ký cho chương trình đã chạy lệnh này."`
	List     listCommand     `cmd:"" help:"Show the tokens of a module, and what is in them.|Xem các thiết bị và những gì trong đó."`
	Generate generateCommand `cmd:"" help:"Make a key in a token, which it cannot leave.|Tạo khóa trong thiết bị; khóa không rời thiết bị."`
	Request  requestCommand  `cmd:"" help:"Write a request for a certificate (PKCS#10).|Viết yêu cầu cấp chứng thư (PKCS#10)."`
	Import   importCommand   `cmd:"" help:"Put a key's certificates into its token.|Đưa chứng thư của khóa vào thiết bị."`
}

// place names a token.
type place struct {
	Module       string `required:"" placeholder:"FILE" help:"The token's PKCS#11 library, whole path.|Thư viện PKCS#11 của thiết bị, đường dẫn đầy đủ."`
	Token        string `placeholder:"LABEL" help:"The token's label.|Tên của thiết bị."`
	Serial       string `help:"The token's serial number.|Số sê-ri của thiết bị."`
	Manufacturer string `help:"The token's manufacturer.|Nhà sản xuất thiết bị."`
	Model        string `help:"The token's model.|Kiểu thiết bị."`
	PinFile      string `placeholder:"FILE" help:"File whose first line is the PIN.|Tệp có dòng đầu là mã PIN."`
}

// keyPlace names a key in a token.
type keyPlace struct {
	place
	Key string `placeholder:"LABEL" help:"The key's label.|Tên của khóa."`
	ID  string `name:"id" placeholder:"HEX" help:"The key's id.|Mã (id) của khóa."`
}

func (p place) where() token.Where {
	return token.Where{URI: signer.URI{
		Module: p.Module, Token: p.Token, Serial: p.Serial, Manufacturer: p.Manufacturer, Model: p.Model, PinFile: p.PinFile,
	}}
}

func (k keyPlace) where() (token.Where, error) {
	w := k.place.where()
	id, err := hex.DecodeString(k.ID)
	if err != nil {
		return w, usage("--id là các chữ số thập lục phân, như 0a1b", "--id is hexadecimal digits, as 0a1b")
	}
	w.Object, w.ID = k.Key, id
	switch {
	case w.Object == "" && len(id) == 0:
		return w, usage("hãy nêu khóa: --key hoặc --id", "name the key: --key or --id")
	case w.Token == "" && w.Serial == "":
		return w, usage("hãy nêu thiết bị: --token hoặc --serial", "name the token: --token or --serial")
	}
	return w, nil
}

func usage(vi, en string) error { return cli.Code{Exit: cli.Usage, Err: lang.Errorf(vi, en)} }

// said gives a problem of a token in the user's language.
func said(err error) error {
	if p := signer.ProblemOf(err); p != nil {
		code := cli.Failed
		if p.Temporary() {
			code = cli.TryAgain
		}
		return cli.Code{Exit: code, Err: p.Said()}
	}
	return err
}

type serveCommand struct {
	keyPlace
	Memory string `placeholder:"DIR" help:"Folder in which refused PINs are remembered.|Thư mục ghi nhớ mã PIN đã bị từ chối."`

	in io.Reader
}

func (serveCommand) Help() string {
	return cli.Help("", "For programs (endpoint.toml: key = \"pkcs11:…\"): it speaks a binary protocol over standard input and output, and ends with its input.",
		"Dành cho chương trình khác (endpoint.toml: key = \"pkcs11:…\"): giao tiếp nhị phân qua đầu vào và đầu ra chuẩn, dừng khi đầu vào kết thúc.")
}

func (c *serveCommand) Run(*cli.IO) error {
	w, err := c.where()
	if err != nil {
		return err
	}
	if w.Memory = c.Memory; w.Memory != "" {
		if err := os.MkdirAll(w.Memory, 0o700); err != nil {
			return err
		}
	}
	// Ctrl-C in a terminal goes to this process, too; who started it decides.
	signal.Ignore(os.Interrupt)
	out, err := signer.Stdout()
	if err != nil {
		return err
	}
	return signer.Serve(c.in, out, func() (signer.Token, error) {
		key, err := token.Open(w)
		if err != nil {
			return nil, err
		}
		return key, nil
	})
}

// absolute makes a path of the user's whole, for the address that is printed.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil && path != "" {
		return whole
	}
	return path
}
