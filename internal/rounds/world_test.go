package rounds_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"docaxis/internal/hubtest"
)

// codes are those of the endpoints; each is named by its first.
var codes = [][]string{{"G22"}, {"H41", "H41.01"}, {"H41.11", "H41.11.05"}}

// found makes the folders of an axis and its endpoints, none of them running: what
// every world begins with.
func found(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	w, err := hubtest.New(t.Context(), hubtest.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range codes {
		if _, err := w.Enrol(t.Context(), c...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// world is an axis and its endpoints as processes.
type world struct {
	dir  string
	axis *process
	ends map[string]*process // by first code
	// story is what was done to the world and what it answered.
	story *story
	// checkpoint seen by the checker, how far the journal was.
	size uint64
}

// newWorld copies founded folders to an address of their own. They stay when the test
// fails.
func newWorld(t *testing.T, founded string) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "docaxis-rounds-*")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dir: dir, ends: map[string]*process{}, story: newStory()}
	t.Cleanup(func() {
		w.each(func(p *process) { p.end(true) })
		if t.Failed() {
			t.Logf("the folders are in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := w.copyFrom(founded); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) copyFrom(founded string) error {
	if err := os.CopyFS(w.dir, os.DirFS(founded)); err != nil {
		return err
	}
	address, err := hubtest.Port()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(w.dir, "logs"), 0o700); err != nil {
		return err
	}
	w.axis = w.process("axis", "axis")
	if err := replace(filepath.Join(w.axis.dir, "axis.toml"), `(?m)^listen = .*`, fmt.Sprintf("listen = %q", address)); err != nil {
		return err
	}
	for _, c := range codes {
		p := w.process("endpoint", "endpoint-"+c[0])
		w.ends[c[0]] = p
		if err := replace(filepath.Join(p.dir, "identity", "identity.toml"), `(?m)^address = .*`, fmt.Sprintf("address = %q", "localhost:"+port)); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) process(name, folder string) *process {
	return &process{name: name, dir: filepath.Join(w.dir, folder), log: filepath.Join(w.dir, "logs", folder)}
}

func replace(path, pattern, by string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	p := regexp.MustCompile(pattern)
	if !p.Match(text) {
		return fmt.Errorf("%s has no %s", path, pattern)
	}
	return os.WriteFile(path, p.ReplaceAllLiteral(text, []byte(by)), 0o600)
}

// names are those of all processes: "axis", and the endpoints' first codes.
func (w *world) names() []string {
	all := []string{"axis"}
	for _, c := range codes {
		all = append(all, c[0])
	}
	return all
}

func (w *world) named(name string) *process {
	if name == "axis" {
		return w.axis
	}
	return w.ends[name]
}

func (w *world) each(do func(p *process)) {
	for _, name := range w.names() {
		if p := w.named(name); p != nil {
			do(p)
		}
	}
}

// serving is the first code of the endpoint that serves a code.
func serving(code string) string {
	for _, c := range codes {
		if slices.Contains(c, code) {
			return c[0]
		}
	}
	return ""
}
