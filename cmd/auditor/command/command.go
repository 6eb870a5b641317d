// Package command owns the command line of the auditor: what is typed, what is
// printed, and the exit codes.
package command

import (
	"context"
	"io"

	"docaxis/auditor"
	"docaxis/internal/cli"
)

// Exit codes. They are the answer, for scripts, so nothing else shares them: whatever
// keeps the auditor from judging is Unusable.
const (
	Passed        = 0
	Failed        = 1
	Indeterminate = 2
	Unusable      = 3
)

func exitOf(r auditor.Result) int {
	switch r {
	case auditor.Passed:
		return Passed
	case auditor.Failed:
		return Failed
	case auditor.Indeterminate:
		return Indeterminate
	}
	return Unusable
}

// Run runs the command that args name and gives the exit code.
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	var g grammar
	code := program(&g).Run(ctx, args, out, errs)
	if code == cli.Usage && !g.Verify.ran {
		return Unusable
	}
	return code
}

func program(g *grammar) cli.Program {
	return cli.Program{
		Name: "auditor", Grammar: g, Common: &g.Common,
		About: "Judges signed files and the proofs of an axis; without --online it uses no network.|Kiểm tra tệp đã ký và bằng chứng của trục; không dùng mạng nếu không có --online.",
		Detail: cli.Help("auditor verify quyet-dinh.pdf --anchor root-ca.crt",
			"Exit codes: 0 all passed, 1 something failed, 2 nothing failed but not all is proven, 3 a file, an anchor or the command line cannot be used.",
			"Mã thoát: 0 tất cả đạt, 1 có chữ ký không đạt, 2 không có gì sai nhưng chưa đủ căn cứ, 3 tệp, nguồn tin cậy hoặc câu lệnh không dùng được."),
	}
}

type grammar struct {
	cli.Common

	Verify verifyCommand `cmd:"" help:"Judge signatures, signed files and proofs.|Kiểm tra chữ ký, tệp đã ký và bằng chứng."`
}
