package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"docaxis/internal/lang"
)

// Help makes the further help of a command: an example, then what else is to be
// said of it, in both languages.
func Help(example, english, vietnamese string) string {
	example = "\n  " + strings.ReplaceAll(example, "\n", "\n  ") + "\n\n"
	return "Example:" + example + english + "|Ví dụ:" + example + vietnamese
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

// helpWords says kong's own words in Vietnamese.
func (io *IO) helpWords(text string) string {
	if io.Lang == lang.English {
		return text
	}
	for _, w := range []struct{ english, vietnamese string }{
		{`(?m)^Usage: `, "Cách dùng: "},
		{`(?m)^Arguments:$`, "Đối số:"},
		{`(?m)^Flags:$`, "Tùy chọn:"},
		{`(?m)^Commands:$`, "Các lệnh:"},
		{`(?m)^Run "(.*) <command> --help" for more information on a command\.$`, `Xem thêm về từng lệnh: $1 <lệnh> --help`},
		{`(?m)^(Cách dùng: .*)<command>`, "$1<lệnh>"},
		{`(?m)^(Cách dùng: .*)\[flags\]`, "$1[tùy chọn]"},
	} {
		text = regexp.MustCompile(w.english).ReplaceAllString(text, w.vietnamese)
	}
	return text
}

// misunderstood says what is wrong with a command line. Where only the command is
// missing, the help is the answer.
func (io *IO) misunderstood(k *kong.Kong, args []string, err error) int {
	at := k.Model.Node
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context.Selected() != nil {
		at = p.Context.Selected()
	}
	if strings.HasPrefix(err.Error(), "expected ") && len(at.Children) > 0 {
		again := *io
		again.Out = io.Err
		again.program.parse(&again, append(args[:len(args):len(args)], "--help"))
		return Usage
	}
	fmt.Fprintf(io.Err, "%s: %s\n", io.program.Name, io.usage(err.Error()))
	fmt.Fprintf(io.Err, io.Say("Xem %s --help.\n", "See %s --help.\n"), at.FullPath())
	return Usage
}

// usage says kong's complaint in Vietnamese as far as it is one that people meet.
func (io *IO) usage(text string) string {
	if io.Lang == lang.English {
		return text
	}
	for _, w := range []struct{ english, vietnamese string }{
		{`^unexpected argument (\S+?)(?:, did you mean (?:one of )?(.*)\?)?$`, "không hiểu “$1”"},
		{`^unknown flag (\S+?)(?:, did you mean (?:one of )?(.*)\?)?$`, "không có tùy chọn $1"},
		{`^missing flags: (.*)$`, "còn thiếu $1"},
		{`^expected "(.*)"$`, "còn thiếu $1"},
		{`^(\S+) must be one of (.*) but got (.*)$`, "$1 phải là một trong $2, không phải $3"},
		{`^(.*): expected a valid \d+ bit u?int but got (.*)$`, "$1 phải là số, không phải $2"},
		{`^(.*): expected duration but got ("[^"]*").*$`, "$1 phải là khoảng thời gian như 48h, không phải $2"},
		{`^(\S+): missing value, expecting .*$`, "$1 cần một giá trị"},
	} {
		if p := regexp.MustCompile(w.english); p.MatchString(text) {
			return p.ReplaceAllString(text, w.vietnamese)
		}
	}
	return text
}
