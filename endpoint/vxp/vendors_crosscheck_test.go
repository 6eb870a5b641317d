//go:build crosscheck

package vxp_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"docaxis/endpoint/vxp"
	"docaxis/endpoint/vxp/vxptest"
)

// The shell blocks of docs/vendors.md and vendors.vi.md, run by bash as they stand with
// real curl and openssl. The address and the secrets are put in as a reader would;
// cmd runs the commands of the endpoint.
func TestVendorsFirstRoundRunsInAShell(t *testing.T) {
	for _, page := range []string{"vendors.md", "vendors.vi.md"} {
		t.Run(page, func(t *testing.T) {
			f := newFake(vxptest.IDs{})
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "package.edxml"), package101(), 0o600); err != nil {
				t.Fatal(err)
			}
			script := strings.NewReplacer(
				"http://127.0.0.1:8805", "http://"+serve(t, f, vxp.Options{}),
				"qlvb.a SECRET_A=...", vxptest.SystemA+" SECRET_A="+vxptest.SecretA,
				"qlvb.b SECRET_B=...", vxptest.SystemB+" SECRET_B="+vxptest.SecretB,
			).Replace(shell(t, filepath.Join("..", "..", "docs", page)))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			sh := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
			sh.Dir = dir
			out, err := sh.CombinedOutput()
			if err != nil || bytes.Contains(out, []byte(`"FAIL"`)) || bytes.Count(out, []byte(`"status":"OK"`)) != 6 {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, name := range []string{"received.edxml", "downloaded.edxml"} {
				if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, package101()) {
					t.Errorf("%s: %d bytes, %v", name, len(got), err)
				}
			}
			if len(f.handed) != 1 || f.handed[0].status != "done" {
				t.Errorf("what became of it: %+v", f.handed)
			}
		})
	}
}

// shell is the text of a page's shell blocks, without the endpoint's own commands.
func shell(t *testing.T, path string) string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if !strings.HasPrefix(m[1], "endpoint ") {
			text.WriteString(m[1])
		}
	}
	return text.String()
}
