// Package cli owns how the project's commands speak: their language, tables or
// JSON, and exit codes.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"docaxis/internal/admin"
	"docaxis/internal/lang"
	"docaxis/internal/reason"
	"docaxis/proto/axispb"
)

// Exit codes, the same for every command.
const (
	OK       = 0
	Failed   = 1 // refused, or it went wrong: something must change first
	Usage    = 2 // the command line is not understood
	TryAgain = 3 // nothing is wrong with the request: later, or once it runs
	NotFound = 4
)

// IO is what a command reads and writes.
type IO struct {
	Out, Err io.Writer
	Lang     lang.Language
	JSON     bool
	// Terminal: progress may be drawn on Err.
	Terminal bool
}

// Say picks the text in the user's language.
func (io *IO) Say(vietnamese, english string) string { return io.Lang.Pick(vietnamese, english) }

// Print writes a value as JSON, or lets text write it for people.
func (io *IO) Print(v any, text func(w io.Writer)) error {
	if io.JSON {
		e := json.NewEncoder(io.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	text(io.Out)
	return nil
}

// Table writes rows in columns; cells must not contain tabs.
func Table(w io.Writer, header []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(header, "\t"))
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush() //nolint:errcheck // what cannot be printed cannot be reported either
}

// Common are the flags of every command.
type Common struct {
	Lang string `help:"Language: vi or en.|Ngôn ngữ: vi hoặc en." enum:",vi,en" default:"" env:"DOCAXIS_LANG"`
	JSON bool   `name:"json" help:"Print JSON, for scripts.|In JSON, dùng cho kịch bản."`
}

// Program is a command line: its grammar is a struct as kong reads it, with
// Common embedded, its help texts "English|Tiếng Việt".
type Program struct {
	Name, About string
	Grammar     any
	Common      *Common
}

// Run parses args and runs the command they name, and gives the exit code. It
// never exits by itself.
func (p Program) Run(ctx context.Context, args []string, out, errs io.Writer) int {
	o := &IO{Out: out, Err: errs, Lang: lang.Choose(flagOf(args))}
	if f, ok := errs.(*os.File); ok {
		o.Terminal = term.IsTerminal(int(f.Fd()))
	}
	exit := -1
	k, err := kong.New(p.Grammar, kong.Name(p.Name), kong.Description(p.About), kong.Writers(out, errs),
		kong.Exit(func(code int) { exit = code; panic(stop{}) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}))
	if err != nil {
		fmt.Fprintln(errs, err)
		return Usage
	}
	translate(k.Model.Node, o.Lang)
	parsed, err := parse(k, args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(errs, "%s: %v\n", p.Name, err)
		fmt.Fprintln(errs, o.Say("Xem "+p.Name+" --help.", "See "+p.Name+" --help."))
		return Usage
	}
	o.JSON = p.Common.JSON
	if p.Common.Lang != "" {
		o.Lang = lang.Language(p.Common.Lang)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(o)
	return o.end(p.Name, parsed.Run())
}

// stop leaves kong after it has printed help.
type stop struct{}

func parse(k *kong.Kong, args []string) (c *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(stop); !ok {
				panic(r)
			}
		}
	}()
	return k.Parse(args)
}

// flagOf finds the language before the grammar is read: help depends on it.
func flagOf(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--lang="); ok {
			return v
		}
		if a == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("DOCAXIS_LANG")
}

// translate picks one language of every help text.
func translate(n *kong.Node, l lang.Language) {
	n.Help, n.Detail = half(n.Help, l), half(n.Detail, l)
	for _, f := range n.Flags {
		if f.Name == "help" {
			f.Help = "Show help.|Hiện hướng dẫn."
		}
		f.Help = half(f.Help, l)
	}
	for _, a := range n.Positional {
		a.Help = half(a.Help, l)
	}
	for _, child := range n.Children {
		translate(child, l)
	}
}

func half(text string, l lang.Language) string {
	english, vietnamese, ok := strings.Cut(text, "|")
	if !ok {
		return text
	}
	return l.Pick(vietnamese, english)
}

// end reports an error in the user's language and gives its exit code.
func (io *IO) end(name string, err error) int {
	if err == nil {
		return OK
	}
	var code Code
	if errors.As(err, &code) {
		if code.Err == nil {
			return code.Exit
		}
		err = code.Err
	}
	fmt.Fprintf(io.Err, "%s: %s\n", name, io.Explain(err))
	switch {
	case code.Exit != 0:
		return code.Exit
	case errors.Is(err, admin.ErrNotRunning):
		return TryAgain
	case reason.Is(err, axispb.ReasonCode_REASON_NOT_FOUND):
		return NotFound
	}
	var e *reason.Error
	if errors.As(err, &e) && e.Temporary() {
		return TryAgain
	}
	return Failed
}

// Explain says an error to a person.
func (io *IO) Explain(err error) string {
	if errors.Is(err, admin.ErrNotRunning) {
		return io.Say("tiến trình sở hữu thư mục này chưa chạy; hãy chạy lệnh serve trước", "no process owns this folder: start it with serve first") +
			" (" + err.Error() + ")"
	}
	if r := reason.Of(err); r != nil {
		return reason.Sentence(r, reason.Language(io.Lang))
	}
	return err.Error()
}

// Code is an error with an exit code of its own; without Err nothing is printed.
type Code struct {
	Exit int
	Err  error
}

// Error is the error's text.
func (c Code) Error() string {
	if c.Err == nil {
		return fmt.Sprintf("exit %d", c.Exit)
	}
	return c.Err.Error()
}

// Actor is who runs the command, as this machine knows them.
func Actor() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
