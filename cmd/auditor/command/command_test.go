package command

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"docaxis/auditor"
	"docaxis/internal/cli/clitest"
	"docaxis/signing"
	"docaxis/signing/pades/padestest"
	"docaxis/signing/signingtest"
)

func TestHelpIsInBothLanguages(t *testing.T) { clitest.Help(t, program(new(grammar))) }

var update = flag.Bool("update", false, "write the golden files")

const example = "../../../internal/evidence/testdata/page"

// folder has a signature over congvan.txt, its seal as an anchor, and PDFs.
func folder(t *testing.T) func(name string) string {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	root, err := signingtest.NewRoot("Gốc thử", time.Now().AddDate(-1, 0, 0), time.Now().AddDate(1, 0, 0))
	must(err)
	seal, err := root.Issue("Ủy ban nhân dân xã Thử", nil, nil)
	must(err)
	sign := func(content []byte) []byte {
		der, err := signing.Sign(content, seal.Key, seal.Chain)
		must(err)
		return der
	}
	content, pdf := []byte("Nội dung\n"), padestest.NewDoc().End().Sign(padestest.Sig{Field: "A\x1b]0;x\a", Value: sign}).B
	for name, b := range map[string][]byte{
		"congvan.txt": content, "congvan.txt.p7s": sign(content), "other.txt": []byte("Khác\n"), "signed.pdf": pdf,
		"altered.pdf": bytes.Replace(pdf, []byte("(Noi dung)"), []byte("(Nai dung)"), 1),
		"seal.crt":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: seal.Certificate().Raw}),
		"root.crt":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw}),
		"text.crt":    []byte("no certificate"),
	} {
		must(os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func TestExitCodesAndWords(t *testing.T) {
	in := folder(t)
	p7s, seal, root := in("congvan.txt.p7s"), in("seal.crt"), in("root.crt")
	for _, tt := range []struct {
		name   string
		args   []string
		code   int
		vi, en string
	}{
		{"passed", []string{p7s, "--anchor", seal}, Passed, ": ĐẠT\n", ": PASSED\n"},
		{"passed, several", []string{p7s, in("signed.pdf"), "--anchor", seal, "--anchor", root}, Passed, "TẤT CẢ: ĐẠT\n", "ALL: PASSED\n"},
		{"other content", []string{p7s, "--anchor", seal, "--content", in("other.txt")}, Failed, "TOTAL-FAILED, HASH_FAILURE\n", "The content was changed after Ủy ban nhân dân xã Thử signed it"},
		{"altered", []string{in("altered.pdf"), "--anchor", seal}, Failed, ": KHÔNG ĐẠT\n", ": FAILED\n"},
		{"no revocation data", []string{p7s, "--anchor", root}, Indeterminate, "không có dữ liệu thu hồi", "INDETERMINATE, TRY_LATER\n"},
		{"nobody is trusted", []string{p7s}, Indeterminate, "Chưa nêu nguồn tin cậy nào (--anchor)", "No anchor was given"},
		{"before the certificate", []string{p7s, "--anchor", seal, "--at", "2001-02-03T04:05"}, Indeterminate, "2001-02-03 04:05:00 (do người kiểm tra nêu)", "2001-02-03 04:05:00 (given by whoever checks)"},
		{"a text", []string{in("congvan.txt")}, Unusable, ": KHÔNG KIỂM TRA ĐƯỢC\n", ": UNUSABLE\n"},
		{"a name that steers", []string{in("a\x1b[2J.pdf")}, Unusable, "a [2J.pdf", "a [2J.pdf"},
		{"absent", []string{in("khong-co.pdf")}, Unusable, "Không có ", "There is no "},
		{"failed is worse than unusable", []string{in("congvan.txt"), in("altered.pdf"), "--anchor", seal}, Failed, "TẤT CẢ: KHÔNG ĐẠT\n", "ALL: FAILED\n"},
		{"unusable is worse than indeterminate", []string{in("congvan.txt"), p7s}, Unusable, "TẤT CẢ: KHÔNG KIỂM TRA ĐƯỢC\n", "ALL: UNUSABLE\n"},
		{"proofs", []string{example, "--anchor", example + "/ca.crt", "--anchor", example + "/seal.crt"}, Passed, "Bằng chứng ContentConsignment do h41-11-05 lập.", "Evidence ContentConsignment by h41-11-05."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for l, says := range map[string]string{"vi": tt.vi, "en": tt.en} {
				code, out, errs := run(t, append([]string{"verify", "--lang", l}, tt.args...)...)
				if code != tt.code || errs != "" || !strings.Contains(out, says) {
					t.Errorf("exit %d, %s%s does not say %q", code, errs, out, says)
				}
				if strings.ContainsAny(out, "\x1b\a") {
					t.Errorf("a file steers the terminal: %q", out)
				}
			}
		})
	}
}

// TestWhatKeepsFromJudging never shares an exit code with an answer.
func TestWhatKeepsFromJudging(t *testing.T) {
	in := folder(t)
	p7s := in("congvan.txt.p7s")
	for _, tt := range []struct {
		name   string
		args   []string
		vi, en string
	}{
		{"no command", nil, "Cách dùng", "Usage"},
		{"no file", []string{"verify"}, "còn thiếu", "expected"},
		{"an unknown flag", []string{"verify", p7s, "--on-line"}, "không có tùy chọn --on-line", "unknown flag --on-line"},
		{"no anchor there", []string{"verify", p7s, "--anchor", in("khong-co.crt")}, "Không có ", "There is no "},
		{"an anchor that is none", []string{"verify", p7s, "--anchor", in("text.crt")}, "Không đọc được nguồn tin cậy", "The anchors cannot be read"},
		{"a device as anchor", []string{"verify", p7s, "--anchor", os.DevNull}, "không thể là chứng thư", "cannot be a certificate"},
		{"no time", []string{"verify", p7s, "--at", "hôm qua"}, "Không hiểu thời điểm", "is no time that is understood"},
		{"one content for two", []string{"verify", p7s, p7s, "--content", in("congvan.txt")}, "--content chỉ dùng với một", "--content goes with one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for l, says := range map[string]string{"vi": tt.vi, "en": tt.en} {
				t.Setenv("DOCAXIS_LANG", l)
				code, out, errs := run(t, tt.args...)
				if code != Unusable || out != "" || !strings.Contains(errs, says) {
					t.Errorf("exit %d, %s, %q does not say %q", code, out, errs, says)
				}
			}
		})
	}
}

