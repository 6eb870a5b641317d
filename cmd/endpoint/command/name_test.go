package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestSafeName(t *testing.T) {
	for title, want := range map[string]string{
		"Công văn số 15.pdf":              "Công văn số 15.pdf",
		"../../etc/passwd":                "_.._etc_passwd",
		`..\..\autoexec.bat`:              `_.._autoexec.bat`,
		"a\x00b\nc\u202ed.txt":            "a_b_c_d.txt",
		"CON":                             "001-CON",
		"con.tar.gz":                      "001-con.tar.gz",
		"Lpt1.txt":                        "001-Lpt1.txt",
		"":                                "001-",
		" . . ":                           "001-",
		".bashrc":                         "bashrc",
		"ten.":                            "ten",
		strings.Repeat("ệ", 300):          strings.Repeat("ệ", 66),
		strings.Repeat("a", 300) + ".pdf": strings.Repeat("a", 196) + ".pdf",
	} {
		if got := safeName(title, 0); got != want {
			t.Errorf("safeName(%q) is %q, not %q", title, got, want)
		}
	}
}

func TestSafeNameStaysInItsFolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		title := rapid.OneOf(rapid.String(), rapid.StringMatching(`[./\\a-zCON:\x00 ]{0,300}`)).Draw(t, "title")
		name := safeName(title, 0)
		if name == "" || len(name) > 210 || !utf8.ValidString(name) || name != filepath.Base(name) ||
			strings.ContainsAny(name, "/\\:\x00\n") || strings.HasPrefix(name, ".") || !filepath.IsLocal(name) {
			t.Fatalf("safeName(%q) is %q", title, name)
		}
	})
}

func TestCreateNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]bool{}
	for range 3 {
		f, err := create(dir, "a.tar.gz")
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if seen[f.Name()] {
			t.Errorf("%s was made twice", f.Name())
		}
		seen[f.Name()] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d files, not 3 (%v)", len(entries), err)
	}
}
