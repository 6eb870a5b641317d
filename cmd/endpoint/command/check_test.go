package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docaxis/internal/vectors"
)

// vector writes a reference file into a folder.
func vector(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, vectors.EdXML(name), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func runCheck(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), append([]string{"check"}, args...), &o, &e)
	if e.Len() > 0 {
		t.Errorf("on the error output: %s", e.String())
	}
	return code, o.String()
}

func TestCheckSaysWhatIsWrongAndHowItIsMended(t *testing.T) {
	good, bad, none := vector(t, "variants/base.edxml"), vector(t, "variants/no-Subject.edxml"), vector(t, "variants/doctype.edxml")
	for _, tt := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"conforms", []string{good, "--lang", "vi"}, 0, []string{": ĐẠT\n", "Cảnh báo [code-qcvn-102]"}},
		{"errors", []string{bad, "--lang", "vi"}, 1, []string{": KHÔNG ĐẠT\n", "Lỗi [field-missing] edXML/edXMLEnvelope/edXMLHeader/MessageHeader/Subject: Thiếu trường bắt buộc. Hãy điền trường này."}},
		{"English", []string{bad, "--lang", "en"}, 1, []string{"DOES NOT CONFORM", "A required field is missing. Fill it in."}},
		{"unusable", []string{none, "--lang", "vi"}, 3, []string{": KHÔNG ĐỌC ĐƯỢC\n", "Lỗi [doctype]"}},
		{"absent", []string{filepath.Join(t.TempDir(), "khong-co.edxml"), "--lang", "vi"}, 3, []string{"Không có tệp"}},
		{"the worst counts", []string{none, bad, good, "--lang", "vi"}, 3, []string{"KHÔNG ĐỌC ĐƯỢC", "KHÔNG ĐẠT", ": ĐẠT"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out := runCheck(t, tt.args...)
			if code != tt.code {
				t.Errorf("exit %d, not %d", code, tt.code)
			}
			for _, s := range tt.says {
				if !strings.Contains(out, s) {
					t.Errorf("%q does not say %q", out, s)
				}
			}
		})
	}
}

func TestCheckForScripts(t *testing.T) {
	code, out := runCheck(t, "--json", "--lang", "en", vector(t, "variants/bad-priority.edxml"))
	var all []checked
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 1 || len(all) != 1 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	for _, f := range all[0].Findings {
		if f.Rule == "number-form" {
			if f.Found != "x" || f.Severity != "error" || f.What == "" || f.Mend == "" || !strings.HasSuffix(f.Path, "/OtherInfo/Priority") {
				t.Errorf("%+v", f)
			}
			return
		}
	}
	t.Errorf("%+v", all)
}
