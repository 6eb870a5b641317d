//go:build crosscheck

package cmd_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/internal/hubtest"
)

// The shell blocks of the tour, run by bash as they stand, with real openssl. What a
// person does by hand is done here by a line of shell: terminals of their own
// become background processes, copied texts become variables.
func TestREADMEsTourRunsInAShell(t *testing.T) {
	for _, path := range readmes {
		t.Run(filepath.Base(path), func(t *testing.T) { runTour(t, tour(t, path)) })
	}
}

func runTour(t *testing.T, text string) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "deploy"), os.DirFS("../deploy")); err != nil {
		t.Fatal(err)
	}
	address, err := hubtest.Port()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "bash", "-c", byHand(text, address))
	sh.Dir = dir
	sh.Env = append(os.Environ(), "PATH="+programs(t)+string(os.PathListSeparator)+os.Getenv("PATH"), "DOCAXIS_LANG=")
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"ContentHandover", "HANDED_OVER", "Nội dung công văn."} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s:\n%s", want, out)
		}
	}
}

// programs is a folder with both programs, which are this test itself.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"axis", "endpoint"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// byHand makes a script of the tour.
func byHand(text, address string) string {
	script := `set -eu
trap 'kill $(jobs -p); wait' EXIT
until_it() { for _ in $(seq 600); do if "$@" >/dev/null 2>&1; then return; fi; read -rt 0.05 <> <(:) || :; done; "$@"; }
there() { "$@" | grep -q CONSIGNED; }
proved() { "$@" | grep -q ContentHandover; }
`
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "make bin"), strings.HasPrefix(line, "export PATH"):
			continue
		case strings.HasPrefix(line, "axis init"):
			line += " --listen " + address
		case strings.Contains(line, "endpoint invite"):
			line, _, _ = strings.Cut(line, "  #")
			line = "INVITATION=$(" + line + " | grep ^docaxis1)"
		case strings.HasPrefix(line, "endpoint send"):
			line = "ID=$(" + line + ")"
		case strings.HasPrefix(line, "endpoint inbox"):
			line = "until_it there " + line + " --json; " + line
		case strings.HasPrefix(line, "endpoint show"):
			line = "until_it proved " + strings.ReplaceAll(line, " ID", " $ID") + " --json; " + line + " --json"
		case strings.HasPrefix(line, "axis serve"), strings.HasPrefix(line, "endpoint serve"):
			status := strings.Replace(line, " serve ", " status ", 1)
			line += " & until_it " + status
		}
		line = strings.ReplaceAll(line, "docaxis1...", "$INVITATION")
		if !strings.HasPrefix(line, "ID=") {
			line = strings.ReplaceAll(line, " ID", " $ID")
		}
		script += line + "\n"
	}
	return script + "cat received/congvan.txt\n"
}
