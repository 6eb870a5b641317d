package cmd_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readmes have the same tour in both languages.
var readmes = []string{"../README.md", "../README.vi.md"}

// The commands of the tour in both READMEs are those that testdata/tour.txtar runs,
// in that order: a README that drifts from the programs is found here.
func TestREADMEsTourIsTheOneThatIsRun(t *testing.T) {
	script, err := os.ReadFile("testdata/tour.txtar")
	if err != nil {
		t.Fatal(err)
	}
	run := commands(string(script))
	for _, path := range readmes {
		told := commands(tour(t, path))
		if len(told) < 15 {
			t.Fatalf("%s: only %d commands were found in its tour: %q", path, len(told), told)
		}
		rest := run
		for _, c := range told {
			at := slices.Index(rest, c)
			if at < 0 {
				t.Errorf("%s: testdata/tour.txtar does not run, or not at this place: %s", path, c)
				continue
			}
			rest = rest[at+1:]
		}
	}
}

// Whatever stands in a README's shell blocks is known to the programs or the shell:
// no other command is asked of a reader.
func TestREADMEsAskForNothingElse(t *testing.T) {
	known := []string{
		"go", "make", "export", "mkdir", "axis", "endpoint", "seal", "openssl", "-addext", "cat", "}", "mv", "printf", "echo",
	}
	for _, path := range readmes {
		for _, block := range blocks(t, path) {
			for line := range strings.Lines(block) {
				first, _, _ := strings.Cut(strings.TrimSpace(line), " ")
				first = strings.TrimSuffix(first, "()")
				if first != "" && first[0] != '#' && !slices.Contains(known, first) {
					t.Errorf("%s: %s", path, line)
				}
			}
		}
	}
}

// blocks are the shell blocks of a page.
func blocks(t *testing.T, path string) []string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		all = append(all, m[1])
	}
	return all
}

// tour is the shell text of the tour: what comes from make bin on.
func tour(t *testing.T, path string) string {
	t.Helper()
	all := blocks(t, path)
	at := slices.IndexFunc(all, func(b string) bool { return strings.HasPrefix(b, "make bin") })
	if at < 0 {
		t.Fatalf("%s has no tour", path)
	}
	return strings.Join(all[at:], "")
}

// commands are the lines of a README or a script that run axis or endpoint, brought
// to one form: what differs between a person's terminal and a script is taken out.
func commands(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "  #")
		line = strings.TrimPrefix(line, "exec ")
		line = regexp.MustCompile(`^(until '.*?'|exits 0) `).ReplaceAllString(line, "")
		line = regexp.MustCompile(` &\w+&$| --listen \$ADDRESS`).ReplaceAllString(line, "")
		line = strings.NewReplacer("$INVITATION", "docaxis1...", "$ID", "ID").Replace(line)
		if first, _, _ := strings.Cut(line, " "); first == "axis" || first == "endpoint" {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}
