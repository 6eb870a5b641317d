//go:build crosscheck

package evidence

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a piece of shell on the page, with what it is said to print; blocks
// without output have nothing between the marks.
var block = regexp.MustCompile("(?s)```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?")

// The commands of docs/evidence.md, run as an auditor would, print what it says.
// Without bash and openssl it fails: a check that was not made is not a check
// passed.
func TestPageCommandsPrintWhatItSays(t *testing.T) {
	p := readPage(t)
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(pageFolder)))
	must(t, os.Remove(filepath.Join(dir, "document.json"))) // the page takes it out of the envelope
	blocks := block.FindAllStringSubmatch(p.text, -1)
	const mark = "---- end of block ----"
	var script strings.Builder
	for _, b := range blocks {
		fmt.Fprintf(&script, "%s\necho '%s'\n", b[1], mark)
	}
	// #nosec: the page is ours
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", "exec 2>&1\n"+script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the page's commands: %v\n%s", err, out)
	}
	printed := strings.Split(string(out), mark+"\n")
	if len(blocks) == 0 || len(printed) != len(blocks)+1 {
		t.Fatalf("%d blocks, %d outputs", len(blocks), len(printed)-1)
	}
	if *update {
		p.rewrite(printed)
		return
	}
	for i, b := range blocks {
		if printed[i] != b[2] {
			t.Errorf("after\n%s\nthe page says\n%s\nbut it prints\n%s", b[1], b[2], printed[i])
		}
	}
}

// rewrite puts what the commands print into the page.
func (p *page) rewrite(printed []string) {
	i := -1
	text := block.ReplaceAllStringFunc(p.text, func(found string) string {
		i++
		return "```sh\n" + block.FindStringSubmatch(found)[1] + "```\n" + output(printed[i])
	})
	must(p.t, os.WriteFile(pagePath, []byte(text), 0o644))
}

func output(printed string) string {
	if printed == "" {
		return ""
	}
	return "\n```text\n" + printed + "```\n"
}
