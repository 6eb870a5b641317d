package edxml_test

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// The package is usable alone: beside the standard library it needs two packages.
func TestImportsAreFew(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			own := strings.HasPrefix(path, "docaxis/") || strings.Contains(strings.SplitN(path, "/", 2)[0], ".")
			if own && path != "docaxis/agency" && !strings.HasPrefix(path, "golang.org/x/text/") {
				t.Errorf("%s imports %s", e.Name(), path)
			}
		}
	}
}
