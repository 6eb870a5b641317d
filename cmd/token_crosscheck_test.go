//go:build crosscheck

package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docaxis/internal/envelope"
	"docaxis/internal/hubtest"
	"docaxis/internal/vectors"
)

// The steps of docs/operations.md for a seal in a token, as they stand, with the real
// programs, SoftHSM and openssl; then what may happen to a token, to its signer and to
// its PIN.
func TestASealInAToken(t *testing.T) {
	for _, kind := range []string{"p256", "rsa2048"} {
		t.Run(kind, func(t *testing.T) { runToken(t, kind) })
	}
}

// tokenSteps are the block of the page, made a script's: the PIN is written by printf,
// and a certification service answers the request.
func tokenSteps(t *testing.T, kind string) string {
	t.Helper()
	for _, block := range blocks(t, "../docs/operations.md") {
		if strings.Contains(block, "signer generate") {
			return strings.NewReplacer(
				"$EDITOR office/pin.txt", "printf '482913\\n' > office/pin.txt", "--type p256", "--type "+kind, "> seal.csr",
				"> seal.csr; openssl x509 -req -in seal.csr -CA ca.crt -CAkey ca.key -days 300 -extfile seal.ext -out seal.crt 2>/dev/null",
				"signer list $AT", "signer list $AT | tee list.txt",
			).Replace(block)
		}
	}
	t.Fatal("docs/operations.md has no steps for a token")
	return ""
}

// tokenWorld is an axis with one office; the key of X90 is to be in a token.
const tokenWorld = `trap 'kill $(jobs -p); wait' EXIT
until_it() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; read -rt 0.05 <> <(:) || :; done; "$@"; }
says() { local want=$1 out; shift; out=$("$@" 2>&1 || :); grep -q -- "$want" <<< "$out"; }
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' $PWD > softhsm.conf
export SOFTHSM2_CONF=$PWD/softhsm.conf DOCAXIS_AXIS_DIR=axis DOCAXIS_ENDPOINT_DIR=office
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=Root' -days 300 -keyout ca.key -out ca.crt 2>/dev/null
printf 'keyUsage=digitalSignature\nsubjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n' > seal.ext
printf 'code,name,aliases,parent,level,valid_from\n000.00.00.X90,Cơ quan A,,,unit,\n000.00.00.X91,Cơ quan B,,,unit,\n' > agencies.csv
axis init --listen $ADDRESS
axis serve & until_it axis status
axis agency import agencies.csv
endpoint join $(axis endpoint invite 000.00.00.X90 000.00.00.X91 | grep ^docaxis1)
`

// tokenDay is what happens to the token.
const tokenDay = `
KEY=$(sed -n 's/^ *key = //p' list.txt)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=X91" -days 300 -addext keyUsage=digitalSignature -keyout b.key -out b.crt 2>/dev/null
cat b.key b.crt > office/b.pem
printf 'listen = "127.0.0.1:0"\nvxp.listen = "%s"\n[[seal]]\ncode = "000.00.00.X90"\nkey = %s\nsigner = "%s"\n[[seal]]\ncode = "000.00.00.X91"\nkey = "b.pem"\n' \
  $VXP "$KEY" $SIGNER > office/endpoint.toml
axis seal admit 000.00.00.X90 seal.crt; axis seal admit 000.00.00.X91 b.crt
endpoint serve & SERVE=$!; until_it says ': connected' endpoint status
# The process, or the one that a shell's subshell keeps, that has the signer as its child.
child() { pgrep -f "^$SIGNER serve.*--memory=$PWD/|^$SIGNER serve.*--memory=office/" | tail -1; }
until_it says 'can be opened and are valid' endpoint doctor

echo 'Nội dung' > congvan.txt
send() { endpoint send --from 000.00.00.X90 --to 000.00.00.X91 --subject "$1" congvan.txt; }
ID=$(send one); until_it says ContentConsignment endpoint show $ID

echo '== the signer is killed'
OLD=$(child); kill -9 $OLD
ID=$(send two); until_it says ContentConsignment endpoint show $ID
[ "$(child)" != "$OLD" ]
axis document $ID --evidence proofs

echo '== the token is taken out'
mv tokens away; kill -9 $(child)
if send three; then exit 9; else [ $? = 3 ]; fi
A=$(endpoint vxp add qlvb.a --code 000.00.00.X90 | sed -n 's/^secret: *//p')
PAGE
grep -q '"status":"OK"' sent.json
until_it says '1 documents wait for the token' endpoint status
if endpoint doctor > doctor.txt; then exit 9; fi
grep 'does not sign: the token failed\|does not sign: no slot has the token' doctor.txt

echo '== the endpoint starts without it'
kill $SERVE; wait $SERVE || :
endpoint serve & SERVE=$!; until_it says ': connected' endpoint status
until_it says '1 documents wait for the token' endpoint status

echo '== it is back'
mv away tokens
until_it says ContentConsignment endpoint show $SENT
until_it send four

echo '== a wrong PIN'
kill $SERVE; wait $SERVE || :
printf '111111\n' > office/pin.txt
for _ in 1 2 3 4 5; do if endpoint serve 2> wrong.txt; then exit 9; fi; grep -q 'refused the PIN' wrong.txt; done
if grep 111111 wrong.txt; then exit 9; fi
[ $(ls office/signer/pin-*.json | wc -l) = 1 ]; grep -q '"refused":true' office/signer/pin-*.json
printf '482913\n' > office/pin.txt
endpoint serve & SERVE=$!; until_it says ': connected' endpoint status
ID=$(send five); until_it says ContentConsignment endpoint show $ID

echo '== no process stays'
kill -9 $SERVE; wait $SERVE || :
gone() { [ -z "$(child)" ]; }
until_it gone
`

func runToken(t *testing.T, kind string) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.edxml"), vectors.EdXML("new-1-attachment.edxml"), 0o600); err != nil {
		t.Fatal(err)
	}
	var ports [2]string
	for i := range ports {
		var err error
		if ports[i], err = hubtest.Port(); err != nil {
			t.Fatal(err)
		}
	}
	page := blocks(t, "../docs/vendors.md")
	send := strings.NewReplacer("SECRET_A=...", "SECRET_A=$A", "127.0.0.1:8805", "$VXP").
		Replace(page[1] + "as $SYSTEM_A $SECRET_A\n" + page[3])
	script := tokenWorld + tokenSteps(t, kind) + strings.Replace(tokenDay, "PAGE\n", send, 1)
	bin := programs(t)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "signer"), "docaxis/cmd/signer")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the signer: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	sh.Dir = dir
	sh.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"DOCAXIS_LANG=en", "ADDRESS="+ports[0], "VXP="+ports[1], "SIGNER="+filepath.Join(bin, "signer"))
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bytes.Contains(out, []byte("level=ERROR")) {
		t.Errorf("an error was logged:\n%s", out)
	}
	verifySeal(t, dir)
}

// verifySeal holds the seal in the folder of proofs against openssl.
func verifySeal(t *testing.T, dir string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "proofs", "*-envelope"))
	if err != nil || len(found) != 1 {
		t.Fatalf("envelopes %q: %v", found, err)
	}
	raw, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	env, err := envelope.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"manifest.xml": env.Pb.Manifest, "seal.p7s": env.Pb.Signature} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-cades", "-binary", "-purpose", "any", "-inform", "DER",
		"-in", "seal.p7s", "-content", "manifest.xml", "-CAfile", "ca.crt", "-out", os.DevNull)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Error(fmt.Errorf("openssl: %w\n%s", err, out))
	}
}