func TestMoments(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-21T02:00:00Z": "2026-11-21T02:00:00Z", "2026-11-21T09:00:00+07:00": "2026-11-21T02:00:00Z",
		"2026-11-21T09:00": "2026-11-21T02:00:00Z", "2026-11-21 09:00:01": "2026-11-21T02:00:01Z", "2026-11-21": "2026-11-20T17:00:00Z",
	} {
		got, err := moment(text)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// TestTheFormForScripts compares the whole answer about the worked example of
// docs/evidence.md.
func TestTheFormForScripts(t *testing.T) {
	code, out, errs := run(t, "verify", "--json", "--lang", "en", "--at", "2026-11-21", example, "--anchor", example+"/ca.crt")
	if code != Indeterminate || errs != "" {
		t.Fatalf("exit %d, %s", code, errs)
	}
	abs, err := filepath.Abs(example)
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(abs)
	if err != nil {
		t.Fatal(err)
	}
	out = strings.ReplaceAll(out, string(quoted), `"page"`)
	// The detail is for experts and may say more one day.
	out = regexp.MustCompile(`(?m)^ *"detail": .*\n`).ReplaceAllString(out, "")
	golden := filepath.Join("testdata", "page.json")
	if *update {
		if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || out != string(want) {
		t.Errorf("%v: the answer is not %s: %s", err, golden, out)
	}
	var report auditor.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Version != auditor.ReportVersion || report.Result != auditor.Indeterminate {
		t.Errorf("%v: %+v", err, report)
	}
}
