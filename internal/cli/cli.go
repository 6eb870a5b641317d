// Package cli owns how the project's commands speak: their language, tables or
// JSON, and exit codes.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"docaxis/internal/lang"
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

	program Program
}

// Say picks the text in the user's language.
func (io *IO) Say(vietnamese, english string) string { return io.Lang.Pick(vietnamese, english) }

// State is a state's word in the user's language.
func (io *IO) State(name string) string { return lang.State(name, io.Lang) }

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

// Common are the flags of every command.
type Common struct {
	Lang string `help:"Language: vi or en.|Ngôn ngữ: vi hoặc en." enum:",vi,en" default:"" env:"DOCAXIS_LANG"`
	JSON bool   `name:"json" help:"Print JSON, for scripts.|In JSON, dùng cho kịch bản."`
}

// Program is a command line: its grammar is a struct as kong reads it, with
// Common embedded, its help texts "English|Tiếng Việt".
type Program struct {
	Name, About string
	// Detail is the rest of the help of the whole; Help makes it.
	Detail  string
	Grammar any
	Common  *Common
	Folder  Folder
}

// Run parses args and runs the command they name, and gives the exit code. It
// never exits by itself.
func (p Program) Run(ctx context.Context, args []string, out, errs io.Writer) int {
	o := &IO{Out: out, Err: errs, Lang: lang.Choose(flagOf(args)), program: p}
	if f, ok := errs.(*os.File); ok {
		o.Terminal = term.IsTerminal(int(f.Fd()))
	}
	parsed, code, done := p.parse(o, args)
	if done {
		return code
	}
	o.JSON = p.Common.JSON
	if p.Common.Lang != "" {
		o.Lang = lang.Language(p.Common.Lang)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(o)
	return o.end(parsed.Run())
}

// parse reads the command line; done where that is all there is to do.
func (p Program) parse(o *IO, args []string) (parsed *kong.Context, code int, done bool) {
	var help bytes.Buffer
	exit := -1
	k, err := p.model(o.Lang, &help, func(code int) { exit = code; panic(stop{}) })
	if err != nil {
		fmt.Fprintln(o.Err, err)
		return nil, Usage, true
	}
	parsed, err = parse(k, args)
	switch {
	case exit >= 0:
		fmt.Fprint(o.Out, o.helpWords(help.String()))
		return nil, exit, true
	case err != nil:
		return nil, o.misunderstood(k, args, err), true
	}
	return parsed, OK, false
}

// model is the grammar with its help in one language.
func (p Program) model(l lang.Language, help io.Writer, exit func(int)) (*kong.Kong, error) {
	k, err := kong.New(p.Grammar, kong.Name(p.Name), kong.Description(p.About), kong.Writers(help, help),
		kong.Exit(exit), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}))
	if err != nil {
		return nil, fmt.Errorf("read the grammar: %w", err)
	}
	k.Model.Detail = p.Detail
	translate(k.Model.Node, l)
	return k, nil
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

// Unwrap gives the error.
func (c Code) Unwrap() error { return c.Err }

// Actor is who runs the command, as this machine knows them.
func Actor() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// ExistingFile refuses a path that is no file that can be read, before anything is
// done.
func ExistingFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Code{NotFound, lang.Errorf("Không có tệp %s. Hãy kiểm tra tên tệp và thư mục.",
			"There is no file %s. Check its name and folder.", path).Because(err)}
	case err != nil:
		return err
	case info.IsDir():
		return Code{NotFound, lang.Errorf("%s là thư mục. Hãy nêu tên tệp.", "%s is a folder. Name a file.", path)}
	}
	return nil
}
