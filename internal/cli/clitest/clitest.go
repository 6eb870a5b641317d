// Package clitest owns what every command line must pass: help in both languages
// for everything in its grammar.
package clitest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"docaxis/internal/cli"
)

// Help walks a grammar and reports every command, flag and argument without help in
// one of the languages, and every command without an example.
func Help(t *testing.T, p cli.Program) {
	t.Helper()
	k, err := kong.New(p.Grammar, kong.Name(p.Name), kong.Description(p.About))
	if err != nil {
		t.Fatal(err)
	}
	k.Model.Detail = p.Detail
	walk(t, p, k.Model.Node, nil)
}

func walk(t *testing.T, p cli.Program, n *kong.Node, path []string) {
	t.Helper()
	name := strings.Join(append([]string{p.Name}, path...), " ")
	both(t, name, n.Help)
	both(t, name+", detail", n.Detail)
	for _, part := range strings.Split(n.Detail, "|") {
		if !strings.HasPrefix(part, "Example:\n  ") && !strings.HasPrefix(part, "Ví dụ:\n  ") {
			t.Errorf("%s: the detail does not begin with an example: %q", name, part)
		}
	}
	for _, f := range n.Flags {
		if f.Name != "help" {
			both(t, name+" --"+f.Name, f.Help)
		}
	}
	for _, a := range n.Positional {
		both(t, name+" "+a.Summary(), a.Help)
	}
	printed(t, p, name, path)
	for _, child := range n.Children {
		walk(t, p, child, append(path[:len(path):len(path)], child.Name))
	}
}

// both holds a help text to be "English|Tiếng Việt", two halves that differ.
func both(t *testing.T, where, text string) {
	t.Helper()
	english, vietnamese, found := strings.Cut(text, "|")
	switch {
	case !found || strings.TrimSpace(english) == "" || strings.TrimSpace(vietnamese) == "":
		t.Errorf("%s: not in both languages: %q", where, text)
	case english == vietnamese:
		t.Errorf("%s: the languages say the same: %q", where, text)
	case strings.Contains(vietnamese, "|"):
		t.Errorf("%s: more than two halves: %q", where, text)
	case isVietnamese(english):
		t.Errorf("%s: Vietnamese letters in the English help: %q", where, english)
	case !isVietnamese(vietnamese):
		t.Errorf("%s: no Vietnamese letters in the Vietnamese help: %q", where, vietnamese)
	}
}

// isVietnamese leaves out what stands in quotes: examples name Vietnamese things.
func isVietnamese(text string) bool {
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 0 && strings.ContainsAny(strings.ToLower(part), "ăâđêôơưạảãáàấầẩẫậắằẳẵặẹẻẽéèếềểễệỉĩíìịọỏõóòốồổỗộớờởỡợụủũúùứừửữựỳýỵỷỹ") {
			return true
		}
	}
	return false
}

// printed asks for the help as a person does.
func printed(t *testing.T, p cli.Program, name string, path []string) {
	t.Helper()
	for _, l := range []struct{ lang, want, not string }{
		{"en", "Usage: ", "Tùy chọn:"},
		{"vi", "Cách dùng: ", "Flags:"},
	} {
		var out, errs bytes.Buffer
		args := append(path[:len(path):len(path)], "--help", "--lang", l.lang)
		code := p.Run(t.Context(), args, &out, &errs)
		if code != cli.OK || errs.Len() > 0 {
			t.Errorf("%s --help: exit code %d, %s", name, code, errs.String())
		}
		if text := out.String(); !strings.HasPrefix(text, l.want) || strings.Contains(text, l.not) || strings.Contains(text, "|") {
			t.Errorf("%s --help --lang %s:\n%s", name, l.lang, text)
		}
	}
}
