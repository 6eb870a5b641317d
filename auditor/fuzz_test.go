package auditor_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"docaxis/auditor"
	"docaxis/internal/lang"
	"docaxis/internal/vectors"
	"docaxis/signing/pades/padestest"
)

// FuzzVerify: whatever a file holds, it gets one answer, in words and for scripts.
func FuzzVerify(f *testing.F) {
	for _, name := range []string{"epoch", "envelope", "receipt", "evidence", "seal.crt"} {
		b, err := os.ReadFile(filepath.Join("..", "internal", "evidence", "testdata", "page", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	p7s, err := os.ReadFile(filepath.Join("..", "signing", "testdata", "stamped.p7s"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p7s)
	f.Add(padestest.NewDoc().End().B)
	f.Add(vectors.EdXML("new-1-attachment.edxml"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		for _, name := range []string{"a", "a.p7s", "a.receipt", "epoch-1"} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o := auditor.Options{At: at, Lang: lang.Vietnamese, Folder: t.TempDir()}
		report := auditor.Verify([]string{dir, filepath.Join(dir, "a.p7s"), filepath.Join(dir, "a.receipt")}, o)
		results := []auditor.Result{auditor.Failed, auditor.Indeterminate, auditor.Unusable}
		for _, file := range report.Files {
			if !slices.Contains(results, file.Result) || file.Sentence == "" {
				t.Errorf("%+v", file)
			}
		}
		report.Write(io.Discard, lang.Vietnamese)
		var out bytes.Buffer
		if err := json.NewEncoder(&out).Encode(report); err != nil || !json.Valid(out.Bytes()) {
			t.Errorf("%v: %s", err, out.String())
		}
	})
}
