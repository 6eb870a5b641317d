//go:build crosscheck

package cmd_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/internal/hubtest"
	"docaxis/internal/vectors"
)

// The first round by hand of docs/vendors.md and vendors.vi.md over the real programs,
// with real curl and openssl: an axis, one endpoint with two agencies, the commands
// that add the systems, and every line of the page as it stands.
func TestVendorsFirstRoundRunsInAShell(t *testing.T) {
	for _, page := range []string{"../docs/vendors.md", "../docs/vendors.vi.md"} {
		t.Run(filepath.Base(page), func(t *testing.T) { runVendors(t, strings.Join(blocks(t, page), "")) })
	}
}

// vendorsWorld brings an endpoint to where the page begins.
const vendorsWorld = `trap 'kill $(jobs -p); wait' EXIT
until_it() { for _ in $(seq 600); do if "$@" >/dev/null 2>&1; then return; fi; read -rt 0.05 <> <(:) || :; done; "$@"; }
printf 'code,name,aliases,parent,level,valid_from\n000.00.00.X90,Cơ quan A,,,unit,\n000.00.00.X91,Cơ quan B,,,unit,\n' > agencies.csv
export DOCAXIS_AXIS_DIR=axis DOCAXIS_ENDPOINT_DIR=office
axis init --listen $ADDRESS
axis serve & until_it axis status
axis agency import agencies.csv
endpoint join $(axis endpoint invite 000.00.00.X90 000.00.00.X91 | grep ^docaxis1)
printf 'listen = "127.0.0.1:0"\nvxp.listen = "%s"\n' $VXP > office/endpoint.toml
for code in 000.00.00.X90 000.00.00.X91; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$code" -days 30 -addext keyUsage=digitalSignature \
    -keyout seal.key -out $code.crt 2>/dev/null
  cat seal.key $code.crt > office/$code.pem
  printf '[[seal]]\ncode = "%s"\nkey = "%s.pem"\n' $code $code >> office/endpoint.toml
  axis seal admit $code $code.crt
done
endpoint serve & until_it endpoint status
come() { call countReceiveEdoc '"XroadVnpt-messagetype":"edoc"' | grep -q '"count":1'; }
`

func runVendors(t *testing.T, page string) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.edxml"), vectors.EdXML("new-1-attachment.edxml"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := strings.NewReplacer(
		"endpoint vxp add qlvb.a", "A=$(endpoint vxp add qlvb.a", "--code 000.00.00.X90\n", "--code 000.00.00.X90 | sed -n 's/^secret: *//p')\n",
		"endpoint vxp add qlvb.b", "B=$(endpoint vxp add qlvb.b", "--code 000.00.00.X91\n", "--code 000.00.00.X91 | sed -n 's/^secret: *//p')\n",
		"SECRET_A=...", "SECRET_A=$A", "SECRET_B=...", "SECRET_B=$B", "127.0.0.1:8805", "$VXP",
		"as $SYSTEM_B $SECRET_B\n", "as $SYSTEM_B $SECRET_B; until_it come\n",
	).Replace(page)
	var ports [2]string
	for i := range ports {
		var err error
		if ports[i], err = hubtest.Port(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", vendorsWorld+script)
	sh.Dir = dir
	sh.Env = append(os.Environ(), "PATH="+programs(t)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"DOCAXIS_LANG=en", "ADDRESS="+ports[0], "VXP="+ports[1])
	out, err := sh.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte(`"FAIL"`)) || bytes.Count(out, []byte(`"status":"OK"`)) != 6 {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"received.edxml", "downloaded.edxml"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, vectors.EdXML("new-1-attachment.edxml")) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}
