// Package docaxis_test owns the rules that hold for the whole module: which
// package may import which, and what no test may do.
package docaxis_test

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const module = "docaxis"

// Arrows go one way (docs/design.md section 6). Tests are free: they wire neighbours.
func TestArrows(t *testing.T) {
	g, clocks, err := load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(g["internal/chunk"]) == 0 || len(g["axis/content"]) == 0 {
		t.Fatalf("packages that are there were not found among %d", len(g))
	}
	for _, b := range broken(g) {
		t.Error(b)
	}
	for _, c := range clocks {
		t.Errorf("signing has no clock: %s", c)
	}
}

// load reads the imports of every package below root, for every system and every
// build tag but never, and where signing asks for the time.
func load(root fs.FS) (graph, []string, error) {
	g := graph{}
	var clocks []string
	err := eachGoFile(root, func(name string, src []byte) error {
		if strings.HasSuffix(name, "_test.go") || neverBuilt(src) {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		g[pkg] = append(g[pkg], importsOf(f)...)
		if within(pkg, "signing") && usesClock(f) {
			clocks = append(clocks, name)
		}
		return nil
	})
	return g, clocks, err
}

// eachGoFile calls f for every Go file, except in folders that Go passes over.
func eachGoFile(root fs.FS, f func(name string, src []byte) error) error {
	return fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata"):
			return fs.SkipDir
		case e.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		return f(name, src)
	})
}

func neverBuilt(src []byte) bool { return bytes.Contains(src, []byte("//go:build never\n")) }

// importsOf lists a file's imports, the module's own by their path within it.
func importsOf(f *ast.File) []string {
	var list []string
	for _, spec := range f.Imports {
		to := importPath(spec)
		if to == module {
			to = "."
		}
		list = append(list, strings.TrimPrefix(to, module+"/"))
	}
	return list
}

func importPath(spec *ast.ImportSpec) string {
	to, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return to
}

// usesClock reports whether a file asks package time for the time, or waits.
func usesClock(f *ast.File) bool {
	name := localName(f, "time")
	clock := []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"}
	if name == "." {
		return true // then nobody can see what is the clock's
	}
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		if x, sel, ok := selector(n); ok && x == name && slices.Contains(clock, sel) {
			found = true
		}
		return !found
	})
	return found
}

// localName is what a file calls a package; empty where it does not import it.
func localName(f *ast.File, pkg string) string {
	for _, spec := range f.Imports {
		if importPath(spec) != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

// selector reads x.Sel of a plain name x.
func selector(n ast.Node) (x, sel string, ok bool) {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", "", false
	}
	name, ok := s.X.(*ast.Ident)
	if !ok {
		return "", "", false
	}
	return name.Name, s.Sel.Name, true
}

// A skipped test hides what it should show; a sleeping one is slow or wrong.
func TestTestsNeitherSkipNorSleep(t *testing.T) {
	err := eachGoFile(os.DirFS("."), func(name string, src []byte) error {
		found, err := idle(name, src)
		for _, f := range found {
			t.Error(f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// idle lists where a test file skips or sleeps.
func idle(name string, src []byte) ([]string, error) {
	if !strings.HasSuffix(name, "_test.go") || bytes.Contains(src, []byte("// Code generated ")) {
		return nil, nil
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []string
	clock := localName(f, "time")
	ast.Inspect(f, func(n ast.Node) bool {
		x, sel, ok := selector(n)
		skips := slices.Contains([]string{"t", "tb", "b", "f"}, x) && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel)
		if sleeps := x == clock && sel == "Sleep"; ok && (skips || sleeps) {
			found = append(found, fmt.Sprintf("%s: %s.%s", files.Position(n.Pos()), x, sel))
		}
		return true
	})
	return found, nil
}

// The language version is pinned to a minor one, and whoever builds chooses the
// compiler.
func TestGoMod(t *testing.T) {
	raw, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		if word, _, _ := strings.Cut(lines.Text(), " "); word == "go" || word == "toolchain" {
			got = append(got, lines.Text())
		}
	}
	if diff := cmp.Diff([]string{"go 1.26.0"}, got); diff != "" {
		t.Error(diff)
	}
}

// What the loader sees: every file of every system and tag, no test.
func TestLoad(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	g, clocks, err := load(fstest.MapFS{
		"axis/hub.go":                file("package axis\nimport \"docaxis/axis/journal\"\n"),
		"axis/hub_windows.go":        file("package axis\nimport x \"golang.org/x/sys/windows\"\n"),
		"axis/hub_test.go":           file("package axis\nimport \"docaxis/endpoint\"\n"),
		"axis/tagged.go":             file("//go:build crosscheck\n\npackage axis\nimport \"docaxis\"\n"),
		"deps.go":                    file("//go:build never\n\npackage deps\nimport \"docaxis/axis\"\n"),
		"axis/testdata/a.go":         file("no Go at all"),
		".cache/a.go":                file("no Go at all"),
		"signing/asic/zip.go":        file("package asic\nimport \"time\"\nvar day = 24*time.Hour\n"),
		"signing/sign.go":            file("package signing\nimport clock \"time\"\nvar now = clock.Now\n"),
		"signing/dot.go":             file("package signing\nimport . \"time\"\nvar now2 = Now\n"),
		"agency/agency.go":           file("package agency\nimport \"time\"\nvar now = time.Now\n"),
		"internal/bus/notes_bus.txt": file("docaxis/endpoint"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := graph{
		"axis":         {"axis/journal", "golang.org/x/sys/windows", "."},
		"signing":      {"time", "time"},
		"signing/asic": {"time"},
		"agency":       {"time"},
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"signing/dot.go", "signing/sign.go"}, clocks); diff != "" {
		t.Error(diff)
	}
}

func TestIdleIsFound(t *testing.T) {
	src := `package p
import ("testing"; clock "time")
func TestA(t *testing.T) { t.Skip(); t.Skipf("x"); clock.Sleep(1); d.Skip() }
func BenchmarkB(b *testing.B) { b.SkipNow() }
`
	found, err := idle("p_test.go", []byte(src))
	if err != nil || len(found) != 4 {
		t.Errorf("%d found, want 4: %q, %v", len(found), found, err)
	}
	for name, src := range map[string]string{
		"p.go":        src,
		"gen_test.go": "// Code generated by x. DO NOT EDIT.\n" + src,
	} {
		if found, err := idle(name, []byte(src)); err != nil || len(found) > 0 {
			t.Errorf("%s: %q, %v", name, found, err)
		}
	}
}
